package neo4j_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
)

// hostile are texts that somebody may make an agent use as a name, a path or a word.
func hostile() map[string]string {
	return map[string]string{
		"cypher":      "Bash'}) MATCH (n) DETACH DELETE n //",
		"quotes":      "`\"'\\`) RETURN 1; DROP CONSTRAINT tool_name; --",
		"parameter":   "$rows {row.key} _LABELS_ _TYPE_ ${x} {{y}}",
		"nul":         "a\x00b",
		"substitute":  "\x1abAAAA",
		"not utf-8":   "a\xff\xfe\xed\xa0\x80z",      // a lone surrogate as WTF-8 has it
		"surrogate":   "a\ufffdz",                    // as package schema reads one
		"white space": " \n\t\u2028\u00a0\ufeff\r\n", // not empty, not trimmed
		"right left":  "\u202egnp.exe",
		"long":        strings.Repeat("日本 x", 1<<20/8),
		"one word":    strings.Repeat("x", 1<<20),
		"time":        "2026-01-01T00:00:00.000000000Z",
		"null":        "null",
	}
}

// TestHostile: nothing is executed, nothing is lost, and nothing stalls the store: what
// one Apply refuses it would refuse for ever.
func TestHostile(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		for name, text := range hostile() {
			t.Run(name, func(t *testing.T) {
				s := empty(t, o)
				ops := hostileOps(text)
				apply(t, s, batch(journal, "s", 0, 1, ops...))
				want := graph.New()
				want.Apply(ops...)
				if d := diff(want, load(t, s, "s")); d != "" {
					t.Errorf("-put +loaded:\n%.3000s", d)
				}
				for what, n := range map[string]int64{"Tool": 1, "Tag": 1, "File": 1, "Agent": 1, "Action": 2, "Session": 1, "JournalPosition": 1} {
					if got := one(t, o, "MATCH (n:"+what+") RETURN count(n)"); got != n {
						t.Errorf("%v nodes %s, want %d", got, what, n)
					}
				}
				apply(t, s, batch(journal, "s", 1, 2, ops...)) // again: keys are found again
				if d := diff(want, load(t, s, "s")); d != "" {
					t.Errorf("put twice, -put +loaded:\n%.3000s", d)
				}
			})
		}
	})
}

func diff(want, got *graph.Graph) string {
	return cmp.Diff(want.Nodes(), got.Nodes(), cmpopts.EquateEmpty(), cmpopts.EquateNaNs()) +
		cmp.Diff(want.Edges(), got.Edges(), cmpopts.EquateEmpty())
}

// hostileOps has the text wherever a text can be, keys included.
func hostileOps(text string) []graph.Op {
	a, b := actionRef("s", "a"), actionRef("s", "b")
	tool, tag := toolRef(text), graph.Ref{Label: graph.LabelTag, Key: text}
	file, agent := graph.Ref{Label: graph.LabelFile, Key: text}, graph.Ref{Label: graph.LabelAgent, Key: text}
	ops := []graph.Op{
		put(sessionRef("s"), prop("status", text), prop("started_at", text), prop("title", text)),
		put(tool, prop("mcp_server", text)), put(tag), put(file, prop("path", text)),
		put(agent, prop("session_id", "s"), prop("agent_type", text)),
	}
	ops = append(ops, putAction("s", a, graph.ToolCall, prop("tool_name", text), prop("status", text), prop("command", text),
		prop("timestamp", text), prop("properties", text), prop("cost_usd", math.NaN()), prop("turn", math.Inf(-1)))...)
	ops = append(ops, putAction("s", b, graph.ToolResult, prop("text", text), prop("error_message", text), prop("timestamp", graph.Time(math.MinInt64)))...)
	return append(ops, edge(graph.UsedTool, a, tool), edge(graph.HasTag, sessionRef("s"), tag), edge(graph.Wrote, a, file),
		edge(graph.HasAgent, sessionRef("s"), agent), edge(graph.HasAction, agent, b), edge(graph.ParentOf, a, b))
}

// TestManyProperties: a node with more properties than anybody reads.
func TestManyProperties(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		props := make([]graph.Prop, 10_000)
		for i := range props {
			props[i] = prop(fmt.Sprintf("p%04d", i), int64(i))
		}
		ops := putAction("s", actionRef("s"), graph.Unknown, props...)
		apply(t, s, batch(journal, "s", 0, 1, ops...))
		want := graph.New()
		want.Apply(ops...)
		if d := diff(want, load(t, s, "s")); d != "" {
			t.Errorf("-put +loaded:\n%.2000s", d)
		}
	})
}
