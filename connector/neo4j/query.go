package neo4j

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/dbtype"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/errcode"
)

// ErrWrites is wrapped by Query's error for a statement that would change something.
var ErrWrites = errcode.New(errcode.StatementWrites, "the statement writes, and only reading is allowed here: write with cypher-shell, the Browser or Lab")

// ErrStatement is wrapped by Query's error for a statement that the server does not
// understand, or that lacks a parameter.
var ErrStatement = errcode.New(errcode.StatementBad, "the server refuses the statement")

// errCommits is of CALL { … } IN TRANSACTIONS and USING PERIODIC COMMIT, which the server
// does not begin in a transaction that somebody else rolls back.
var errCommits = fmt.Errorf("%w: it commits on its own (IN TRANSACTIONS, PERIODIC COMMIT), and only reading is allowed here: write with cypher-shell, the Browser or Lab", ErrStatement)

// Node is a node in a row of Query.
type Node struct {
	ID         string         `json:"id"` // the engine's own, for Relationship.From and To
	Labels     []string       `json:"labels"`
	Properties map[string]any `json:"properties"`
}

// Relationship is a relationship in a row of Query.
type Relationship struct {
	Type       string         `json:"type"`
	From       string         `json:"from"` // Node.ID
	To         string         `json:"to"`
	Properties map[string]any `json:"properties,omitempty"`
}

// Path is a path in a row of Query. Relationships[i] is between Nodes[i] and Nodes[i+1],
// in either direction.
type Path struct {
	Nodes         []Node         `json:"nodes"`
	Relationships []Relationship `json:"relationships"`
}

// Query runs one statement that only reads, and hands each row to each as it comes.
// Values are nil, bool, int64, float64, string, []byte, []any, map[string]any, Node,
// Relationship and Path. A temporal value is a string, as RFC 3339 and ISO 8601 write it; a
// point is a map of srid, x, y and, if it has one, z. NaN and the infinities, which JSON does
// not have, are strings. An error of each ends the query and is returned as it is.
//
// Whatever the statement does is rolled back. Both engines refuse a write in read access
// mode; what they say about the statement afterwards is looked at all the same. Nothing is
// tried again: each has seen rows by then.
func (s *Store) Query(ctx context.Context, statement string, params map[string]any, each func(columns []string, row []any) error) error {
	if _, err := s.connect(ctx); err != nil {
		return s.fail("connect", err)
	}
	session := s.session(ctx, driver.AccessModeRead)
	// The connection goes back to the pool even where ctx has ended.
	defer session.Close(context.WithoutCancel(ctx))
	tx, err := session.BeginTransaction(ctx)
	if err != nil {
		s.lost(err)
		return s.fail("query", err)
	}
	stop, err := stream(ctx, tx, statement, params, each)
	// Closing rolls back. Its error says nothing more: either err was said already, or
	// the server forgets a transaction whose connection is gone.
	_ = tx.Close(context.WithoutCancel(ctx))
	if stop != nil {
		return stop
	}
	s.lost(err)
	return s.fail("query", queryError(err))
}

// stream hands the rows to each. stop is each's own error.
func stream(ctx context.Context, tx driver.ExplicitTransaction, statement string, params map[string]any, each func([]string, []any) error) (stop, err error) {
	result, err := tx.Run(ctx, statement, params)
	if err != nil {
		return nil, err
	}
	for result.Next(ctx) {
		r := result.Record()
		row := make([]any, len(r.Values))
		for i, v := range r.Values {
			row[i] = shown(v)
		}
		if err := each(r.Keys, row); err != nil {
			return err, nil
		}
	}
	summary, err := result.Consume(ctx)
	if err != nil {
		return nil, err
	}
	// Not StatementTypeReadWrite: Memgraph says so of what neither reads nor writes, such
	// as RETURN 1 (src/query/plan/read_write_type_checker.cpp, TypeToString).
	switch summary.StatementType() {
	case driver.StatementTypeWriteOnly, driver.StatementTypeSchemaWrite:
		return nil, ErrWrites
	}
	if summary.Counters().ContainsUpdates() {
		return nil, ErrWrites
	}
	return nil, nil
}

