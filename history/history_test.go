package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// recorded is a Source in memory: the lines of each session.
type recorded map[string][]string

func (r recorded) Lines(_ context.Context, session string, yield func([]byte) error) error {
	lines, ok := r[session]
	if !ok {
		return fmt.Errorf("session %s: %w", session, fs.ErrNotExist)
	}
	for _, line := range lines {
		b := []byte(line)
		if err := yield(b); err != nil {
			return err
		}
		clear(b) // whoever kept it has zeros now
	}
	return nil
}

var epoch = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func event(session, id string, second int) schema.Event {
	return schema.Event{
		V: schema.Version, EventID: id, EventType: schema.Message, SessionID: session, Role: schema.RoleUser,
		Timestamp: epoch.Add(time.Duration(second) * time.Second), SourceSDK: "test", Origin: schema.OriginAPI, Content: id,
	}
}

func fork(session, id string, second int, parent, at string) schema.Event {
	e := event(session, id, second)
	e.EventType, e.Role, e.Content = schema.Fork, "", ""
	e.ParentSessionID, e.ParentEventID = parent, at
	return e
}

func (r recorded) add(events ...schema.Event) {
	for _, e := range events {
		r[e.SessionID] = append(r[e.SessionID], string(e.AppendJSON(nil)))
	}
}

