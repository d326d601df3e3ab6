package jsonl_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// telling decodes lines in their order, and says of each event that the order decides what it
// became: "type call cause status time".
func telling(t testing.TB, lines []string) (all [][]schema.Event) {
	t.Helper()
	next := inOrder(t, jsonl.TraceEvents)
	for i, line := range lines {
		events, _ := next(line, int64(i+2))
		all = append(all, events)
	}
	return all
}

// traceLine is a TraceEvent of a run. Its id is its place.
func traceLine(i int, kind, run, more, payload string) string {
	return fmt.Sprintf(`{"event_id":"e%d","timestamp":"2026-03-01T10:00:%02d.%03dZ","kind":%q,"context":{"run_id":%q,"agent_id":"planner"},"payload":{%s}%s}`,
		i, i/1000%60, i%1000, kind, run, payload, more)
}

// TestModelCalls: a model call of a run is one, whatever other runs do meanwhile.
func TestModelCalls(t *testing.T) {
	a, b := `"model_name":"a"`, `"model_name":"b"`
	for _, c := range []struct {
		name  string
		lines []string // kind run payload
		want  []int    // of each the line that it answers, -1 none
	}{
		{"one after the other", []string{"llm.request r " + a, "llm.response r " + a, "llm.request r " + a, "llm.error r " + a}, []int{-1, 0, -1, 2}},
		{"two runs", []string{"llm.request r " + a, "llm.request s " + a, "llm.response r " + a, "llm.response s " + a}, []int{-1, -1, 0, 1}},
		{"the first raised", []string{"llm.request r " + a, "llm.request r " + b, "llm.response r " + b}, []int{-1, -1, 1}},
		{"of another model", []string{"llm.request r " + a, "llm.response r " + b, "llm.response r " + a}, []int{-1, -1, -1}},
		{"twice", []string{"llm.request r " + a, "llm.response r " + a, "llm.response r " + a}, []int{-1, 0, -1}},
		{"it raised", []string{"llm.request r " + a, `runtime.model_call_failed r "message":"x"`}, []int{-1, 0}},
		{"it was refused", []string{"llm.request r " + a, "llm.error r " + a, `runtime.model_call_failed r "status_code":429`}, []int{-1, 0, -1}},
		{"no run is named", []string{"llm.request  " + a, "llm.response  " + a}, []int{-1, 0}},
		{"no run is named, two wait", []string{"llm.request  " + a, "llm.request  " + a, "llm.response  " + a, "llm.request  " + a, "llm.response  " + a}, []int{-1, -1, -1, -1, 3}},
		{"a run's id is called again", []string{"llm.request r " + a, `runtime.audit.agent_call_started r "run_id":"r"`, "llm.response r " + a}, []int{-1, -1, -1}},
		{"the line names it itself", []string{"llm.request r " + a, "llm.request r " + a, "+llm.response r " + a}, []int{-1, -1, 0}},
	} {
		var lines []string
		for i, line := range c.lines {
			part := strings.SplitN(line, " ", 3)
			more := ""
			if rest, ok := strings.CutPrefix(part[0], "+"); ok {
				part[0], more = rest, `,"parent_event_id":"e0"`
			}
			lines = append(lines, traceLine(i, part[0], part[1], more, part[2]))
		}
		all := telling(t, lines)
		for i, want := range c.want {
			cause := ""
			if want >= 0 {
				cause = all[want][0].EventID
			}
			e := all[i][0]
			if e.CausedBy != cause {
				t.Errorf("%s: line %d was caused by %q, want line %d", c.name, i, e.CausedBy, want)
			}
			if ms := float64(i - want); want >= 0 && !strings.HasPrefix(c.lines[i], "+") && (e.DurationMS == nil || *e.DurationMS != ms) {
				t.Errorf("%s: line %d took %v, want %v", c.name, i, e.DurationMS, ms)
			}
		}
	}
}

