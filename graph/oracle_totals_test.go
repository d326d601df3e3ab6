package graph

import (
	"cmp"
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
	case len(facts)+len(w.failures) > 0: // neither of which says when the session was
		started = math.MaxInt64
		for _, r := range append(slices.Clone(facts), w.failures...) {
			started = min(started, r.at)
		}
		last = max(started, abandoned)
	}
	failed := map[string]bool{}
	for _, r := range w.failures {
		failed[r.EventID] = true
		w.node["recording_failures"] = int64(len(failed))
	}
	for _, v := range w.vertices {
		last = max(last, v.own)
	}
	w.node["started_at"], w.node["last_event_at"] = Time(started), Time(last)
	w.live = len(where(facts, func(r record) bool {
		return r.EventType != schema.Tag && r.EventType != schema.Fork && (r.Origin == schema.OriginHook || r.Origin == schema.OriginAPI)
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

// turns numbers the prompts of the main thread by time, line and key, and its other
// actions by the prompts that are not later. What belongs to a call is in its call's turn.
func (w *world) turns() {
	var prompts []*vertex
	for _, v := range w.vertices {
		if v.typ == UserMessage && v.lane == "" {
			prompts = append(prompts, v)
		}
	}
	place := func(a, b *vertex) int { return cmp.Or(cmp.Compare(a.own, b.own), cmp.Compare(a.seq, b.seq)) }
	for _, v := range w.vertices {
		at := v
		ofCall := v.typ == ToolResult || v.typ == PermissionRequest || v.typ == StructuredOutput
		if ofCall && v.parent != nil && v.parent.lane == "" {
			at = v.parent
		}
		turn := int64(0)
		for _, p := range prompts {
			order := place(p, at)
			if order == 0 && v.typ == UserMessage {
				order = slices.Compare(p.key[:], v.key[:])
			}
			if order <= 0 {
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
		switch r.EventType {
		case schema.SessionStart, schema.SessionUpdate, schema.Message, schema.Fork:
			return r.Title
		}
		return ""
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
	if r := newest(forks); r != nil {
		parent := Ref{LabelSession, schema.SafeID(r.ParentSessionID)}
		w.put(parent, "", map[string]any{"name": parent.Key})
		var at, label any
		if r.ParentEventID != "" {
			at = r.ParentEventID
		}
		if r.Title != "" {
			label = clip(r.Title)
		}
		w.edge(ForkedFrom, self, parent, Prop{"at", at}, Prop{"at_time", Time(r.at).String()}, Prop{"label", label})
	}
	for _, r := range facts {
		for _, id := range r.RelatedTo {
			from := w.vertices[w.about(r)]
			for _, to := range []*vertex{w.vertices[eventKey(w.session, id)], w.vertices[toolCallKey(w.session, id)]} {
				if from != nil && to != nil {
					w.edge(RelatedTo, from.ref(), to.ref())
				}
			}
		}
	}
	w.tagActions()
}

// about returns the key of the action that an event names as its own. A hook names
// none where its payload has no key.
func (w *world) about(r record) schema.Key {
	switch {
	case w.saidBetter(r):
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
	case isAnswer(r):
		return schema.NewKey("answered permission", w.session, r.EventID)
	case r.EventType == schema.Permission && r.ToolUseID != "", singleType(r) != "" && r.Origin != schema.OriginHook:
		return eventKey(w.session, r.EventID)
	}
	return schema.Key{}
}
