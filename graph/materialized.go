package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
)

// ErrConflict is wrapped by a store's Apply when a session's position is not the
// expected one: a restored backup, a deleted store, or a second daemon. Nothing was
// written.
var ErrConflict = errcode.New(errcode.StoreConflict, "the store is not where this replica left it")

// ErrRefused is wrapped by a store's Apply for an error of what was to be written, and not
// of the store: the same batches fail again, and others may not. Nothing was written.
var ErrRefused = errcode.New(errcode.StoreRefused, "the store refuses what it was given")

// OwnedError is returned by a store's Apply for sessions that another journal owns in
// it, and whose batches do not say Continues. Nothing was written.
type OwnedError struct{ Sessions []string }

func (e *OwnedError) Error() string {
	return fmt.Sprintf("another journal owns %s in this store", strings.Join(e.Sessions, ", "))
}

// ErrNotFound is wrapped by readers when what was asked for does not exist.
var ErrNotFound = errcode.New(errcode.NotFound, "not found")

// Graph is a graph in memory: what a fold of a whole journal gives, or what a store
// loads. Its zero value is not usable: see New.
type Graph struct {
	nodes map[Ref]*Node
	edges map[EdgeKey][]Prop
}

// New returns an empty graph.
func New() *Graph {
	return &Graph{nodes: map[Ref]*Node{}, edges: map[EdgeKey][]Prop{}}
}

// Apply executes ops in their order.
func (g *Graph) Apply(ops ...Op) {
	for _, op := range ops {
		switch op.Kind {
		case DelEdge:
			delete(g.edges, op.Edge.EdgeKey)
		case DelNode:
			delete(g.nodes, op.Node.Ref)
			for k := range g.edges {
				if k.From == op.Node.Ref || k.To == op.Node.Ref {
					delete(g.edges, k)
				}
			}
		case PutNode:
			n := g.nodes[op.Node.Ref]
			if n == nil {
				n = &Node{Ref: op.Node.Ref}
				g.nodes[op.Node.Ref] = n
			}
			n.Type = op.Node.Type
			n.Props = putProps(n.Props, op.Node.Props)
		case PutEdge:
			g.edges[op.Edge.EdgeKey] = putProps(g.edges[op.Edge.EdgeKey], op.Edge.Props)
		}
	}
}

// putProps keeps props sorted by name and free of nils.
func putProps(old, new []Prop) []Prop {
	if len(new) == 0 {
		return old
	}
	merged := mergeProps(slices.Clone(old), new)
	merged = slices.DeleteFunc(merged, func(p Prop) bool { return p.Value == nil })
	slices.SortFunc(merged, func(a, b Prop) int { return strings.Compare(a.Name, b.Name) })
	return merged
}

// Nodes returns the nodes sorted by label and key, each with its properties sorted
// by name. They must not be changed.
func (g *Graph) Nodes() []*Node {
	return slices.SortedFunc(maps.Values(g.nodes), func(a, b *Node) int { return a.Ref.Compare(b.Ref) })
}

// Node returns one node, or nil.
func (g *Graph) Node(r Ref) *Node { return g.nodes[r] }

// Edges returns the edges sorted by their keys.
func (g *Graph) Edges() []Edge {
	out := make([]Edge, 0, len(g.edges))
	for _, k := range slices.SortedFunc(maps.Keys(g.edges), EdgeKey.Compare) {
		out = append(out, Edge{EdgeKey: k, Props: g.edges[k]})
	}
	return out
}

// HasEdge reports whether the edge is there.
func (g *Graph) HasEdge(k EdgeKey) bool {
	_, ok := g.edges[k]
	return ok
}

// EdgeProps returns the properties of an edge, sorted by name; they must not be changed.
func (g *Graph) EdgeProps(k EdgeKey) []Prop { return g.edges[k] }

// Change is one difference between two graphs. Field is "" where a whole node or
// edge is on one side only, which the other side's value "absent" says.
type Change struct {
	What  string `json:"what"` // "Action 3f…" or "FOLLOWED_BY Action 3f… → Action 9a…"
	Field string `json:"field,omitempty"`
	A     any    `json:"a"`
	B     any    `json:"b"`
}

// String renders the change on one line.
func (c Change) String() string {
	if c.Field == "" {
		return fmt.Sprintf("%s: %v, %v", c.What, c.A, c.B)
	}
	return fmt.Sprintf("%s: %s: %v, %v", c.What, c.Field, c.A, c.B)
}

// RenderProps gives properties as people and JSON see them: Times as strings, and
// timestamp_ms beside timestamp.
func RenderProps(props []Prop) map[string]any {
	m := make(map[string]any, len(props)+1)
	for _, p := range props {
		t, ok := p.Value.(Time)
		if !ok {
			m[p.Name] = p.Value
			continue
		}
		m[p.Name] = t.String()
		if p.Name == "timestamp" {
			m["timestamp_ms"] = int64(t) / int64(time.Millisecond)
		}
	}
	return m
}

// MarshalJSON renders the graph as {"nodes":[{"labels":[…],"key":…,"properties":{…}}],
// "edges":[{"type":…,"from":{"label":…,"key":…},"to":{…},"properties":{…}}]}, sorted.
func (g *Graph) MarshalJSON() ([]byte, error) {
	type node struct {
		Labels     []string       `json:"labels"`
		Key        string         `json:"key"`
		Properties map[string]any `json:"properties"`
	}
	type edge struct {
		Type       EdgeType       `json:"type"`
		From       Ref            `json:"from"`
		To         Ref            `json:"to"`
		Properties map[string]any `json:"properties,omitempty"`
	}
	nodes, edges := []node{}, []edge{}
	for _, n := range g.Nodes() {
		nodes = append(nodes, node{n.Labels(), n.Key, RenderProps(n.Props)})
	}
	for _, e := range g.Edges() {
		edges = append(edges, edge{e.Type, e.From, e.To, RenderProps(e.Props)})
	}
	return json.Marshal(map[string]any{"nodes": nodes, "edges": edges})
}
