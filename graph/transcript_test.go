package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// What hooks and transcripts say of one thing, rule by rule, as Claude Code 2.1.330 says it.

// said makes facts of one session, at seconds after epoch. Each is named by its place.
type said struct{ events []schema.Event }

func (l *said) add(origin schema.Origin, name string, at float64, e schema.Event) {
	e.V, e.SessionID, e.SourceSDK, e.Origin, e.HookEventName = schema.Version, "s", "claude-code", origin, name
	e.Timestamp = epoch.Add(time.Duration(at * float64(time.Second)))
	if e.EventID == "" {
		e.EventID = fmt.Sprint(origin, len(l.events))
	}
	if origin == schema.OriginTranscript {
		e.Timestamp = e.Timestamp.Truncate(time.Millisecond)
		e.Seq = int64(len(l.events)+1) * 1000
	}
	l.events = append(l.events, e)
}

func (l *said) hook(name string, at float64, e schema.Event) { l.add(schema.OriginHook, name, at, e) }

func (l *said) line(name string, at float64, e schema.Event) {
	l.add(schema.OriginTranscript, name, at, e)
}

// graph folds the facts in every order that a few shuffles give, and holds it against the
// oracle.
func (l *said) graph(t *testing.T) *Graph {
	t.Helper()
	matchAll(t, t.Name(), "s", l.events, rand.New(rand.NewPCG(1, 2)), 4)
	return oracle("s", l.events)
}

