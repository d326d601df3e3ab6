package cypher_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// The two journals that recorded what the queries are asked about.
const (
	journalA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	journalB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// recordings are sessions of the real Claude Code, captured by its hooks.
func recordings() []string {
	return []string{
		"a_tools",          // four tools, a file read, written and edited
		"b_failures",       // calls that failed in every way
		"d_agent_error",    // a subagent of which nothing tells who spawned it
		"d_agent_parallel", // two subagents at once
		"e_denied_default", // what the user did not allow
		"e_denied_rule",    // what a rule did not allow
		"f_mcp",            // an MCP server with a tool that fails
		"g_resume",         // resumed twice
		"i_kill9",          // killed while a call ran
	}
}

// fixture returns the batches of the whole fixture: recordings, and protocol events for
// what hooks do not carry.
func fixture(t *testing.T) []graph.Batch {
	t.Helper()
	events := map[string][]schema.Event{}
	var order []string
	add := func(e schema.Event) {
		if err := e.Validate(); err != nil {
			t.Fatalf("%s %s: %v", e.SessionID, e.EventID, err)
		}
		if events[e.SessionID] == nil {
			order = append(order, e.SessionID)
		}
		events[e.SessionID] = append(events[e.SessionID], e)
	}
	for _, name := range recordings() {
		for _, e := range recorded(t, name) {
			add(e)
		}
	}
	for _, e := range protocolEvents() {
		add(e)
	}
	var out []graph.Batch
	for _, id := range order {
		out = append(out, batch(graph.NewSession(id, journalA), journalA, id, events[id]))
	}
	part := batch(graph.NewContinuation("ledger", journalB), journalB, "ledger", continuedEvents())
	part.Continues = true
	return append(out, part)
}

func batch(s *graph.Session, journal, id string, events []schema.Event) graph.Batch {
	for i := range events {
		s.Apply(&events[i])
	}
	return graph.Batch{
		Journal: journal, Session: id, Ops: s.Take(),
		To: schema.Position{Offset: int64(len(events)), Sum: 1, First: 1},
	}
}

// recorded returns the events of one of internal/e2e's recordings.
func recorded(t *testing.T, name string) (out []schema.Event) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "internal", "e2e", "testdata", "captures", name, "hooks.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var call struct {
			RecvNS int64  `json:"recv_ns"`
			Stdin  string `json:"stdin"`
		}
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			t.Fatal(err)
		}
		out = append(out, claude.Events([]byte(call.Stdin), claude.Env{
			Now: time.Unix(0, call.RecvNS).UTC(), Host: "laptop", User: "dev", HashKey: []byte("key"),
		})...)
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		t.Fatalf("%s: %d events: %v", name, len(out), err)
	}
	return out
}

// story writes the protocol events of one session, a minute apart.
type story struct {
	session, host string
	now           time.Time
	events        []schema.Event
}

func (s *story) tell(typ schema.Type, fill func(*schema.Event)) {
	e := schema.Event{
		V: schema.Version, EventType: typ, SessionID: s.session, Timestamp: s.now, SourceSDK: "test",
		Origin: schema.OriginAPI, Host: s.host, UserID: "dana",
	}
	if fill != nil {
		fill(&e)
	}
	e.EventID = schema.EventID(e.Origin, string(typ), s.session, schema.FormatTime(s.now))
	s.events = append(s.events, e)
	s.now = s.now.Add(time.Minute)
}

func (s *story) start() { s.tell(schema.SessionStart, nil) }

func (s *story) end(status string) {
	s.tell(schema.SessionEnd, func(e *schema.Event) { e.Status = status })
}

func (s *story) prompt(text string) {
	s.tell(schema.Message, func(e *schema.Event) { e.Role, e.Content = schema.RoleUser, text })
}

func (s *story) tag(tags ...string) {
	s.tell(schema.Tag, func(e *schema.Event) { e.Tags = tags })
}

