package neo4j

import (
	"slices"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

// index sets the words of the actions whose full text the plan changes. A put carries
// only what changed, so the rest of the text is read first, all in one statement.
func (t *tx) index() error {
	touched := map[string]row{} // by key
	var keys []string
	for _, rows := range t.plan.actions {
		for _, r := range slices.Concat(rows.owned, rows.changed) {
			if touchesText(r["props"].(row)) {
				key := r["key"].(string)
				touched[key] = r
				keys = append(keys, key)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	records, err := collect(t.ctx, t.managed, cypher.Write(t.dialect, "searched"), map[string]any{"keys": keys})
	if err != nil {
		return err
	}
	old := map[string]map[string]any{}
	for _, r := range records {
		m := r.AsMap()
		old[m["key"].(string)] = m
	}
	for key, r := range touched {
		r["props"].(row)["search"] = words(r, old[key])
	}
	return nil
}

func touchesText(props row) bool {
	for _, name := range fulltext.Searched() {
		if _, ok := props[name]; ok {
			return true
		}
	}
	_, ok := props["action_type"]
	return ok
}

// words are what the full-text index gets of an action: of its row and, where that is
// silent, of what the database has.
func words(r row, old map[string]any) any {
	props := r["props"].(row)
	d := fulltext.NewDocument(graph.ActionType(r["type"].(string)), func(name string) any {
		if v, ok := props[name]; ok {
			return decodeValue(name, v)
		}
		return decodeValue(name, old[name])
	})
	if w := fulltext.Words(d); w != "" {
		return w
	}
	return nil
}
