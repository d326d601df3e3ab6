package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

func testEmpty(t *testing.T, p *pair) {
	p.comparePositions()
	p.compare("nobody")
	p.applyBatches()
	p.apply("s") // a batch of no ops still moves the position
	p.compareAnswers("s")
}

func testPutTwice(t *testing.T, p *pair) {
	ops := small("s")
	p.apply("s", ops...)
	p.apply("s", ops...)
	g, err := p.store.Load(context.Background(), "s")
	if err != nil {
		t.Fatal(err)
	}
	once := graph.New()
	once.Apply(held("s", ops)...)
	if d := Diff(once, g); d != "" {
		t.Fatalf("put twice is not put once (-once +twice):\n%s", d)
	}
}

func testSuffixAgain(t *testing.T, p *pair) {
	ops := small("s")
	ops = append(ops,
		putEdge(graph.FollowedBy, call, result), delEdge(graph.FollowedBy, call, result),
		put(message, graph.UserMessage), putEdge(graph.FollowedBy, call, message), putEdge(graph.FollowedBy, message, result),
		graph.Op{Kind: graph.DelNode, Node: graph.Node{Ref: spare, Type: graph.Unknown}})
	p.apply("s", ops...)
	want, _ := p.memory.Load(context.Background(), "s")
	for from := range ops {
		p.applyBatches(p.batch("s", ops[from:]...))
		got, err := p.store.Load(context.Background(), "s")
		if err != nil {
			t.Fatal(err)
		}
		if d := Diff(want, got); d != "" {
			t.Fatalf("ops from %d on, again, changed the graph:\n%s", from, d)
		}
	}
}

func testDeleteAbsent(t *testing.T, p *pair) {
	p.apply("s", delEdge(graph.FollowedBy, call, result), delNode(call), delEdge(graph.Read, call, file))
	p.apply("s", small("s")...)
	p.apply("s", delEdge(graph.FollowedBy, result, call), delEdge(graph.RelatedTo, call, result),
		delEdge(graph.ParentOf, result, call), delEdge(graph.UsedTool, call, ref(graph.LabelTool, "Other")), delNode(message))
}

func testNullRemoves(t *testing.T, p *pair) {
	p.apply("s", put(call, graph.ToolCall, graph.Prop{Name: "status", Value: "completed"}, graph.Prop{Name: "text", Value: "x"},
		graph.Prop{Name: "odd one", Value: int64(1)}), putEdge(graph.RelatedTo, call, call, graph.Prop{Name: "why", Value: "x"}))
	p.apply("s", put(call, graph.ToolCall, graph.Prop{Name: "status"}, graph.Prop{Name: "text"}, graph.Prop{Name: "odd one"},
		graph.Prop{Name: "never there"}), putEdge(graph.RelatedTo, call, call, graph.Prop{Name: "why"}))
	g, _ := p.store.Load(context.Background(), "s")
	if n := g.Node(call); n == nil || len(n.Props) != 2 { // its session and type
		t.Fatalf("properties are left: %v", n)
	}
}

// testOrder deletes and puts the same things in one batch: the last word counts.
func testOrder(t *testing.T, p *pair) {
	p.apply("s", append(small("s"),
		delEdge(graph.FollowedBy, call, result), putEdge(graph.FollowedBy, call, result),
		putEdge(graph.Read, call, file), delEdge(graph.Read, call, file),
		delNode(spare), put(spare, graph.Notification, graph.Prop{Name: "name", Value: "again"}),
		put(message, graph.UserMessage), delNode(message))...)
	g, _ := p.store.Load(context.Background(), "s")
	edge := func(typ graph.EdgeType, from, to graph.Ref) bool {
		return g.HasEdge(graph.EdgeKey{Type: typ, From: from, To: to})
	}
	if !edge(graph.FollowedBy, call, result) || edge(graph.Read, call, file) || g.Node(message) != nil ||
		g.Node(spare) == nil || len(g.Node(spare).Props) != 3 {
		t.Fatalf("order inside the batch was not kept: %v", g.Edges())
	}
}

func testDeleteTakesEdges(t *testing.T, p *pair) {
	p.apply("s", small("s")...)
	p.apply("s", delNode(call))
	p.apply("s", delNode(agent))
	g, _ := p.store.Load(context.Background(), "s")
	for _, e := range g.Edges() {
		if e.From == call || e.To == call || e.From == agent || e.To == agent {
			t.Fatalf("left behind: %v", e)
		}
	}
	if len(g.Edges()) == 0 || g.Node(result) == nil {
		t.Fatal("too much was deleted")
	}
	p.compareAnswers("s")
}

