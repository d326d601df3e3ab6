package graph

import (
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func recorderFailure(id string, at time.Time) schema.Event {
	return schema.Event{V: schema.Version, EventID: id, EventType: schema.Error, SessionID: "s", Timestamp: at, Origin: schema.OriginAPI,
		Actor: schema.ActorRuntime, SourceSDK: schema.Recorder, Reason: "journal.torn", IsError: true, WorkingDirectory: "/elsewhere"}
}

// TestRecordingFailuresAreNotTheAgents: what goes wrong while a session is recorded leaves
// everything else of its graph as it is, an abandonment included.
func TestRecordingFailuresAreNotTheAgents(t *testing.T) {
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	events := []schema.Event{
		{EventID: "1", EventType: schema.SessionStart, Timestamp: at(0), Origin: schema.OriginHook, SourceSDK: "claude-code", WorkingDirectory: "/p"},
		{EventID: "2", EventType: schema.Message, Role: schema.RoleUser, Content: "go", Timestamp: at(1), Origin: schema.OriginHook},
		{EventID: "3", EventType: schema.SessionEnd, Status: schema.StatusAbandoned, Timestamp: at(1), Origin: schema.OriginAPI},
	}
	for i := range events {
		events[i].V, events[i].SessionID = schema.Version, "s"
	}
	want := fold(t, "s", events)
	self := Ref{LabelSession, "s"}
	if want.Node(self).Prop("status") != schema.StatusAbandoned {
		t.Fatalf("%+v", want.Node(self))
	}
	got := fold(t, "s", append(events, recorderFailure("a", at(99999)), recorderFailure("b", at(-9)), recorderFailure("a", at(100000))))
	if n := got.Node(self).Prop("recording_failures"); n != int64(2) {
		t.Errorf("recording_failures is %v, of two facts", n)
	}
	got.Apply(Op{Kind: PutNode, Node: Node{Ref: self, Props: []Prop{{"recording_failures", nil}}}})
	mustEqual(t, "but for their number", want, got)
}

// TestNothingButFailures: a session of which no line was whole is there, and nothing is made up.
func TestNothingButFailures(t *testing.T) {
	events := []schema.Event{recorderFailure("a", epoch)}
	g := fold(t, "s", events)
	mustEqual(t, "the oracle's", oracle("s", events), g)
	n := g.Node(Ref{LabelSession, "s"})
	if n == nil || n.Prop("status") != schema.StatusUnknown || n.Prop("error_count") != int64(0) || n.Prop("working_directory") != nil || len(g.Nodes()) != 1 {
		t.Errorf("%+v", n)
	}
}
