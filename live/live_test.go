package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/live"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

var update = flag.Bool("update", false, "write the golden files anew")

const captures = "../internal/e2e/testdata/captures"

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// recording are the events of a real session's hooks.
type recording struct {
	name  string
	at    []time.Time
	hook  []string
	lines [][]redact.Line
}

// record reads a capture as the hook would write it into j.
func record(t testing.TB, j *journal.Journal, name string) (r recording) {
	t.Helper()
	r.name = name
	dir := filepath.Join(captures, name)
	redactor := j.Redactor("")
	for line := range bytes.Lines(must(os.ReadFile(filepath.Join(dir, "hooks.jsonl")))(t)) {
		var call struct {
			At    int64  `json:"recv_ns"`
			Event string `json:"event"`
			Stdin string `json:"stdin"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			t.Fatal(err)
		}
		env := claude.Env{Now: time.Unix(0, call.At).UTC(), Host: "host", User: "dev", HashKey: j.Key()}
		if id := schema.FieldString([]byte(call.Stdin), "agent_id"); id != "" {
			env.AgentMeta, _ = os.ReadFile(filepath.Join(dir, "agent-"+id+".meta.json"))
		}
		var lines []redact.Line
		for _, e := range claude.Events([]byte(call.Stdin), env) {
			lines = append(lines, redactor.Event(e))
		}
		r.at, r.hook, r.lines = append(r.at, env.Now), append(r.hook, call.Event), append(r.lines, lines)
	}
	return r
}

// What a session is doing after each of its hooks, of real sessions: what people are shown.
func TestStates(t *testing.T) {
	for _, name := range []string{"a_tools", "b_failures", "c_parallel", "d_agent_bg", "d_agent_fg", "e_denied_default", "h_stay_529",
		"i_int", "z_tui", "z_tui_resume"} {
		t.Run(name, func(t *testing.T) {
			j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
			r := record(t, j, name)
			now := time.Time{}
			w := &live.Watcher{Journal: j, Now: func() time.Time { return now }, Prices: &usage.Table{}}
			w.Begin()
			var got strings.Builder
			for i, lines := range r.lines {
				now = r.at[i]
				if err := j.Append(lines...); err != nil {
					t.Fatal(err)
				}
				for _, line := range lines {
					for _, c := range w.Look(t.Context(), line.Session()) {
						fmt.Fprintf(&got, "%-20s %s\n", r.hook[i], told(&c, r.at[0]))
					}
				}
			}
			golden(t, filepath.Join("testdata", name+".txt"), got.String())
		})
	}
}

// told is a session's state in a line; times are since the recording began.
func told(c *live.Change, from time.Time) string {
	s := &c.Session
	since := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return at.Sub(from).Round(time.Millisecond).String()
	}
	line := fmt.Sprintf("%.4s %-8s since %-9s turn %s–%s", s.SessionID, s.State, since(s.Since), since(s.TurnStartedAt), since(s.TurnEndedAt))
	if s.Call != nil {
		line += fmt.Sprintf("  %d: %s %s %q depth %d", s.Calls, s.Call.Status, s.Call.ToolName, s.Call.Gist, s.Call.Depth)
	}
	if s.LastError != nil {
		line += fmt.Sprintf("  error %s %q", s.LastError.ToolName, s.LastError.Error)
	}
	if c.Gone {
		line += "  gone"
	}
	return line
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(must(os.ReadFile(path))(t)), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", path, diff)
	}
}

// What is told in changes adds up to what the store answers with: rows of sessions and
// actions, tokens and cost, of every capture, hooks and transcripts, looked at as they grow.
func TestAsTheStoreHasIt(t *testing.T) {
	dirs := must(filepath.Glob(captures + "/*/hooks.jsonl"))(t)
	if len(dirs) < 30 {
		t.Fatalf("%d captures", len(dirs))
	}
	sessions, priced := 0, 0
	for _, path := range dirs {
		name := filepath.Base(filepath.Dir(path))
		home := filepath.Join(t.TempDir(), "home")
		j := must(journal.Open(home))(t)
		h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
		all := map[string]*account{}
		w := &live.Watcher{Journal: j, Now: func() time.Time { return time.Unix(0, 0) }, Prices: new(must(usage.ListPrices())(t))}
		w.Begin()
		look := func(id string) {
			if schema.NoSession(id) {
				return
			}
			for _, c := range w.Look(t.Context(), id) {
				if all[id] == nil {
					all[id] = &account{}
				}
				all[id].take(&c)
			}
		}
		r := record(t, j, name)
		for i, lines := range r.lines {
			if err := j.Append(lines...); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				look(lines[0].Session())
			}
		}
		projects := filepath.Join(filepath.Dir(path), "projects")
		if _, err := os.Stat(projects); err == nil {
			must(h.ImportTranscripts(t.Context(), []string{projects}, actiongraph.TranscriptOptions{}, nil))(t)
		}
		for _, f := range must(j.Files())(t) {
			look(f.Session)
			sessions++
			if all[f.Session].compare(t, h, name, f.Session) {
				priced++
			}
		}
		h.Close()
	}
	if sessions < 30 || priced < 10 {
		t.Errorf("%d sessions, %d with a cost", sessions, priced)
	}
}

// account is what a receiver of changes knows of a session.
type account struct {
	session live.Session
	actions map[string]live.Action
}

func (a *account) take(c *live.Change) {
	a.session = c.Session
	if c.Reset {
		a.actions = map[string]live.Action{}
	}
	for _, x := range c.Actions {
		if x.Removed {
			delete(a.actions, x.ActionID)
		} else {
			a.actions[x.ActionID] = x
		}
	}
}

// compare holds the account against what the store says, and reports whether there was a cost.
func (a *account) compare(t *testing.T, h *actiongraph.Home, name, id string) bool {
	t.Helper()
	ctx := context.Background()
	row := must(h.Session(ctx, id))(t)
	if diff := cmp.Diff(row, a.session.SessionRow, cmpopts.IgnoreFields(graph.SessionRow{}, "Tags", "ForkedFrom", "ForkedAt", "ForkedAtTime", "ForkLabel")); diff != "" {
		t.Errorf("%s: session %s, store and live:\n%s", name, id, diff)
	}
	rows, err := h.Actions(ctx, graph.ActionFilter{Session: id})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(a.actions) {
		t.Errorf("%s: session %s has %d actions in the store, %d here", name, id, len(rows), len(a.actions))
	}
	for _, want := range rows {
		if diff := cmp.Diff(want, a.actions[want.ActionID].ActionRow, cmpopts.IgnoreFields(graph.ActionRow{}, "FollowsID")); diff != "" {
			t.Errorf("%s: action %s, store and live:\n%s", name, want.ActionID, diff)
		}
	}
	reader := must(h.Reader(ctx))(t)
	report := usage.OfSession(must(reader.Usage(ctx, usage.SessionFilter(id)))(t), new(must(usage.ListPrices())(t)))
	want, got := 0.0, 0.0
	if report.Total.CostUSD != nil {
		want = *report.Total.CostUSD
	}
	if a.session.CostUSD != nil {
		got = *a.session.CostUSD
	}
	if math.Abs(want-got) > 1e-9 {
		t.Errorf("%s: session %s costs %v in the report, %v here", name, id, want, got)
	}
	return want > 0
}

// A journal file that is replaced is read anew, one that goes is gone, one that cannot be
// read says so; lines that are no events are counted.
func TestFilesChange(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	now := at
	w := &live.Watcher{Journal: j, Now: func() time.Time { return now }, Prices: &usage.Table{}}
	w.Begin()
	put := func(e schema.Event) {
		t.Helper()
		e.SessionID, e.Origin, e.V = "s", schema.OriginAPI, schema.Version
		if err := j.Append(j.Redactor("").Event(e)); err != nil {
			t.Fatal(err)
		}
	}
	prompt := func(id string) {
		put(schema.Event{EventID: id, EventType: schema.Message, Role: schema.RoleUser, Content: id, Timestamp: now})
		now = now.Add(time.Second)
	}
	one := func() live.Change {
		t.Helper()
		all := w.Look(t.Context(), "s")
		if len(all) != 1 {
			t.Fatalf("%d changes: %v", len(all), all)
		}
		return all[0]
	}
	prompt("first")
	prompt("second")
	if c := one(); !c.Reset || len(c.Actions) != 2 || c.Session.State != live.Working {
		t.Errorf("at first: %+v", c)
	}
	prompt("third")
	if c := one(); c.Reset || len(c.Actions) != 1 || c.Actions[0].Gist != "third" {
		t.Errorf("then: %+v", c)
	}
	path := filepath.Join(journal.Dir(j.Home()), "s.jsonl")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	prompt("other")
	if c := one(); !c.Reset || len(c.Actions) != 1 || c.Actions[0].Gist != "other" {
		t.Errorf("of another file: %+v", c)
	}
	f := must(os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0))(t)
	must(f.WriteString("\n{\"v\":1,\"session_id\":\"x\"}\n\n{\"v\":99}\n"))(t)
	f.Close()
	if c := one(); c.Session.Refused != 2 || len(c.Actions) != 0 {
		t.Errorf("after lines that are no events: %+v", c)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c := one(); !c.Gone {
		t.Errorf("without a file: %+v", c)
	}
}

// Which sessions are folded at all is told from the end of their files.
func TestMayRun(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		after time.Duration
		ends  bool
		long  bool // an action of which 64 kB show neither end
		want  bool
	}{
		{"runs", time.Minute, false, false, true},
		{"silent for hours", 23 * time.Hour, false, false, true},
		{"silent for a day", 25 * time.Hour, false, false, false},
		{"just ended", time.Minute, true, false, true},
		{"ended", 20 * time.Minute, true, false, false},
		{"of unknown age", 25 * time.Hour, false, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
			events := []schema.Event{{EventType: schema.Message, Role: schema.RoleUser, Content: "do", Timestamp: at}}
			if c.ends {
				events = append(events, schema.Event{EventType: schema.SessionEnd, Timestamp: at.Add(time.Second)})
			}
			if c.long {
				events[0].Content = strings.Repeat("word ", 40_000)
			}
			for i, e := range events {
				e.SessionID, e.EventID, e.Origin, e.V = "s", fmt.Sprint("e", i), schema.OriginAPI, schema.Version
				if err := j.Append(j.Redactor("").Event(e)); err != nil {
					t.Fatal(err)
				}
			}
			w := &live.Watcher{Journal: j, Now: func() time.Time { return at.Add(c.after) }, Prices: &usage.Table{}}
			w.Begin()
			if got := w.MayRun("s"); got != c.want {
				t.Errorf("may run: %v", got)
			}
			shown := c.want && !c.long
			if got := len(w.Look(t.Context(), "s")) == 1; got != shown {
				t.Errorf("told: %v", got)
			}
		})
	}
}

// Of a session of many actions the latest are kept, and what runs.
func TestPruned(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	w := &live.Watcher{Journal: j, Now: func() time.Time { return at }, Prices: &usage.Table{}}
	w.Begin()
	events := []schema.Event{
		{EventID: "prompt", EventType: schema.Message, Role: schema.RoleUser, Content: "do"},
		{EventID: "runs", EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "runs", ToolInput: json.RawMessage(`{"command":"sleep 9999"}`)},
	}
	for i := range 3 * live.Kept {
		events = append(events, schema.Event{EventID: fmt.Sprint("m", i), EventType: schema.Message, Role: schema.RoleAssistant, Content: fmt.Sprint("said ", i)})
	}
	var lines []redact.Line
	for i, e := range events {
		e.SessionID, e.Origin, e.V, e.Timestamp = "s", schema.OriginAPI, schema.Version, at.Add(time.Duration(i)*time.Millisecond)
		lines = append(lines, j.Redactor("").Event(e))
	}
	if err := j.Append(lines...); err != nil {
		t.Fatal(err)
	}
	c := w.Look(t.Context(), "s")[0]
	if n := w.Actions("s"); n < live.Kept || n > 2*live.Kept {
		t.Errorf("%d actions are held", n)
	}
	if c.Session.State != live.Working || c.Session.Call == nil || c.Session.Call.Gist != "sleep 9999" || !c.Session.TurnStartedAt.Equal(at) {
		t.Errorf("%+v", c.Session)
	}
	if c.Session.ActionCount != int64(len(events)) {
		t.Errorf("%d actions counted, want %d", c.Session.ActionCount, len(events))
	}
	byID := map[string]bool{}
	for _, a := range c.Actions {
		byID[a.Gist] = true
	}
	if !byID[fmt.Sprint("said ", 3*live.Kept-1)] || byID["said 1"] {
		t.Errorf("not the latest are kept: %d", len(byID))
	}
}
