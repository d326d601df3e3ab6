package sqlite

import (
	"context"

	"github.com/actiongraph/actiongraph/graph"
)

// SharedNodes is for the cases of storetest, which ask what no edge ends at any more.
func (s *Store) SharedNodes(ctx context.Context) ([]graph.Ref, error) {
	var refs []graph.Ref
	for _, tab := range []*table{s.tables.file, s.tables.tag, s.tables.tool} {
		rows, err := s.read.QueryContext(ctx, "SELECT key FROM "+tab.name+" ORDER BY iif(typeof(key) = 'blob', lower(hex(key)), key)")
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var key any
			if err := rows.Scan(&key); err != nil {
				return nil, err
			}
			refs = append(refs, graph.Ref{Label: tab.label, Key: goKey(key)})
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return refs, nil
}
