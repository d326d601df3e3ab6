package neo4j_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
	"github.com/actiongraph/actiongraph/schema"
)

const second = "fedcba9876543210"

// many is a fold of a session with some actions.
func many(session, mark string) []graph.Op {
	ops := []graph.Op{put(sessionRef(session), prop("status", mark)), put(toolRef("Bash"), prop("is_mcp", false))}
	for n := range 8 {
		a := actionRef(session, mark, fmt.Sprint(n))
		ops = append(append(ops, putAction(session, a, graph.ToolCall)...), edge(graph.UsedTool, a, toolRef("Bash")))
	}
	return ops
}

// cutOff applies a batch and loses the database for good when a statement is sent for the
// n-th time.
func cutOff(t *testing.T, o neo4j.Options, statement string, n int, b graph.Batch) {
	t.Helper()
	proxy := neo4jtest.NewProxy(t, o.URL)
	o.URL = proxy.URL
	s := open(t, o)
	s.DropAtOnce(3)
	if _, err := s.Positions(t.Context(), b.Journal); err != nil { // connected, and with a tally
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan int, 1)
	seen <- 0
	proxy.Break(func(p neo4jtest.Piece) neo4jtest.Fate {
		times := <-seen
		if p.ToServer && p.Has(statement) {
			times++
		}
		seen <- times
		if times >= n {
			cancel()
			return neo4jtest.Cut
		}
		return neo4jtest.Pass
	})
	if err := s.Apply(ctx, []graph.Batch{b}); err == nil {
		t.Fatal("nothing was cut off")
	}
}

// TestDropCutOff: a session is dropped in several transactions, and the program ends
// between two of them. Nobody is told that the session is there, and what is put next is
// all that is there then.
func TestDropCutOff(t *testing.T) {
	o := neo4j.Options{URL: neo4jtest.URL(t)}
	o.User, o.Password = neo4jtest.Auth()
	part := graph.ContinuationID("s", second)
	for name, at := range map[string]struct {
		statement string
		times     int
	}{"before the first": {"row.taken", 1}, "after the last": {"MERGE (p:JournalPosition", 2}} {
		t.Run("reset "+name, func(t *testing.T) {
			s := empty(t, o)
			apply(t, s, batch(journal, "s", 0, 5, many("s", "old")...))
			again := batch(journal, "s", 5, 6, many("s", "new")...)
			again.Reset = true
			cutOff(t, o, at.statement, at.times, again)
			wantHeld(t, s, journal, nil, nil)
			apply(t, s, batch(journal, "s", 0, 2, many("s", "new")...)) // the next fold knows of no reset
			wantMarks(t, s, "s", "new")
			wantHeld(t, s, journal, []string{"s"}, nil)
		})
		t.Run("taken over "+name, func(t *testing.T) {
			s := empty(t, o)
			s.DropAtOnce(3)
			apply(t, s, batch(journal, "s", 0, 5, many("s", "old")...))
			mine := batch(second, "s", 0, 5, many(part, "part")...)
			mine.Continues = true
			apply(t, s, mine)
			whole := batch(second, "s", 5, 9, many("s", "new")...)
			whole.Reset, whole.Absorbs = true, []graph.Imported{{Journal: journal, Offset: 5}}
			cutOff(t, o, at.statement, at.times, whole)
			wantHeld(t, s, second, nil, nil)
			wantHeld(t, s, journal, []string{"s"}, map[string]graph.Standing{"s": {Absorbed: 5}})
			// The first journal goes on before the second one comes back.
			grown := batch(journal, "s", 5, 7, many(graph.ContinuationID("s", journal), "grown")...)
			grown.Reset, grown.Continues = true, true
			apply(t, s, grown)
			whole.Reset, whole.From = false, schema.Position{}
			apply(t, s, whole)
			wantMarks(t, s, "s", "new")
			wantMarks(t, s, part, "")
			wantMarks(t, s, graph.ContinuationID("s", journal), "grown")
			wantHeld(t, s, journal, []string{"s"}, map[string]graph.Standing{"s": {Continues: true}})
		})
		t.Run("absorbed "+name, func(t *testing.T) {
			s := empty(t, o)
			apply(t, s, batch(journal, "s", 0, 5, many("s", "old")...))
			theirs := batch(second, "s", 0, 5, many(part, "part")...)
			theirs.Continues = true
			apply(t, s, theirs)
			next := batch(journal, "s", 5, 6, put(sessionRef("s"), prop("status", "old")))
			next.Absorbs = []graph.Imported{{Journal: second, Offset: 5}}
			cutOff(t, o, at.statement, at.times, next)
			wantHeld(t, s, second, []string{"s"}, map[string]graph.Standing{"s": {Absorbed: 5}})
			wantMarks(t, s, "s", "old")
			apply(t, s, next)
			wantMarks(t, s, "s", "old")
			wantMarks(t, s, part, "")
		})
	}
	if n := one(t, o, "MATCH (p:JournalPosition) WHERE p.dropping RETURN count(p)"); n != int64(0) {
		t.Errorf("%v marks are left", n)
	}
}

// wantMarks wants a session to be what many gave it, or nothing.
func wantMarks(t *testing.T, s *neo4j.Store, session, mark string) {
	t.Helper()
	want := graph.New()
	if mark != "" {
		want.Apply(graph.Coalesce(many(session, mark))...)
	}
	if d := graph.Diff(want, load(t, s, session)); len(d) > 0 {
		t.Errorf("session %s is not %q: %v", session, mark, d)
	}
}

// wantHeld wants the journal to have positions of these sessions and these standings.
func wantHeld(t *testing.T, s *neo4j.Store, journal string, sessions []string, standings map[string]graph.Standing) {
	t.Helper()
	positions, err := s.Positions(t.Context(), journal)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for session := range positions {
		have = append(have, session)
	}
	slices.Sort(have)
	held, err := s.Standings(t.Context(), journal)
	if err != nil {
		t.Fatal(err)
	}
	if standings == nil {
		standings = map[string]graph.Standing{}
	}
	if d := cmp.Diff(sessions, have) + cmp.Diff(standings, held); d != "" {
		t.Errorf("journal %s (-want +have):\n%s", journal, strings.TrimSpace(d))
	}
}

// TestConformanceInSteps: the same suite for a store that drops all in steps.
func TestConformanceInSteps(t *testing.T) {
	randomly(t, "2")
	engines(t, func(t *testing.T, o neo4j.Options) {
		storetest.Run(t, func(t *testing.T) connector.Store {
			s := empty(t, o)
			s.DropAtOnce(0)
			return s
		})
	})
}
