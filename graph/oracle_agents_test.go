package graph

import (
	"math"
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

func (w *world) agentNode(id string) {
	self := Ref{LabelAgent, AgentKey(w.session, id)}
	in := where(w.recs, func(r record) bool { return r.AgentID == id })
	props := map[string]any{"agent_id": id, "session_id": w.session, "name": "agent " + id}
	w.edge(HasAgent, Ref{LabelSession, w.session}, self)

	start := w.starts[id][0].own
	restart := w.starts[id][len(w.starts[id])-1].own
	timed := func(r record) bool { return schema.FieldString(r.Extra, "end_time") != "unknown" }
	ended := where(in, func(r record) bool { return r.EventType == schema.AgentEnd })
	stop := lastOccasion(where(ended, timed))
	over := lastOccasion(where(ended, func(r record) bool { return !timed(r) }))
	fail := lastOccasion(where(in, func(r record) bool { return isTurnFailure(r) || failedEnd(r.Event) }))
	said, saidAt := w.reported(id)
	if u := w.spawnCall(id); len(in) == 0 && u != nil && u.call.props["started_at"] != nil {
		start = min(start, u.asked)
		restart = start
	}
	props["started_at"] = Time(start)
	status, endedAt := schema.StatusInProgress, int64(0)
	switch {
	case fail >= max(restart, stop, over) && (saidAt <= fail || said == schema.StatusFailed):
		if status = schema.StatusFailed; over < fail {
			endedAt = fail
		}
	case stop >= restart:
		status, endedAt = schema.StatusCompleted, stop
	case over >= restart:
		status = schema.StatusCompleted
	case saidAt >= restart:
		status, endedAt = said, saidAt
	default:
		if w.closed >= restart || !w.live {
			status = schema.StatusUnknown
		}
		u := w.spawnCall(id)
		ends := []any{schema.StatusFailed, schema.StatusInterrupted}
		if len(where(in, func(r record) bool {
			return schema.FieldString(schema.Field(r.Metadata, schema.MetaAgent), "requestShape") == "foreground"
		})) > 0 {
			ends = append(ends, schema.StatusCompleted)
		}
		if u != nil && u.ended >= restart && slices.Contains(ends, u.call.props["status"]) {
			status, endedAt = u.call.props["status"].(string), u.ended
		}
	}
	props["status"] = status
	if endedAt != 0 {
		props["ended_at"] = Time(endedAt)
	}
	for name, n := range w.used(id) {
		props["total_"+name] = n
	}
	if w.starts[id][0].props["parent_unknown"] != nil {
		props["parent_unknown"] = true
	}
	w.agentContent(id, in, props)
	w.put(self, "", props)
}

// reported returns what those who waited for an agent last said of its end.
func (w *world) reported(id string) (status string, at int64) {
	for _, ends := range [][2]string{{"completed", "completed"}, {"failed", "failed"}, {"killed", "interrupted"}} {
		t := lastOccasion(where(w.recs, func(r record) bool {
			said := ""
			if agent, s := notice(r.Event); agent == id && singleType(r) == "" && r.EventType == schema.Message {
				said = s
			} else if spawnedAgent(r) == id {
				said = schema.FieldString(r.Result, "status")
			}
			return said == ends[0] || said == "stopped" && ends[0] == "killed"
		}))
		if t != 0 && t >= at {
			status, at = ends[1], t
		}
	}
	return status, at
}

// used sums what the calls of one lane used, or of "all".
func (w *world) used(lane string) map[string]any {
	sums, low := map[string]int64{}, false
	for _, v := range w.vertices {
		if v.typ != LLMCall || lane != "all" && v.lane != lane {
			continue
		}
		low = low || v.props["lower_bound"] != nil
		for k := range len(spending{}) {
			n, _ := v.props[figure(k)].(int64)
			if cost, ok := v.props[figure(k)].(float64); ok {
				n = int64(math.Round(cost * 1e9))
			}
			if v.props[figure(k)] != nil {
				sums[figure(k)] = min(sums[figure(k)]+n, 1<<62-1)
			}
		}
	}
	for id := range w.seen {
		low = low || (lane == "all" || lane == id) && w.unknownUse(id)
	}
	out := map[string]any{}
	for name, n := range sums {
		out[name] = dollars(name, n)
	}
	if low {
		out["lower_bound"] = true
	}
	return out
}

// unknownUse reports an agent that ran and of whose model calls none is known, in a session
// of which some are.
func (w *world) unknownUse(id string) bool {
	some, own := false, false
	for _, v := range w.vertices {
		some = some || v.typ == LLMCall
		own = own || v.typ == LLMCall && v.lane == id
	}
	u := w.spawnCall(id)
	return some && !own && u != nil && u.ended != 0
}

// agentContent sets what the call's result, the runtime's record of the agent and
// the agent's own facts say, the first that says it in that order; the type, in the
// order start, record, others.
func (w *world) agentContent(id string, in []record, props map[string]any) {
	meta := func(name string) func(record) string {
		return func(r record) string { return schema.FieldString(schema.Field(r.Metadata, schema.MetaAgent), name) }
	}
	results := where(w.recs, func(r record) bool { return spawnedAgent(r) == id })
	from := func(recs []record, value func(record) string) string {
		if r := first(where(recs, func(r record) bool { return value(r) != "" })); r != nil {
			return clip(value(*r))
		}
		return ""
	}
	set := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				props[name] = v
				return
			}
		}
	}
	own := func(r record) string { return r.AgentType }
	starts := where(in, func(r record) bool { return r.EventType == schema.AgentStart && r.Origin != schema.OriginTranscript })
	asks := ""
	if u := w.spawnCall(id); u != nil {
		typed := where(u.facts, func(r record) bool {
			return (r.ToolName == "Agent" || r.ToolName == "Task") && schema.FieldString(r.ToolInput, "subagent_type") != ""
		})
		if r := least(typed, source); r != nil {
			asks = schema.FieldString(r.ToolInput, "subagent_type")
		}
	}
	for _, name := range []string{"agent_type", "name"} {
		set(name, from(starts, own), from(in, meta("agentType")), from(in, own), asks)
	}
	input := func(name string) func(record) string {
		return func(r record) string { return schema.FieldString(r.ToolInput, name) }
	}
	result := func(name string) func(record) string {
		return func(r record) string { return schema.FieldString(r.Result, name) }
	}
	asked := where(in, func(r record) bool { return r.EventType == schema.AgentStart && r.Origin != schema.OriginHook })
	set("description", from(results, input("description")), from(in, meta("description")), from(results, result("description")))
	set("prompt", from(results, input("prompt")), from(asked, func(r record) string { return r.Content }), from(results, result("prompt")))
	set("model", from(results, func(r record) string { return schema.FieldString(r.Result, "resolvedModel") }), from(in, meta("model")))
	started := w.ownStarts(id)
	if by := w.statedCaller(id); by != nil && *by != "" {
		props["caller_id"] = *by
	}
	set("metadata", from(started, func(r record) string { return otherMembers(r, "caller_id") }))
	said := newest(where(in, func(r record) bool { return r.EventType == schema.AgentEnd && r.Content != "" }))
	if said != nil && !w.said[[2]string{id, said.Content}] {
		props["last_assistant_message"] = clip(said.Content)
	}
}
