package neo4j

import (
	"context"
	"fmt"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/graph"
)

// DropAtOnce lowers what an Apply drops in its own transaction.
func (s *Store) DropAtOnce(actions int) { s.dropAtOnce = actions }

// SharedNodes is for the cases of storetest, which ask what no edge ends at any more.
func (s *Store) SharedNodes(ctx context.Context) (refs []graph.Ref, err error) {
	for _, l := range []graph.Label{graph.LabelFile, graph.LabelTag, graph.LabelTool} {
		stmt := fmt.Sprintf("MATCH (n:%s) RETURN n.%s AS key ORDER BY key", l, graph.KeyProperty(l))
		records, err := s.readAll(ctx, func(tx driver.ManagedTransaction) ([]*driver.Record, error) { return collect(ctx, tx, stmt, nil) })
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			key, _ := r.Values[0].(string)
			refs = append(refs, graph.Ref{Label: l, Key: key})
		}
	}
	return refs, nil
}
