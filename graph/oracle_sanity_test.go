package graph

import (
	"fmt"
	"slices"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

// A comparison that cannot fail proves nothing: the oracle's graph must not survive
// a change of its events, nor the reducer's a change of its ops.

// TestEveryEventMatters drops each event of each capture in turn.
func TestEveryEventMatters(t *testing.T) {
	total, unseen := 0, map[string]int{}
	for _, sessions := range captured(t) {
		for id, events := range sessions {
			want := oracle(id, events)
			for i := range events {
				got := oracle(id, slices.Delete(slices.Clone(events), i, i+1))
				if total++; len(Diff(want, got)) == 0 {
					unseen[events[i].HookEventName]++
				}
			}
		}
	}
	t.Logf("%d events, dropped without a difference: %v", total, unseen)
	// A batch repeats what its calls said; of several ends and resumes the latest
	// stands; a start, and the stop of what compacts, may tell nothing that others do not.
	repeats := []string{"PostToolBatch", "SessionEnd", "SessionStart", "SubagentStop"}
	for name, n := range unseen {
		if !slices.Contains(repeats, name) || n > total/8 {
			t.Errorf("%d events %s make no difference", n, name)
		}
	}
}

// TestEveryOpMatters drops each op of a reducer's run in turn, and expects the
// comparison with the oracle to see it.
func TestEveryOpMatters(t *testing.T) {
	events := captured(t)["d_agent_parallel"]
	for id, events := range events {
		want := oracle(id, events)
		s := NewSession(id, "journal0")
		for i := range events {
			s.Apply(&events[i])
		}
		ops := s.Take()
		for i := range ops {
			op := ops[i]
			g := New()
			g.Apply(slices.Delete(slices.Clone(ops), i, i+1)...)
			shared := op.Kind == PutNode && op.Node.Label.Shared()
			gone := op.Kind == DelEdge || op.Kind == DelNode // of what no op put
			if len(Diff(want, g)) == 0 && !gone && !(shared && len(op.Node.Props) == 0) {
				t.Errorf("op %s is not missed", fmt.Sprint(op))
			}
		}
	}
}

// TestStatusEvidence is design.md §9 "Status evidence", line by line, strongest first:
// each line wins over all evidence of the lines below it.
func TestStatusEvidence(t *testing.T) {
	lines := []struct {
		name   string
		ev     evidence
		asked  bool
		status string
	}{
		{"PostToolUse", evPost, false, schema.StatusCompleted},
		{"PostToolUseFailure, or is_error with decision accept", evFail, false, schema.StatusFailed},
		{"decision reject", evReject, false, schema.StatusDenied},
		{"user-rejected with a PermissionRequest", evUser, true, schema.StatusDenied},
		{"user-rejected without one", evUser, false, schema.StatusInterrupted},
		{"permission-rule", evRule, false, schema.StatusBlocked},
		{"permission-rule with a PermissionRequest", evRule, true, schema.StatusDenied},
		{"a result in the transcript", evOK, false, schema.StatusCompleted},
		{"PreToolUse and batch with a PermissionRequest", evAsked | evBatch, true, schema.StatusDenied},
		{"PreToolUse and batch", evAsked | evBatch, false, schema.StatusBlocked},
		{"batch alone", evBatch, false, schema.StatusFailed},
		{"is_error alone", evError, false, schema.StatusFailed},
	}
	for k, line := range lines {
		below := evPending | evStopped
		for _, weaker := range lines[k:] {
			below |= weaker.ev
		}
		for _, ev := range []evidence{line.ev, line.ev | evPending | evStopped, line.ev | below} {
			for _, closed := range []bool{false, true} {
				if got := callStatus(ev, line.asked, closed); got != line.status {
					t.Errorf("%s: evidence %011b, closed %v: %s, want %s", line.name, ev, closed, got, line.status)
				}
			}
		}
	}
}

func TestStatusWithoutAnEnd(t *testing.T) {
	for _, c := range []struct {
		ev     evidence
		closed bool
		want   string
	}{
		{evAsked, false, schema.StatusInProgress},
		{0, false, schema.StatusInProgress},
		{evAsked, true, schema.StatusUnknown},
		{evAsked | evStopped, true, schema.StatusInterrupted},
		{evPending, false, schema.StatusPending},
		{evPending, true, schema.StatusUnknown},
	} {
		if got := callStatus(c.ev, false, c.closed); got != c.want {
			t.Errorf("evidence %011b, closed %v: %s, want %s", c.ev, c.closed, got, c.want)
		}
	}
}

func TestEndEvidence(t *testing.T) {
	hook, line := schema.OriginHook, schema.OriginTranscript
	for _, c := range []struct {
		name  string
		event schema.Event
		want  evidence
	}{
		{"PostToolUse", schema.Event{EventType: schema.ToolEnd, Origin: hook}, evPost},
		{"PostToolUseFailure", schema.Event{EventType: schema.ToolEnd, Origin: hook, IsError: true}, evFail},
		{"PostToolBatch", schema.Event{EventType: schema.ToolBatch, Origin: hook}, evBatch},
		{"a batch entry that says error", schema.Event{EventType: schema.ToolBatch, Origin: hook, IsError: true}, evBatch},
		{"is_error with decision accept", schema.Event{EventType: schema.ToolEnd, Origin: line, IsError: true, Status: schema.StatusFailed}, evFail},
		{"decision reject", schema.Event{EventType: schema.ToolEnd, Origin: line, IsError: true, Status: schema.StatusDenied}, evReject},
		{"user-rejected", schema.Event{EventType: schema.ToolEnd, Origin: line, IsError: true, Status: schema.StatusInterrupted}, evUser},
		{"permission-rule", schema.Event{EventType: schema.ToolEnd, Origin: line, IsError: true, Status: schema.StatusBlocked}, evRule},
		{"is_error alone", schema.Event{EventType: schema.ToolEnd, Origin: line, IsError: true}, evError},
		{"is_error of a call that was not made", schema.Event{EventType: schema.ToolEnd, Origin: line, IsError: true,
			ErrorMessage: "<tool_use_error>Error: No such tool available"}, evError | evRefused},
		{"a result", schema.Event{EventType: schema.ToolEnd, Origin: line}, evOK},
	} {
		if got := endEvidence(&c.event); got != c.want {
			t.Errorf("%s: evidence %011b, want %011b", c.name, got, c.want)
		}
	}
}

// A call never ran where its batch, or a line that says so, is all that tells of it.
func TestNeverRan(t *testing.T) {
	for ev := evidence(0); ev < evRefused<<1; ev++ {
		only := ev &^ evPending &^ evError
		want := only == evBatch || only == evRefused || only == evBatch|evRefused
		if neverRan(ev) != want {
			t.Fatalf("evidence %011b: never ran %v", ev, !want)
		}
	}
}
