package neo4j

import (
	"context"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// clearAtOnce is how many nodes the statements of clear.cypher delete: what a server with
// little memory has room for in one transaction.
const clearAtOnce = 5000

// Clear removes the graph: its sessions, actions, agents and positions, and the tools,
// tags and files that nothing else is linked to. Constraints and indexes stay, and so
// does what has other labels.
//
// Others may write meanwhile. Each transaction begins with the positions and the last one
// finds nothing at all, so whatever was written and then deleted is folded again.
func (s *Store) Clear(ctx context.Context) error {
	return s.change(ctx, "clear", func(ctx context.Context, d cypher.Dialect) error {
		for {
			deleted, err := s.clearSome(ctx, d)
			if err != nil || deleted == 0 {
				return err
			}
		}
	})
}

// clearSome deletes some of the graph in one transaction and returns how many nodes: all
// of them where there are few.
func (s *Store) clearSome(ctx context.Context, d cypher.Dialect) (deleted int64, err error) {
	_, err = s.run(ctx, driver.AccessModeWrite, func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		deleted = 0
		for _, stmt := range clearing(d) {
			records, err := collect(ctx, tx, stmt, nil)
			if err != nil {
				return nil, err
			}
			n, _ := records[0].Values[0].(int64)
			deleted += n
			if n >= clearAtOnce { // the next label's nodes may be linked to what is left of this one's
				return nil, nil
			}
		}
		return nil, nil
	})
	return deleted, err
}

// clearing are the statements of one step of Clear, in their order.
func clearing(d cypher.Dialect) (stmts []string) {
	for _, l := range []graph.Label{cypher.Position, graph.LabelAction, graph.LabelAgent, graph.LabelSession} {
		stmts = append(stmts, cypher.Nodes(d, "clear", l))
	}
	for _, l := range []graph.Label{graph.LabelTool, graph.LabelTag, graph.LabelFile} {
		stmts = append(stmts, cypher.Nodes(d, "clear_shared", l))
	}
	return stmts
}
