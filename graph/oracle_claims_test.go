package graph

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// singleType returns the type of the action that r is by itself, "" where r is a
// fact about something else.
func singleType(r record) ActionType {
	hook := r.Origin == schema.OriginHook
	switch r.EventType {
	case schema.SessionStart, schema.SessionEnd, schema.Fork, schema.Tag, schema.ToolStart, schema.ToolEnd,
		schema.ToolBatch, schema.Permission, schema.LLMStart, schema.LLMEnd, schema.Compaction, schema.SessionUpdate:
		return ""
	case schema.Message:
		switch {
		case r.Role != schema.RoleUser && r.Role != schema.RoleSystem:
			return AssistantMessage
		case hook || r.Origin == schema.OriginTranscript:
			return ""
		case r.Role == schema.RoleUser:
			return UserMessage
		}
		return SystemMessage
	case schema.Skill:
		if hook && r.HookEventName == "UserPromptExpansion" {
			return ""
		}
		return Skill
	case schema.AgentStart:
		if r.AgentID != "" {
			return ""
		}
		return SubagentStart
	case schema.AgentEnd:
		return SubagentStop
	case schema.TurnEnd:
		if r.Origin == schema.OriginTranscript {
			return ""
		}
		return TurnEnd
	case schema.Error, schema.RateLimit:
		if r.Origin == schema.OriginTranscript && isTurnFailure(r) {
			return ""
		}
		if r.EventType == schema.Error {
			return ErrorEvent
		}
		return RateLimitEvent
	case schema.Task:
		if r.TaskID != "" {
			return ""
		}
		return Task
	case schema.StructuredOutput:
		if r.ToolUseID != "" {
			return ""
		}
		return StructuredOutput
	}
	for _, t := range []ActionType{Notification, Context, Handoff, Memory, Callback, Decision} {
		if string(t) == string(r.EventType) {
			return t
		}
	}
	return Unknown
}

// singleContent gives the properties of an action that is one event.
func (w *world) singleContent(v *vertex, r *record) {
	v.set(eventProps(r.Event, v.typ, false)...)
	status := schema.StatusCompleted
	if r.Status != "" {
		status = r.Status
	}
	if r.IsError || v.typ == ErrorEvent || v.typ == RateLimitEvent {
		status = schema.StatusFailed
	}
	v.set(Prop{"status", status})
	if status == schema.StatusFailed {
		v.set(Prop{"is_error", true})
	}
	if isThinking(*r) {
		v.set(Prop{"thinking", true})
	}
	if (v.typ == TurnEnd || v.typ == SubagentStop) && w.said[[2]string{r.AgentID, r.Content}] {
		delete(v.props, "text")
	}
}

// findNamed makes the actions whose facts name them: single events of sources that
// name their events, permission facts with a call, model calls, tasks.
func (w *world) findNamed() {
	groups := map[schema.Key][]record{}
	for _, r := range w.recs {
		switch {
		case w.saidBetter(r):
		case singleType(r) != "" && r.Origin != schema.OriginHook, r.EventType == schema.Permission && r.ToolUseID != "":
			groups[eventKey(w.session, r.EventID)] = append(groups[eventKey(w.session, r.EventID)], r)
		case r.EventType == schema.LLMStart, r.EventType == schema.LLMEnd:
			groups[llmKey(w.session, modelCall(r))] = append(groups[llmKey(w.session, modelCall(r))], r)
		case r.EventType == schema.Task && r.TaskID != "":
			groups[taskKey(w.session, r.TaskID)] = append(groups[taskKey(w.session, r.TaskID)], r)
		}
	}
	for key, recs := range groups {
		r := first(recs)
		v := w.vertexOf(key, singleType(*r), r.AgentID)
		v.underLane = true
		v.happened(recs...)
		v.promptOf(recs)
		switch r.EventType {
		case schema.Permission:
			v.typ, v.underLane = PermissionRequest, false
			v.set(Prop{"name", "permission: " + r.ToolName}, Prop{"tool_name", r.ToolName}, Prop{"tool_use_id", r.ToolUseID})
			if r.Reason != "" {
				v.set(Prop{"reason", r.Reason})
			}
			v.parent = w.calls[r.ToolUseID].call
			v.lane = v.parent.lane
			w.calls[r.ToolUseID].requests++
		case schema.LLMStart, schema.LLMEnd:
			v.typ = LLMCall
			v.modelCallContent(recs)
		case schema.Task:
			if r.TaskID != "" {
				v.typ = Task
				v.taskContent(recs)
				break
			}
			fallthrough
		default:
			v.named = true
			w.singleContent(v, r)
			if r := first(where(recs, func(r record) bool { return r.ToolUseID != "" })); v.typ == Skill && r != nil {
				v.parent, v.underLane = w.calls[r.ToolUseID].call, false
			}
		}
	}
}

