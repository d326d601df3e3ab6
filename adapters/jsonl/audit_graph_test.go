package jsonl_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// folded is the graph of a file, its events applied in the order that order gives.
func folded(t testing.TB, format jsonl.Format, name string, order func([]schema.Event)) *graph.Graph {
	t.Helper()
	_, lines := dump(t, name)
	var all []schema.Event
	next := inOrder(t, format)
	for i, line := range lines {
		events, _ := next(string(line), int64(i+1))
		all = append(all, events...)
	}
	order(all)
	s := graph.NewSession(auditSource(format).Session, "journal")
	for i := range all {
		s.Apply(&all[i])
	}
	g := graph.New()
	g.Apply(s.Take()...)
	return g
}

func asWritten([]schema.Event) {}

// TestAuditGraph compares what the dump and the TraceEvents become with trees that were
// read line by line beside them.
func TestAuditGraph(t *testing.T) {
	for name, format := range map[string]jsonl.Format{
		"audit/trace-260301_101500.jsonl": jsonl.Audit, "trace/agent-host.jsonl": jsonl.TraceEvents, "trace/agent-host-tools.jsonl": jsonl.TraceEvents,
	} {
		g := folded(t, format, name, asWritten)
		got := tree(t, g)
		path := filepath.Join("testdata", strings.TrimSuffix(name, ".jsonl")+".tree")
		if *updateAudit {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for seed := range uint64(5) {
			shuffled := folded(t, format, name, func(all []schema.Event) {
				rand.New(rand.NewPCG(seed, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			})
			if diff := graph.Diff(g, shuffled); len(diff) > 0 {
				t.Fatalf("%s: another graph in another order: %v", name, diff)
			}
		}
	}
}

// tree writes a graph as text: the session, agents and files, then the actions, each below
// its parent and in the order of its lane.
func tree(t testing.TB, g *graph.Graph) string {
	t.Helper()
	var out strings.Builder
	parents, kids := map[graph.Ref]bool{}, map[graph.Ref][]graph.Ref{}
	edges := map[graph.EdgeType]int{}
	var others []string
	for _, e := range g.Edges() {
		switch edges[e.Type]++; e.Type {
		case graph.ParentOf:
			if parents[e.To] {
				t.Errorf("%s has two parents", caption(g, e.To))
			}
			parents[e.To] = true
			kids[e.From] = append(kids[e.From], e.To)
		case graph.HasAction, graph.FollowedBy, graph.HasAgent, graph.UsedTool:
		default:
			others = append(others, fmt.Sprintf("%s -%s→ %s", caption(g, e.From), e.Type, caption(g, e.To)))
		}
	}
	var roots []graph.Ref
	var nodes []string
	for _, n := range g.Nodes() {
		if n.Label != graph.LabelAction {
			nodes = append(nodes, string(n.Label)+props(n, "agent_id", "agent_type", "action_count", "agent_count", "message_count", "tool_call_count", "error_count", "status", "caller_id", "started_at", "ended_at", "path", "title"))
		} else if !parents[n.Ref] {
			roots = append(roots, n.Ref)
		}
	}
	slices.Sort(nodes)
	slices.Sort(others)
	fmt.Fprintf(&out, "%v\n%s\n\n%s\n\n", edges, strings.Join(nodes, "\n"), strings.Join(others, "\n"))
	var write func(refs []graph.Ref, depth int)
	write = func(refs []graph.Ref, depth int) {
		slices.SortFunc(refs, func(a, b graph.Ref) int { return cmp.Compare(place(g, a), place(g, b)) })
		for _, r := range refs {
			n := g.Node(r)
			fmt.Fprintf(&out, "%s%s %s%s “%s”\n", strings.Repeat("  ", depth), fmt.Sprint(n.Prop("timestamp"))[11:23], n.Type,
				props(n, "agent_id", "status", "title", "tool_name", "model", "duration_ms", "ended_at", "input_tokens", "output_tokens", "error_message",
					"parent_unknown", "resource", "allowed", "remember_for_session", "reason"), beginning(n))
			write(kids[r], depth+1)
		}
	}
	write(roots, 0)
	return out.String()
}

// place orders actions as their lanes do; those of several lanes by lane then.
func place(g *graph.Graph, r graph.Ref) string {
	n := g.Node(r)
	return fmt.Sprintf("%v %08v %v", n.Prop("timestamp"), n.Prop("seq"), r.Key)
}

func caption(g *graph.Graph, r graph.Ref) string {
	n := g.Node(r)
	if n == nil {
		return string(r.Label) + " " + r.Key
	}
	return string(r.Label) + props(n, "agent_id", "title", "tool_name", "path")
}

// props writes the properties of a node that it has of these.
func props(n *graph.Node, names ...string) (text string) {
	for _, name := range names {
		if v := n.Prop(name); v != nil {
			text += fmt.Sprintf(" %s=%v", name, v)
		}
	}
	if n.Label == graph.LabelTool {
		text = " " + n.Key
	}
	return strings.NewReplacer("\n", "⏎", "agent_id=", "").Replace(text)
}

// beginning is the first words of an action's text.
func beginning(n *graph.Node) string {
	words, _ := n.Prop("text").(string)
	if all := []rune(words); len(all) > 40 {
		words = string(all[:40]) + "…"
	}
	return strings.NewReplacer("\n", "⏎", "\t", "⇥").Replace(words)
}
