package render

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
)

// hostile is a graph whose every text tries to break out of where it is put.
func hostile() *graph.Graph {
	g := graph.New()
	bad := "\"];\nrm -rf / \\ <script>alert(1)</script> end -->|x| `%%{init}%%` #quot; \x1b[31m"
	action := func(key, lane string, t graph.ActionType, at graph.Time, props ...graph.Prop) graph.Ref {
		ref := graph.Ref{Label: graph.LabelAction, Key: key}
		props = append(props, graph.Prop{Name: "agent_id", Value: lane}, graph.Prop{Name: "timestamp", Value: at}, graph.Prop{Name: "name", Value: bad})
		g.Apply(graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: ref, Type: t, Props: props}})
		return ref
	}
	node := func(l graph.Label, key string, props ...graph.Prop) graph.Ref {
		ref := graph.Ref{Label: l, Key: key}
		g.Apply(graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: ref, Props: props}})
		return ref
	}
	edge := func(t graph.EdgeType, from, to graph.Ref) {
		g.Apply(graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to}}})
	}
	s := node(graph.LabelSession, bad, graph.Prop{Name: "name", Value: bad})
	tool := node(graph.LabelTool, bad)
	agent := node(graph.LabelAgent, "k", graph.Prop{Name: "agent_id", Value: "end"}, graph.Prop{Name: "agent_type", Value: bad})
	second := action("b", "", graph.ToolResult, 2)
	firstCall := action("c", "", graph.ToolCall, 1, graph.Prop{Name: "status", Value: "failed"})
	nested := action("a", "end", graph.UserMessage, 3)
	edge(graph.HasAction, s, second)
	edge(graph.FollowedBy, firstCall, second)
	edge(graph.ParentOf, firstCall, second)
	edge(graph.UsedTool, firstCall, tool)
	edge(graph.Spawned, firstCall, agent)
	edge(graph.ParentOf, firstCall, nested)
	return g
}

func TestDot(t *testing.T) {
	var b strings.Builder
	if err := Dot(&b, hostile()); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	// Every line must be one of these, with strings closed on it.
	str := `"(?:[^"\\\n]|\\.)*"`
	line := regexp.MustCompile(`^ *(digraph actiongraph \{|\}|rankdir=TB;|(node|edge) \[.*\];|subgraph cluster_\d+ \{|(label|color|fontname)=` + str +
		`;|n\d+ \[label=` + str + `, fillcolor="#[0-9a-f]{6}"\];|n\d+ -> n\d+ \[[^\]"]*(` + str + `)?\];)$`)
	for l := range strings.Lines(out) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("a line of its own: %q", l)
		}
	}
	checkDrawing(t, out, "subgraph cluster_", "style=solid", "style=dashed")
	if path, err := exec.LookPath("dot"); err == nil {
		cmd := exec.Command(path, "-Tsvg")
		cmd.Stdin = strings.NewReader(out)
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("Graphviz: %v\n%s", err, msg)
		}
	}
}

func TestMermaid(t *testing.T) {
	var b strings.Builder
	if err := Mermaid(&b, hostile()); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	line := regexp.MustCompile(`^ *(flowchart TB|end|subgraph lane\d+\["[^"<>]*"\]|n\d+\["[^"<>]*<br/>[^"<>]*"\]|n\d+ (-->|-\.->\|[A-Z_]+\||==>\|SPAWNED\|) n\d+|classDef c\d+ fill:#[0-9a-f]{6},stroke:#777,color:#222|class [n\d,]+ c\d+)$`)
	for l := range strings.Lines(out) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("a line of its own: %q", l)
		}
	}
	checkDrawing(t, out, "subgraph lane", "-->", "-.->|PARENT_OF|")
}

func checkDrawing(t *testing.T, out, group, followed, parent string) {
	t.Helper()
	if n := strings.Count(out, group); n != 2 {
		t.Errorf("%d lanes, want the main thread and one subagent:\n%s", n, out)
	}
	if strings.Contains(out, "HAS_ACTION") {
		t.Error("HAS_ACTION is drawn")
	}
	if strings.Count(out, followed) != 1 || strings.Count(out, parent) != 2 {
		t.Errorf("FOLLOWED_BY is %q, PARENT_OF %q:\n%s", followed, parent, out)
	}
	if call, result := strings.Index(out, "ToolCall"), strings.Index(out, "ToolResult"); call > result {
		t.Error("within a lane actions are not in the order of time")
	}
	if strings.ContainsRune(out, '\x1b') {
		t.Error("an escape sequence is printed")
	}
}

func TestEmptyDrawing(t *testing.T) {
	var b strings.Builder
	if err := Mermaid(&b, graph.New()); err != nil || b.String() != "flowchart TB\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
