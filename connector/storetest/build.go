package storetest

import (
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// What the cases are made of.
var (
	call    = action(schema.NewID("call"))
	result  = action(schema.NewID("result"))
	message = action(schema.NewID("message"))
	spare   = action(schema.NewID("spare"))
	agent   = ref(graph.LabelAgent, schema.NewID("agent"))
	file    = ref(graph.LabelFile, schema.NewID("file"))
	start   = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
)

func put(r graph.Ref, t graph.ActionType, props ...graph.Prop) graph.Op {
	return graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Type: t, Props: props}}
}

func delNode(r graph.Ref) graph.Op {
	return graph.Op{Kind: graph.DelNode, Node: graph.Node{Ref: r}}
}

func putEdge(t graph.EdgeType, from, to graph.Ref, props ...graph.Prop) graph.Op {
	return graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to}, Props: props}}
}

func delEdge(t graph.EdgeType, from, to graph.Ref) graph.Op {
	op := putEdge(t, from, to)
	op.Kind = graph.DelEdge
	return op
}

// at is a time some seconds after the start.
func at(seconds float64) graph.Time {
	return graph.Time(start.Add(time.Duration(seconds * float64(time.Second))).UnixNano())
}

// small is a small session with every kind of edge.
func small(session string) []graph.Op {
	s, bash := ref(graph.LabelSession, session), ref(graph.LabelTool, "Bash")
	tag, label := ref(graph.LabelTag, "release"), ref(graph.LabelTag, "api-call") // of an action: not the session's
	return []graph.Op{
		put(s, "", graph.Prop{Name: "status", Value: "active"}, graph.Prop{Name: "started_at", Value: at(0)},
			graph.Prop{Name: "last_event_at", Value: at(9)},
			graph.Prop{Name: "action_count", Value: int64(3)}, graph.Prop{Name: "error_count", Value: int64(1)}),
		put(call, graph.ToolCall, graph.Prop{Name: "timestamp", Value: at(1)}, graph.Prop{Name: "tool_name", Value: "Bash"},
			graph.Prop{Name: "status", Value: "failed"}, graph.Prop{Name: "duration_ms", Value: 12.5},
			graph.Prop{Name: "command", Value: "ls alpha/beta"},
			graph.Prop{Name: "properties", Value: `{"tool_input":{"command":"ls alpha/beta","description":"List gamma"}}`}),
		put(result, graph.ToolResult, graph.Prop{Name: "timestamp", Value: at(2)}, graph.Prop{Name: "tool_name", Value: "Bash"},
			graph.Prop{Name: "text", Value: "total 42 café"}, graph.Prop{Name: "error_message", Value: "no such delta"},
			graph.Prop{Name: "is_error", Value: true}, graph.Prop{Name: "parent_action_id", Value: call.Key}),
		put(spare, graph.Notification, graph.Prop{Name: "timestamp", Value: at(3)}, graph.Prop{Name: "text", Value: "epsilon 日本"}),
		put(agent, "", graph.Prop{Name: "agent_id", Value: "a1"},
			graph.Prop{Name: "started_at", Value: at(1)}),
		put(bash, "", graph.Prop{Name: "is_mcp", Value: false}),
		put(tag, ""), put(label, ""), put(ref(graph.LabelTag, "slow"), ""),
		put(file, "", graph.Prop{Name: "path", Value: "/etc/ü"}, graph.Prop{Name: "host", Value: "h"}),
		putEdge(graph.HasAction, s, call), putEdge(graph.HasAction, s, result), putEdge(graph.HasAction, s, spare),
		putEdge(graph.HasAgent, s, agent), putEdge(graph.HasAction, agent, result), putEdge(graph.Spawned, call, agent),
		putEdge(graph.FollowedBy, call, result), putEdge(graph.ParentOf, call, result), putEdge(graph.UsedTool, call, bash),
		putEdge(graph.HasTag, s, tag), putEdge(graph.HasTag, call, label), putEdge(graph.HasTag, call, ref(graph.LabelTag, "slow")), putEdge(graph.Wrote, call, file), putEdge(graph.RelatedTo, result, call, graph.Prop{Name: "why", Value: "test"}),
	}
}

// own gives the actions and agents of ops keys of the session: two sessions never
// share one.
func own(session string, ops []graph.Op) []graph.Op {
	mine := func(r *graph.Ref) {
		if r.Label == graph.LabelAction || r.Label == graph.LabelAgent {
			r.Key = schema.NewID(session, r.Key)
		}
	}
	ops = slices.Clone(ops)
	for i := range ops {
		mine(&ops[i].Node.Ref)
		mine(&ops[i].Edge.From)
		mine(&ops[i].Edge.To)
	}
	return ops
}

// held gives every Action and Agent that ops put the properties that a fold gives it
// with its first Op (graph.Node): its session, and an Action its type.
func held(own string, ops []graph.Op) []graph.Op {
	ops = slices.Clone(ops)
	for i := range ops {
		n := &ops[i].Node
		if ops[i].Kind != graph.PutNode || n.Label != graph.LabelAction && n.Label != graph.LabelAgent {
			continue
		}
		n.Props = append(slices.Clip(n.Props), graph.Prop{Name: "session_id", Value: own})
		if n.Label == graph.LabelAction {
			n.Props = append(n.Props, graph.Prop{Name: "action_type", Value: string(n.Type)})
		}
	}
	return ops
}
