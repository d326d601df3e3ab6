package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// toolUse is one tool call: its own facts, and those that only mention it.
type toolUse struct {
	id       string
	facts    []record
	mentions []mention
	call     *vertex
	result   *vertex

	asked    int64 // when it was made
	ended    int64
	took     float64 // from asked to ended in ms, where no fact states a duration
	tool     string
	input    uint64
	evidence evidence
	requests int // permission requests that are its children
	files    []Ref
	use      EdgeType
	listed   bool // by who ran it, whatever became of the call
}

// mention is a fact about something else that names a call and says its lane.
type mention struct {
	record
	lane string
}

// source ranks what a fact says about a call: what ran, what was asked for, what
// the transcript says, what the batch says.
func source(r record) uint8 {
	switch {
	case r.Origin == schema.OriginTranscript:
		return 2
	case r.EventType == schema.ToolEnd:
		return 0
	case r.EventType == schema.ToolStart:
		return 1
	}
	return 3
}

// place ranks who and where: the start of a call is asked before its end.
func place(r record) uint8 { return [...]uint8{1, 0, 2, 3}[source(r)] }

func isEnd(r record) bool {
	return (r.EventType == schema.ToolEnd || r.EventType == schema.ToolBatch) && r.ToolUseID != ""
}

func (w *world) use(id string) *toolUse {
	if w.calls[id] == nil {
		w.calls[id] = &toolUse{id: id}
	}
	return w.calls[id]
}

func (w *world) findCalls() {
	for _, r := range w.recs {
		switch {
		case r.EventType == schema.ToolStart, isEnd(r):
			w.use(r.ToolUseID).facts = append(w.use(r.ToolUseID).facts, r)
		case r.ToolUseID == "":
		case r.EventType == schema.StructuredOutput, r.EventType == schema.Permission,
			r.EventType == schema.Skill && r.Origin != schema.OriginHook:
			w.use(r.ToolUseID).mentions = append(w.use(r.ToolUseID).mentions, mention{r, r.AgentID})
		}
		for _, s := range spawnsOf(r) {
			w.use(s.call).mentions = append(w.use(s.call).mentions, mention{r, s.parent})
		}
	}
	for _, u := range w.calls {
		w.makeCall(u)
		w.makeResult(u)
	}
}

func (w *world) makeCall(u *toolUse) {
	u.call = w.vertexOf(toolCallKey(w.session, u.id), ToolCall, u.lane())
	v := u.call
	v.underLane = true
	v.happened(u.facts...)
	for _, m := range u.mentions {
		if v.own == 0 || m.at < v.own {
			v.own = m.at
		}
	}
	v.set(Prop{"tool_use_id", u.id})
	said := func(has func(record) bool) *record { return least(where(u.facts, has), place) }
	if r := said(func(r record) bool { return r.ToolName != "" }); r != nil {
		u.tool = r.ToolName
		ref, props := toolNode(u.tool)
		w.out.Apply(Op{Kind: PutNode, Node: Node{Ref: ref, Props: props}})
		w.edge(UsedTool, v.ref(), ref)
		v.set(Prop{"tool_name", u.tool}, Prop{"name", u.tool})
		v.set(props...)
	}
	if r := said(func(r record) bool { return r.PromptID != "" }); r != nil {
		v.set(Prop{"prompt_id", r.PromptID})
	}
	if r := said(func(r record) bool { return r.Model != "" }); r != nil {
		v.set(Prop{"model", r.Model})
	}
	if r := said(func(r record) bool { return callMembers(r) != "" }); r != nil {
		v.set(Prop{"metadata", callMembers(*r)})
	}
	if r := said(func(r record) bool { return schema.Field(r.Extra, "permission_mode") != nil }); r != nil {
		v.set(Prop{"permission_mode", schema.FieldString(r.Extra, "permission_mode")})
	}
	if r := least(where(u.facts, func(r record) bool { return len(r.ToolInput) > 0 }), source); r != nil {
		u.input = inputHash(r.Event)
		v.set(inputProps(r.Event, false)...)
		u.useFile(r)
	}
	u.span()
}

func (u *toolUse) lane() string {
	if r := least(u.facts, place); r != nil {
		return r.AgentID
	}
	best := slices.MinFunc(u.mentions, func(a, b mention) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.sum, b.sum))
	})
	return best.lane
}

// span sets when the call was made, when it ended, and how long it took.
func (u *toolUse) span() {
	v := u.call
	u.asked = v.own
	starts := where(u.facts, func(r record) bool { return r.EventType == schema.ToolStart })
	if r := least(starts, source); r != nil {
		u.asked = r.at
		v.set(Prop{"started_at", Time(r.at)})
	}
	ends := where(u.facts, isEnd)
	if r := least(ends, source); r != nil {
		u.ended = r.at
		v.set(Prop{"ended_at", Time(r.at)})
	}
	if r := least(where(ends, func(r record) bool { return r.DurationMS != nil }), source); r != nil {
		v.set(Prop{"duration_ms", *r.DurationMS})
	} else if len(starts) > 0 && u.ended > u.asked {
		u.took = float64(u.ended-u.asked) / 1e6
	}
	for _, r := range u.facts {
		switch {
		case isEnd(r):
			u.evidence |= endEvidence(r.Event)
			continue
		case r.Origin == schema.OriginHook:
			u.evidence |= evAsked
		}
		if r.Status == schema.StatusPending {
			u.evidence |= evPending
		}
	}
	for _, m := range u.mentions {
		if m.EventType == schema.Permission && m.ToolUseID == u.id && m.Status == schema.StatusDenied {
			u.evidence |= evReject
		}
	}
}

