package graph

import (
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

// TestToldTwice: an end of which one record does not say what it ended, and another one does,
// is one end, whichever came first: its tokens count once, and no error is beside the call.
func TestToldTwice(t *testing.T) {
	in, out := int64(100), int64(7)
	event := func(typ schema.Type, id string, e schema.Event) schema.Event {
		e.SessionID, e.EventType, e.EventID, e.Origin, e.Timestamp = "s", typ, id, schema.OriginAudit, epoch
		return e
	}
	answer := event(schema.LLMEnd, "answer", schema.Event{AgentID: "a", Model: "m", Content: "hi", InputTokens: &in, OutputTokens: &out, RelatedTo: []string{"call"}})
	caused := answer
	caused.CausedBy = "request"
	failed := event(schema.Error, "failed", schema.Event{AgentID: "a", ErrorMessage: "boom"})
	ended := event(schema.ToolEnd, "failed", schema.Event{AgentID: "a", ErrorMessage: "boom", IsError: true, ToolUseID: "call", ToolName: "t"})
	request := event(schema.LLMStart, "request", schema.Event{AgentID: "a", Model: "m"})
	call := event(schema.ToolStart, "call", schema.Event{AgentID: "a", ToolUseID: "call", ToolName: "t"})
	other := event(schema.LLMEnd, "other", schema.Event{AgentID: "a", Model: "m", OutputTokens: &out})
	for name, events := range map[string][]schema.Event{
		"repaired":       {answer, failed, other, request, call, caused, ended},
		"the other way":  {caused, ended, request, call, answer, failed, other},
		"answered twice": {answer, answer, failed, failed, caused, ended, answer, failed, other, request, call},
	} {
		g := mustMatch(t, name, "s", events)
		session := g.Node(Ref{LabelSession, "s"})
		for prop, want := range map[string]any{"total_input_tokens": int64(100), "total_output_tokens": int64(14), "error_count": int64(1), "action_count": int64(5)} {
			if got := session.Prop(prop); got != want {
				t.Errorf("%s: %s is %v, want %v", name, prop, got, want)
			}
		}
		if g.Node(Ref{LabelAction, LLMCallID("s", "answer")}) != nil || g.Node(Ref{LabelAction, EventActionID("s", "failed")}) != nil {
			t.Errorf("%s: what was made for one record is there", name)
		}
		if n := g.Node(Ref{LabelAction, LLMCallID("s", "request")}); n == nil || n.Prop("text") != "hi" || n.Prop("status") != schema.StatusCompleted {
			t.Errorf("%s: %v", name, n)
		}
	}
}

// TestWhatOthersNameStays: a call that other facts name is not taken back with the record that
// said nothing else.
func TestWhatOthersNameStays(t *testing.T) {
	event := func(id, cause string) schema.Event {
		return schema.Event{SessionID: "s", EventType: schema.LLMEnd, EventID: id, CausedBy: cause, Origin: schema.OriginAPI, Timestamp: epoch, Content: id}
	}
	g := mustMatch(t, "a chain", "s", []schema.Event{event("second", "first"), event("first", "begin")})
	if g.Node(Ref{LabelAction, LLMCallID("s", "first")}) == nil || g.Node(Ref{LabelAction, LLMCallID("s", "begin")}) == nil {
		t.Error("a call is missing")
	}
}