// TestRaised: what the lines of a run tell of how it ended.
func TestRaised(t *testing.T) {
	start, begun := "runtime.audit.agent_call_started", "runtime.agent_started"
	for _, c := range []struct {
		name  string
		lines []string // kind run
		want  string   // status of the last line's event
	}{
		{"nothing tells", []string{start + " r"}, "completed"},
		{"it came to its end", []string{start + " r", begun + " r", `runtime.agent_finished r "status":"completed"`}, "completed"},
		{"it was stopped", []string{start + " r", begun + " r", `runtime.agent_finished r "status":"stopped"`}, "completed"},
		{"it failed", []string{start + " r", begun + " r", `runtime.agent_finished r "status":"failed"`}, "failed"},
		{"it raised", []string{start + " r", begun + " r", "llm.request r", "llm.response r"}, "failed"},
		{"another one of the agent silenced it", []string{begun + " r", begun + " s", "runtime.agent_finished s"}, "completed"},
		{"one of the agent was over before", []string{begun + " s", "runtime.audit.agent_call_finished s", begun + " r"}, "failed"},
		{"its model failed", []string{start + " r", "llm.request r", "runtime.model_call_failed r"}, "failed"},
		{"its model failed, and it went on", []string{start + " r", "llm.request r", "runtime.model_call_failed r", "llm.request r", "llm.response r"}, "completed"},
		{"another run's model failed", []string{start + " r", "llm.request s", "runtime.model_call_failed s"}, "completed"},
		{"it is called again", []string{start + " r", begun + " r", start + " r"}, "completed"},
	} {
		var lines []string
		for i, line := range append(c.lines, "runtime.audit.agent_call_finished r") {
			part := append(strings.SplitN(line, " ", 3), "")
			if part[2] == "" && part[0] == start {
				part[2] = `"run_id":"` + part[1] + `"`
			}
			lines = append(lines, traceLine(i, part[0], part[1], "", part[2]))
		}
		all := telling(t, lines)
		if e := all[len(all)-1][0]; e.Status != c.want || e.IsError != (c.want == "failed") {
			t.Errorf("%s: %s, is_error %v, want %s", c.name, e.Status, e.IsError, c.want)
		}
	}
}

// TestToolRaised: what a tool raised ends the call that its run has begun, if that is of it.
func TestToolRaised(t *testing.T) {
	call := func(i int, kind, run, tool string) string {
		return traceLine(i, "runtime.tool_"+kind, run, `,"span_id":"`+run+tool+`"`, `"tool_name":"`+tool+`","error":"disk full","error_type":"OSError"`)
	}
	all := telling(t, []string{
		call(0, "call_started", "r", "x"), call(1, "call_started", "s", "x"),
		call(2, "execution_failed", "r", "x"), // ends line 0
		call(3, "execution_failed", "r", "x"), // nothing to end
		call(4, "call_finished", "s", "x"), call(5, "execution_failed", "s", "x"),
		call(6, "call_started", "r", "y"), call(7, "execution_failed", "r", "x"), // another tool
	})
	var got []string
	for _, events := range all {
		e := events[0]
		got = append(got, strings.TrimSpace(fmt.Sprint(e.EventType, " ", e.ToolUseID, " ", e.ErrorMessage)))
	}
	want := []string{"tool_start rx", "tool_start sx", "tool_end rx disk full", "error  disk full", "tool_end sx", "error  disk full", "tool_start ry", "error  disk full"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if e := all[2][0]; !e.IsError || e.ErrorType != "OSError" {
		t.Errorf("a call that raised: %s", e.AppendJSON(nil))
	}
}

// TestOrderOfDumps: a line without a time has that of the line before, and says so.
func TestOrderOfDumps(t *testing.T) {
	order, d := jsonl.NewOrder(auditSource(jsonl.Audit)), jsonl.NewDecoder(auditSource(jsonl.Audit))
	first := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		line string
		want time.Time
		mark bool
	}{
		{`{"type":"user_input","response":"a"}`, received(), true}, // the first: nobody knows
		{`{"type":"user_input","timestamp":"2026-03-01T11:00:00+01:00"}`, first, false},
		{`{"type":"user_input","timestamp":null}`, first, true},
		{`{"type":"tomorrow"}`, first, false}, // whole in extra
		{`{"run_id":"r","timestamp":null}`, first, true},
		{`{"type":"user_output","timestamp":"2026-03-01T10:00:09Z"}`, first.Add(9 * time.Second), false},
		{`{"run_id":"r"}`, first.Add(9 * time.Second), true},
	} {
		d.Before = order.Next([]byte(c.line))
		events, _ := decoded(t, d, c.line, int64(i+2))
		for _, e := range events {
			if !e.Timestamp.Equal(c.want) {
				t.Errorf("line %d: %s at %s, want %s", i, e.EventType, e.Timestamp, c.want)
			}
		}
		if mark := schema.Field(events[0].Extra, "timestamp_missing") != nil; mark != c.mark {
			t.Errorf("line %d: timestamp_missing %v", i, mark)
		}
		was, _ := decode(t, jsonl.Audit, c.line, int64(i+2))
		if was[0].EventID != events[0].EventID {
			t.Errorf("line %d: another id for what is before it", i)
		}
	}
}

