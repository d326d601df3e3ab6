package graph

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// How stores make rows of what they hold: all alike, so that all answer alike.

// Fill sets the fields that have properties; others are left out.
func (r *SessionRow) Fill(props []Prop) {
	for _, p := range props {
		switch p.Name {
		case "title":
			r.Title = asText(p.Value)
		case "first_prompt":
			r.FirstPrompt = asText(p.Value)
		case "status":
			r.Status = asText(p.Value)
		case "started_at":
			r.StartedAt = asTime(p.Value)
		case "ended_at":
			r.EndedAt = asTime(p.Value)
		case "last_event_at":
			r.LastEventAt = asTime(p.Value)
		case "model":
			r.Model = asText(p.Value)
		case "source_sdk":
			r.SourceSDK = asText(p.Value)
		case "working_directory":
			r.WorkingDirectory = asText(p.Value)
		case "git_branch":
			r.GitBranch = asText(p.Value)
		case "host":
			r.Host = asText(p.Value)
		case "user":
			r.User = asText(p.Value)
		case "action_count":
			r.ActionCount = asInt(p.Value)
		case "tool_call_count":
			r.ToolCallCount = asInt(p.Value)
		case "message_count":
			r.MessageCount = asInt(p.Value)
		case "agent_count":
			r.AgentCount = asInt(p.Value)
		case "error_count":
			r.ErrorCount = asInt(p.Value)
		case "total_input_tokens":
			r.TotalInputTokens = asInt(p.Value)
		case "total_output_tokens":
			r.TotalOutputTokens = asInt(p.Value)
		case "total_cost_usd":
			r.TotalCostUSD = asFloat(p.Value)
		case "total_lower_bound":
			r.TotalLowerBound = asBool(p.Value)
		}
	}
}

// FillFork sets what the properties of the session's FORKED_FROM say.
func (r *SessionRow) FillFork(props []Prop) {
	for _, p := range props {
		switch p.Name {
		case "at":
			r.ForkedAt = asText(p.Value)
		case "at_time":
			r.ForkedAtTime, _ = time.Parse(schema.TimeLayout, asText(p.Value))
		case "label":
			r.ForkLabel = asText(p.Value)
		}
	}
}

// Fill sets the fields that have properties, and with content Properties to the other
// ones. The ids, the type and FollowsID are the caller's.
func (r *ActionRow) Fill(props []Prop, content bool) {
	var others []Prop
	for _, p := range props {
		switch p.Name {
		case "action_id", "session_id", "action_type":
		case "name":
			r.Name = asText(p.Value)
		case "timestamp":
			r.Timestamp = asTime(p.Value)
		case "started_at":
			r.StartedAt = asTime(p.Value)
		case "ended_at":
			r.EndedAt = asTime(p.Value)
		case "duration_ms":
			if d, ok := p.Value.(float64); ok {
				r.DurationMS = &d
			}
		case "status":
			r.Status = asText(p.Value)
		case "agent_id":
			r.AgentID = asText(p.Value)
		case "parent_action_id":
			r.ParentActionID = asText(p.Value)
		case "parent_unknown":
			r.ParentUnknown = asBool(p.Value)
		case "prompt_id":
			r.PromptID = asText(p.Value)
		case "turn":
			r.Turn = asInt(p.Value)
		case "model":
			r.Model = asText(p.Value)
		case "tool_name":
			r.ToolName = asText(p.Value)
		case "tool_use_id":
			r.ToolUseID = asText(p.Value)
		case "is_error":
			r.IsError = asBool(p.Value)
		case "is_mcp":
			r.IsMCP = asBool(p.Value)
		case "mcp_server":
			r.MCPServer = asText(p.Value)
		case "never_ran":
			r.NeverRan = asBool(p.Value)
		case "text":
			r.Text = asText(p.Value)
		case "thinking":
			r.Thinking = asBool(p.Value)
		case "metadata":
			r.Metadata = rawJSON(p.Value)
		default:
			others = append(others, p)
		}
	}
	if content && len(others) > 0 {
		r.Properties = RenderProps(others)
	}
}

