// Package storetest is what every store must do: a conformance suite, random op
// streams against a reference in memory, and that reference.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Run holds a store against its contract. open gives an empty store each time,
// which may be closed twice. A store that is a connector.Reader too is held
// against the reference's answers.
func Run(t *testing.T, open func(t *testing.T) connector.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *pair)
	}{
		{"empty", testEmpty},
		{"put twice", testPutTwice},
		{"suffix again", testSuffixAgain},
		{"delete what is absent", testDeleteAbsent},
		{"null removes", testNullRemoves},
		{"order inside a batch", testOrder},
		{"delete takes edges", testDeleteTakesEdges},
		{"moved in its lane", testMovedInLane},
		{"nothing on failure", testAtomic},
		{"nothing on conflict", testConflict},
		{"many sessions at once", testManySessions},
		{"reset", testReset},
		{"reset to a stub", testResetToStub},
		{"stub then fill", testStubThenFill},
		{"fill then stub", testFillThenStub},
		{"edge before its end", testEdgeBeforeEnd},
		{"shared nodes stay", testSharedStay},
		{"values", testValues},
		{"search", testSearch},
		{"newest first", testNewestFirst},
		{"tool statistics", testToolStats},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, &pair{t: t, store: open(t), memory: NewMemory()})
		})
	}
	t.Run("random", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			p := &pair{t: rt, store: open(t), memory: NewMemory()}
			defer p.store.Close()
			testRandom(rt, p)
		})
	})
}

// failer is what a test and a random one have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// pair is a store and the reference, which get the same batches.
type pair struct {
	t         failer
	store     connector.Store
	memory    *Memory
	positions map[string]schema.Position
}

// apply applies ops to the session's fold and compares the session.
func (p *pair) apply(session string, ops ...graph.Op) {
	p.t.Helper()
	p.applyBatches(p.batch(session, ops...))
}

// batch is the next batch of a session.
func (p *pair) batch(session string, ops ...graph.Op) graph.Batch {
	if p.positions == nil {
		p.positions = map[string]schema.Position{}
	}
	from := p.positions[session]
	to := schema.Position{Offset: from.Offset + 100, Sum: ^uint64(from.Offset), First: 1<<63 + 1}
	p.positions[session] = to
	return graph.Batch{Journal: journal, Session: session, From: from, To: to, Ops: ops}
}

func (p *pair) applyBatches(batches ...graph.Batch) {
	p.t.Helper()
	ctx := context.Background()
	if err := p.store.Apply(ctx, batches); err != nil {
		p.t.Fatalf("apply: %v", err)
	}
	if err := p.memory.Apply(ctx, batches); err != nil {
		p.t.Fatalf("apply to the reference: %v", err)
	}
	for _, b := range batches {
		p.compare(b.Session)
	}
	p.comparePositions()
}

// compare holds one session's graph against the reference's.
func (p *pair) compare(session string) {
	p.t.Helper()
	want, _ := p.memory.Load(context.Background(), session)
	got, err := p.store.Load(context.Background(), session)
	if err != nil {
		p.t.Fatalf("load %s: %v", session, err)
	}
	if d := Diff(want, got); d != "" {
		p.t.Fatalf("session %s (-reference +store):\n%s", session, d)
	}
}

func (p *pair) comparePositions() {
	p.t.Helper()
	want, _ := p.memory.Positions(context.Background(), journal)
	got, err := p.store.Positions(context.Background(), journal)
	if err != nil {
		p.t.Fatalf("positions: %v", err)
	}
	if d := cmp.Diff(want, got); d != "" {
		p.t.Fatalf("positions (-reference +store):\n%s", d)
	}
}

// Diff reports how two graphs differ, in every node, edge, property and type; ""
// is not at all. Unlike graph.Diff it compares shared nodes whole.
func Diff(want, got *graph.Graph) string {
	return cmp.Diff(want.Nodes(), got.Nodes(), cmpopts.EquateEmpty()) + cmp.Diff(want.Edges(), got.Edges(), cmpopts.EquateEmpty())
}

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
	once.Apply(ops...)
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
	if n := g.Node(call); n == nil || len(n.Props) != 0 {
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
		g.Node(spare) == nil || len(g.Node(spare).Props) != 1 {
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
	p.apply("fork", put(fork, ""), put(s, ""), putEdge(graph.ForkedFrom, fork, s))
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
	p.apply("s", putEdge(graph.ParentOf, call, result), putEdge(graph.Read, call, file), putEdge(graph.HasAction, agent, call))
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
		0.0, 1.0, -1.5, 1e300, 5e-324, 1e21, true, false, graph.Time(0), graph.Time(1), graph.Time(-1), graph.Time(1<<63 - 1)} {
		for _, name := range []string{"status", "text", "turn", "duration_ms", "is_error", "timestamp", "parent_action_id", "session_id",
			"properties", "unknown"} {
			key := schema.NewID(name, fmt.Sprint(i))
			props = []graph.Prop{{Name: name, Value: v}}
			p.applyQuietly("s", put(action(key), graph.ToolCall, props...), putEdge(graph.RelatedTo, action(key), action(key), props...))
		}
		p.applyQuietly("s", put(ref(graph.LabelSession, "s"), "", graph.Prop{Name: fmt.Sprint("title", i), Value: v}, graph.Prop{Name: "title", Value: v}))
	}
	p.compare("s")
}

// applyQuietly is apply without the comparison.
func (p *pair) applyQuietly(session string, ops ...graph.Op) {
	p.t.Helper()
	b := []graph.Batch{p.batch(session, ops...)}
	if err := p.store.Apply(context.Background(), b); err != nil {
		p.t.Fatalf("apply: %v", err)
	}
	if err := p.memory.Apply(context.Background(), b); err != nil {
		p.t.Fatal(err)
	}
}
