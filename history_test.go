package actiongraph_test

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// recordings are the homes of real sessions, one a capture, of hooks and of transcripts.
func recordings(t *testing.T, each func(t *testing.T, home string)) {
	dirs, err := filepath.Glob("internal/e2e/testdata/captures/*")
	if err != nil || len(dirs) < 36 {
		t.Fatalf("%d captures: %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			home := homeWith(t, "")
			playHooks(t, home, dir)
			importFiles(t, home, dir)
			each(t, home)
		})
	}
}

// eventsOf are the events of a session's file, in the order of the file.
func eventsOf(t *testing.T, j *journal.Journal, session string) (out []schema.Event) {
	t.Helper()
	c := must(j.Read(session, journal.Position{}))(t)
	defer c.Close()
	for {
		line, err := c.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := schema.Decode(slices.Clone(line))
		if err != nil {
			t.Fatal(err)
		}
		if e.SessionID == session {
			out = append(out, e)
		}
	}
}

// A session at each of its events is the fold of what is not after it.
func TestAtIsTheFoldOfThePrefix(t *testing.T) {
	recordings(t, func(t *testing.T, home string) {
		h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
		defer h.Close()
		j := must(journal.Open(home))(t)
		for _, f := range must(j.Files())(t) {
			events := eventsOf(t, j, f.Session)
			sorted := slices.SortedFunc(slices.Values(events), func(a, b schema.Event) int { return history.Compare(&a, &b) })
			for i, last := range sorted {
				want := graph.NewSession(f.Session, j.ID())
				for _, e := range events {
					if history.Compare(&e, &last) <= 0 {
						want.Apply(&e)
					}
				}
				wantGraph := graph.New()
				wantGraph.Apply(want.Take()...)
				whole := must(h.History(t.Context(), f.Session, history.Of(&last)))(t)
				got := graph.New()
				if err := whole.Fold(t.Context(), func(session string, ops []graph.Op) error {
					if session == f.Session { // and not a parent
						got.Apply(ops...)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if i%40 == 0 || i == len(sorted)-1 { // a store takes longer
					got = loadAt(t, h, f.Session, history.Of(&last))
				}
				if changes := changesOf(f.Session, wantGraph, got); len(changes) > 0 {
					t.Fatalf("session %s at event %d, %s: %v", f.Session, i, last.EventID, changes[0])
				}
			}
			real := must(must(h.Reader(t.Context()))(t).Load(t.Context(), f.Session))(t)
			if changes := changesOf(f.Session, real, loadAt(t, h, f.Session, history.Point{})); len(changes) > 0 {
				t.Errorf("session %s at its end is not what the store has: %v", f.Session, changes[0])
			}
		}
	})
}

// changesOf are the differences between two graphs of a session. What is said of the session
// that it was forked from is that one's to say.
func changesOf(session string, a, b *graph.Graph) []graph.Change {
	return slices.DeleteFunc(graph.Diff(a, b), func(c graph.Change) bool {
		other, is := strings.CutPrefix(c.What, "Session ")
		return is && other != session
	})
}

func loadAt(t *testing.T, h *actiongraph.Home, session string, at history.Point) *graph.Graph {
	t.Helper()
	r := must(h.At(t.Context(), session, at))(t)
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	return must(r.Load(t.Context(), session))(t)
}

// Of a fork the reader has what its parent shared with it, and no more.
func TestAtOfAFork(t *testing.T) {
	h := open(t)
	rec := h.Recorder("")
	say := func(session, text string, n int) actiongraph.Recorded {
		return must(rec.RecordMessage(actiongraph.Message{SessionID: session, Role: schema.RoleUser, Content: text, Timestamp: minute(n)}))(t)
	}
	say("parent", "one", 1)
	at := say("parent", "two", 2)
	say("parent", "three", 3)
	must(rec.RecordAction(schema.Event{EventType: schema.Fork, SessionID: "child", Timestamp: minute(4), ParentSessionID: "parent", ParentEventID: at.EventID}))(t)
	say("child", "four", 5)

	r := must(h.At(t.Context(), "child", history.Point{}))(t)
	defer r.Close()
	var texts []string
	for _, session := range []string{"parent", "child"} {
		for _, a := range must(r.Actions(t.Context(), graph.ActionFilter{Session: session, Type: graph.UserMessage, Content: true}))(t) {
			texts = append(texts, session+": "+a.Text)
		}
	}
	if diff := cmp.Diff([]string{"parent: one", "parent: two", "child: four"}, texts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := h.At(t.Context(), "nobody", history.Point{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("of a session that is not there: %v", err)
	}
}
