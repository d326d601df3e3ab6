package graph

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// spawn is what a fact says about which call, in which lane, spawned which agent.
type spawn struct {
	record
	agent, call, parent string
	rank                uint8 // the call's result 0, the runtime's own record 1
}

func spawnsOf(r record) (out []spawn) {
	if meta := schema.Field(r.Metadata, schema.MetaAgent); r.AgentID != "" {
		if call := schema.FieldString(meta, "toolUseId"); call != "" {
			out = append(out, spawn{r, r.AgentID, call, schema.FieldString(meta, "parentAgentId"), 1})
		}
	}
	if agent := spawnedAgent(r); agent != "" {
		out = append(out, spawn{r, agent, r.ToolUseID, r.AgentID, 0})
	}
	return out
}

// spawnedAgent returns the agent that r's call, of the tool Agent, says it spawned.
func spawnedAgent(r record) string {
	if r.EventType != schema.ToolEnd || r.ToolUseID == "" {
		return ""
	}
	line := r.Origin == schema.OriginTranscript && r.ToolName == "" && schema.FieldString(r.Result, "status") != ""
	if r.ToolName != "Agent" && r.ToolName != "Task" && !line {
		return ""
	}
	return cmp.Or(schema.FieldString(r.Result, "agentId"), schema.FieldString(r.Result, "agent_id"))
}

// isThinking reports what the model says to itself.
func isThinking(r record) bool {
	return r.EventType == schema.Message && r.Role == schema.RoleAssistant && r.Origin != schema.OriginHook &&
		slices.Contains([]string{"thinking", "redacted_thinking"}, r.Reason)
}

// readTranscript notes what the transcript has the assistant say.
func (w *world) readTranscript() {
	for _, r := range w.recs {
		if r.Origin == schema.OriginTranscript && r.EventType == schema.Message && singleType(r) == AssistantMessage && !isThinking(r) {
			w.said[[2]string{r.AgentID, r.Content}] = true
		}
	}
}

// findAgents makes the Agent nodes' facts and the actions that start them.
func (w *world) findAgents() {
	for _, r := range w.recs {
		names := []string{r.AgentID}
		for _, s := range spawnsOf(r) {
			names = append(names, s.agent, s.parent)
		}
		for _, id := range names {
			if _, ok := w.seen[id]; id != "" && !ok {
				w.seen[id] = r.at
			}
		}
	}
	for id, seen := range w.seen {
		var hooks []record
		named := map[string]bool{}
		var times []int64
		for _, r := range w.ownStarts(id) { // sorted by time
			switch {
			case r.Origin == schema.OriginHook:
				hooks = append(hooks, r)
			case !named[r.EventID]:
				named[r.EventID] = true
				times = append(times, r.at)
			}
		}
		times = append(times, occasions(hooks)...)
		slices.Sort(times)
		if len(times) == 0 {
			times = []int64{seen} // a stub until its own event comes
		}
		for k, at := range times {
			v := w.vertexOf(schema.NewKey("subagent_start", w.session, id, strconv.Itoa(k)), SubagentStart, id)
			v.own = at
			v.set(Prop{"name", "subagent start"}, Prop{"status", schema.StatusCompleted})
			w.starts[id] = append(w.starts[id], v)
		}
	}
}

// spawnCall returns the call that, by the strongest fact, spawned an agent.
func (w *world) spawnCall(agent string) *toolUse {
	var best *spawn
	for _, r := range w.recs {
		for _, s := range spawnsOf(r) {
			if s.agent == agent && (best == nil || (stamp{s.at, s.sum, s.rank}).less(stamp{best.at, best.sum, best.rank})) {
				best = &s
			}
		}
	}
	if best == nil {
		return nil
	}
	return w.calls[best.call]
}

// parentLane returns the lane that what an agent hangs under is in.
func (w *world) parentLane(agent string) string {
	if u := w.spawnCall(agent); u != nil {
		return u.call.lane
	}
	return w.callerOf(agent)
}

// descendsFromItself reports an agent whose chain of parents leads back to it.
func (w *world) descendsFromItself(agent string) bool {
	at := agent
	for range len(w.seen) {
		if at = w.parentLane(at); at == "" || at == agent {
			return at == agent
		}
	}
	return false
}

// hangUnderStarts gives actions of subagents, and their starts, their parents.
func (w *world) hangUnderStarts() {
	for _, v := range w.vertices {
		if v.underLane && v.lane != "" {
			starts := w.starts[v.lane]
			v.parent = starts[0]
			for _, start := range starts {
				if start.own <= v.own {
					v.parent = start
				}
			}
		}
	}
	for id := range w.seen {
		u, by, said := w.spawnCall(id), w.callerOf(id), w.statedCaller(id)
		known := !w.descendsFromItself(id)
		for _, start := range w.starts[id] {
			switch {
			case u != nil && known:
				start.parent = u.call
			case by != "" && known:
				if start.parent = w.delegation(by, id, start.own); start.parent == nil {
					start.parent = w.starts[by][0]
				}
			case u != nil || said == nil || *said != "":
				start.set(Prop{"parent_unknown", true})
			}
			if start.parent != nil && start.parent.typ != SubagentStart {
				w.edge(Spawned, start.parent.ref(), Ref{LabelAgent, AgentKey(w.session, id)})
			}
		}
	}
}

// stage is the place of a fact in a compaction; 0 is PreCompact.
func stage(r record) int {
	if r.EventType == schema.SessionStart {
		return 2
	}
	return 1 + slices.Index([]string{"SubagentStop", "SessionStart", "PostCompact", "compact_boundary", "summary"}, r.HookEventName)
}

// findCompactions cuts each lane's facts into compactions: one begins with
// PreCompact, where a stage comes again, or after a quarter of an hour of silence.
func (w *world) findCompactions() {
	lanes := map[string][]record{}
	for _, r := range w.recs {
		if r.EventType == schema.Compaction || r.EventType == schema.SessionStart && r.Reason == "compact" {
			lanes[r.AgentID] = append(lanes[r.AgentID], r)
		}
	}
	for lane, recs := range lanes {
		slices.SortStableFunc(recs, func(a, b record) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(stage(a), stage(b)), cmp.Compare(a.sum, b.sum))
		})
		var v *vertex
		var last int64
		n := 0
		seen := map[int]int64{}
		for _, r := range sentOnce(recs) {
			at, again := seen[stage(r)]
			seen[stage(r)] = r.at
			if again && r.at-at <= int64(500*time.Millisecond) {
				continue // the same fact, received twice
			}
			if v == nil || again || stage(r) == 0 || r.at-last > int64(15*time.Minute) {
				v = w.vertexOf(schema.NewKey("compaction", w.session, lane, strconv.Itoa(n)), Compaction, lane)
				v.underLane = true
				v.set(Prop{"name", "compaction"}, Prop{"status", schema.StatusCompleted})
				seen = map[int]int64{stage(r): r.at}
				n++
			}
			last = r.at
			v.happened(r)
			v.compactionContent(r)
		}
	}
}

func (v *vertex) compactionContent(r record) {
	if r.Reason != "" && stage(r) != 2 && v.props["reason"] == nil {
		v.set(Prop{"reason", r.Reason}, Prop{"name", "compaction (" + r.Reason + ")"})
	}
	if stage(r) == 0 {
		if r.Content != "" {
			v.set(Prop{"instructions", clip(r.Content)})
		}
		return
	}
	v.set(Prop{"ended_at", Time(r.at)})
	if r.Content != "" && v.props["text"] == nil {
		v.set(Prop{"text", clip(r.Content)})
	}
}
