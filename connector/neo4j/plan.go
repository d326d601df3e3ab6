package neo4j

import (
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// plan is what one Apply will write, in the order in which it is sent: made before the
// transaction begins, so that a batch nobody can apply takes no locks.
type plan struct {
	claims []*claim

	delEdges map[cypher.EdgeKind][]row
	delNodes map[graph.Label][]string
	unfill   []string // Session nodes that their own folds deleted
	sessions []row
	stubs    []row                 // Sessions of other folds
	nodes    map[graph.Label][]row // of labels whose nodes are put alone
	actions  map[graph.ActionType]*actionRows
	chains   []row // of FOLLOWED_BY
	edges    map[cypher.EdgeKind][]row
}

// row is one line of the list that a statement unwinds.
type row = map[string]any

// actionRows are the puts of one action type: those that come with their HAS_ACTION,
// as new ones do, and those that change an action.
type actionRows struct{ owned, changed []row }

// claim is one journal's session in an Apply.
type claim struct {
	journal, session, own string
	from, to              schema.Position
	reset, continues      bool
	forget                bool // the session, with its position
	absorbs               []graph.Imported
	ops                   []graph.Op
	texts                 []row // of its actions whose full text changes
}

func (c *claim) position() string { return positionID(c.journal, c.session) }

func positionID(journal, session string) string { return journal + "/" + session }

// newPlan puts together what batches want. Batches of one session must follow each
// other.
func newPlan(batches []graph.Batch) (*plan, error) {
	p := &plan{
		delEdges: map[cypher.EdgeKind][]row{}, delNodes: map[graph.Label][]string{},
		nodes: map[graph.Label][]row{}, actions: map[graph.ActionType]*actionRows{}, edges: map[cypher.EdgeKind][]row{},
	}
	if err := p.claim(batches); err != nil {
		return nil, err
	}
	for _, c := range p.claims {
		if err := p.add(c); err != nil {
			return nil, fmt.Errorf("session %s: %w", c.session, err)
		}
	}
	p.sort()
	p.chain()
	return p, nil
}

// claim makes one claim of all batches of a session. Claims are sorted: two programs
// that write the same sessions then lock them in the same order.
func (p *plan) claim(batches []graph.Batch) error {
	byID := map[string]*claim{}
	for i := range batches {
		b := &batches[i]
		c := byID[positionID(b.Journal, b.Session)]
		if c == nil {
			c = &claim{journal: b.Journal, session: b.Session, own: b.Own(), from: b.From, to: b.From, continues: b.Continues}
			byID[c.position()] = c
			p.claims = append(p.claims, c)
		}
		if c.forget {
			return fmt.Errorf("session %s: nothing follows what forgets it in one transaction: %w", b.Session, graph.ErrConflict)
		}
		if b.From != c.to || b.Continues != c.continues {
			return fmt.Errorf("session %s: a batch begins at %v, the one before it ends at %v: %w", b.Session, b.From, c.to, graph.ErrConflict)
		}
		if b.Reset {
			c.reset, c.ops = true, nil
		}
		c.forget = b.Forget
		c.to = b.To
		c.absorbs = append(c.absorbs, b.Absorbs...)
		c.ops = append(c.ops, b.Ops...)
	}
	slices.SortFunc(p.claims, func(a, b *claim) int { return strings.Compare(a.position(), b.position()) })
	return nil
}

// add sorts a session's ops into the statements that write them.
func (p *plan) add(c *claim) error {
	ops := graph.Coalesce(c.ops)
	owned := map[graph.Ref]row{} // the actions put here, for the edges that they own
	for i := range ops {
		var err error
		switch op := &ops[i]; op.Kind {
		case graph.DelEdge:
			err = p.edge(p.delEdges, c, &op.Edge, nil)
		case graph.DelNode:
			err = p.delNode(c, op.Node.Ref)
		case graph.PutNode:
			p.putNode(c, &op.Node, owned)
		case graph.PutEdge:
			if !ownEdge(c, &op.Edge, owned) {
				err = p.edge(p.edges, c, &op.Edge, encode(op.Edge.Props))
			}
		default:
			err = fmt.Errorf("op of unknown kind %d", op.Kind)
		}
		if err != nil {
			return err
		}
	}
	for _, r := range owned {
		if touchesText(r["props"].(row)) {
			c.texts = append(c.texts, r)
		}
	}
	p.addActions(owned)
	return nil
}

func encode(props []graph.Prop) row {
	m := make(row, len(props)+3)
	encodeProps(m, props)
	return m
}

// edge adds an edge to the rows of its kind.
func (p *plan) edge(to map[cypher.EdgeKind][]row, c *claim, e *graph.Edge, props row) error {
	k := cypher.EdgeKind{Type: e.Type, From: e.From.Label, To: e.To.Label}
	if !slices.Contains(cypher.EdgeKinds(), k) {
		return fmt.Errorf("there is no edge %s from %s to %s", e.Type, e.From.Label, e.To.Label)
	}
	to[k] = append(to[k], row{"from": encodeKey(e.From.Key), "to": encodeKey(e.To.Key), "session": c.own, "props": props})
	return nil
}

func (p *plan) delNode(c *claim, r graph.Ref) error {
	switch {
	case r.Label.Shared():
		return fmt.Errorf("%s %s is shared: a fold never deletes it", r.Label, r.Key)
	case r.Label != graph.LabelSession:
		p.delNodes[r.Label] = append(p.delNodes[r.Label], encodeKey(r.Key))
	case r.Key == c.own:
		p.unfill = append(p.unfill, r.Key)
	default:
		return fmt.Errorf("session %s is another one: a fold deletes only its own", r.Key)
	}
	return nil
}

// putNode adds a node to the rows of its label. What was a stub is none from then on.
func (p *plan) putNode(c *claim, n *graph.Node, owned map[graph.Ref]row) {
	props := encode(n.Props)
	r := row{"key": encodeKey(n.Key), "props": props}
	if n.Label == graph.LabelSession && n.Key != c.own {
		p.stubs = append(p.stubs, r)
		return
	}
	props["stub"] = nil
	switch n.Label {
	case graph.LabelSession:
		r["claim"] = c // whether it was a stub is known once the claim is: see fill
		p.sessions = append(p.sessions, r)
	case graph.LabelAction:
		r["type"] = string(n.Type)
		r["tools"] = []string{}
		owned[n.Ref] = r
	default:
		if key := n.Key; len(key) > maxIndexed {
			props[graph.KeyProperty(n.Label)+wholeSuffix] = encodeValue("", key)
		}
		if n.Label.Shared() {
			props[ours] = true
		}
		p.nodes[n.Label] = append(p.nodes[n.Label], r)
	}
}

// ownEdge gives an edge to the action that is put with it, and reports whether it did.
// One with properties is written as other edges are.
func ownEdge(c *claim, e *graph.Edge, owned map[graph.Ref]row) bool {
	if len(e.Props) > 0 {
		return false
	}
	switch {
	case e.Type == graph.HasAction && e.From == (graph.Ref{Label: graph.LabelSession, Key: c.own}):
		if r := owned[e.To]; r != nil {
			r["session"] = c.own
			return true
		}
	case e.Type == graph.UsedTool && e.To.Label == graph.LabelTool:
		if r := owned[e.From]; r != nil && r["session"] != nil {
			r["tools"] = append(r["tools"].([]string), encodeKey(e.To.Key))
			return true
		}
	}
	return false
}

func (p *plan) addActions(owned map[graph.Ref]row) {
	for _, r := range owned {
		t := graph.ActionType(r["type"].(string))
		rows := p.actions[t]
		if rows == nil {
			rows = &actionRows{}
			p.actions[t] = rows
		}
		if r["session"] != nil {
			rows.owned = append(rows.owned, r)
		} else {
			rows.changed = append(rows.changed, r)
		}
	}
}

// sort puts the rows of each statement into the order of their keys. Edges are sorted by
// what they end at: that is what sessions share, and what two programs must lock in one
// order.
func (p *plan) sort() {
	byKey := func(rows []row) {
		slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a["key"].(string), b["key"].(string)) })
	}
	byKey(p.sessions)
	byKey(p.stubs)
	for _, rows := range p.nodes {
		byKey(rows)
	}
	for _, rows := range p.actions {
		byKey(rows.changed)
		slices.SortFunc(rows.owned, func(a, b row) int {
			if d := slices.Compare(a["tools"].([]string), b["tools"].([]string)); d != 0 {
				return d
			}
			return strings.Compare(a["key"].(string), b["key"].(string))
		})
	}
	for _, edges := range []map[cypher.EdgeKind][]row{p.delEdges, p.edges} {
		for _, rows := range edges {
			slices.SortFunc(rows, func(a, b row) int {
				if d := strings.Compare(a["to"].(string), b["to"].(string)); d != 0 {
					return d
				}
				return strings.Compare(a["from"].(string), b["from"].(string))
			})
		}
	}
}
