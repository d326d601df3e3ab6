package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func callEvents(session string) []schema.Event {
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	ev := func(n int, t schema.Type, more func(*schema.Event)) schema.Event {
		e := schema.Event{V: 1, EventID: schema.NewID(session, string(t)), EventType: t, SessionID: session,
			Timestamp: at.Add(time.Duration(n) * time.Second), Origin: schema.OriginHook, SourceSDK: "claude-code"}
		if more != nil {
			more(&e)
		}
		return e
	}
	tool := func(e *schema.Event) { e.ToolUseID, e.ToolName, e.AgentID = "t1", "Bash", "a1" }
	return []schema.Event{ev(0, schema.SessionStart, nil), ev(1, schema.ToolStart, tool), ev(2, schema.ToolEnd, tool)}
}

// TestContinuation: what two journals record of one session shares no key that one of
// them could delete or overwrite, and the parts are linked.
func TestContinuation(t *testing.T) {
	const id, journal = "0b9c", "ffffffff00000000"
	whole, part := New(), New()
	owner, other := NewSession(id, "eeeeeeee00000000"), NewContinuation(id, journal)
	for _, e := range callEvents(id) {
		owner.Apply(&e)
		whole.Apply(owner.Take()...)
		other.Apply(&e)
		part.Apply(other.Take()...)
	}
	own, self := Ref{LabelSession, id}, Ref{LabelSession, id + "~ffffffff"}
	if !part.HasEdge(EdgeKey{Continues, self, own}) || part.Node(self).Prop("journal") != journal || !isStub(part.Node(own)) {
		t.Errorf("the continuation is not one: %v", part.Nodes())
	}
	shared := 0
	for _, n := range part.Nodes() {
		if whole.Node(n.Ref) != nil {
			if shared++; !n.Label.Shared() && n.Ref != own {
				t.Errorf("%v is in both", n.Ref)
			}
		}
	}
	if shared == 0 || len(part.Nodes()) != len(whole.Nodes())+1 {
		t.Errorf("%d nodes of %d, %d shared", len(part.Nodes()), len(whole.Nodes()), shared)
	}
}

// TestLongNames: what stores have in indexes is bounded, and two names stay two.
func TestLongNames(t *testing.T) {
	g, s := New(), NewSession("s", "j")
	for i, c := range []string{"x", "y"} {
		for _, e := range callEvents("s") {
			e.ToolName, e.ToolUseID = strings.Repeat("n", 1<<20)+c, strings.Repeat("u", 1<<20)+c
			e.AgentID, e.Host, e.EventID = strings.Repeat("a", 1<<20), strings.Repeat("h", 1<<20), schema.NewID(e.EventID, c)
			e.Timestamp = e.Timestamp.Add(time.Duration(i) * time.Minute)
			s.Apply(&e)
			g.Apply(s.Take()...)
		}
		tag := schema.Event{EventID: c, EventType: schema.Tag, Timestamp: time.Unix(9, 0), Tags: []string{strings.Repeat("t", 1<<20) + c}}
		s.Apply(&tag)
		g.Apply(s.Take()...)
		write := schema.Event{EventID: "w" + c, EventType: schema.ToolEnd, Timestamp: time.Unix(9, 0), ToolName: "Write", ToolUseID: "w" + c,
			Origin: schema.OriginHook, HookEventName: "PostToolUse", ToolInput: json.RawMessage(`{"file_path":"/` + strings.Repeat("p", 1<<20) + c + `"}`)}
		s.Apply(&write)
		g.Apply(s.Take()...)
	}
	count := map[Label]int{}
	for _, n := range g.Nodes() {
		count[n.Label]++
		if len(n.Key) > maxName {
			t.Errorf("a %s has a key of %d bytes", n.Label, len(n.Key))
		}
		for _, name := range []string{"tool_name", "tool_use_id", "agent_id", "host", "path", "status", "name"} {
			if v, _ := n.Prop(name).(string); len(v) > maxPath {
				t.Errorf("%s.%s has %d bytes", n.Label, name, len(v))
			}
		}
	}
	if count[LabelTool] != 3 || count[LabelTag] != 2 || count[LabelFile] != 2 || count[LabelAgent] != 1 {
		t.Errorf("names that differ are one, or one is two: %v", count)
	}
}