// naive finds what the lines before tell of the last one by looking back.
func naive(lines [][3]string) (request, call int) {
	request, call = -1, -1
	last := lines[len(lines)-1]
	back := func(kinds string) (int, string) {
		for i := len(lines) - 2; i >= 0; i-- {
			if lines[i][1] != last[1] {
				continue
			}
			if lines[i][0] == "runtime.audit.agent_call_started" || lines[i][0] == "runtime.audit.agent_call_finished" {
				return -1, ""
			}
			if strings.Contains(kinds, lines[i][0]) {
				return i, lines[i][0]
			}
		}
		return -1, ""
	}
	switch last[0] {
	case "llm.response", "runtime.model_call_failed":
		if i, kind := back("llm.request llm.response runtime.model_call_failed"); kind == "llm.request" {
			request = i
		}
	case "runtime.tool_execution_failed":
		if i, kind := back("runtime.tool_call_started runtime.tool_execution_failed runtime.tool_call_finished"); kind == "runtime.tool_call_started" {
			call = i
		}
	}
	return request, call
}

// TestOrderIsNearest holds Order against a search of the lines before, and what it keeps
// against that there are runs without end.
func TestOrderIsNearest(t *testing.T) {
	kinds := []string{"llm.request", "llm.response", "runtime.model_call_failed", "runtime.tool_call_started", "runtime.tool_execution_failed",
		"runtime.audit.agent_call_started", "runtime.audit.agent_call_finished", "runtime.context_updated", "runtime.agent_started"}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		next := inOrder(t, jsonl.TraceEvents)
		var lines [][3]string
		var ids []string
		for i := range 400 {
			l := [3]string{kinds[r.IntN(len(kinds))], []string{"r", "s", "t"}[r.IntN(3)], fmt.Sprintf("call%d", i)}
			lines = append(lines, l)
			events, _ := next(traceLine(i, l[0], l[1], `,"span_id":"`+l[2]+`"`, `"run_id":"`+l[1]+`","tool_name":"x"`), int64(i+2))
			e := events[0]
			ids = append(ids, e.EventID)
			request, call := naive(lines)
			cause, ended := "", ""
			if request >= 0 {
				cause = ids[request]
			}
			if call >= 0 {
				ended = lines[call][2]
			}
			if e.CausedBy != cause || e.EventType == schema.ToolEnd != (ended != "") || ended != "" && e.ToolUseID != ended {
				t.Fatalf("seed %d line %d %v: caused by %q, ends %q; want %q, %q", seed, i, l, e.CausedBy, e.ToolUseID, cause, ended)
			}
		}
	}
	order := jsonl.NewOrder(auditSource(jsonl.TraceEvents))
	answer := func(run string) bool {
		return order.Next([]byte(traceLine(1, "llm.response", run, "", ""))) != jsonl.Before{}
	}
	for i := range 20_000 {
		order.Next([]byte(traceLine(i, "llm.request", fmt.Sprint("r", i), "", "")))
	}
	if !answer("r19999") || !answer("r16000") || answer("r10000") {
		t.Error("of 20,000 runs that do not end some thousand are kept, the last ones")
	}
}