// queryError tells a statement's own faults from those of the server and the network.
func queryError(err error) error {
	var refused *driver.Neo4jError
	if !errors.As(err, &refused) {
		return err
	}
	switch {
	case strings.Contains(refused.Msg, "IN TRANSACTIONS"), strings.Contains(strings.ToLower(refused.Msg), "periodic commit"):
		return errCommits
	case refused.Code == "Neo.ClientError.Statement.AccessMode", saysMemgraph(err, "are misaligned"):
		return ErrWrites
	case strings.HasPrefix(refused.Code, "Neo.ClientError.Statement."), strings.HasPrefix(refused.Code, "Neo.ClientError.Procedure."),
		strings.HasPrefix(refused.Code, "Memgraph.ClientError."):
		return fmt.Errorf("%w: %s", ErrStatement, refused.Msg)
	}
	return err
}

// shown turns a value of the driver into one of those that Query documents.
func shown(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, string, []byte:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = shown(v[i])
		}
		return out
	case map[string]any:
		return shownMap(v)
	case dbtype.Node:
		return node(v)
	case dbtype.Relationship:
		return relationship(v)
	case dbtype.Path:
		p := Path{Nodes: make([]Node, len(v.Nodes)), Relationships: make([]Relationship, len(v.Relationships))}
		for i := range v.Nodes {
			p.Nodes[i] = node(v.Nodes[i])
		}
		for i := range v.Relationships {
			p.Relationships[i] = relationship(v.Relationships[i])
		}
		return p
	}
	return shownExtra(v)
}

// shownExtra is shown for times and points, whose own String is Go's and not ISO 8601's.
func shownExtra(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case dbtype.Duration:
		return isoDuration(v)
	case dbtype.Point2D:
		return map[string]any{"srid": int64(v.SpatialRefId), "x": shown(v.X), "y": shown(v.Y)}
	case dbtype.Point3D:
		return map[string]any{"srid": int64(v.SpatialRefId), "x": shown(v.X), "y": shown(v.Y), "z": shown(v.Z)}
	}
	return fmt.Sprint(v) // the other times' String is ISO 8601
}

// isoDuration writes a duration as Cypher's toString does: P1Y2M3DT4H5M6.5S.
func isoDuration(d dbtype.Duration) string {
	var date, clock strings.Builder
	part := func(to *strings.Builder, n int64, unit string) {
		if n != 0 {
			fmt.Fprintf(to, "%d%s", n, unit)
		}
	}
	part(&date, d.Months/12, "Y")
	part(&date, d.Months%12, "M")
	part(&date, d.Days, "D")
	seconds, nanos := d.Seconds, int64(d.Nanos)
	if seconds < 0 && nanos > 0 { // Bolt's nanoseconds are never negative
		seconds, nanos = seconds+1, nanos-int64(time.Second)
	}
	part(&clock, seconds/3600, "H")
	part(&clock, seconds%3600/60, "M")
	switch rest := seconds % 60; {
	case nanos != 0:
		sign := ""
		if rest < 0 || nanos < 0 {
			sign, rest, nanos = "-", -rest, -nanos
		}
		fmt.Fprintf(&clock, "%s%d.%sS", sign, rest, strings.TrimRight(fmt.Sprintf("%09d", nanos), "0"))
	default:
		part(&clock, rest, "S")
	}
	switch {
	case clock.Len() > 0:
		return "P" + date.String() + "T" + clock.String()
	case date.Len() > 0:
		return "P" + date.String()
	}
	return "PT0S"
}

func shownMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k := range m {
		out[k] = shown(m[k])
	}
	return out
}

func node(n dbtype.Node) Node {
	return Node{ID: n.ElementId, Labels: n.Labels, Properties: shownMap(n.Props)}
}

func relationship(r dbtype.Relationship) Relationship {
	return Relationship{Type: r.Type, From: r.StartElementId, To: r.EndElementId, Properties: shownMap(r.Props)}
}

// Contents counts what the database holds of the graph.
type Contents struct {
	Journals int64 `json:"journals"` // whose positions are in it
	Sessions int64 `json:"sessions"`
	Actions  int64 `json:"actions"`
	Agents   int64 `json:"agents"`
	Tools    int64 `json:"tools"`
	Tags     int64 `json:"tags"`
	Files    int64 `json:"files"`
}

// Contents counts what Clear would delete: of tools, tags and files those that nothing
// else in the database is linked to.
func (s *Store) Contents(ctx context.Context) (c Contents, err error) {
	info, err := s.connect(ctx)
	if err != nil {
		return c, s.fail("connect", err)
	}
	err = s.Query(ctx, cypher.Read(info.Dialect, "contents"), nil, func(_ []string, row []any) error {
		for i, n := range []*int64{&c.Journals, &c.Sessions, &c.Actions, &c.Agents, &c.Tools, &c.Tags, &c.Files} {
			*n, _ = row[i].(int64)
		}
		return nil
	})
	return c, err
}
