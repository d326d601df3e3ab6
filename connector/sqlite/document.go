package sqlite

import (
	"slices"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

// document is what is to be written to the full-text index.
type document struct {
	fulltext.Document
	replaces bool // an older one is in the index
}

// document notes the full text of n where it is new or has changed. A change of
// anything else costs nothing here.
func (t *tx) document(n *node) error {
	if !n.put {
		return nil
	}
	pending := func(name string) (any, bool) {
		for _, p := range n.props {
			if p.Name == name {
				return p.Value, true
			}
		}
		return nil, false
	}
	if !n.hasBody {
		d := fulltext.NewDocument(n.typ, func(name string) any { v, _ := pending(name); return v })
		t.note(n.id, document{Document: d})
		return nil
	}
	searched := fulltext.Searched()
	relevant := n.changed || slices.ContainsFunc(n.props, func(p graph.Prop) bool {
		return slices.Contains(searched, p.Name) || p.Name == "status" && (n.typ == graph.ToolCall || n.typ == "")
	})
	if !relevant {
		return nil
	}
	old, typ, err := t.readSearched(n)
	if err != nil {
		return err
	}
	was := fulltext.NewDocument(typ, func(name string) any { return old[name] })
	is := fulltext.NewDocument(n.typ, func(name string) any {
		if v, ok := pending(name); ok {
			return v
		}
		return old[name]
	})
	if is != was {
		t.note(n.id, document{Document: is, replaces: !was.Empty()})
	}
	return nil
}

// note keeps the document for the end of the transaction. An older one of the same
// transaction was never written, unless it replaces one that was.
func (t *tx) note(id int64, d document) {
	if old, ok := t.docs[id]; ok {
		d.replaces = old == nil || old.replaces
	}
	t.docs[id] = &d
}

// readSearched reads the properties of a stored action that are searched, and its
// type.
func (t *tx) readSearched(n *node) (map[string]any, graph.ActionType, error) {
	narrow, err := t.readProps(t.tables.action, n)
	if err != nil {
		return nil, "", err
	}
	wide, err := t.readProps(t.tables.body, n)
	if err != nil {
		return nil, "", err
	}
	out := map[string]any{}
	for _, p := range append(narrow, wide...) {
		out[p.Name] = p.Value
	}
	var typ any
	err = t.queryRow("SELECT type FROM action WHERE id = ?", n.id).Scan(&typ)
	return out, t.types.actionType(typ), err
}
