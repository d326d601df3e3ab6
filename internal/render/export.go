package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// drawing is what both dot and Mermaid are written from: ids that need no quoting,
// captions, and the lanes as groups.
type drawing struct {
	ids    map[graph.Ref]string
	groups []group
	edges  []graph.Edge
}

type group struct {
	caption string // "" holds what belongs to no lane
	nodes   []*graph.Node
}

// draw numbers the nodes and puts each Action into its lane. HAS_ACTION is left out:
// it is one edge an action from one node, and the lanes say the same.
func draw(g *graph.Graph) drawing {
	d := drawing{ids: map[graph.Ref]string{}}
	var others group
	lanes := map[string]*group{}
	captions := map[string]string{"": "main"}
	for _, n := range g.Nodes() {
		d.ids[n.Ref] = "n" + strconv.Itoa(len(d.ids)+1)
		if n.Label == graph.LabelAgent {
			id, _ := n.Prop("agent_id").(string)
			captions[id] = strings.TrimSpace("agent " + stringProp(n, "agent_type") + " " + id)
		}
		if n.Label != graph.LabelAction {
			others.nodes = append(others.nodes, n)
			continue
		}
		lane, _ := n.Prop("agent_id").(string)
		if lanes[lane] == nil {
			lanes[lane] = &group{}
		}
		lanes[lane].nodes = append(lanes[lane].nodes, n)
	}
	d.groups = append(d.groups, others)
	for _, lane := range sortedKeys(lanes) {
		l := lanes[lane]
		l.caption = captions[lane]
		if l.caption == "" {
			l.caption = "agent " + lane
		}
		slices.SortStableFunc(l.nodes, func(a, b *graph.Node) int {
			return strings.Compare(stringProp(a, "timestamp"), stringProp(b, "timestamp"))
		})
		d.groups = append(d.groups, *l)
	}
	for _, e := range g.Edges() {
		if e.Type != graph.HasAction && d.ids[e.From] != "" && d.ids[e.To] != "" {
			d.edges = append(d.edges, e)
		}
	}
	return d
}

func stringProp(n *graph.Node, name string) string {
	switch v := n.Prop(name).(type) {
	case string:
		return v
	case graph.Time:
		return v.String()
	}
	return ""
}

// caption is what a node is called in a drawing: its kind, its name, its status
// where that is not the usual one.
func caption(n *graph.Node) (kind, name string) {
	labels := n.Labels()
	kind = labels[len(labels)-1]
	name = OneLine(stringProp(n, "name"))
	if name == "" {
		name = OneLine(n.Key)
	}
	s := Style{UTF8: true}
	name = s.Truncate(name, 48)
	switch status := stringProp(n, "status"); status {
	case "", "completed", "active":
	default:
		name += " (" + OneLine(status) + ")"
	}
	return kind, name
}

// Dot writes g for Graphviz: lanes are clusters, FOLLOWED_BY is solid, PARENT_OF
// dashed. HAS_ACTION is not drawn.
func Dot(w io.Writer, g *graph.Graph) error {
	d, b := draw(g), bufio.NewWriter(w)
	fmt.Fprint(b, "digraph actiongraph {\n  rankdir=TB;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", fontsize=10];\n  edge [fontname=\"Helvetica\", fontsize=8, color=\"#555555\"];\n")
	for i, grp := range d.groups {
		indent := "  "
		if grp.caption != "" {
			fmt.Fprintf(b, "  subgraph cluster_%d {\n    label=%s;\n    color=\"#bbbbbb\";\n    fontname=\"Helvetica\";\n", i, dotString(OneLine(grp.caption)))
			indent = "    "
		}
		for _, n := range grp.nodes {
			kind, name := caption(n)
			fmt.Fprintf(b, "%s%s [label=%s, fillcolor=%q];\n", indent, d.ids[n.Ref], dotString(kind+"\n"+name), fill(n))
		}
		if grp.caption != "" {
			fmt.Fprint(b, "  }\n")
		}
	}
	for _, e := range d.edges {
		fmt.Fprintf(b, "  %s -> %s [%s];\n", d.ids[e.From], d.ids[e.To], dotEdge(e.Type))
	}
	fmt.Fprint(b, "}\n")
	return b.Flush()
}

func dotEdge(t graph.EdgeType) string {
	switch t {
	case graph.FollowedBy:
		return `style=solid, weight=10`
	case graph.ParentOf:
		return `style=dashed, label="PARENT_OF"`
	case graph.Spawned:
		return `style=bold, label="SPAWNED"`
	}
	return fmt.Sprintf(`style=dotted, constraint=false, label=%s`, dotString(string(t)))
}

// dotString quotes s for dot, where a backslash starts an escape and a newline is
// written \n.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// fill is the colour of a node, by what a reader looks for: calls, messages, and
// what went wrong.
func fill(n *graph.Node) string {
	switch stringProp(n, "status") {
	case "failed":
		return "#f8d0d0"
	case "denied", "blocked", "interrupted":
		return "#fbe7c2"
	}
	switch n.Label {
	case graph.LabelSession:
		return "#d9d2e9"
	case graph.LabelAgent:
		return "#e3d5f1"
	case graph.LabelTool, graph.LabelTag, graph.LabelFile:
		return "#eeeeee"
	}
	switch n.Type {
	case graph.ToolCall:
		return "#d4e6f7"
	case graph.ToolResult:
		return "#e4f3e1"
	case graph.UserMessage, graph.AssistantMessage:
		return "#fdf6d8"
	case graph.ErrorEvent, graph.RateLimitEvent:
		return "#f8d0d0"
	}
	return "#ffffff"
}

// Mermaid writes g as a Mermaid flowchart, drawn as Dot does.
func Mermaid(w io.Writer, g *graph.Graph) error {
	d, b := draw(g), bufio.NewWriter(w)
	fmt.Fprint(b, "flowchart TB\n")
	fills := map[string][]string{}
	for i, grp := range d.groups {
		indent := "  "
		if grp.caption != "" {
			fmt.Fprintf(b, "  subgraph lane%d[%s]\n", i, mermaidString(OneLine(grp.caption)))
			indent = "    "
		}
		for _, n := range grp.nodes {
			kind, name := caption(n)
			fmt.Fprintf(b, "%s%s[%s]\n", indent, d.ids[n.Ref], mermaidString(kind+"\n"+name))
			fills[fill(n)] = append(fills[fill(n)], d.ids[n.Ref])
		}
		if grp.caption != "" {
			fmt.Fprint(b, "  end\n")
		}
	}
	for _, e := range d.edges {
		fmt.Fprintf(b, "  %s %s %s\n", d.ids[e.From], mermaidEdge(e.Type), d.ids[e.To])
	}
	for i, color := range sortedKeys(fills) {
		fmt.Fprintf(b, "  classDef c%d fill:%s,stroke:#777,color:#222\n  class %s c%d\n", i, color, strings.Join(fills[color], ","), i)
	}
	return b.Flush()
}

func mermaidEdge(t graph.EdgeType) string {
	switch t {
	case graph.FollowedBy:
		return "-->"
	case graph.Spawned:
		return "==>|SPAWNED|"
	}
	return "-.->|" + string(t) + "|"
}

// mermaidString quotes s for Mermaid, which has no escape but character codes: all
// but letters, digits and a few harmless signs are written as one, so that no text
// is taken for HTML, Markdown or syntax.
func mermaidString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString("<br/>")
		case r == ' ' || r == '.' || r == ',' || r == '/' || r == '-' || r == '_' || r == ':' || r == '(' || r == ')' || r == '=' ||
			r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