func (s *story) model(model string, in, out int64, cost float64) {
	s.tell(schema.LLMEnd, func(e *schema.Event) {
		e.Model, e.MessageID, e.InputTokens, e.OutputTokens, e.CostUSD = model, "msg-"+schema.FormatTime(s.now), &in, &out, &cost
		read, made := 10*in, out/2
		e.CacheReadInputTokens, e.CacheCreationInputTokens = &read, &made
	})
}

// call tells of a call and, unless outcome is "", of its end: "ok" or an error message.
func (s *story) call(id, tool, input, outcome string) {
	s.tell(schema.ToolStart, func(e *schema.Event) {
		e.ToolUseID, e.ToolName, e.ToolInput = id, tool, json.RawMessage(input)
	})
	if outcome == "" {
		return
	}
	s.tell(schema.ToolEnd, func(e *schema.Event) {
		e.ToolUseID, e.ToolName, e.ToolInput = id, tool, json.RawMessage(input)
		if outcome != "ok" {
			e.IsError, e.ErrorMessage = true, outcome
		}
	})
}

// protocolEvents tell of cost, loops, forks, tags, a file that two sessions wrote, a
// session that was abandoned and one that waits for a permission.
func protocolEvents() []schema.Event {
	const main = `{"file_path":"/src/app/main.go","content":"package main"}`
	ledger := &story{session: "ledger", host: "build-1", now: day(1)}
	ledger.start()
	ledger.prompt("make the tests pass")
	ledger.model("large", 1000, 200, 0.25)
	for i := range 3 {
		ledger.call("test-"+string(rune('a'+i)), "Bash", `{"command":"go test ./..."}`, "Exit code 1\nFAIL")
	}
	ledger.call("fix", "Write", main, "ok")
	ledger.call("test-d", "Bash", `{"command":"go test ./..."}`, "ok")
	ledger.model("small", 500, 50, 0.01)
	ledger.tag("release-42", "flaky")
	ledger.now = day(2)
	ledger.prompt("once more")
	ledger.model("large", 3000, 400, 0.5)
	ledger.model("large", 100, 10, 0.1)
	ledger.end("")

	fork := func(id, parent string, at int) *story {
		s := &story{session: id, host: "build-1", now: day(at)}
		s.start()
		s.tell(schema.Fork, func(e *schema.Event) { e.ParentSessionID, e.ParentEventID = parent, "event-"+parent })
		s.prompt("try it another way")
		return s
	}
	forkA := fork("fork-a", "ledger", 3)
	forkA.call("rewrite", "Write", main, "ok")
	forkA.tag("flaky")
	forkA.end("")
	forkB := fork("fork-b", "fork-a", 4)
	forkB.end(schema.StatusFailed)

	gone := &story{session: "gone", host: "laptop", now: day(5)}
	gone.start()
	gone.prompt("refactor everything")
	gone.call("endless", "Bash", `{"command":"make all"}`, "")
	gone.now = gone.now.Add(-time.Minute) // an abandonment is timed at the last fact
	gone.end(schema.StatusAbandoned)

	asking := &story{session: "asking", host: "laptop", now: day(6)}
	asking.start()
	asking.prompt("clean up")
	asking.call("rm", "Bash", `{"command":"rm -r build"}`, "")
	asking.tell(schema.Permission, func(e *schema.Event) {
		e.ToolUseID, e.ToolName = "rm", "Bash"
	})

	var out []schema.Event
	for _, s := range []*story{ledger, forkA, forkB, gone, asking} {
		out = append(out, s.events...)
	}
	return out
}

// continuedEvents is what another machine records of the session ledger.
func continuedEvents() []schema.Event {
	s := &story{session: "ledger", host: "laptop-2", now: day(7)}
	s.start()
	s.prompt("go on here")
	s.call("look", "Read", `{"file_path":"/home/dana/notes.md"}`, "ok")
	return s.events
}

func day(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }

// caption is what a row shows of a node: its labels and its name.
func caption(labels []string, name any) string {
	text, _ := name.(string)
	return "(:" + strings.Join(labels, ":") + " " + text + ")"
}
