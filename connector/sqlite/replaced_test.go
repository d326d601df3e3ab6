package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// TestDeletedUnderTheWriter deletes or replaces the file of an open store: the next
// write says so, and what comes after it is in the file that is there then.
func TestDeletedUnderTheWriter(t *testing.T) {
	for _, which := range []string{"all", "the file alone", "replaced"} {
		t.Run(which, func(t *testing.T) {
			ctx := t.Context()
			path := filepath.Join(t.TempDir(), "graph.db")
			s, err := sqlite.Open(path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Apply(ctx, []graph.Batch{tagged("one")}); err != nil {
				t.Fatal(err)
			}
			switch which {
			case "all":
				os.Remove(path + "-wal")
				os.Remove(path + "-shm")
				os.Remove(path)
			case "the file alone":
				os.Remove(path)
			case "replaced":
				other := filepath.Join(t.TempDir(), "other.db")
				o, err := sqlite.Open(other, sqlite.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(o.Apply(ctx, []graph.Batch{tagged("other")}), o.Close()); err != nil {
					t.Fatal(err)
				}
				os.Remove(path + "-wal")
				os.Remove(path + "-shm")
				if err := os.Rename(other, path); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Apply(ctx, []graph.Batch{tagged("two")}); !errors.Is(err, graph.ErrConflict) {
				t.Fatalf("Apply to a file that is gone: %v, want a conflict", err)
			}
			want := map[string]bool{"two": true}
			if which == "replaced" {
				want["other"] = true
			}
			if err := s.Apply(ctx, []graph.Batch{tagged("two")}); err != nil {
				t.Fatal(err)
			}
			again, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			for _, r := range []*sqlite.Store{s, again} {
				got, err := r.Positions(ctx, "j")
				if err != nil || len(got) != len(want) {
					t.Errorf("sessions %v, %v, want %v", got, err, want)
				}
				for session := range want {
					if _, ok := got[session]; !ok {
						t.Errorf("%s is missing", session)
					}
				}
			}
		})
	}
}

func tagged(session string) graph.Batch {
	return graph.Batch{
		Journal: "j", Session: session, To: schema.Position{Offset: 1, Sum: 1, First: 1},
		Ops: []graph.Op{{Kind: graph.PutNode, Node: graph.Node{
			Ref: graph.Ref{Label: graph.LabelSession, Key: session}, Props: []graph.Prop{{Name: "status", Value: "active"}},
		}}},
	}
}
