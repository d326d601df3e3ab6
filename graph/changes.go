package graph

import "slices"

// changes gathers what happens to a graph, at most one change of a node or edge: a fold
// says a dozen things about an action, one after the other, and a store writes it once.
// Later registers win; what is deleted last is only deleted.
type changes struct {
	refs   []Ref          // by handle
	named  map[Ref]handle // the handles that refs were asked for by name
	nodes  []nodeChange   // in the order in which they were first touched
	nodeOf []int32        // by handle: its place in nodes, from 1
	edges  []edgeChange
	edgeOf map[edgeEnds]int32
	types  []EdgeType // beside edgeTypes: of a caller's ops, for the store to refuse
	// deleted: some nodes were, and named has their handles, which take them again.
	deleted bool
}

// handle stands for a node among changes: to hash names of nodes for each property that
// is set takes longer than everything else.
type handle int32

type nodeChange struct {
	props []Prop
	typ   ActionType
	node  handle
	kind  OpKind
	again bool // it was deleted before it was put
}

type edgeEnds struct {
	typ      int32 // index into edgeTypes, and types after them
	from, to handle
}

type edgeChange struct {
	props []Prop
	edgeEnds
	kind  OpKind
	again bool
}

// usualProps is room for what is said of an action.
const usualProps = 16

// add returns the handle of a node that the caller knows to have none, unless it was deleted:
// what comes again keeps what it had.
func (c *changes) add(r Ref) handle {
	if c.deleted {
		if h, ok := c.named[r]; ok {
			return h
		}
	}
	c.refs = append(c.refs, r)
	c.nodeOf = append(c.nodeOf, 0)
	return handle(len(c.refs) - 1)
}

// name returns the handle of a node.
func (c *changes) name(r Ref) handle {
	h, ok := c.named[r]
	if !ok {
		h = c.add(r)
		c.setName(r, h)
	}
	return h
}

func (c *changes) setName(r Ref, h handle) {
	if c.named == nil {
		c.named = map[Ref]handle{}
	}
	c.named[r] = h
}

// node returns the change of a node, a new one of that kind.
func (c *changes) node(h handle, kind OpKind) *nodeChange {
	if k := c.nodeOf[h]; k != 0 {
		return &c.nodes[k-1]
	}
	c.nodes = append(c.nodes, nodeChange{node: h, kind: kind})
	c.nodeOf[h] = int32(len(c.nodes))
	return &c.nodes[len(c.nodes)-1]
}

// putNode creates or updates a node. It keeps nothing of the array of props.
func (c *changes) putNode(h handle, t ActionType, props []Prop) {
	n := c.node(h, PutNode)
	if n.kind == DelNode {
		n.kind, n.again = PutNode, true
	}
	n.typ = t
	if n.props == nil && c.refs[h].Label == LabelAction {
		n.props = make([]Prop, 0, max(usualProps, len(props)))
	}
	n.props = mergeProps(n.props, props)
}

// delNode deletes a node with its edges. A store removes first: edges that were put on the
// node become ones that are removed, or they would be put on it again.
func (c *changes) delNode(h handle, t ActionType) {
	n := c.node(h, DelNode)
	n.kind, n.typ, n.props = DelNode, t, nil
	c.setName(c.refs[h], h)
	c.deleted = true
	for k := range c.edges {
		if e := &c.edges[k]; e.kind == PutEdge && (e.from == h || e.to == h) {
			e.kind, e.props = DelEdge, nil
		}
	}
}

func (c *changes) edge(t EdgeType, from, to handle, kind OpKind) (e *edgeChange) {
	ends := edgeEnds{c.typeIndex(t), from, to}
	if k, ok := c.edgeOf[ends]; ok {
		return &c.edges[k]
	}
	if c.edgeOf == nil {
		c.edgeOf = map[edgeEnds]int32{}
	}
	c.edgeOf[ends] = int32(len(c.edges))
	c.edges = append(c.edges, edgeChange{edgeEnds: ends, kind: kind})
	return &c.edges[len(c.edges)-1]
}

func (c *changes) putEdge(t EdgeType, from, to handle, props []Prop) {
	e := c.edge(t, from, to, PutEdge)
	if e.kind == DelEdge {
		e.kind, e.again = PutEdge, true
	}
	e.props = mergeProps(e.props, props)
}

func (c *changes) delEdge(t EdgeType, from, to handle) {
	e := c.edge(t, from, to, DelEdge)
	e.kind, e.props = DelEdge, nil
}

// take returns the changes as ops sorted by kind, in room if they fit there, and forgets them and all handles. What
// a store may hold and what was put again after its deletion must lose its old registers:
// it is deleted and put.
func (c *changes) take(room []Op) []Op {
	if len(c.nodes)+len(c.edges) == 0 {
		*c = changes{}
		return nil
	}
	defer c.forget()
	out := slices.Grow(room[:0], len(c.nodes)+len(c.edges))
	for k := range c.edges {
		if e := &c.edges[k]; e.kind == DelEdge || e.again {
			out = append(out, Op{Kind: DelEdge, Edge: Edge{EdgeKey: c.key(e)}})
		}
	}
	for k := range c.nodes {
		if n := &c.nodes[k]; n.kind == DelNode || n.again {
			out = append(out, Op{Kind: DelNode, Node: Node{Ref: c.refs[n.node], Type: n.typ}})
		}
	}
	for k := range c.nodes {
		if n := &c.nodes[k]; n.kind == PutNode {
			out = append(out, Op{Kind: PutNode, Node: Node{Ref: c.refs[n.node], Type: n.typ, Props: n.props}})
		}
	}
	for k := range c.edges {
		if e := &c.edges[k]; e.kind == PutEdge {
			out = append(out, Op{Kind: PutEdge, Edge: Edge{EdgeKey: c.key(e), Props: e.props}})
		}
	}
	return out
}

// catchingUp is how many edges a batch has that is one of many: of a session that is caught
// up with, not of one that goes on line by line.
const catchingUp = 1000

// forget empties c. The room of a batch that is one of many serves the next one: to make it
// anew was a fourteenth of what an import of one long session allocates.
func (c *changes) forget() {
	if len(c.edges) < catchingUp {
		*c = changes{}
		return
	}
	clear(c.refs)
	clear(c.nodes)
	clear(c.edges)
	clear(c.named)
	clear(c.edgeOf)
	*c = changes{refs: c.refs[:0], named: c.named, nodes: c.nodes[:0], nodeOf: c.nodeOf[:0], edges: c.edges[:0], edgeOf: c.edgeOf}
}

func (c *changes) key(e *edgeChange) EdgeKey {
	typ := int(e.typ)
	if typ < len(edgeTypes) {
		return EdgeKey{edgeTypes[typ], c.refs[e.from], c.refs[e.to]}
	}
	return EdgeKey{c.types[typ-len(edgeTypes)], c.refs[e.from], c.refs[e.to]}
}

var edgeTypes = EdgeTypes()

func (c *changes) typeIndex(t EdgeType) int32 {
	if k := slices.Index(edgeTypes, t); k >= 0 {
		return int32(k)
	}
	k := slices.Index(c.types, t)
	if k < 0 {
		k = len(c.types)
		c.types = append(c.types, t)
	}
	return int32(len(edgeTypes) + k)
}

func mergeProps(old, new []Prop) []Prop {
	for _, p := range new {
		if i := slices.IndexFunc(old, func(q Prop) bool { return q.Name == p.Name }); i >= 0 {
			old[i].Value = p.Value
		} else {
			old = append(old, p)
		}
	}
	return old
}
