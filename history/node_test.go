package history

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// A node is what the fold makes of it; its version is how many events changed it, counted by
// folding each beginning of the history anew; and neither depends on the order of the file.
func TestNode(t *testing.T) {
	files, err := filepath.Glob("../graph/testdata/captures/*.jsonl")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		in := recorded{}
		for line := range strings.Lines(string(data)) {
			e, err := schema.Decode([]byte(strings.TrimSpace(line)))
			if err != nil {
				t.Fatal(path, err)
			}
			in.add(e)
		}
		for session, lines := range in {
			states := prefixes(t, in, session)
			final := states[len(states)-1]
			nodes := final.Nodes()
			for range 3 {
				ref := nodes[r.IntN(len(nodes))].Ref
				if ref.Label == graph.LabelSession && ref.Key != session {
					continue
				}
				version, before := 0, (*graph.Node)(nil)
				for _, g := range states {
					if now := g.Node(ref); !reflect.DeepEqual(now, before) {
						version, before = version+1, now
					}
				}
				got, err := open(t, in, session, Point{}).Node(t.Context(), ref.String())
				if err != nil {
					t.Fatal(err)
				}
				if got.Version != version {
					t.Errorf("%s: %v has version %d, want %d", path, ref, got.Version, version)
				}
				var props []graph.Prop
				for _, p := range got.Properties {
					props = append(props, graph.Prop{Name: p.Name, Value: p.Value})
				}
				if diff := cmp.Diff(final.Node(ref).Props, props); diff != "" {
					t.Errorf("%s: %v (-want +got):\n%s", path, ref, diff)
				}
				shuffled := recorded{session: append(append([]string(nil), lines...), lines...)}
				r.Shuffle(2*len(lines), func(i, j int) {
					s := shuffled[session]
					s[i], s[j] = s[j], s[i]
				})
				again, err := open(t, shuffled, session, Point{}).Node(t.Context(), ref.String())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(got, again, cmp.AllowUnexported(Point{})); diff != "" {
					t.Errorf("%s: %v in another order (-want +got):\n%s", path, ref, diff)
				}
			}
		}
	}
	if _, err := open(t, family(), "c", Point{}).Node(t.Context(), "nosuchnode"); !errors.Is(err, graph.ErrNotFound) {
		t.Error(err)
	}
}

// prefixes are the graphs after each event of a session, each folded by itself.
func prefixes(t *testing.T, in recorded, session string) (out []*graph.Graph) {
	t.Helper()
	var events []schema.Event
	err := open(t, in, session, Point{}).All(t.Context(), func(_ int, r *Record) error {
		e, err := schema.Decode(r.Line)
		events = append(events, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range events {
		s, g := graph.NewSession(session, ""), graph.New()
		for i := range events[:n+1] {
			s.Apply(&events[i])
		}
		g.Apply(s.Take()...)
		out = append(out, g)
	}
	return out
}

// Of a fork, a node of what it shares is its parent's.
func TestNodeOfAFork(t *testing.T) {
	r := family()
	l := open(t, r, "c", Point{})
	g := graph.New()
	if err := l.Fold(t.Context(), func(_ string, ops []graph.Op) error { g.Apply(ops...); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes() {
		if n.Type != graph.UserMessage {
			continue
		}
		got, err := l.Node(t.Context(), n.Key)
		if err != nil || got.Version == 0 {
			t.Fatal(got, err)
		}
		for _, p := range got.Properties {
			if text := n.Prop("text"); p.Name == "text" && p.Event.Event() != text {
				t.Errorf("%v is said to be of event %v", text, p.Event)
			}
		}
	}
	parent, err := l.Node(t.Context(), "Session a")
	if err != nil || len(parent.Properties) < 3 {
		t.Errorf("the parent's node: %+v, %v", parent, err)
	}
}