// rawJSON is a property that holds JSON; what does not parse is given as a string,
// so that the row can still be printed.
func rawJSON(v any) json.RawMessage {
	s := asText(v)
	if s == "" || json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return schema.AppendString(nil, s)
}

// Fill sets the fields that have properties; others are left out.
func (r *AgentRow) Fill(props []Prop) {
	for _, p := range props {
		switch p.Name {
		case "agent_id":
			r.AgentID = asText(p.Value)
		case "agent_type":
			r.AgentType = asText(p.Value)
		case "description":
			r.Description = asText(p.Value)
		case "prompt":
			r.Prompt = asText(p.Value)
		case "status":
			r.Status = asText(p.Value)
		case "started_at":
			r.StartedAt = asTime(p.Value)
		case "ended_at":
			r.EndedAt = asTime(p.Value)
		case "parent_unknown":
			r.ParentUnknown = asBool(p.Value)
		case "last_assistant_message":
			r.LastAssistantMessage = asText(p.Value)
		case "total_input_tokens":
			r.TotalInputTokens = asInt(p.Value)
		case "total_output_tokens":
			r.TotalOutputTokens = asInt(p.Value)
		case "total_cache_read_input_tokens":
			r.TotalCacheReadTokens = asInt(p.Value)
		case "total_cache_creation_input_tokens":
			r.TotalCacheCreationTokens = asInt(p.Value)
		case "total_lower_bound":
			r.TotalLowerBound = asBool(p.Value)
		}
	}
}

// Add counts a session. Where the summary is of one session it takes its status too, and
// its duration: a session that has not ended lasts until its last event.
func (sum *Summary) Add(r SessionRow) {
	sum.SessionCount++
	sum.ActionCount += r.ActionCount
	sum.ToolCallCount += r.ToolCallCount
	sum.MessageCount += r.MessageCount
	sum.AgentCount += r.AgentCount
	sum.ErrorCount += r.ErrorCount
	sum.TotalInput += r.TotalInputTokens
	sum.TotalOutput += r.TotalOutputTokens
	sum.TotalLowerBound = sum.TotalLowerBound || r.TotalLowerBound
	if cost := r.TotalCostUSD; cost != nil {
		if sum.TotalCostUSD != nil {
			total := *sum.TotalCostUSD + *cost
			cost = &total
		}
		sum.TotalCostUSD = cost
	}
	if !r.StartedAt.IsZero() && (sum.StartedAt.IsZero() || r.StartedAt.Before(sum.StartedAt)) {
		sum.StartedAt = r.StartedAt
	}
	if r.EndedAt.After(sum.EndedAt) {
		sum.EndedAt = r.EndedAt
	}
	if sum.SessionID == "" {
		return
	}
	sum.Status = r.Status
	end := r.EndedAt
	if end.IsZero() {
		end = r.LastEventAt
	}
	if !r.StartedAt.IsZero() && !end.IsZero() {
		d := float64(end.Sub(r.StartedAt)) / float64(time.Millisecond)
		sum.DurationMS = &d
	}
}

// SetDurations sets the average and the percentiles (nearest rank: durations that were
// seen) of d, which it sorts.
func (t *ToolStats) SetDurations(d []float64) {
	if len(d) == 0 {
		return
	}
	slices.Sort(d)
	sum := 0.0
	for _, v := range d {
		sum += v
	}
	rank := func(p float64) *float64 { return &d[max(0, int(math.Ceil(p*float64(len(d))))-1)] }
	avg := sum / float64(len(d))
	t.AvgDurationMS, t.P50DurationMS, t.P95DurationMS, t.MaxDurationMS = &avg, rank(0.50), rank(0.95), &d[len(d)-1]
}

// The value of a property as a row's field; zero where it is of another type.

func asText(v any) string { s, _ := v.(string); return s }
func asInt(v any) int64   { n, _ := v.(int64); return n }
func asBool(v any) bool   { b, _ := v.(bool); return b }
func asFloat(v any) *float64 {
	if f, ok := v.(float64); ok {
		return &f
	}
	return nil
}

func asTime(v any) time.Time {
	if t, ok := v.(Time); ok {
		return time.Unix(0, int64(t)).UTC()
	}
	return time.Time{}
}