// testMovedInLane is a late insert: unlink and two links, in one batch and in three.
func testMovedInLane(t *testing.T, p *pair) {
	p.apply("s", small("s")...)
	p.apply("s", graph.Coalesce([]graph.Op{
		put(message, graph.UserMessage), delEdge(graph.FollowedBy, call, result),
		putEdge(graph.FollowedBy, call, message), putEdge(graph.FollowedBy, message, result)})...)
	p.apply("s", delEdge(graph.FollowedBy, call, message))
	p.apply("s", delEdge(graph.FollowedBy, message, result))
	p.apply("s", putEdge(graph.FollowedBy, call, result))
	// Twice in one call: the second batch has to see what the first one did.
	p.applyBatches(
		p.batch("s", delEdge(graph.FollowedBy, call, result), putEdge(graph.FollowedBy, spare, result)),
		p.batch("s", delEdge(graph.FollowedBy, spare, result)))
}

// testSessionDeleted: its actions stay, without the edge.
func testSessionDeleted(t *testing.T, p *pair) {
	s := ref(graph.LabelSession, "s")
	p.apply("s", small("s")...)
	p.apply("s", delNode(s))
	p.compareAnswers("s")
	p.apply("s", put(s, "", graph.Prop{Name: "title", Value: "again"}), putEdge(graph.HasAction, s, call))
	p.compareAnswers("s")
	p.apply("s", delNode(s), put(s, ""), putEdge(graph.HasAction, s, call), putEdge(graph.HasAction, s, result))
}

