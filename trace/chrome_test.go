package trace_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/trace"
)

type chromeEvent struct {
	Name string
	Ph   string
	TS   float64
	Dur  float64
	PID  int
	TID  int
	ID   int
	BP   string
	Args map[string]any
}

// timeline reads a trace as viewers do, and fails where it breaks a rule of the format.
func timeline(t *testing.T, text string) (slices []chromeEvent) {
	t.Helper()
	var file struct {
		TraceEvents     []chromeEvent
		DisplayTimeUnit string
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		t.Fatalf("%v:\n%.300s", err, text)
	}
	type thread struct{ pid, tid int }
	named, open, arrows := map[thread]bool{}, map[thread][]float64{}, map[int]float64{}
	last := 0.0
	for _, e := range file.TraceEvents {
		at := thread{e.PID, e.TID}
		if e.Ph == "M" {
			named[at] = named[at] || e.Name == "thread_name"
			continue
		}
		if e.TS < last {
			t.Errorf("%s at %v comes behind one at %v", e.Name, e.TS, last)
		}
		last = e.TS
		switch e.Ph {
		case "X":
			if !named[at] || e.Dur < 0 {
				t.Errorf("a slice of a thread without a name, or of a negative time: %+v", e)
			}
			stack := open[at]
			for len(stack) > 0 && stack[len(stack)-1] <= e.TS+1e-4 {
				stack = stack[:len(stack)-1]
			}
			if n := len(stack); n > 0 && e.TS+e.Dur > stack[n-1]+1e-4 {
				t.Errorf("%s at %v ends at %v, behind what it is in (%v)", e.Name, e.TS, e.TS+e.Dur, stack[n-1])
			}
			open[at] = append(stack, e.TS+e.Dur)
			slices = append(slices, e)
		case "s":
			arrows[e.ID] = e.TS
		case "f":
			if from, ok := arrows[e.ID]; !ok || from > e.TS || e.BP != "e" {
				t.Errorf("an arrow to %+v from %v", e, from)
			}
			delete(arrows, e.ID)
		case "i":
			if !named[at] {
				t.Errorf("an instant of a thread without a name: %+v", e)
			}
		default:
			t.Errorf("a %q", e.Ph)
		}
	}
	if len(arrows) > 0 {
		t.Errorf("arrows that lead nowhere: %v", arrows)
	}
	return slices
}

// isTimeline fails where a timeline breaks a rule, or lacks a call.
func isTimeline(t *testing.T, h home) {
	t.Helper()
	for _, session := range h.sessions(t) {
		text, report := h.written(t, session, trace.Chrome, trace.Options{})
		got := map[string]int{}
		for _, s := range timeline(t, text) {
			if id, ok := s.Args["action_id"].(string); ok {
				got[id]++
			}
		}
		for _, n := range h.graph(t, session).Nodes() {
			isSlice := n.Type == graph.ToolCall || n.Type == graph.LLMCall ||
				n.Type == graph.UserMessage && n.Prop("agent_id") == nil
			if isSlice && got[n.Key] != 1 {
				t.Errorf("%s: %s %s is %d slices", session, n.Type, n.Key, got[n.Key])
			}
		}
		if n := strings.Count(text, `"ph":"X"`); n != report.Items {
			t.Errorf("%d slices of %+v", n, report)
		}
	}
}

// Parallel calls are beside each other, and a subagent hangs on the call that spawned it.
func TestChromeThreads(t *testing.T) {
	dir := "../internal/e2e/testdata/captures/d_agent_parallel"
	h := capture(t, dir)
	text, _ := h.written(t, h.sessions(t)[0], trace.Chrome, trace.Options{})
	timeline(t, text)
	for what, want := range map[string]int{`"ph":"s"`: 2, `"ph":"f"`: 2, `{"name":"main (2)"}`: 1} {
		if n := strings.Count(text, what); n != want {
			t.Errorf("%d times %s, want %d:\n%s", n, what, want, text)
		}
	}
	with, _ := h.written(t, h.sessions(t)[0], trace.Chrome, trace.Options{Content: true, Redact: func(s string) string {
		return strings.ReplaceAll(s, "SUB RESULT", "[gone]")
	}})
	if !strings.Contains(with, "[gone]") || strings.Contains(with, "SUB RESULT") {
		t.Error("what was asked for is not in it, or not redacted")
	}
}

// What happened before any turn is the main thread's, also where only a subagent has slices.
func TestChromeBeforeTheFirstTurn(t *testing.T) {
	notified := `{"event_type":"notification","session_id":"s-1","timestamp":"2026-03-01T14:00:00Z","text":"hello"}` + "\n"
	call := `{"event_type":"tool_start","session_id":"s-1","timestamp":"2026-03-01T14:00:01Z","agent_id":"a-1","tool_name":"Bash","tool_use_id":"call-1"}` + "\n"
	for _, c := range []struct {
		events  string
		threads int
	}{{notified, 1}, {notified + call, 2}} {
		text, _ := imported(t, c.events, actiongraph.JSONLOptions{}).written(t, "s-1", trace.Chrome, trace.Options{})
		timeline(t, text)
		if n := strings.Count(text, `"name":"thread_name"`); n != c.threads || !strings.Contains(text, `"pid":1,"tid":1,"args":{"name":"main"}`) {
			t.Errorf("%d threads, want %d, and the first is main:\n%s", n, c.threads, text)
		}
	}
}

// What is imported is drawn as what was recorded, and nothing but the records decides.
func TestTracesAreFunctionsOfTheRecords(t *testing.T) {
	h := capture(t, "../internal/e2e/testdata/captures/d_agent_fg")
	session := h.sessions(t)[0]
	records, _ := h.written(t, session, trace.Events, trace.Options{})
	other := imported(t, records, actiongraph.JSONLOptions{})
	for _, f := range trace.Formats() {
		for _, o := range []trace.Options{{}, {Content: true}} {
			want, _ := h.written(t, session, f, o)
			for range 3 {
				if got, _ := other.written(t, session, f, o); got != want {
					t.Errorf("%s differs", f)
				}
			}
		}
	}
}

// noContent fails where without Content something that somebody wrote is in spans or timelines.
func noContent(t *testing.T, h home) {
	t.Helper()
	for _, session := range h.sessions(t) {
		var texts []string
		for _, n := range h.graph(t, session).Nodes() {
			if n.Label != graph.LabelAction && n.Label != graph.LabelAgent {
				continue
			}
			for _, name := range []string{"text", "command", "file_path", "url", "pattern", "description", "prompt", "last_assistant_message", "error_message"} {
				if s, _ := n.Prop(name).(string); len(s) > 6 {
					texts = append(texts, s[:min(len(s), 40)])
				}
			}
		}
		for _, f := range []trace.Format{trace.OTLP, trace.Chrome} {
			got, _ := h.written(t, session, f, trace.Options{})
			with, _ := h.written(t, session, f, trace.Options{Content: true})
			if len(texts) > 0 && len(with) <= len(got) {
				t.Errorf("%s of %s has no content where it is asked for", f, session)
			}
			for _, s := range texts {
				quoted, _ := json.Marshal(s)
				if strings.Contains(got, string(quoted[1:len(quoted)-1])) {
					t.Errorf("%s of %s says %q", f, session, s)
				}
			}
		}
	}
}
