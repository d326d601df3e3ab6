package neo4j

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/dbtype"

	"github.com/actiongraph/actiongraph/cypher"
)

// ErrWrites is wrapped by Query's error for a statement that would change something.
var ErrWrites = errors.New("the statement writes, and only reading is allowed here: write with cypher-shell, the Browser or Lab")

// ErrStatement is wrapped by Query's error for a statement that the server does not
// understand, or that lacks a parameter.
var ErrStatement = errors.New("the server refuses the statement")

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
// Relationship and Path; times and points are strings, and so are NaN and the infinities,
// which JSON does not have. An error of each ends the query and is returned as it is.
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
	return fmt.Sprint(v) // dates, times, durations, points
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
}

// Contents counts what Clear would delete.
func (s *Store) Contents(ctx context.Context) (c Contents, err error) {
	info, err := s.connect(ctx)
	if err != nil {
		return c, s.fail("connect", err)
	}
	err = s.Query(ctx, cypher.Read(info.Dialect, "contents"), nil, func(_ []string, row []any) error {
		for i, n := range []*int64{&c.Journals, &c.Sessions, &c.Actions, &c.Agents} {
			*n, _ = row[i].(int64)
		}
		return nil
	})
	return c, err
}