func testAtomic(t *testing.T, p *pair) {
	p.apply("s", small("s")...)
	good, bad := p.batch("other", small("other")...), p.batch("s", put(message, graph.UserMessage))
	bad.Ops = append(bad.Ops, graph.Op{Kind: 99})
	if err := p.store.Apply(context.Background(), []graph.Batch{good, bad}); err == nil {
		t.Fatal("an unknown op was taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.store.Apply(ctx, []graph.Batch{good}); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	p.compare("s")
	p.compare("other")
	p.comparePositions()
	p.compareAnswers("s")
	p.applyBatches(good) // and it works on
}

func testConflict(t *testing.T, p *pair) {
	p.apply("s", small("s")...)
	at := p.positions["s"]
	next := schema.Position{Offset: 999, Sum: 1, First: 1}
	bump := func(f func(*schema.Position)) schema.Position { from := at; f(&from); return from }
	for i, from := range []schema.Position{
		{}, bump(func(p *schema.Position) { p.Offset++ }), bump(func(p *schema.Position) { p.Sum++ }), bump(func(p *schema.Position) { p.First++ }),
		bump(func(p *schema.Position) { p.Fold++ }),
	} {
		good := graph.Batch{Journal: journal, Session: "fine", To: next, Ops: small("fine")}
		bad := graph.Batch{Journal: journal, Session: "s", From: from, To: next, Ops: []graph.Op{delNode(call)}}
		if err := p.store.Apply(context.Background(), []graph.Batch{good, bad}); !errors.Is(err, graph.ErrConflict) {
			t.Errorf("case %d: %v", i, err)
		}
		bad.Reset = true
		if err := p.store.Apply(context.Background(), []graph.Batch{bad}); !errors.Is(err, graph.ErrConflict) {
			t.Errorf("case %d, reset: %v", i, err)
		}
	}
	unborn := graph.Batch{Journal: "another", Session: "s", From: at, To: next}
	if err := p.store.Apply(context.Background(), []graph.Batch{unborn}); !errors.Is(err, graph.ErrConflict) {
		t.Errorf("a position of another journal: %v", err)
	}
	p.compare("s")
	p.compare("fine")
	p.comparePositions()
}

func testManySessions(t *testing.T, p *pair) {
	var batches []graph.Batch
	for i := range 50 {
		id := fmt.Sprintf("s%d", i)
		batches = append(batches, p.batch(id, own(id, small(id))...))
	}
	batches = append(batches, p.batch("s7", put(graph.Ref{Label: graph.LabelSession, Key: "s7"}, "", graph.Prop{Name: "status", Value: "twice in one call"})))
	p.applyBatches(batches...)
	p.compareAnswers("s0", "s7", "s49")
}

func testReset(t *testing.T, p *pair) {
	p.apply("s", small("s")...)
	p.apply("keep", own("keep", small("keep"))...)
	b := p.batch("s", put(ref(graph.LabelSession, "s"), "", graph.Prop{Name: "title", Value: "again"}), put(message, graph.UserMessage,
		graph.Prop{Name: "text", Value: "alpha"}), putEdge(graph.HasAction, ref(graph.LabelSession, "s"), message))
	b.Reset = true
	p.applyBatches(b)
	p.compare("keep")
	p.compareAnswers("s", "keep")
	b = p.batch("s")
	b.Reset = true
	p.applyBatches(b)
	if g, _ := p.store.Load(context.Background(), "s"); len(g.Nodes())+len(g.Edges()) > 0 {
		t.Fatalf("a dropped session is still there: %v", g.Nodes())
	}
	p.compareAnswers("s", "keep")
	p.apply("s", small("s")...)
}

func testResetToStub(t *testing.T, p *pair) {
	s, fork := ref(graph.LabelSession, "s"), ref(graph.LabelSession, "fork")
	p.apply("s", small("s")...)
	p.apply("fork", put(fork, ""), put(s, ""), putEdge(graph.ForkedFrom, fork, s, graph.Prop{Name: "at", Value: "event"},
		graph.Prop{Name: "at_time", Value: "2026-11-21T12:00:05.000000000Z"}, graph.Prop{Name: "label", Value: "once more"}))
	b := p.batch("s")
	b.Reset = true
	p.applyBatches(b)
	g, _ := p.store.Load(context.Background(), "s")
	if n := g.Node(s); n == nil || len(n.Props) > 0 || len(g.Nodes()) != 1 {
		t.Fatalf("want a bare stub, have %v", g.Nodes())
	}
	p.compare("fork")
	p.compareAnswers("s", "fork")
	p.apply("s", small("s")...)
	p.compare("fork")
}

func testStubThenFill(t *testing.T, p *pair) {
	s, fork := ref(graph.LabelSession, "s"), ref(graph.LabelSession, "fork")
	p.apply("fork", put(fork, ""), put(s, ""), putEdge(graph.ForkedFrom, fork, s))
	p.compare("s")
	p.compareAnswers("s", "fork")
	p.apply("s", small("s")...)
	p.compare("fork")
	p.apply("a", put(message, graph.ToolCall)) // a parent that its own event fills later
	p.apply("a", put(message, graph.ToolCall, graph.Prop{Name: "text", Value: "alpha"}, graph.Prop{Name: "tool_name", Value: "Bash"}))
	p.compareAnswers("s", "fork", "a")
}

// testFillThenStub: a stub's caption neither replaces nor adds to what the session's
// own fold has said, now or when it comes later.
func testFillThenStub(t *testing.T, p *pair) {
	s, fork, later := ref(graph.LabelSession, "s"), ref(graph.LabelSession, "fork"), ref(graph.LabelSession, "later")
	named := func(r graph.Ref, name string) graph.Op { return put(r, "", graph.Prop{Name: "name", Value: name}) }
	p.apply("s", named(s, "my name"))
	p.apply("fork", named(fork, "fork"), named(s, "s"), named(later, "later"),
		putEdge(graph.ForkedFrom, fork, s), putEdge(graph.Continues, fork, later))
	p.compare("s")
	p.compareAnswers("s", "fork", "later")
	p.apply("later", put(later, "", graph.Prop{Name: "status", Value: "active"}))
	p.compareAnswers("s", "fork", "later")
}

// testEdgeBeforeEnd: the contract asks for both ends first, but a suffix applied
// again may have lost one to a later deletion.
func testEdgeBeforeEnd(t *testing.T, p *pair) {
	p.apply("s", putEdge(graph.ParentOf, call, result), putEdge(graph.Read, call, file), putEdge(graph.HasAction, agent, call),
		putEdge(graph.HasAction, ref(graph.LabelSession, "s"), call), putEdge(graph.HasAgent, ref(graph.LabelSession, "s"), agent))
	p.apply("s", put(result, graph.ToolResult, graph.Prop{Name: "text", Value: "alpha"}))
	p.compareAnswers("s")
}

func testSharedStay(t *testing.T, p *pair) {
	p.apply("a", own("a", small("a"))...)
	p.apply("b", own("b", small("b"))...)
	b := p.batch("a")
	b.Reset = true
	p.applyBatches(b)
	p.compare("b")
	g, _ := p.store.Load(context.Background(), "b")
	for _, r := range []graph.Ref{ref(graph.LabelTool, "Bash"), ref(graph.LabelTag, "release"), file} {
		if g.Node(r) == nil {
			t.Errorf("%v is gone", r)
		}
	}
	if err := p.store.Apply(context.Background(), []graph.Batch{p.batch("b", delNode(ref(graph.LabelTool, "Bash")))}); err == nil {
		t.Error("a fold deleted a shared node")
	}
}

func testValues(t *testing.T, p *pair) {
	long := strings.Repeat("日本 ", 64<<10/7)
	var props []graph.Prop
	for i, v := range []any{"", "text", long, "\x00", "bro\xffken", "'\"\\\n\u2028", "12", "true", int64(0), int64(1), int64(-1 << 63), int64(1<<63 - 1),
		int64(123456789012345), 0.0, 1.0, -1.5, 1e300, 5e-324, 1e21, true, false, graph.Time(0), graph.Time(1), graph.Time(-1), graph.Time(1<<63 - 1)} {
		for _, name := range []string{"status", "text", "turn", "duration_ms", "is_error", "timestamp", "parent_action_id",
			"properties", "unknown"} {
			key := schema.NewID(name, fmt.Sprint(i))
			props = []graph.Prop{{Name: name, Value: v}}
			p.applyQuietly("s", put(action(key), graph.ToolCall, props...), putEdge(graph.RelatedTo, action(key), action(key), props...))
		}
		p.applyQuietly("s", put(ref(graph.LabelSession, "s"), "", graph.Prop{Name: fmt.Sprint("title", i), Value: v}, graph.Prop{Name: "title", Value: v}))
	}
	p.compare("s")
}
