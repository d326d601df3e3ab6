package trace

import (
	"cmp"
	"context"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
)

// folded is a session with what happened in it, as rows.
type folded struct {
	session graph.SessionRow
	actions []graph.ActionRow // in the order of time, those of a lane as they follow each other
	agents  []graph.AgentRow
}

// fold folds what is to be written, session by session. Without content no text is kept.
func fold(ctx context.Context, log *history.Log, content bool, o Options) ([]*folded, error) {
	graphs := map[string]*graph.Graph{}
	batches := 0
	err := log.Fold(ctx, func(session string, ops []graph.Op) error {
		if graphs[session] == nil {
			graphs[session] = graph.New()
		}
		graphs[session].Apply(needed(ops, content)...)
		batches++
		o.counted(batches * 1000) // a batch is a thousand records
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	var out []*folded
	for _, s := range log.Segments {
		out = append(out, rows(graphs[s.Session], s.Session))
		delete(graphs, s.Session)
	}
	return out, nil
}

// needed leaves of ops what rows are made of, without content no text, so that the rest is not in
// memory either: most edges are properties of actions, too.
func needed(ops []graph.Op, content bool) []graph.Op {
	ops = slices.DeleteFunc(ops, func(op graph.Op) bool {
		switch op.Kind {
		case graph.PutEdge, graph.DelEdge:
			return op.Edge.Type != graph.FollowedBy && op.Edge.Type != graph.Spawned && op.Edge.Type != graph.ForkedFrom
		}
		return op.Node.Label.Shared()
	})
	for i := range ops {
		if !content {
			ops[i].Node.Props = slices.DeleteFunc(ops[i].Node.Props, func(p graph.Prop) bool { return !isPlain(p.Name) })
		}
	}
	return ops
}

// isPlain reports a property that nobody can have written a text into: names, ids, times,
// figures and statuses. What is new is content until it is listed.
func isPlain(name string) bool {
	switch name {
	case "agent_id", "agent_type", "agent_name", "parent_action_id", "parent_unknown", "prompt_id", "turn",
		"timestamp", "started_at", "ended_at", "last_event_at", "duration_ms", "status", "is_error", "error_type", "exit_code",
		"model", "tool_name", "tool_use_id", "is_mcp", "mcp_server", "never_ran", "thinking", "source_sdk",
		"message_id", "stop_reason", "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
		"cost_usd":
		return true
	}
	return false
}

func rows(g *graph.Graph, session string) *folded {
	f := &folded{session: graph.SessionRow{SessionID: session}}
	if g == nil { // nothing is recorded up to that point
		return f
	}
	edges := g.Edges()
	chain := chains(edges)
	spawned := map[string]string{} // by agent key
	for _, e := range edges {
		if e.Type == graph.Spawned {
			spawned[e.To.Key] = e.From.Key
		}
		if e.Type == graph.ForkedFrom {
			f.session.ForkedFrom = e.To.Key
		}
	}
	for _, n := range g.Nodes() {
		switch n.Label {
		case graph.LabelSession:
			if n.Key == session {
				f.session.Fill(n.Props)
			}
		case graph.LabelAgent:
			a := graph.AgentRow{AgentKey: n.Key, SpawnedByActionID: spawned[n.Key]}
			a.Fill(n.Props)
			f.agents = append(f.agents, a)
		case graph.LabelAction:
			a := graph.ActionRow{ActionID: n.Key, SessionID: session, ActionType: n.Type}
			a.Fill(n.Props, true)
			if !a.Timestamp.IsZero() { // else it is a stub: another fact's mention
				f.actions = append(f.actions, a)
			}
		}
	}
	slices.SortFunc(f.actions, func(a, b graph.ActionRow) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.AgentID, b.AgentID),
			cmp.Compare(chain[a.ActionID], chain[b.ActionID]), cmp.Compare(a.ActionID, b.ActionID))
	})
	slices.SortFunc(f.agents, func(a, b graph.AgentRow) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.AgentID, b.AgentID))
	})
	return f
}

// chains numbers the actions of each lane as they follow each other.
func chains(edges []graph.Edge) map[string]int {
	next, isNext := map[string]string{}, map[string]bool{}
	for _, e := range edges {
		if e.Type == graph.FollowedBy {
			next[e.From.Key], isNext[e.To.Key] = e.To.Key, true
		}
	}
	out := make(map[string]int, len(next))
	for head := range next {
		if isNext[head] {
			continue
		}
		n := 0
		for key, ok := head, true; ok; key, ok = next[key] {
			out[key] = n
			n++
		}
	}
	return out
}

// text is a property of an action as a text, "" where it is none.
func text(a *graph.ActionRow, name string) string { s, _ := a.Properties[name].(string); return s }

// number is a property of an action as a whole number, 0 where it is none.
func number(a *graph.ActionRow, name string) int64 { n, _ := a.Properties[name].(int64); return n }
