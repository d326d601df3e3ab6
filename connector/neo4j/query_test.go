package neo4j_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// small puts one session with one call of Bash into an empty database.
func small(t *testing.T, o neo4j.Options) *neo4j.Store {
	t.Helper()
	s := empty(t, o)
	fold := graph.NewSession("s", "j")
	for i, typ := range []schema.Type{schema.SessionStart, schema.ToolStart} {
		e := schema.Event{
			V: schema.Version, EventID: string(typ), EventType: typ, SessionID: "s", SourceSDK: "test", Origin: schema.OriginAPI,
			Timestamp: time.Date(2026, 11, 20, 9, i, 0, 0, time.UTC),
		}
		if typ == schema.ToolStart {
			e.ToolName, e.ToolUseID, e.ToolInput = "Bash", "t", []byte(`{"command":"ls"}`)
		}
		fold.Apply(&e)
	}
	b := graph.Batch{Journal: "j", Session: "s", Ops: fold.Take(), To: schema.Position{Offset: 1, Sum: 1, First: 1}}
	if err := s.Apply(t.Context(), []graph.Batch{b}); err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s *neo4j.Store, stmt string, params map[string]any) (columns []string, rows [][]any, err error) {
	err = s.Query(context.Background(), stmt, params, func(c []string, row []any) error {
		columns, rows = c, append(rows, row)
		return nil
	})
	return columns, rows, err
}

func memgraph(t *testing.T, s *neo4j.Store) bool {
	t.Helper()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.Dialect == cypher.Memgraph
}

func TestQueryGivesValuesOfKnownTypes(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := small(t, o)
		columns, rows, err := ask(s, `RETURN 1 AS i, 1.5 AS f, 'x' AS s, true AS b, null AS n, [1, 'y', [2]] AS l, {k: 1} AS m, $p AS p,
			0.0 / 0.0 AS nan, duration('P1D') AS d`, map[string]any{"p": []any{"q"}})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"i", "f", "s", "b", "n", "l", "m", "p", "nan", "d"}, columns); d != "" {
			t.Error(d)
		}
		want := []any{int64(1), 1.5, "x", true, nil, []any{int64(1), "y", []any{int64(2)}}, map[string]any{"k": int64(1)}, []any{"q"}, "NaN"}
		if d := cmp.Diff(want, rows[0][:9]); d != "" {
			t.Error(d)
		}
		if text, ok := rows[0][9].(string); !ok || !strings.HasPrefix(text, "P") {
			t.Errorf("a duration is %#v, want text", rows[0][9])
		}

		_, rows, err = ask(s, "MATCH p = (:Session)-[r:HAS_ACTION]->(a:ToolCall) RETURN a, r, p, [a] AS l", nil)
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		a, r, p := rows[0][0].(neo4j.Node), rows[0][1].(neo4j.Relationship), rows[0][2].(neo4j.Path)
		if d := cmp.Diff([]string{"Action", "ToolCall"}, a.Labels); d != "" || a.Properties["command"] != "ls" {
			t.Errorf("%+v", a)
		}
		if r.Type != "HAS_ACTION" || r.To != a.ID || len(p.Nodes) != 2 || p.Nodes[0].ID != r.From || p.Nodes[1].ID != a.ID || len(p.Relationships) != 1 {
			t.Errorf("%+v %+v", r, p)
		}
		if l := rows[0][3].([]any); l[0].(neo4j.Node).ID != a.ID {
			t.Errorf("%+v", l)
		}
	})
}

// Times are as RFC 3339 and ISO 8601 write them, and points have members, so that a program
// can read both.
func TestQueryGivesTimesAndPoints(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := small(t, o)
		if memgraph(t, s) {
			t.Skip("its functions have other names")
		}
		_, rows, err := ask(s, `RETURN date('2026-11-22'), datetime('2026-11-22T04:25:53.849Z'), datetime('2026-01-02T03:04:05.6[Europe/Berlin]'),
			localdatetime('2026-11-22T04:25:53'), time('04:25:53.5+01:00'), localtime('04:25:53'),
			point({x: 1, y: 2.5}), point({x: 1, y: 2, z: 3}), [date('2026-11-22')], {at: datetime('2026-11-22T04:25:53Z')}`, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []any{
			"2026-11-22", "2026-11-22T04:25:53.849Z", "2026-01-02T03:04:05.6+01:00", "2026-11-22T04:25:53", "04:25:53.5+01:00", "04:25:53",
			map[string]any{"srid": int64(7203), "x": 1.0, "y": 2.5}, map[string]any{"srid": int64(9157), "x": 1.0, "y": 2.0, "z": 3.0},
			[]any{"2026-11-22"}, map[string]any{"at": "2026-11-22T04:25:53Z"},
		}
		if d := cmp.Diff(want, rows[0]); d != "" {
			t.Error(d)
		}
		// A duration is what the server's own toString makes of it.
		_, rows, err = ask(s, `UNWIND [duration('P1DT1.5S'), duration('-PT1.5S'), duration('P14M3DT4H5M6S'), duration('PT0S'), duration('PT-0.25S'), duration('P5W'),
			duration({months: 1, seconds: -3700}), duration({months: -14, seconds: -61, nanoseconds: 5}), duration({days: -1, nanoseconds: -1}),
			duration({seconds: -60, nanoseconds: 1}), duration({hours: 100, milliseconds: 10})] AS d RETURN d, toString(d)`, nil)
		if err != nil || len(rows) != 11 {
			t.Fatal(rows, err)
		}
		for _, row := range rows {
			if row[0] != row[1] {
				t.Errorf("duration %v, want %v", row[0], row[1])
			}
		}
	})
}

