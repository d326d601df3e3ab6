package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// step applies one event and returns what it changed.
func step(s *Session, e *schema.Event) []Op {
	s.Apply(e)
	return s.Take()
}

// fold applies events in their order and returns the graph, checked.
func fold(t testing.TB, session string, events []schema.Event) *Graph {
	t.Helper()
	g := apply(session, events)
	checkShape(t, g)
	return g
}

func apply(session string, events []schema.Event) *Graph {
	g := New()
	s := NewSession(session, "journal0")
	for i := range events {
		s.Apply(&events[i])
		g.Apply(s.Take()...)
	}
	return g
}

func mustEqual(t testing.TB, what string, want, got *Graph) {
	t.Helper()
	if d := Diff(want, got); len(d) > 0 {
		for i, c := range d {
			if i == 12 {
				break
			}
			t.Log(c)
		}
		t.Fatalf("%s: %d differences", what, len(d))
	}
}

// checkShape holds what is true of every graph: one chain a lane over all of its
// actions in the order of their timestamps, at most one parent each, no circle, a
// child never before its parent, no edge without its ends.
func checkShape(t testing.TB, g *Graph) {
	t.Helper()
	next, prev, parent := map[Ref]Ref{}, map[Ref]Ref{}, map[Ref]Ref{}
	owned := map[Ref]bool{}
	for _, e := range g.Edges() {
		for _, end := range []Ref{e.From, e.To} {
			if g.Node(end) == nil {
				t.Fatalf("edge %v has no node at %v", e.EdgeKey, end)
			}
		}
		switch e.Type {
		case FollowedBy:
			if _, ok := next[e.From]; ok {
				t.Fatalf("two successors of %v", e.From)
			}
			if _, ok := prev[e.To]; ok {
				t.Fatalf("two predecessors of %v", e.To)
			}
			next[e.From], prev[e.To] = e.To, e.From
		case ParentOf:
			if _, ok := parent[e.To]; ok {
				t.Fatalf("two parents of %v", e.To)
			}
			parent[e.To] = e.From
		case HasAction:
			if e.From.Label == LabelSession {
				owned[e.To] = true
			}
		}
	}
	lanes, heads := map[any]int{}, map[any]int{}
	for _, n := range g.Nodes() {
		if n.Label != LabelAction {
			continue
		}
		if !owned[n.Ref] {
			t.Fatalf("action %v %v has no session", n.Key, n.Props)
		}
		lane := n.Prop("agent_id")
		lanes[lane]++
		if _, ok := prev[n.Ref]; !ok {
			heads[lane]++
		}
		at, ok := n.Prop("timestamp").(Time)
		if !ok {
			t.Fatalf("action %v has no timestamp: %v", n.Key, n.Props)
		}
		if after, ok := next[n.Ref]; ok {
			m := g.Node(after)
			if m.Prop("agent_id") != lane {
				t.Fatalf("chain leaves its lane at %v", n.Ref)
			}
			if m.Prop("timestamp").(Time) < at {
				t.Fatalf("chain goes back in time at %v", n.Ref)
			}
		}
		if p, ok := parent[n.Ref]; ok {
			if g.Node(p).Prop("timestamp").(Time) >= at {
				t.Fatalf("%v is not after its parent", n.Ref)
			}
			if n.Prop("parent_action_id") != p.Key {
				t.Fatalf("%v: parent_action_id %v, edge from %v", n.Ref, n.Prop("parent_action_id"), p.Key)
			}
			steps := 0
			for at, ok := p, true; ok; at, ok = parent[at] {
				if steps++; steps > 10000 {
					t.Fatalf("circle of parents at %v", n.Ref)
				}
			}
		} else if n.Prop("parent_action_id") != nil {
			t.Fatalf("%v: parent_action_id without an edge", n.Ref)
		}
	}
	for lane, n := range heads {
		if n != 1 {
			t.Fatalf("lane %v of %d actions has %d heads", lane, lanes[lane], n)
		}
	}
}