func open(t *testing.T, r recorded, session string, until Point) *Log {
	t.Helper()
	l, err := Open(t.Context(), r, session, until)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ids are the events of a history as Sorted passes them.
func ids(t *testing.T, l *Log) (out []string) {
	t.Helper()
	err := l.Sorted(t.Context(), func(segment int, r *Record) error {
		if r.SessionID != l.Segments[segment].Session {
			t.Errorf("%s is said to be of segment %d", r.EventID, segment)
		}
		if e, err := schema.Decode(r.Line); err != nil || e.EventID != r.EventID {
			t.Errorf("the line of %s is %q (%v)", r.EventID, r.Line, err)
		}
		out = append(out, r.EventID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSortedOrder(t *testing.T) {
	late := event("s", "first", 0)
	again := late
	again.Timestamp = again.Timestamp.Add(time.Minute) // the same fact, received once more
	block := event("s", "block", 1)
	block.Seq = 2
	line := event("s", "line", 1)
	line.Seq = 1
	events := []schema.Event{again, block, event("s", "b", 1), line, event("s", "a", 1), event("s", "last", 2), late}
	want := []string{"first", "a", "b", "line", "block", "last"}
	for range 50 {
		r := recorded{}
		r.add(events...)
		r["s"] = append(r["s"], `{"torn`, `{"v":1}`, string(new(event("other", "x", 0)).AppendJSON(nil)))
		rand.Shuffle(len(r["s"]), func(i, j int) { r["s"][i], r["s"][j] = r["s"][j], r["s"][i] })
		if diff := cmp.Diff(want, ids(t, open(t, r, "s", Point{}))); diff != "" {
			t.Fatalf("in the order %q (-want +got):\n%s", r["s"], diff)
		}
	}
}

// All has every record that differs, in an order that does not depend on theirs.
func TestAll(t *testing.T) {
	r := recorded{}
	first := event("s", "twice", 1)
	second := first
	second.Content = "a second account of it"
	r.add(first, second, first, event("s", "a", 1), event("s", "z", 0), first)
	var want []string
	for range 20 {
		var got []string
		err := open(t, r, "s", Point{}).All(t.Context(), func(_ int, r *Record) error {
			got = append(got, string(r.Line))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != 4 {
			t.Fatalf("%d records (-want +got):\n%s", len(got), diff)
		}
		rand.Shuffle(len(r["s"]), func(i, j int) { r["s"][i], r["s"][j] = r["s"][j], r["s"][i] })
	}
	all := r["s"]
	if sorted := ids(t, open(t, r, "s", Point{})); len(sorted) != 3 || len(all) != 6 {
		t.Errorf("Sorted has %q of %d records", sorted, len(all))
	}
}

// A session at each of its points is what comes up to there, and no more.
func TestPoints(t *testing.T) {
	r := recorded{}
	for range 40 {
		r.add(event("s", fmt.Sprintf("event%03d", rand.IntN(1000)), rand.IntN(12)))
	}
	all := ids(t, open(t, r, "s", Point{}))
	for i, id := range all {
		p, err := Find(t.Context(), r, "s", id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[:i+1], ids(t, open(t, r, "s", p))); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", id, diff)
		}
		if p.Event() != id || p.String() != id || p.End() {
			t.Errorf("the point of %s is %+v", id, p)
		}
		at := ids(t, open(t, r, "s", Moment(p.Time())))
		if n := len(at); n <= i || !slices.Equal(at, all[:n]) || n < len(all) && !timeOf(t, r, all[n]).After(p.Time()) {
			t.Errorf("at %v there are %q of %q", p.Time(), at, all)
		}
	}
	if got := ids(t, open(t, r, "s", Moment(epoch.Add(-time.Second)))); len(got) != 0 {
		t.Errorf("before it began there were %q", got)
	}
}

func timeOf(t *testing.T, r recorded, id string) time.Time {
	t.Helper()
	p, err := Find(t.Context(), r, "s", id)
	if err != nil {
		t.Fatal(err)
	}
	return p.Time()
}

func TestFind(t *testing.T) {
	r := recorded{}
	r.add(event("s", "abcdefgh1", 1), event("s", "abcdefgh2", 2), event("s", "abcdefghi3", 3), event("s", "abc", 4))
	for arg, want := range map[string]string{"abc": "abc", "abcdefghi": "abcdefghi3", "abcdefgh2": "abcdefgh2", "abcdefgh": "", "ab": "", "": "", "x": ""} {
		p, err := Find(t.Context(), r, "s", arg)
		if p.Event() != want || (err != nil) != (want == "") {
			t.Errorf("Find(%q) = %v, %v; want %q", arg, p, err, want)
		}
	}
	if _, err := Find(t.Context(), r, "s", "nosuchevent"); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("of an event that is not there: %v", err)
	}
	if _, err := Find(t.Context(), r, "none", "abc"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a session that is not there: %v", err)
	}
}

// family is a session, a fork of it in its middle, and a fork of that.
func family() recorded {
	r := recorded{}
	r.add(event("a", "a1", 1), event("a", "a3", 3), event("a", "a2", 2), event("a", "a4", 4))
	r.add(event("b", "b5", 5), fork("b", "fb", 2, "a", "a2"), event("b", "b6", 6))
	r.add(fork("c", "fc", 5, "b", "b5"), event("c", "c7", 7))
	return r
}

func TestForks(t *testing.T) {
	r := family()
	r.add(fork("bytime", "ft", 3, "a", ""), fork("lost", "fl", 3, "a", "neverrecorded"))
	r.add(fork("orphan", "fo", 3, "none", "x"))
	r.add(fork("circle1", "f1", 1, "circle2", ""), fork("circle2", "f2", 1, "circle1", ""))
	r.add(fork("self", "fs", 1, "self", ""))
	r.add(fork("moved", "m1", 1, "c", ""), fork("moved", "m2", 2, "a", "a2"))
	for session, want := range map[string][]string{
		"a":       {"a1", "a2", "a3", "a4"},
		"b":       {"a1", "a2", "fb", "b5", "b6"},
		"c":       {"a1", "a2", "fb", "b5", "fc", "c7"},
		"bytime":  {"a1", "a2", "a3", "ft"},
		"lost":    {"a1", "a2", "a3", "fl"},
		"orphan":  {"fo"},
		"circle1": {"f2", "f1"},
		"self":    {"fs"},
		"moved":   {"a1", "a2", "m1", "m2"},
	} {
		l := open(t, r, session, Point{})
		if diff := cmp.Diff(want, ids(t, l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", session, diff)
		}
		if wantMissing := map[string]string{"orphan": "none"}[session]; l.Missing != wantMissing || l.Session() != session {
			t.Errorf("of %s is missing %q", session, l.Missing)
		}
	}
}

// A fork at an event that it inherited is its parent at that event.
func TestForkAtInherited(t *testing.T) {
	r := family()
	l := open(t, r, "c", Point{})
	for i, want := range ids(t, l) {
		p, err := l.Find(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		got := ids(t, open(t, r, "c", p))
		if i < 2 && !slices.Equal(got, []string{"a1", "a2"}[:i+1]) || got[len(got)-1] != want {
			t.Errorf("at %s: %q", want, got)
		}
	}
	for _, id := range []string{"a3", "b6"} { // of the parents, behind the forks
		if p, err := l.Find(t.Context(), id); !errors.Is(err, graph.ErrNotFound) {
			t.Errorf("Find(%s) = %v, %v", id, p, err)
		}
	}
}

// A fork that names an event which its parent inherited shares what was before it, and no
// other event of that moment.
func TestForkOfInherited(t *testing.T) {
	r := family()
	r.add(event("a", "a2later", 2))
	r.add(fork("d", "fd", 2, "c", "a2"), event("d", "d8", 8))
	r.add(fork("round1", "r1", 1, "round2", "nowhere"), fork("round2", "r2", 1, "round1", "nowhere"))
	if diff := cmp.Diff([]string{"a1", "a2", "fd", "d8"}, ids(t, open(t, r, "d", Point{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"r2", "r1"}, ids(t, open(t, r, "round1", Point{}))); diff != "" {
		t.Errorf("in a circle (-want +got):\n%s", diff)
	}
}

func TestFolds(t *testing.T) {
	r := family()
	l := open(t, r, "c", Point{})
	apart := graph.New()
	if err := l.Fold(t.Context(), func(_ string, ops []graph.Op) error { apart.Apply(ops...); return nil }); err != nil {
		t.Fatal(err)
	}
	together := graph.New()
	if err := l.FoldAs(t.Context(), "one", func(ops []graph.Op) error { together.Apply(ops...); return nil }); err != nil {
		t.Fatal(err)
	}
	count := func(g *graph.Graph) map[string]int {
		n := map[string]int{}
		for _, e := range g.Edges() {
			if e.Type == graph.HasAction && e.From.Label == graph.LabelSession {
				n[e.From.Key]++
			}
		}
		return n
	}
	if diff := cmp.Diff(map[string]int{"a": 2, "b": 1, "c": 1}, count(apart)); diff != "" {
		t.Errorf("apart (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"one": 4}, count(together)); diff != "" {
		t.Errorf("together (-want +got):\n%s", diff)
	}
}