// A statement that writes must leave nothing behind, however it is written.
func TestQueryRefusesToWrite(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := small(t, o)
		for _, stmt := range []string{
			"CREATE (:Intruder)",
			"CREATE (n:Intruder) RETURN n",
			"MATCH (s:Session) SET s.name = 'changed'",
			"MATCH (s:Session) SET s.name = 'changed' RETURN s",
			"MATCH (s:Session) DETACH DELETE s",
			"MERGE (:Intruder {name: 'x'})",
			"MATCH (a:Action) WITH a MATCH (s:Session) CREATE (a)-[:FOLLOWED_BY]->(s)",
			"UNWIND range(1, 10) AS i CREATE (n:Intruder {i: i}) RETURN i",
			"CREATE INDEX intruder FOR (n:Intruder) ON (n.i)",
		} {
			_, _, err := ask(s, stmt, nil)
			// Memgraph refuses a change of the schema in a transaction before anything else.
			ok := errors.Is(err, neo4j.ErrWrites) || memgraph(t, s) && errors.Is(err, neo4j.ErrStatement)
			if !ok {
				t.Errorf("%s: %v, want one that wraps ErrWrites", stmt, err)
			}
		}
		_, rows, err := ask(s, "MATCH (s:Session) OPTIONAL MATCH (x:Intruder) OPTIONAL MATCH (:Action)-[f:FOLLOWED_BY]->(:Session) RETURN s.name, count(x), count(f)", nil)
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		if d := cmp.Diff([]any{"s", int64(0), int64(0)}, rows[0]); d != "" {
			t.Error(d)
		}
	})
}

func TestQueryTellsTheStatementsFaultsFromTheServers(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := open(t, o)
		batches := "UNWIND [1, 2] AS x CALL { WITH x RETURN x AS y } IN TRANSACTIONS RETURN y"
		if _, _, err := ask(s, batches, nil); !errors.Is(err, neo4j.ErrStatement) || !memgraph(t, s) && !strings.Contains(err.Error(), "it commits on its own") {
			t.Errorf("%s: %v", batches, err)
		}
		for _, stmt := range []string{"MATC (n) RETURN n", "RETURN $missing", "CALL no.such() YIELD x RETURN x", "RETURN 1 +"} {
			if _, _, err := ask(s, stmt, nil); !errors.Is(err, neo4j.ErrStatement) {
				t.Errorf("%s: %v, want one that wraps ErrStatement", stmt, err)
			}
		}
	})
	s := open(t, neo4j.Options{URL: "bolt://127.0.0.1:1"})
	if _, _, err := ask(s, "RETURN 1", nil); err == nil || errors.Is(err, neo4j.ErrStatement) || errors.Is(err, neo4j.ErrWrites) {
		t.Errorf("no server: %v", err)
	}
}

// Rows come as they are made: a statement with a billion rows can be stopped after one,
// and the next statement finds a connection.
func TestQueryStreamsAndStops(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := open(t, o)
		enough := errors.New("enough")
		for range 20 { // more than there are connections
			n := 0
			err := s.Query(t.Context(), "UNWIND range(1, 1000000000) AS i RETURN i", nil, func([]string, []any) error {
				n++
				return enough
			})
			if err != enough || n != 1 {
				t.Fatalf("%d rows, %v", n, err)
			}
		}
		if _, rows, err := ask(s, "RETURN 1", nil); err != nil || len(rows) != 1 {
			t.Errorf("%v, %v", rows, err)
		}
	})
}

// Somebody who presses ctrl-C must not wait for the server, nor leave it working.
func TestQueryIsCancelled(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := open(t, o)
		if _, _, err := ask(s, "RETURN 1", nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := s.Query(ctx, "UNWIND range(1, 1000000000) AS i WITH sum(i % 7) AS cancelled RETURN cancelled", nil, func([]string, []any) error { return nil })
		if took := time.Since(start); err == nil || took > 5*time.Second {
			t.Fatalf("%v after %v", err, took)
		}
		if memgraph(t, s) {
			return // SHOW TRANSACTIONS is another statement there
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			_, rows, err := ask(s, "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS 'UNWIND range(1, 1000000000)' AND NOT currentQuery STARTS WITH 'SHOW' RETURN currentQuery", nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the server still works on %v", rows)
			}
		}
	})
}

func TestContentsCounts(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := small(t, o)
		got, err := s.Contents(t.Context())
		if want := (neo4j.Contents{Journals: 1, Sessions: 1, Actions: 1, Tools: 1}); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Contents(t.Context()); err != nil || got != (neo4j.Contents{}) {
			t.Errorf("after Clear: %+v, %v", got, err)
		}
	})
}