// shuffled returns a permutation of events, with some of them again, some of these
// received later.
func shuffled(r *rand.Rand, events []schema.Event, double bool) []schema.Event {
	out := slices.Clone(events)
	if double {
		for _, e := range events {
			if r.IntN(3) == 0 {
				// A fork is at the time of its latest record, and no hook tells of one.
				if r.IntN(2) == 0 && e.Origin == schema.OriginHook && e.EventType != schema.Fork {
					e.Timestamp = e.Timestamp.Add(time.Duration(r.IntN(300)) * time.Millisecond)
				}
				out = append(out, e)
			}
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// cutOff folds events as a replica that is restarted does: a batch is many events, and
// after a restart it is folded again from what is stored.
func cutOff(t testing.TB, r *rand.Rand, session string, events []schema.Event) *Graph {
	t.Helper()
	store := New()
	s := NewSession(session, "journal0")
	stored := 0
	for i := range events {
		s.Apply(&events[i])
		switch r.IntN(8) {
		case 0: // the batch is stored
			ops := s.Take()
			checkBatch(t, ops)
			store.Apply(ops...)
			stored = i + 1
		case 1: // killed: fold again what is stored, then go on from there
			s = NewSession(session, "journal0")
			for k := range events[:i+1] {
				if k == stored {
					s.Take()
				}
				s.Apply(&events[k])
			}
			if stored == i+1 {
				s.Take()
			}
		}
	}
	store.Apply(s.Take()...)
	checkShape(t, store)
	return store
}

// checkBatch holds what stores are promised of a batch: at most one op of a kind and
// entity, sorted by kind.
func checkBatch(t testing.TB, ops []Op) {
	t.Helper()
	seen := map[string]bool{}
	for k, op := range ops {
		what := fmt.Sprint(op.Kind, op.Node.Ref, op.Edge.EdgeKey)
		if seen[what] {
			t.Fatalf("two ops of a kind for %s", what)
		}
		seen[what] = true
		if k > 0 && op.Kind < ops[k-1].Kind {
			t.Fatalf("op %d is of kind %d, after one of kind %d", k, op.Kind, ops[k-1].Kind)
		}
	}
}

func permute(t *testing.T, session string, events []schema.Event, rounds int) {
	want := fold(t, session, events)
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 7))
		mix := shuffled(r, events, seed%2 == 1)
		what := fmt.Sprintf("%s, seed %d", session, seed)
		mustEqual(t, what, want, fold(t, session, mix))
		mustEqual(t, what+", cut off", want, cutOff(t, r, session, mix))
	}
}

// captured returns the recorded hook events of testdata, by session.
func captured(t testing.TB) map[string]map[string][]schema.Event {
	t.Helper()
	files, err := filepath.Glob("testdata/captures/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures in testdata: run go test ./adapters/claude -update-captures", err)
	}
	out := map[string]map[string][]schema.Event{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".jsonl")
		out[name] = map[string][]schema.Event{}
		for line := range strings.Lines(string(data)) {
			var e schema.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(f, err)
			}
			out[name][e.SessionID] = append(out[name][e.SessionID], e)
		}
	}
	return out
}

func TestCapturesAreOrderFree(t *testing.T) {
	for name, sessions := range captured(t) {
		t.Run(name, func(t *testing.T) {
			for id, events := range sessions {
				permute(t, id, events, 20)
			}
		})
	}
}

// A caller may decode into its read buffer: what Apply was given, and what Take gave, say
// the same once the line is gone.
func TestNothingOfALineIsKept(t *testing.T) {
	all := decoded(t, jsonl.Audit, "audit/trace-260301_101500.jsonl")
	for name, sessions := range captured(t) {
		for id, events := range sessions {
			all[name+"/"+id] = events
		}
	}
	for name, events := range all {
		id := events[0].SessionID
		s, g, lines := NewSession(id, "journal0"), New(), schema.Decoder{Alias: true}
		for i := range events {
			line := events[i].AppendJSON(nil)
			e, err := lines.Decode(line)
			if err != nil {
				t.Fatal(name, err)
			}
			s.Apply(&e)
			clear(line)
		}
		g.Apply(s.Take()...)
		mustEqual(t, name, fold(t, id, events), g)
	}
}
