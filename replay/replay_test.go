package replay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/replay"
	"github.com/actiongraph/actiongraph/schema"
)

// recorded is a journal of real sessions: those captures whose names begin so.
func recorded(t *testing.T, names string) *journal.Journal {
	t.Helper()
	files, err := filepath.Glob("../graph/testdata/captures/" + names + "*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d captures: %v", len(files), err)
	}
	j, err := journal.Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	redactor := j.Redactor("")
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			e, err := schema.Decode(bytes.TrimSpace(line))
			if err != nil {
				t.Fatal(path, err)
			}
			if err := j.Append(redactor.Event(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return j
}

func sessions(t *testing.T, j *journal.Journal) (ids []string) {
	t.Helper()
	files, err := j.Files()
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		ids = append(ids, f.Session)
	}
	return ids
}

func newStore(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "graph.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func replica(j *journal.Journal, s connector.Store) *connector.Replica {
	return &connector.Replica{Journal: j, Store: s, Name: "test", Log: zerolog.Nop()}
}

func repair(t *testing.T, j *journal.Journal, s connector.Store) replay.Report {
	t.Helper()
	report, err := replay.Repair(t.Context(), replica(j, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// dump is all that a store holds of a journal's sessions, as bytes.
func dump(t *testing.T, j *journal.Journal, s *sqlite.Store) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, session := range sessions(t, j) {
		text, err := json.Marshal(load(t, s, session))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(text, '\n'))
	}
	return out.Bytes()
}

func load(t *testing.T, s *sqlite.Store, session string) *graph.Graph {
	t.Helper()
	g, err := s.Load(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func sound(t *testing.T, j *journal.Journal, s connector.Store) {
	t.Helper()
	if d, err := replay.Check(t.Context(), j, s, ""); err != nil || d != nil {
		t.Fatalf("it diverges: %+v (%v)", d, err)
	}
}

func TestReplayIsDeterministic(t *testing.T) {
	j := recorded(t, "")
	first, second := newStore(t), newStore(t)
	if report := repair(t, j, first); report.Sessions < 36 || report.Sync.Events < 600 || len(report.Repaired) > 0 {
		t.Errorf("into an empty store: %+v", report)
	}
	repair(t, j, second)
	want := dump(t, j, first)
	if !bytes.Equal(want, dump(t, j, second)) {
		t.Error("two replays made two graphs")
	}
	if report := repair(t, j, first); len(report.Repaired) > 0 || report.Sync.Ops > 0 {
		t.Errorf("the second time there was something to do: %+v", report)
	}
	if !bytes.Equal(want, dump(t, j, first)) {
		t.Error("the second time changed the graph")
	}
	sound(t, j, first)
}

// edit changes what a store holds of a session, its position aside.
func edit(t *testing.T, j *journal.Journal, s connector.Store, session string, ops ...graph.Op) {
	t.Helper()
	positions, err := s.Positions(t.Context(), j.ID())
	if err != nil {
		t.Fatal(err)
	}
	at := positions[session]
	if err := s.Apply(t.Context(), []graph.Batch{{Journal: j.ID(), Session: session, From: at, To: at, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
}

// Whatever property somebody edits, the divergence names the event that wrote it: with that
// event the history has the value, and before it it has not.
func TestCheckNamesTheEvent(t *testing.T) {
	j := recorded(t, "")
	s := newStore(t)
	repair(t, j, s)
	r := rand.New(rand.NewPCG(1, 2))
	all, named := sessions(t, j), 0
	for range 30 {
		session := all[r.IntN(len(all))]
		nodes := slices.DeleteFunc(load(t, s, session).Nodes(), func(n *graph.Node) bool {
			return n.Label.Shared() || len(n.Props) == 0 || n.Label == graph.LabelSession && n.Key != session
		})
		n := nodes[r.IntN(len(nodes))]
		p := n.Props[r.IntN(len(n.Props))]
		if p.Name == "action_type" || p.Name == "session_id" {
			continue // they are which node it is
		}
		other := any("edited")
		switch v := p.Value.(type) {
		case int64:
			other = v + 1
		case graph.Time:
			other = v + 1
		case bool:
			other = !v
		case float64:
			other = v + 1
		}
		edit(t, j, s, session, graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: n.Ref, Type: n.Type, Props: []graph.Prop{{Name: p.Name, Value: other}}}})
		d, err := replay.Check(t.Context(), j, s, session)
		if err != nil || d == nil || d.Session != session {
			t.Fatalf("%v %s was edited: %+v, %v", n.Ref, p.Name, d, err)
		}
		if d.What != n.Ref.String() || d.Field != p.Name || d.A != p.Value || d.B != other {
			t.Fatalf("%v %s was edited from %v to %v, and it is said that %v", n.Ref, p.Name, p.Value, other, d.Change)
		}
		if got := valueAt(t, j, session, d.Event, true, n.Ref, p.Name); got != p.Value {
			t.Errorf("at event %v %v has %s %v, and at the end %v", d.Event, n.Ref, p.Name, got, p.Value)
		}
		if got := valueAt(t, j, session, d.Event, false, n.Ref, p.Name); got == p.Value {
			t.Errorf("before event %v %v has %s %v already", d.Event, n.Ref, p.Name, got)
		}
		named++
		only := replica(j, s)
		only.Only = []string{session}
		report, err := replay.Repair(t.Context(), only, nil)
		if err != nil || len(report.Repaired) != 1 || report.Repaired[0].Session != session || len(report.Repaired[0].Changes) != 1 {
			t.Fatalf("repaired %+v, %v", report.Repaired, err)
		}
	}
	sound(t, j, s)
	if named < 20 {
		t.Errorf("%d edits", named)
	}
}

// valueAt is what a property was at an event, or before it.
func valueAt(t *testing.T, j *journal.Journal, session string, at history.Point, included bool, ref graph.Ref, name string) any {
	t.Helper()
	l, err := history.Open(t.Context(), history.Journal(j), session, at)
	if err != nil {
		t.Fatal(err)
	}
	s, g := graph.NewSession(session, j.ID()), graph.New()
	err = l.Records(t.Context(), func(segment int, r *history.Record) error {
		if l.Segments[segment].Session == session && (included || r.EventID != at.Event()) {
			s.Apply(&r.Event)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Apply(s.Take()...)
	if n := g.Node(ref); n != nil {
		return n.Prop(name)
	}
	return nil
}

func TestRepair(t *testing.T) {
	j := recorded(t, "a_tools")
	session := sessions(t, j)[0]
	s := newStore(t)
	repair(t, j, s)
	want := dump(t, j, s)
	self := graph.Ref{Label: graph.LabelSession, Key: session}
	var calls []graph.Ref
	for _, n := range load(t, s, session).Nodes() {
		if n.Type == graph.ToolCall {
			calls = append(calls, n.Ref)
		}
	}
	edge := func(kind graph.OpKind, typ graph.EdgeType, from, to graph.Ref) graph.Op {
		return graph.Op{Kind: kind, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: typ, From: from, To: to}}}
	}
	for name, c := range map[string]struct {
		op    graph.Op
		field string
		event bool // which recorded it
	}{
		"a node is gone":     {graph.Op{Kind: graph.DelNode, Node: graph.Node{Ref: calls[1]}}, "", true},
		"a node too many":    {graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: "alien"}, Type: graph.Task, Props: []graph.Prop{{Name: "session_id", Value: session}}}}, "", false},
		"an edge is gone":    {edge(graph.DelEdge, graph.HasAction, self, calls[2]), "", true},
		"an edge too many":   {edge(graph.PutEdge, graph.RelatedTo, calls[0], calls[1]), "", false},
		"another title":      {graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: self, Props: []graph.Prop{{Name: "title", Value: "mine"}}}}, "title", false},
		"a property is gone": {graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: calls[0], Type: graph.ToolCall, Props: []graph.Prop{{Name: "tool_name"}}}}, "tool_name", true},
	} {
		ops := []graph.Op{c.op}
		if name == "a node too many" {
			ops = append(ops, edge(graph.PutEdge, graph.HasAction, self, c.op.Node.Ref))
		}
		edit(t, j, s, session, ops...)
		d, err := replay.Check(t.Context(), j, s, session)
		if err != nil || d == nil {
			t.Fatalf("%s: %+v, %v", name, d, err)
		}
		if d.Field != c.field || d.Event.End() == c.event {
			t.Errorf("%s: %v: %v", name, d.Event, d.Change)
		}
		if before := dump(t, j, s); !bytes.Equal(before, dump(t, j, s)) || bytes.Equal(before, want) {
			t.Errorf("%s: the check changed the store", name)
		}
		if report := repair(t, j, s); len(report.Repaired) != 1 {
			t.Errorf("%s: repaired %+v", name, report)
		}
		if !bytes.Equal(want, dump(t, j, s)) {
			t.Errorf("%s: another graph than before", name)
		}
		sound(t, j, s)
	}
}

