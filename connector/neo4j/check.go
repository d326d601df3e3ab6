package neo4j

import (
	"context"
	"fmt"
	"slices"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// Check returns what is wrong with a session that its graph does not show: edges that are
// there twice, labels that do not fit an action's type, and what the store keeps beside
// the properties, for search and for arithmetic. A is what should be there.
func (s *Store) Check(ctx context.Context, session string) ([]graph.Change, error) {
	info, err := s.connect(ctx)
	if err != nil {
		return nil, s.fail("check session "+session, err)
	}
	var changes []graph.Change
	_, err = s.run(ctx, s.leader(), func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		changes = nil
		l := &loader{ctx: ctx, tx: tx, dialect: info.Dialect, session: session}
		err := l.each(cypher.Read(l.dialect, "check_actions"), func(r row) error {
			changes = append(changes, checkAction(r)...)
			return nil
		})
		for _, k := range cypher.EdgeKinds() {
			if err != nil {
				return nil, err
			}
			err = l.each(cypher.Loads(l.dialect, "check_edges", k), func(r row) error {
				what := fmt.Sprintf("%s %s %s → %s %s", k.Type, k.From, decodeKey(r["from"]), k.To, decodeKey(r["to"]))
				changes = append(changes, graph.Change{What: what, Field: "edges", A: int64(1), B: r["edges"]})
				return nil
			})
		}
		return nil, err
	})
	if err != nil {
		return nil, s.fail("check session "+session, err)
	}
	return changes, nil
}

// checkAction compares what the store adds to an action with what it would add.
func checkAction(r row) (changes []graph.Change) {
	props, _ := r["props"].(map[string]any)
	text, _ := props["action_type"].(string)
	what := string(graph.LabelAction) + " " + keyOf(graph.LabelAction, props)
	differ := func(field string, want, have any) {
		if want != have {
			changes = append(changes, graph.Change{What: what, Field: field, A: want, B: have})
		}
	}
	labels, _ := r["labels"].([]any)
	var have []string
	for _, l := range labels {
		if name, _ := l.(string); isTypeLabel(name) { // people may add labels of their own
			have = append(have, name)
		}
	}
	differ("labels", joined(graph.ActionType(text).Labels()), joined(have))
	again := make(row, len(props))
	encodeProps(again, decodeProps(graph.LabelAction, props))
	differ("timestamp_ms", again["timestamp_ms"], props["timestamp_ms"])
	differ("search", words(row{"props": row{}, "type": text}, props), props["search"])
	return changes
}

func joined(labels []string) string { return strings.Join(slices.Sorted(slices.Values(labels)), ":") }

// isTypeLabel reports a label that only Actions of some types have.
func isTypeLabel(name string) bool {
	for _, typ := range graph.ActionTypes() {
		if slices.Contains(typ.Labels(), name) {
			return true
		}
	}
	return false
}