func modelCall(r record) string {
	switch {
	case r.MessageID != "":
		return r.MessageID
	case r.EventType == schema.LLMEnd && r.CausedBy != "":
		return r.CausedBy
	}
	return r.EventID
}

func (v *vertex) modelCallContent(recs []record) {
	v.set(Prop{"status", schema.StatusInProgress}, Prop{"name", "model call"})
	if first(where(recs, func(r record) bool { return r.EventType == schema.LLMStart && r.Origin == schema.OriginAudit })) != nil {
		v.set(Prop{"status", schema.StatusUnknown})
	}
	if r := first(where(recs, func(r record) bool { return r.Model != "" })); r != nil {
		v.set(Prop{"name", r.Model}, Prop{"model", r.Model})
	}
	if r := first(where(recs, func(r record) bool { return r.PromptHash != "" })); r != nil {
		v.set(Prop{"prompt_hash", r.PromptHash})
	}
	if r := first(where(recs, func(r record) bool { return r.EventType == schema.LLMEnd })); r != nil {
		v.set(Prop{"status", schema.StatusCompleted})
		if r.IsError {
			v.set(Prop{"status", schema.StatusFailed}, Prop{"is_error", true})
		}
		if r.ErrorMessage != "" {
			v.set(Prop{"error_message", clip(r.ErrorMessage)})
		}
		if answer := schema.Field(r.Extra, "model_response"); len(answer) > 0 && !sameJSON(answer, r.Content) {
			v.set(Prop{"model_response", string(answer)})
		}
		if r.Content != "" {
			v.set(Prop{"text", clip(r.Content)})
		}
		if r.DurationMS != nil {
			v.set(Prop{"duration_ms", *r.DurationMS})
		}
	}
	asks := where(recs, func(r record) bool { return r.EventType == schema.LLMStart })
	v.some("request", asks, func(r record) string { return string(schema.Field(r.Extra, "request")) })
	if r := first(where(recs, func(r record) bool { return r.MessageID != "" })); r != nil {
		v.set(Prop{"message_id", r.MessageID})
	}
	ends := where(recs, func(r record) bool { return r.EventType == schema.LLMEnd })
	if r := first(where(ends, func(r record) bool { return r.Reason != "" })); r != nil {
		v.set(Prop{"stop_reason", r.Reason})
	} else if len(where(ends, func(r record) bool { return r.Origin == schema.OriginTranscript })) > 0 {
		v.set(Prop{"lower_bound", true})
	}
	speed := func(r record) string { return schema.FieldString(schema.Field(r.Extra, "usage"), "speed") }
	if r := first(where(ends, func(r record) bool { return speed(r) != "" })); r != nil {
		v.set(Prop{"speed", speed(*r)})
	}
	for name, n := range usageOf(recs) {
		v.set(Prop{name, dollars(name, n)})
	}
}

// dollars gives a figure as a property.
func dollars(name string, n int64) any {
	if strings.HasSuffix(name, "cost_usd") {
		return float64(n) / 1e9
	}
	return n
}

