package neo4j

import (
	"slices"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
	"github.com/actiongraph/actiongraph/schema"
)

// index sets the words of the actions whose full text the plan changes. A put carries
// only what changed, so the rest of the text is read first, all in one statement; of a
// session that is new there is nothing to read.
func (t *tx) index() error {
	var keys []string
	for _, c := range t.plan.claims {
		if t.held[c.position()].at == (schema.Position{}) {
			continue
		}
		for _, r := range c.texts {
			keys = append(keys, r["key"].(string))
		}
	}
	old := map[string]map[string]any{} // by key
	if len(keys) > 0 {
		slices.Sort(keys)
		records, err := collect(t.ctx, t.managed, cypher.Write(t.dialect, "searched"), map[string]any{"keys": keys})
		if err != nil {
			return err
		}
		for _, r := range records {
			m := r.AsMap()
			old[m["key"].(string)] = m
		}
	}
	for _, c := range t.plan.claims {
		for _, r := range c.texts {
			r["props"].(row)["search"] = words(r, old[r["key"].(string)])
		}
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