func (u *toolUse) useFile(r *record) {
	use, paths := filesOf(r.Event)
	u.listed = r.ToolName == "Skill" && schema.Field(r.Extra, "inventory") != nil
	for k, path := range paths {
		if k == 10_000 {
			u.call.set(Prop{"files_omitted", int64(len(paths) - k)})
			break
		}
		u.use, u.files = use, append(u.files, Ref{LabelFile, FileKey(r.Host, path)})
		if repo := repoPath(r.Event, path); k == 0 && repo != "" {
			u.call.set(Prop{"repo_path", repo})
		}
	}
}

func (w *world) makeResult(u *toolUse) {
	ends := where(u.facts, isEnd)
	if len(ends) > 0 {
		v := w.vertexOf(toolResultKey(w.session, u.id), ToolResult, u.call.lane)
		u.result, v.parent = v, u.call
		v.happened(ends...)
		r := least(ends, source)
		v.set(Prop{"tool_use_id", u.id}, Prop{"name", "result"})
		if u.tool != "" {
			v.set(Prop{"tool_name", u.tool}, Prop{"name", u.tool + " result"})
		}
		v.set(resultProps(r.Event, false)...)
		if text, _ := resultText(r.Event); text != "" && text != r.ErrorMessage && !strings.Contains(clip(text), strings.TrimSpace(r.ErrorMessage)) {
			v.set(Prop{"error_message", clip(r.ErrorMessage)}) // whole: nothing else says it
		}
		v.promptOf(ends)
	}
	structured := []record{}
	for _, m := range u.mentions {
		if m.EventType == schema.StructuredOutput && m.ToolUseID == u.id {
			structured = append(structured, m.record)
		}
	}
	if len(structured) > 0 {
		v := w.vertexOf(schema.NewKey("structured_output", w.session, u.id), StructuredOutput, u.call.lane)
		v.parent = u.call
		v.happened(structured...)
		r := least(structured, source)
		v.set(Prop{"tool_use_id", u.id}, Prop{"tool_name", r.ToolName}, Prop{"name", "StructuredOutput"},
			Prop{"text", clip(string(r.Result))}, Prop{"status", schema.StatusCompleted})
		v.promptOf(structured)
	}
}

// promptOf sets the prompt_id that the first of recs which has one says.
func (v *vertex) promptOf(recs []record) {
	if r := first(where(recs, func(r record) bool { return r.PromptID != "" })); r != nil {
		v.set(Prop{"prompt_id", r.PromptID})
	}
}

// requests is the permission requests of one lane for one tool and input.
type requests struct {
	lane, tool string
	input      uint64
	inOrder    []*vertex
}

// claimCalls gives each request the earliest call that no other claimed, that was
// asked for before it, and whose result is not more than two seconds older.
func (w *world) claimCalls() {
	for _, a := range w.asks {
		var calls []*toolUse
		for _, u := range w.calls {
			if u.call.lane == a.lane && u.tool == a.tool && u.input == a.input {
				calls = append(calls, u)
			}
		}
		slices.SortFunc(calls, func(x, y *toolUse) int {
			return cmp.Or(cmp.Compare(x.asked, y.asked), slices.Compare(x.call.key[:], y.call.key[:]))
		})
		for _, v := range a.inOrder {
			for k, u := range calls {
				late := u.ended != 0 && v.own-u.ended > int64(2*time.Second)
				if u.asked <= v.own && !late {
					v.parent = u.call
					u.requests++
					calls = slices.Delete(calls, k, k+1)
					break
				}
			}
			if v.parent == nil {
				v.set(Prop{"parent_unknown", true})
			}
		}
	}
}

// callStatuses weighs the evidence, and gives each result and request the status
// that follows.
func (w *world) callStatuses() {
	for _, u := range w.calls {
		closed := u.call.own <= max(w.ends[u.call.lane], w.closed)
		closed = closed || !w.live && u.evidence&evPending == 0 // only files tell of it
		status := callStatus(u.evidence, u.requests > 0, closed)
		for _, v := range []*vertex{u.call, u.result} {
			if v != nil {
				v.set(Prop{"status", status})
				if status == schema.StatusFailed {
					v.set(Prop{"is_error", true})
				}
			}
		}
		if ran := status == schema.StatusCompleted || status == schema.StatusFailed; ran && u.took > 0 && !neverRan(u.evidence) {
			u.call.set(Prop{"duration_ms", u.took})
		}
		if neverRan(u.evidence) {
			u.call.set(Prop{"never_ran", true})
		}
		if (status == schema.StatusCompleted || u.listed) && u.use != "" {
			for _, file := range u.files {
				w.put(file, "", nil)
				w.edge(u.use, u.call.ref(), file)
			}
		}
	}
	for _, v := range w.vertices {
		if v.typ != PermissionRequest || v.answered {
			continue
		}
		status := schema.StatusUnknown
		if v.parent != nil {
			status = v.parent.props["status"].(string)
		}
		switch status {
		case schema.StatusCompleted, schema.StatusFailed: // it ran: it was allowed
			status = schema.StatusCompleted
		case schema.StatusInProgress:
			status = schema.StatusPending
		}
		v.set(Prop{"status", status})
	}
}