// usageOf returns the greatest of each figure that recs state; cost in billionths.
func usageOf(recs []record) map[string]int64 {
	most := map[string]int64{}
	note := func(name string, n *int64) {
		if n != nil && *n > most[name] {
			most[name] = min(*n, 1e12)
		}
	}
	for _, r := range recs {
		note("input_tokens", r.InputTokens)
		note("output_tokens", r.OutputTokens)
		note("cache_read_input_tokens", r.CacheReadInputTokens)
		note("cache_creation_input_tokens", r.CacheCreationInputTokens)
		note("ephemeral_5m_input_tokens", r.Ephemeral5mInputTokens)
		note("ephemeral_1h_input_tokens", r.Ephemeral1hInputTokens)
		var extra struct {
			Usage struct {
				Server struct {
					Searches json.Number `json:"web_search_requests"`
				} `json:"server_tool_use"`
			}
		}
		if json.Unmarshal(r.Extra, &extra) == nil {
			if n, err := extra.Usage.Server.Searches.Int64(); err == nil {
				note("web_search_requests", &n)
			}
		}
		if r.CostUSD != nil {
			cost := int64(math.Round(min(*r.CostUSD, 1e6) * 1e9))
			if cost > most["cost_usd"] {
				most["cost_usd"] = cost
			}
		}
	}
	return most
}

func (v *vertex) taskContent(recs []record) {
	v.set(eventProps(first(recs).Event, Task, false)...)
	v.set(Prop{"task_id", recs[0].TaskID})
	// Done is done; else the latest word stands.
	stated := where(recs, func(r record) bool { return r.Status != "" })
	if done := where(stated, func(r record) bool { return r.Status == schema.StatusCompleted }); len(done) > 0 {
		stated = done
	}
	if r := newest(stated); r != nil {
		v.set(Prop{"status", r.Status})
	}
}

// findUnnamed makes the actions of hooks that have no key: what says the same at
// different times is numbered.
func (w *world) findUnnamed() {
	type kind struct {
		typ     ActionType
		lane    string
		content uint64
	}
	groups := map[kind][]record{}
	for _, r := range w.recs {
		if t := singleType(r); t != "" && r.Origin == schema.OriginHook {
			k := kind{t, r.AgentID, contentSum(r.Event)}
			groups[k] = append(groups[k], r)
		}
	}
	for g, recs := range groups {
		for k, at := range occasions(recs) {
			key := schema.NewKey("single", w.session, string(g.typ), g.lane, hexSum(g.content), strconv.Itoa(k))
			v := w.vertexOf(key, g.typ, g.lane)
			v.own, v.underLane = at, true
			w.singleContent(v, &recs[0])
			v.promptOf(recs)
			if isTurnEnd(recs[0]) && g.typ != SubagentStop {
				w.hooked = append(w.hooked, telling{record: recs[0], first: at, v: v})
			}
		}
	}
}

// some sets a property that the first of recs which has a value says.
func (v *vertex) some(name string, recs []record, value func(record) string) {
	if r := first(where(recs, func(r record) bool { return value(r) != "" })); r != nil {
		v.set(Prop{name, clip(value(*r))})
	}
}

func extra(name string) func(record) string {
	return func(r record) string { return schema.FieldString(r.Extra, name) }
}

func (w *world) findAsking() {
	type kind struct {
		lane, tool string
		input      uint64
	}
	groups := map[kind][]record{}
	for _, r := range w.recs {
		if r.EventType == schema.Permission && r.ToolUseID == "" && !isAnswer(r) {
			k := kind{r.AgentID, r.ToolName, inputHash(r.Event)}
			groups[k] = append(groups[k], r)
		}
	}
	for g, recs := range groups {
		a := &requests{lane: g.lane, tool: g.tool, input: g.input}
		w.asks = append(w.asks, a)
		key := schema.NewKey("permissions", w.session, g.lane, g.tool, hexSum(g.input))
		both, hooks, lines := pairUp(recs)
		for k, p := range inTime(slices.Concat(both, hooks, lines)) {
			v := w.vertexOf(schema.NewKey("permission", key.String(), strconv.Itoa(k)), PermissionRequest, g.lane)
			v.own, v.seq = p.at, p.seq
			v.set(Prop{"name", "permission: " + g.tool}, Prop{"tool_name", g.tool})
			v.promptOf(recs)
			v.some("permission_mode", recs, extra("permission_mode"))
			v.some("properties", recs, func(r record) string { return permissionProps(r.Event) })
			a.inOrder = append(a.inOrder, v)
		}
	}
}