// Only what was asked for is folded, and a session without a file is left to the store.
func TestRepairLeavesTheOthers(t *testing.T) {
	j := recorded(t, "a")
	more := recorded(t, "b")
	session := sessions(t, j)[0]
	for _, other := range sessions(t, more) {
		copyFile(t, filepath.Join(journal.Dir(more.Home()), other+".jsonl"), filepath.Join(journal.Dir(j.Home()), other+".jsonl"))
	}
	s := newStore(t)
	r := replica(j, s)
	r.Only = []string{session}
	report, err := replay.Repair(t.Context(), r, nil)
	if err != nil || report.Sessions != 1 {
		t.Fatal(report, err)
	}
	if held, _ := s.Positions(t.Context(), j.ID()); len(held) != 1 {
		t.Errorf("it holds %v", held)
	}
	repair(t, j, s)
	if held, _ := s.Positions(t.Context(), j.ID()); len(held) != len(sessions(t, j)) || len(held) < 2 {
		t.Errorf("it holds %v", held)
	}
	before := len(load(t, s, session).Nodes())
	if err := os.Remove(filepath.Join(journal.Dir(j.Home()), session+".jsonl")); err != nil {
		t.Fatal(err)
	}
	_, err = replay.Repair(t.Context(), replica(j, s), nil)
	if err == nil || !strings.Contains(err.Error(), session+" is left as the store has it") {
		t.Errorf("of a session without a file: %v", err)
	}
	if after := len(load(t, s, session).Nodes()); after != before {
		t.Errorf("%d nodes of %d are left", after, before)
	}
	d, err := replay.Check(t.Context(), j, s, session)
	if err != nil || d == nil || d.Field != "journal" || !d.Event.End() {
		t.Errorf("the check: %+v, %v", d, err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A store that holds a session as it was is made whole by whoever catches it up.
func TestUntil(t *testing.T) {
	j := recorded(t, "g_resume")
	for _, session := range sessions(t, j) {
		whole, err := history.Open(t.Context(), history.Journal(j), session, history.Point{})
		if err != nil {
			t.Fatal(err)
		}
		var points []history.Point
		err = whole.Sorted(t.Context(), func(_ int, r *history.Record) error {
			points = append(points, history.Of(&r.Event))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range points {
			if i%9 != 0 && i != len(points)-1 {
				continue
			}
			s := newStore(t)
			ops, err := replay.Until(t.Context(), j, s, session, at)
			if err != nil || ops == 0 {
				t.Fatal(ops, err)
			}
			past, err := history.Open(t.Context(), history.Journal(j), session, at)
			if err != nil {
				t.Fatal(err)
			}
			want := graph.New()
			err = past.Fold(t.Context(), func(segment string, ops []graph.Op) error {
				if segment == session {
					want.Apply(ops...)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if changes := graph.Diff(want, load(t, s, session)); len(changes) > 0 {
				t.Fatalf("at %v: %v", at, changes[0])
			}
			if _, err := replay.Until(t.Context(), j, s, session, at); !errors.Is(err, replay.ErrHeld) {
				t.Errorf("once more: %v", err)
			}
			repair(t, j, s)
			sound(t, j, s)
		}
	}
}