// actions returns the actions of one type, in the order of time, as "status, properties".
func actions(g *Graph, typ ActionType, props ...string) (out []string) {
	nodes := slices.DeleteFunc(slices.Clone(g.Nodes()), func(n *Node) bool { return n.Type != typ || n.Label != LabelAction })
	slices.SortFunc(nodes, func(a, b *Node) int { return int(a.Prop("timestamp").(Time) - b.Prop("timestamp").(Time)) })
	for _, n := range nodes {
		text := fmt.Sprint(n.Prop("status"))
		for _, p := range props {
			if v := n.Prop(p); v != nil {
				text += fmt.Sprintf(", %s %v", p, v)
			}
		}
		out = append(out, text)
	}
	return out
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func session(g *Graph, name string) any { return g.Node(Ref{LabelSession, "s"}).Prop(name) }

func stop(text string) schema.Event {
	return schema.Event{EventType: schema.TurnEnd, Content: text, PromptID: "p"}
}

func summary() schema.Event {
	return schema.Event{EventType: schema.TurnEnd, Extra: json.RawMessage(`{"hookCount":1}`)}
}

func took(ms float64) schema.Event {
	return schema.Event{EventType: schema.TurnEnd, DurationMS: &ms}
}

func TestOneEndOfATurn(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(*said)
		want []string
	}{
		"Stop, stop_hook_summary, turn_duration": {func(l *said) {
			l.hook("Stop", 1.8259, stop("done"))
			l.line("stop_hook_summary", 1.840, summary())
			l.line("turn_duration", 1.842, took(160))
		}, []string{`completed, name done, duration_ms 160, stop_hooks {"hookCount":1}`}},
		"lines alone": {func(l *said) {
			l.line("stop_hook_summary", 1.840, summary())
			l.line("turn_duration", 1.842, took(160))
		}, []string{`completed, name turn end, duration_ms 160, stop_hooks {"hookCount":1}`}},
		"no Stop hooks but ours to tell of": {func(l *said) {
			l.line("turn_duration", 1.842, took(160))
		}, []string{`completed, name turn end, duration_ms 160`}},
		"a line in the millisecond of its hook": {func(l *said) {
			l.hook("Stop", 1.8259, stop("done"))
			l.line("stop_hook_summary", 1.825, summary())
		}, []string{`completed, name done, stop_hooks {"hookCount":1}`}},
		"a hook that takes ten minutes": {func(l *said) {
			l.hook("Stop", 1, stop("done"))
			l.line("stop_hook_summary", 600.5, summary())
		}, []string{`completed, name done, stop_hooks {"hookCount":1}`}},
		"no hook takes longer": {func(l *said) {
			l.hook("Stop", 1, stop("done"))
			l.line("stop_hook_summary", 602, summary())
		}, []string{"completed, name done", `completed, name turn end, stop_hooks {"hookCount":1}`}},
		"a Stop that a hook blocks, and the next": {func(l *said) {
			l.hook("Stop", 1, stop("done"))
			l.line("stop_hook_summary", 1.1, summary())
			l.hook("Stop", 3, stop("done again"))
			l.line("stop_hook_summary", 3.1, summary())
			l.line("turn_duration", 3.2, took(2200))
		}, []string{`completed, name done, stop_hooks {"hookCount":1}`, `completed, name done again, duration_ms 2200, stop_hooks {"hookCount":1}`}},
		"a turn without summary, and the next": {func(l *said) {
			l.hook("Stop", 1, stop("one"))
			l.hook("Stop", 3, stop("two"))
			l.line("stop_hook_summary", 3.1, summary())
		}, []string{"completed, name one", `completed, name two, stop_hooks {"hookCount":1}`}},
		"turns of which hooks were not there yet": {func(l *said) {
			l.line("stop_hook_summary", 1, summary())
			l.line("stop_hook_summary", 2, summary())
			l.hook("Stop", 3, stop("three"))
			l.line("stop_hook_summary", 3.1, summary())
		}, []string{`completed, name turn end, stop_hooks {"hookCount":1}`, `completed, name turn end, stop_hooks {"hookCount":1}`,
			`completed, name three, stop_hooks {"hookCount":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var l said
			c.say(&l)
			want(t, "ends", actions(l.graph(t), TurnEnd, "name", "duration_ms", "stop_hooks"), c.want)
		})
	}
}

func apiError(kind string) schema.Event {
	return schema.Event{EventType: schema.Error, IsError: true, ErrorType: kind, ErrorMessage: "API Error: 529",
		Extra: json.RawMessage(`{"api_error_status":529}`)}
}

func prompt(id, text string) schema.Event {
	return schema.Event{EventType: schema.Message, Role: schema.RoleUser, Content: text, PromptID: id}
}

func TestOneErrorThatEndsATurn(t *testing.T) {
	failure := schema.Event{EventType: schema.Error, IsError: true, ErrorType: "server_error", ErrorMessage: "API Error: 529"}
	for name, c := range map[string]struct {
		say    func(*said)
		status string
		want   []string
	}{
		"both": {func(l *said) {
			l.line("user", 0, prompt("p", "go"))
			l.line("assistant", 1, apiError("server_error"))
			l.hook("StopFailure", 1.1, failure)
			l.hook("SessionEnd", 2, schema.Event{EventType: schema.SessionEnd})
		}, schema.StatusFailed, []string{"failed, name StopFailure: server_error API Error: 529, api_error_status 529"}},
		"the hook was killed": {func(l *said) {
			l.line("user", 0, prompt("p", "go"))
			l.line("assistant", 1, apiError("server_error"))
		}, schema.StatusFailed, []string{"failed, name API error: server_error API Error: 529, api_error_status 529"}},
		"a later prompt": {func(l *said) {
			l.line("user", 0, prompt("p", "go"))
			l.line("assistant", 1, apiError("server_error"))
			l.line("user", 2, prompt("q", "again"))
		}, schema.StatusUnknown, []string{"failed, name API error: server_error API Error: 529, api_error_status 529"}},
		"how long the turn took": {func(l *said) {
			l.line("assistant", 1, apiError("server_error"))
			l.line("turn_duration", 1.1, took(900))
		}, schema.StatusFailed, []string{"failed, name API error: server_error API Error: 529, api_error_status 529"}},
		"another kind of error": {func(l *said) {
			l.line("assistant", 1, apiError("unknown"))
			l.hook("StopFailure", 1.1, failure)
		}, schema.StatusActive, []string{"failed, name API error: unknown API Error: 529, api_error_status 529",
			"failed, name StopFailure: server_error API Error: 529"}},
		"a request that was tried again": {func(l *said) {
			l.line("user", 0, prompt("p", "go"))
			l.line("api_error", 1, apiError("server_error"))
		}, schema.StatusUnknown, []string{"failed, name API error: server_error API Error: 529, api_error_status 529"}},
	} {
		t.Run(name, func(t *testing.T) {
			var l said
			c.say(&l)
			g := l.graph(t)
			want(t, "errors", actions(g, ErrorEvent, "name", "api_error_status"), c.want)
			want(t, "session", session(g, "status"), any(c.status))
		})
	}
}

func TestPromptsOfOneText(t *testing.T) {
	again := prompt("p2", "go on")
	again.EventID = "line"
	copied := again
	copied.PromptID = "p9"
	lost := again
	lost.PromptID = ""
	command := prompt("p", "<command-message>hello</command-message>\n<command-name>/hello</command-name>\n<command-args>you</command-args>")
	command.Role = schema.RoleSystem
	clear := prompt("p", "<command-name>/clear</command-name>\n<command-message>clear</command-message>")
	clear.Role = schema.RoleSystem
	for name, c := range map[string]struct {
		say          func(*said)
		user, system []string
	}{
		"the same prompt twice": {func(l *said) {
			l.line("user", 0, prompt("p1", "go on"))
			l.hook("UserPromptSubmit", 0.1, prompt("p1", "go on"))
			l.line("user", 9, again)
			l.hook("UserPromptSubmit", 9.1, prompt("p2", "go on"))
		}, []string{"completed, prompt_id p1", "completed, prompt_id p2"}, nil},
		"a fork's copy with a prompt id of its own": {func(l *said) {
			l.hook("UserPromptSubmit", 9.1, prompt("p2", "go on"))
			l.line("user", 9, copied)
		}, []string{"completed, prompt_id p2"}, nil},
		"a line and its copy without prompt id": {func(l *said) {
			l.line("user", 9, again)
			l.line("user", 9, lost)
		}, []string{"completed, prompt_id p2"}, nil},
		"a line without prompt id long after": {func(l *said) {
			l.hook("UserPromptSubmit", 0, prompt("p2", "go on"))
			l.line("user", 61, lost)
		}, []string{"completed, prompt_id p2", "completed"}, nil},
		"a slash command": {func(l *said) {
			l.hook("UserPromptSubmit", 0, prompt("p", "/hello you"))
			l.line("user", 0.2, command)
		}, []string{"completed, prompt_id p"}, nil},
		"a slash command without hooks": {func(l *said) { l.line("user", 0.2, command) }, []string{"completed, prompt_id p"}, nil},
		"a command of the runtime":      {func(l *said) { l.line("user", 0.2, clear) }, nil, []string{"completed, prompt_id p"}},
	} {
		t.Run(name, func(t *testing.T) {
			var l said
			c.say(&l)
			g := l.graph(t)
			want(t, "prompts", actions(g, UserMessage, "prompt_id"), c.user)
			want(t, "others", actions(g, SystemMessage, "prompt_id"), c.system)
		})
	}
}

func TestThoughtsAreNoAnswers(t *testing.T) {
	say := func(reason, text string) schema.Event {
		return schema.Event{EventType: schema.Message, Role: schema.RoleAssistant, Content: text, Reason: reason}
	}
	var l said
	l.line("assistant", 1, say("thinking", "done"))
	l.line("assistant", 2, say("redacted_thinking", ""))
	l.line("assistant", 3, say("", "well"))
	l.hook("Stop", 4, stop("done"))
	g := l.graph(t)
	want(t, "messages", actions(g, AssistantMessage, "text", "thinking", "reason"),
		[]string{"completed, text done, thinking true", "completed, thinking true, reason redacted_thinking", "completed, text well"})
	want(t, "message_count", session(g, "message_count"), any(int64(1)))
	want(t, "the answer that only the hook has", actions(g, TurnEnd, "text"), []string{"completed, text done"})
}
