package graph

import (
	"math"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

func isAbandonment(r record) bool {
	return r.EventType == schema.SessionEnd && r.Status == schema.StatusAbandoned
}

func isTurnEnd(r record) bool {
	return r.EventType == schema.TurnEnd || isTurnFailure(r) || r.EventType == schema.AgentEnd && r.AgentID != ""
}

func isTurnFailure(r record) bool {
	ended := r.HookEventName == "StopFailure" || r.HookEventName == "assistant" && r.Origin == schema.OriginTranscript
	return (r.EventType == schema.Error || r.EventType == schema.RateLimit) && ended
}

// sessionState derives the status of the session and of its subagents, and what
// they close.
func (w *world) sessionState() {
	of := func(cond func(record) bool) int64 { return lastOccasion(where(w.recs, cond)) }
	lanes := []string{""}
	for id := range w.seen {
		lanes = append(lanes, id)
	}
	for _, lane := range lanes {
		w.ends[lane] = of(func(r record) bool { return isTurnEnd(r) && r.AgentID == lane })
	}
	start := of(func(r record) bool { return r.EventType == schema.SessionStart && r.Reason != "compact" })
	resume := of(func(r record) bool { return r.EventType == schema.SessionStart && r.Reason == "resume" })
	end := of(func(r record) bool { return r.EventType == schema.SessionEnd && !isAbandonment(r) })
	abandoned := int64(0)
	for _, r := range where(w.recs, isAbandonment) {
		abandoned = max(abandoned, r.at)
	}
	facts := where(w.recs, func(r record) bool { return !isAbandonment(r) })
	timed := where(facts, func(r record) bool { return r.EventType != schema.Fork && r.EventType != schema.SessionUpdate })
	started, last := abandoned, abandoned
	switch {
	case len(timed) > 0:
		started, last = timed[0].at, max(timed[0].at, start, end)
	case len(facts) > 0:
		started, last = facts[0].at, max(facts[0].at, abandoned)
	}
	for _, v := range w.vertices {
		last = max(last, v.own)
	}
	w.node["started_at"], w.node["last_event_at"] = Time(started), Time(last)
	w.live = len(where(facts, func(r record) bool {
		return r.EventType != schema.Tag && (r.Origin == schema.OriginHook || r.Origin == schema.OriginAPI)
	})) > 0

	// The latest of start, end and abandonment; any later fact revokes the last.
	w.closed = max(end, resume)
	switch {
	case abandoned != 0 && abandoned >= last && abandoned > end:
		w.node["status"], w.node["ended_at"] = schema.StatusAbandoned, Time(abandoned)
		w.closed = max(w.closed, abandoned)
	case end != 0 && end >= start:
		w.node["status"], w.node["ended_at"] = w.endStatus(), Time(end)
	case w.live:
		w.node["status"] = schema.StatusActive
	case w.lastTurnFailed():
		w.node["status"] = schema.StatusFailed
	default:
		w.node["status"] = schema.StatusUnknown
	}
}

// lastTurnFailed reports an error that no later prompt or end of a turn followed.
func (w *world) lastTurnFailed() bool {
	main := where(w.recs, func(r record) bool { return r.AgentID == "" })
	failed := lastOccasion(where(main, isTurnFailure))
	for _, v := range w.vertices {
		if v.typ == UserMessage && v.lane == "" && v.own > failed {
			return false
		}
	}
	return failed > lastOccasion(where(main, func(r record) bool {
		return r.EventType == schema.TurnEnd && r.HookEventName != "turn_duration"
	}))
}

// endStatus is what the end of the session says, else how its last turn ended.
func (w *world) endStatus() string {
	end := newest(where(w.recs, func(r record) bool { return r.EventType == schema.SessionEnd && !isAbandonment(r) }))
	if end.Status != "" {
		return end.Status
	}
	if w.lastTurnFailed() {
		return schema.StatusFailed
	}
	return schema.StatusCompleted
}

func (w *world) agentNode(id string) {
	self := Ref{LabelAgent, AgentKey(w.session, id)}
	in := where(w.recs, func(r record) bool { return r.AgentID == id })
	props := map[string]any{"agent_id": id, "session_id": w.session, "name": "agent " + id}
	w.edge(HasAgent, Ref{LabelSession, w.session}, self)

	start := w.starts[id][0].own
	restart := w.starts[id][len(w.starts[id])-1].own
	stop := lastOccasion(where(in, func(r record) bool { return r.EventType == schema.AgentEnd }))
	fail := lastOccasion(where(in, isTurnFailure))
	said, saidAt := w.reported(id)
	props["started_at"] = Time(start)
	status, ended := schema.StatusInProgress, int64(0)
	switch {
	case fail >= max(restart, stop) && (saidAt <= fail || said == schema.StatusFailed):
		status, ended = schema.StatusFailed, fail
	case stop >= restart:
		status, ended = schema.StatusCompleted, stop
	case saidAt >= restart:
		status, ended = said, saidAt
	default:
		if w.closed >= restart || !w.live {
			status = schema.StatusUnknown
		}
		u := w.spawnCall(id)
		if u != nil && u.ended >= restart && slices.Contains([]any{schema.StatusFailed, schema.StatusInterrupted}, u.call.props["status"]) {
			status, ended = u.call.props["status"].(string), u.ended
		}
	}
	props["status"] = status
	if ended != 0 {
		props["ended_at"] = Time(ended)
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
			switch n := v.props[figure(k)].(type) {
			case int64:
				sums[figure(k)] += n
			case float64:
				sums[figure(k)] += int64(math.Round(n * 1e9))
			}
		}
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
	for _, name := range []string{"agent_type", "name"} {
		set(name, from(starts, own), from(in, meta("agentType")), from(in, own))
	}
	input := func(name string) func(record) string {
		return func(r record) string { return schema.FieldString(r.ToolInput, name) }
	}
	result := func(name string) func(record) string {
		return func(r record) string { return schema.FieldString(r.Result, name) }
	}
	asked := where(in, func(r record) bool { return r.EventType == schema.AgentStart && r.Origin == schema.OriginTranscript })
	set("description", from(results, input("description")), from(in, meta("description")), from(results, result("description")))
	set("prompt", from(results, input("prompt")), from(asked, func(r record) string { return r.Content }), from(results, result("prompt")))
	set("model", from(results, func(r record) string { return schema.FieldString(r.Result, "resolvedModel") }), from(in, meta("model")))
	said := newest(where(in, func(r record) bool { return r.EventType == schema.AgentEnd && r.Content != "" }))
	if said != nil && !w.said[[2]string{id, said.Content}] {
		props["last_assistant_message"] = clip(said.Content)
	}
}

// turns numbers the main thread's actions by the prompts before them. What belongs
// to a call is in its call's turn.
func (w *world) turns() {
	var prompts []int64
	for _, v := range w.vertices {
		if v.typ == UserMessage && v.lane == "" {
			prompts = append(prompts, v.own)
		}
	}
	for _, v := range w.vertices {
		at := v.own
		ofCall := v.typ == ToolResult || v.typ == PermissionRequest || v.typ == StructuredOutput
		if ofCall && v.parent != nil && v.parent.lane == "" {
			at = v.parent.own
		}
		turn := int64(0)
		for _, t := range prompts {
			if t <= at {
				turn++
			}
		}
		if v.lane == "" && turn > 0 {
			v.set(Prop{"turn", turn})
		}
	}
}

// sessionTotals counts, and sets the properties that facts state.
func (w *world) sessionTotals() {
	count := map[string]int64{"agent_count": int64(len(w.seen)), "action_count": int64(len(w.vertices)),
		"tool_call_count": int64(len(w.calls)), "message_count": 0, "error_count": 0}
	for _, v := range w.vertices {
		switch {
		case slices.Contains(v.typ.Labels(), "Message") && v.props["thinking"] == nil:
			count["message_count"]++
		case v.typ == ErrorEvent, v.typ == RateLimitEvent, v.typ == ToolCall && v.props["status"] == schema.StatusFailed:
			count["error_count"]++
		}
	}
	usage := w.used("all")
	// What a session's end states is the sum of what its calls state.
	ends := where(w.recs, func(r record) bool { return r.EventType == schema.SessionEnd && !isAbandonment(r) })
	for name, n := range usageOf(ends) {
		switch was := usage[name].(type) {
		case float64:
			usage[name] = max(was, dollars(name, n).(float64))
		case int64:
			usage[name] = max(was, n)
		default:
			usage[name] = dollars(name, n)
		}
	}
	for name, n := range count {
		w.node[name] = n
	}
	for name, n := range usage {
		w.node["total_"+name] = n
	}
	w.sessionContent()
}

func (w *world) sessionContent() {
	facts := where(w.recs, func(r record) bool { return !isAbandonment(r) })
	set := func(name string, r *record, value func(record) string) {
		if r != nil {
			w.node[name] = clip(value(*r))
		}
	}
	has := func(recs []record, value func(record) string) []record {
		return where(recs, func(r record) bool { return value(r) != "" })
	}
	field := func(raw func(record) []byte, name string) func(record) string {
		return func(r record) string { return schema.FieldString(raw(r), name) }
	}
	meta := func(r record) []byte { return r.Metadata }
	w.node["journal"] = "journal0"
	earliest := map[string]func(record) string{
		"working_directory":   func(r record) string { return r.WorkingDirectory },
		"host":                func(r record) string { return r.Host },
		"user":                func(r record) string { return r.UserID },
		"source_sdk":          func(r record) string { return r.SourceSDK },
		"transcript_path":     extra("transcript_path"),
		"repo_root":           field(meta, schema.MetaRepoRoot),
		"session_id_original": field(meta, schema.MetaSessionID),
	}
	for name, value := range earliest {
		set(name, first(has(facts, value)), value)
	}
	starts := where(facts, func(r record) bool { return r.EventType == schema.SessionStart && r.Reason != "compact" })
	atStart := map[string]func(record) string{
		"git_branch": field(meta, schema.MetaGitBranch),
		"git_commit": field(meta, schema.MetaGitCommit),
		"metadata":   func(r record) string { return leftovers(r.Event) },
	}
	for name, value := range atStart {
		set(name, first(has(starts, value)), value)
	}
	main := where(facts, func(r record) bool { return r.AgentID == "" })
	updates := where(main, func(r record) bool { return r.EventType == schema.SessionUpdate })
	if branch := atStart["git_branch"]; w.node["git_branch"] == nil {
		set("git_branch", first(has(updates, branch)), branch)
	}
	for _, name := range []string{"version", "entrypoint", "permission_mode"} {
		set(name, newest(has(updates, extra(name))), extra(name))
	}
	model := func(r record) string {
		if strings.HasPrefix(r.Model, "<") {
			return ""
		}
		return r.Model
	}
	set("model", newest(has(main, model)), model)
	title := func(r record) string {
		if r.EventType == schema.Task {
			return ""
		}
		return r.Title
	}
	lesser := []string{"agent-name", "ai-title", "summary"}
	titled := newest(has(where(main, func(r record) bool {
		return r.EventType != schema.SessionUpdate || !slices.Contains(lesser, r.HookEventName)
	}), title))
	for _, kind := range lesser {
		if titled == nil {
			titled = newest(has(where(updates, func(r record) bool { return r.HookEventName == kind }), title))
		}
	}
	set("title", titled, title)
	if end := newest(where(facts, func(r record) bool { return r.EventType == schema.SessionEnd })); end != nil && end.Reason != "" {
		w.node["end_reason"] = end.Reason
	}
	prompt := func(r record) string {
		if r.EventType != schema.Message || r.Role != schema.RoleUser && (singleType(r) != "" || promptRoleOf(r) != "user") {
			return ""
		}
		return gistOf(promptText(r.Content), 200)
	}
	prompted := first(has(main, prompt))
	set("first_prompt", prompted, prompt)
	w.node["name"] = w.session
	if prompted != nil {
		w.node["name"] = gist(prompt(*prompted))
	}
	if titled != nil && gist(titled.Title) != "" {
		w.node["name"] = gist(titled.Title)
	}
	w.references(facts)
}

// references puts the edges to tags, to the session that this one was forked from,
// and between actions that events relate.
func (w *world) references(facts []record) {
	self := Ref{LabelSession, w.session}
	tags := map[string][]record{}
	for _, r := range where(facts, func(r record) bool { return r.EventType == schema.Tag }) {
		for _, name := range r.Tags {
			tags[name] = append(tags[name], r)
		}
	}
	for name, recs := range tags {
		if newest(recs).Status != "removed" && name != "" {
			w.put(Ref{LabelTag, name}, "", nil)
			w.edge(HasTag, self, Ref{LabelTag, name})
		}
	}
	forks := where(facts, func(r record) bool {
		return r.EventType == schema.Fork && schema.SafeID(r.ParentSessionID) != w.session
	})
	if r := first(forks); r != nil {
		parent := Ref{LabelSession, schema.SafeID(r.ParentSessionID)}
		w.put(parent, "", map[string]any{"name": parent.Key})
		var at any
		if r.ParentEventID != "" {
			at = r.ParentEventID
		}
		w.edge(ForkedFrom, self, parent, Prop{"at", at})
	}
	for _, r := range facts {
		for _, id := range r.RelatedTo {
			from, to := w.vertices[w.about(r)], w.vertices[eventKey(w.session, id)]
			if from != nil && to != nil {
				w.edge(RelatedTo, from.ref(), to.ref())
			}
		}
	}
}

// about returns the key of the action that an event names as its own. A hook names
// none where its payload has no key.
func (w *world) about(r record) schema.Key {
	switch {
	case r.EventType == schema.ToolStart:
		return toolCallKey(w.session, r.ToolUseID)
	case isEnd(r):
		return toolResultKey(w.session, r.ToolUseID)
	case r.EventType == schema.StructuredOutput && r.ToolUseID != "":
		return schema.NewKey("structured_output", w.session, r.ToolUseID)
	case r.EventType == schema.LLMStart, r.EventType == schema.LLMEnd:
		return llmKey(w.session, modelCall(r))
	case r.EventType == schema.Task && r.TaskID != "":
		return taskKey(w.session, r.TaskID)
	case r.EventType == schema.Permission && r.ToolUseID != "", singleType(r) != "" && r.Origin != schema.OriginHook:
		return eventKey(w.session, r.EventID)
	}
	return schema.Key{}
}
