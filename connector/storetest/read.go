package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// sorted returns the ids of the sessions whose own fold put a Session node.
func (m *Memory) sorted() (ids []string) {
	for id, g := range m.folds {
		if g.Node(graph.Ref{Label: graph.LabelSession, Key: id}) != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func text(n *graph.Node, name string) string   { s, _ := n.Prop(name).(string); return s }
func number(n *graph.Node, name string) int64  { i, _ := n.Prop(name).(int64); return i }
func flag(n *graph.Node, name string) bool     { b, _ := n.Prop(name).(bool); return b }
func float(n *graph.Node, name string) float64 { f, _ := n.Prop(name).(float64); return f }

func moment(n *graph.Node, name string) time.Time {
	if t, ok := n.Prop(name).(graph.Time); ok {
		return time.Unix(0, int64(t)).UTC()
	}
	return time.Time{}
}

// Sessions lists sessions, newest first, then by id; those without a start last.
func (m *Memory) Sessions(_ context.Context, f graph.SessionFilter) (out []graph.SessionRow, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.sorted() {
		if r := m.sessionRow(id); keep(r, f) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b graph.SessionRow) int { return b.StartedAt.Compare(a.StartedAt) })
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, nil
}

func (m *Memory) sessionRow(id string) graph.SessionRow {
	g := m.folds[id]
	n := g.Node(graph.Ref{Label: graph.LabelSession, Key: id})
	r := graph.SessionRow{
		SessionID: id, Title: text(n, "title"), FirstPrompt: text(n, "first_prompt"), Status: text(n, "status"),
		StartedAt: moment(n, "started_at"), EndedAt: moment(n, "ended_at"), LastEventAt: moment(n, "last_event_at"),
		Model: text(n, "model"), SourceSDK: text(n, "source_sdk"), WorkingDirectory: text(n, "working_directory"),
		GitBranch: text(n, "git_branch"), Host: text(n, "host"), User: text(n, "user"),
		ActionCount: number(n, "action_count"), ToolCallCount: number(n, "tool_call_count"),
		MessageCount: number(n, "message_count"), AgentCount: number(n, "agent_count"), ErrorCount: number(n, "error_count"),
		TotalInputTokens: number(n, "total_input_tokens"), TotalOutputTokens: number(n, "total_output_tokens"),
		TotalLowerBound: flag(n, "total_lower_bound"),
	}
	if cost, ok := n.Prop("total_cost_usd").(float64); ok {
		r.TotalCostUSD = &cost
	}
	for _, e := range g.Edges() {
		if e.Type == graph.HasTag && e.From == n.Ref {
			r.Tags = append(r.Tags, e.To.Key)
		}
		if e.Type == graph.ForkedFrom && e.From == n.Ref && (r.ForkedFrom == "" || e.To.Key < r.ForkedFrom) {
			r.ForkedFrom, r.ForkedAt, r.ForkedAtTime, r.ForkLabel = e.To.Key, "", time.Time{}, ""
			r.FillFork(e.Props)
		}
	}
	return r
}

func keep(r graph.SessionRow, f graph.SessionFilter) bool {
	above := strings.TrimRight(f.Dir, `/\`)
	under := f.Dir == "" || r.WorkingDirectory != "" && (r.WorkingDirectory == f.Dir || r.WorkingDirectory == above) ||
		strings.HasPrefix(r.WorkingDirectory, above+"/") || strings.HasPrefix(r.WorkingDirectory, above+`\`)
	return under && strings.HasPrefix(r.SessionID, f.IDPrefix) &&
		(f.Status == "" || r.Status == f.Status) && (!f.HasErrors || r.ErrorCount > 0) &&
		(f.Tag == "" || slices.Contains(r.Tags, f.Tag)) &&
		(f.Since.IsZero() || !r.StartedAt.IsZero() && !r.StartedAt.Before(f.Since)) &&
		(f.Until.IsZero() || !r.StartedAt.IsZero() && r.StartedAt.Before(f.Until)) &&
		(f.User == "" || r.User == f.User) && (f.Host == "" || r.Host == f.Host)
}

// Actions lists actions by timestamp, then agent_id, then as FOLLOWED_BY has them.
func (m *Memory) Actions(_ context.Context, f graph.ActionFilter) (out []graph.ActionRow, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range inOrder(m.actionRows(f.Session)) {
		if (f.Type == "" || r.ActionType == f.Type) && (f.Tool == "" || r.ToolName == f.Tool) &&
			(f.Status == "" || r.Status == f.Status) && (f.Agent == nil || r.AgentID == *f.Agent) &&
			(f.Limit <= 0 || len(out) < f.Limit) {
			if !f.Content {
				r.Text, r.Properties, r.Metadata = "", nil, nil
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// actionRows gives the actions of a session, with content, sorted by key.
func (m *Memory) actionRows(session string) (out []graph.ActionRow) {
	g := m.folds[session]
	if g == nil {
		return nil
	}
	before := map[string]string{}
	for _, e := range g.Edges() {
		if e.Type == graph.FollowedBy {
			before[e.To.Key] = e.From.Key
		}
	}
	for _, n := range g.Nodes() {
		if n.Label == graph.LabelAction {
			r := actionRow(n)
			r.SessionID, r.FollowsID = session, before[n.Key]
			out = append(out, r)
		}
	}
	return out
}

func actionRow(n *graph.Node) graph.ActionRow {
	r := graph.ActionRow{
		ActionID: n.Key, ActionType: n.Type, Name: text(n, "name"), Timestamp: moment(n, "timestamp"),
		StartedAt: moment(n, "started_at"), EndedAt: moment(n, "ended_at"), Status: text(n, "status"),
		AgentID: text(n, "agent_id"), ParentActionID: text(n, "parent_action_id"), ParentUnknown: flag(n, "parent_unknown"),
		PromptID: text(n, "prompt_id"), Turn: number(n, "turn"), Model: text(n, "model"), ToolName: text(n, "tool_name"),
		ToolUseID: text(n, "tool_use_id"), IsError: flag(n, "is_error"), IsMCP: flag(n, "is_mcp"),
		MCPServer: text(n, "mcp_server"), NeverRan: flag(n, "never_ran"), Text: text(n, "text"),
		Thinking: flag(n, "thinking"),
	}
	if d, ok := n.Prop("duration_ms").(float64); ok {
		r.DurationMS = &d
	}
	if meta := text(n, "metadata"); json.Valid([]byte(meta)) {
		r.Metadata = json.RawMessage(meta)
	} else if meta != "" {
		r.Metadata, _ = json.Marshal(meta)
	}
	fields := []string{"action_id", "session_id", "action_type", "name", "timestamp", "started_at", "ended_at", "duration_ms",
		"status", "agent_id", "parent_action_id", "parent_unknown", "prompt_id", "turn", "model", "tool_name", "tool_use_id",
		"is_error", "is_mcp", "mcp_server", "never_ran", "text", "thinking", "metadata"}
	others := slices.DeleteFunc(slices.Clone(n.Props), func(p graph.Prop) bool { return slices.Contains(fields, p.Name) })
	if len(others) > 0 {
		r.Properties = graph.RenderProps(others)
	}
	return r
}

// inOrder sorts rows that come sorted by key. Of those with one timestamp and lane
// it takes the one that follows the last, else the first whose predecessor is not
// among them.
func inOrder(rows []graph.ActionRow) (out []graph.ActionRow) {
	slices.SortStableFunc(rows, func(a, b graph.ActionRow) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.AgentID, b.AgentID))
	})
	for len(rows) > 0 {
		n := 0
		for n < len(rows) && rows[n].Timestamp.Equal(rows[0].Timestamp) && rows[n].AgentID == rows[0].AgentID {
			n++
		}
		group := slices.Clone(rows[:n])
		rows = rows[n:]
		last := "none"
		for len(group) > 0 {
			i := slices.IndexFunc(group, func(r graph.ActionRow) bool { return r.FollowsID == last })
			if i < 0 {
				i = slices.IndexFunc(group, func(r graph.ActionRow) bool {
					return !slices.ContainsFunc(group, func(o graph.ActionRow) bool { return o.ActionID == r.FollowsID })
				})
			}
			out = append(out, group[i])
			last = group[i].ActionID
			group = slices.Delete(group, i, i+1)
		}
	}
	return out
}

// Action returns one action with its content.
func (m *Memory) Action(_ context.Context, id string) (graph.ActionRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for session := range m.folds {
		for _, r := range m.actionRows(session) {
			if r.ActionID == id {
				return r, nil
			}
		}
	}
	return graph.ActionRow{}, fmt.Errorf("action %q: %w", id, graph.ErrNotFound)
}

// Agents lists subagents by started_at, then key.
func (m *Memory) Agents(_ context.Context, session string) (out []graph.AgentRow, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.folds[session]
	if g == nil {
		return nil, nil
	}
	for _, n := range g.Nodes() {
		if n.Label != graph.LabelAgent {
			continue
		}
		r := graph.AgentRow{
			AgentKey: n.Key, AgentID: text(n, "agent_id"), AgentType: text(n, "agent_type"), Description: text(n, "description"),
			Prompt: text(n, "prompt"), Status: text(n, "status"), StartedAt: moment(n, "started_at"), EndedAt: moment(n, "ended_at"),
			ParentUnknown: flag(n, "parent_unknown"), LastAssistantMessage: text(n, "last_assistant_message"),
			TotalInputTokens: number(n, "total_input_tokens"), TotalOutputTokens: number(n, "total_output_tokens"),
			TotalCacheReadTokens:     number(n, "total_cache_read_input_tokens"),
			TotalCacheCreationTokens: number(n, "total_cache_creation_input_tokens"), TotalLowerBound: flag(n, "total_lower_bound"),
		}
		for _, e := range g.Edges() {
			switch {
			case e.Type == graph.HasAction && e.From == n.Ref:
				r.ActionCount++
			case e.Type == graph.Spawned && e.To == n.Ref && r.SpawnedByActionID == "":
				r.SpawnedByActionID = e.From.Key
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b graph.AgentRow) int { return a.StartedAt.Compare(b.StartedAt) })
	return out, nil
}

// Tools returns the use of every tool, most used first, then by name.
func (m *Memory) Tools(_ context.Context, session string) ([]graph.ToolStats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tools(session), nil
}

func (m *Memory) tools(session string) (out []graph.ToolStats) {
	durations := map[string][]float64{}
	stats := map[string]*graph.ToolStats{}
	for id := range m.folds {
		if session != "" && id != session {
			continue
		}
		for _, r := range m.actionRows(id) {
			if r.ActionType != graph.ToolCall || r.ToolName == "" {
				continue
			}
			s := stats[r.ToolName]
			if s == nil {
				s = &graph.ToolStats{ToolName: r.ToolName}
				stats[r.ToolName] = s
			}
			s.UsageCount++
			if r.Status == "failed" {
				s.ErrorCount++
			}
			if r.Status == "denied" || r.Status == "blocked" {
				s.DeniedCount++
			}
			if r.DurationMS != nil {
				durations[r.ToolName] = append(durations[r.ToolName], *r.DurationMS)
			}
		}
	}
	for name, s := range stats {
		if n := m.shared.Node(graph.Ref{Label: graph.LabelTool, Key: name}); n != nil {
			s.IsMCP, s.MCPServer = flag(n, "is_mcp"), text(n, "mcp_server")
		}
		if d := durations[name]; len(d) > 0 {
			slices.Sort(d)
			avg := 0.0
			for _, v := range d {
				avg += v
			}
			avg /= float64(len(d))
			p50, p95 := d[int(math.Ceil(0.5*float64(len(d))))-1], d[int(math.Ceil(0.95*float64(len(d))))-1]
			s.AvgDurationMS, s.P50DurationMS, s.P95DurationMS, s.MaxDurationMS = &avg, &p50, &p95, &d[len(d)-1]
		}
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b graph.ToolStats) int {
		return cmp.Or(cmp.Compare(b.UsageCount, a.UsageCount), cmp.Compare(a.ToolName, b.ToolName))
	})
	return out
}
