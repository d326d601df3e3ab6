package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// What frameworks say that no runtime's hook does: who called an agent, what was answered
// to a request, what a call is part of.

// ownStarts returns the facts that an agent started, of which nobody else's file is one.
func (w *world) ownStarts(id string) []record {
	return where(w.recs, func(r record) bool {
		return r.EventType == schema.AgentStart && r.AgentID == id && r.Origin != schema.OriginTranscript
	})
}

// statedCaller returns whom the start of an agent says it was called by, "" for nobody;
// nil where it says nothing.
func (w *world) statedCaller(id string) *string {
	r := first(where(w.ownStarts(id), func(r record) bool {
		return r.ParentAgentName != "" || schema.Field(r.Extra, "caller_id") != nil
	}))
	if r == nil {
		return nil
	}
	return &r.ParentAgentName
}

func (w *world) agentName(id string) string {
	if r := first(where(w.ownStarts(id), func(r record) bool { return r.AgentName != "" })); r != nil {
		return r.AgentName
	}
	return ""
}

// callerOf returns the agent that called another: the one with that id that has started,
// else the one and only with that name, if it began no later.
func (w *world) callerOf(id string) string {
	by := w.statedCaller(id)
	if by == nil || *by == "" {
		return ""
	}
	if len(w.ownStarts(*by)) > 0 {
		return *by
	}
	var named []string
	for other := range w.seen {
		if w.agentName(other) == *by {
			named = append(named, other)
		}
	}
	if len(named) != 1 || w.ownStarts(named[0])[0].at > w.ownStarts(id)[0].at {
		return ""
	}
	return named[0]
}

// delegation returns which decision of an agent to delegate to another led to a start of
// it: of those until then the latest, of those after it the first.
func (w *world) delegation(by, to string, at int64) *vertex {
	var all []*vertex
	for _, v := range w.vertices {
		if v.typ != Decision || v.lane != by || !v.named || v.props["title"] != "delegate" && v.props["title"] != "call_subagent" {
			continue
		}
		if name := v.props["to_agent"]; name == to || name == w.agentName(to) && name != "" {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b *vertex) int { return cmp.Or(cmp.Compare(a.own, b.own), bytes.Compare(a.key[:], b.key[:])) })
	best := all[0]
	for _, v := range all {
		if v.own <= at {
			best = v
		}
	}
	return best
}

// saidBetter reports a record that does not say what its event ended, where another one does:
// an llm_end that was caused by something, the tool_end of a call that failed.
func (w *world) saidBetter(r record) bool {
	better := func(o record) bool { return false }
	switch {
	case r.EventType == schema.LLMEnd && r.MessageID == "" && r.CausedBy == "":
		better = func(o record) bool { return o.EventType == schema.LLMEnd && o.MessageID == "" && o.CausedBy != "" }
	case r.EventType == schema.Error && r.Origin != schema.OriginHook && !isTurnFailure(r):
		better = func(o record) bool {
			return o.EventType == schema.ToolEnd && o.ToolUseID != "" && o.IsError && (o.Origin == schema.OriginAudit || o.Origin == schema.OriginAPI)
		}
	}
	return first(where(w.recs, func(o record) bool { return o.EventID == r.EventID && better(o) })) != nil
}

// isAnswer reports the record of a request that names neither call nor input.
func isAnswer(r record) bool {
	return r.EventType == schema.Permission && r.Origin != schema.OriginHook && r.ToolUseID == "" && len(r.ToolInput) == 0
}

func (w *world) findAnswers() {
	same := map[string][]record{}
	for _, r := range where(w.recs, isAnswer) {
		same[r.EventID] = append(same[r.EventID], r)
	}
	for id, recs := range same {
		r := first(recs)
		v := w.vertexOf(schema.NewKey("answered permission", w.session, id), PermissionRequest, r.AgentID)
		v.answered = true
		v.happened(recs...)
		v.promptOf(recs)
		v.set(answerProps(r.Event, false)...)
		v.set(Prop{"parent_unknown", true})
	}
}

// findTasks hangs calls under the tasks that they say they are part of, which are there
// for that alone, and under nothing.
func (w *world) findTasks() {
	tasks := map[string][]record{}
	for _, u := range w.calls {
		part := where(u.facts, func(r record) bool { return r.ParentTaskID != "" })
		for _, r := range part {
			tasks[r.ParentTaskID] = append(tasks[r.ParentTaskID], r)
		}
	}
	for id, recs := range tasks {
		key := taskKey(w.session, id)
		v := w.vertices[key]
		if v == nil {
			v = w.vertexOf(key, Task, first(recs).AgentID)
			v.set(Prop{"task_id", id}, Prop{"name", "task: " + gist(id)})
		}
		v.underLane = false
		for _, r := range recs {
			r.Event = &schema.Event{} // their lines are not the task's
			v.happened(r)
		}
	}
	for _, u := range w.calls {
		if r := least(where(u.facts, func(r record) bool { return r.ParentTaskID != "" }), place); r != nil {
			u.call.underLane = false
			u.call.parent = w.vertices[taskKey(w.session, r.ParentTaskID)]
		}
	}
}

// tagActions puts the edges to the tags that facts give what they are about.
func (w *world) tagActions() {
	for _, r := range w.recs {
		v := w.vertices[w.about(r)]
		if isEnd(r) {
			v = w.calls[r.ToolUseID].call
		}
		if v == nil || r.EventType == schema.Tag {
			continue
		}
		for _, name := range r.Tags {
			if name != "" {
				w.put(Ref{LabelTag, name}, "", nil)
				w.edge(HasTag, v.ref(), Ref{LabelTag, name})
			}
		}
	}
}

// otherMembers is what else a producer that is no runtime says, as JSON.
func otherMembers(r record, but ...string) string {
	if r.Origin != schema.OriginAudit && r.Origin != schema.OriginAPI {
		return ""
	}
	but = append(but, "transcript_path", "permission_mode")
	if r.ToolName == "Skill" && r.EventType != schema.AgentStart {
		but = append(but, "inventory")
	}
	var out []byte
	for k, v := range schema.Fields(r.Extra) {
		if slices.Contains(but, k) || string(v) == "null" {
			continue
		}
		out = append(append(schema.AppendString(append(out, ','), k), ':'), v...)
	}
	if len(out) == 0 {
		return ""
	}
	out[0] = '{'
	return string(append(out, '}'))
}

// callMembers are the other members of a call, and its tags and relations as they were said.
func callMembers(r record) string {
	if r.Origin != schema.OriginAudit && r.Origin != schema.OriginAPI {
		return ""
	}
	var members []string
	if rest := otherMembers(r); rest != "" {
		members = append(members, rest[1:len(rest)-1])
	}
	add := func(name string, list []string) {
		if said := string(schema.Field(r.Extra, name)); len(list) > 0 && (said == "" || said == "null") {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(map[string][]string{name: list}); err != nil {
				panic(err)
			}
			members = append(members, strings.Trim(b.String(), "{}\n"))
		}
	}
	add("tags", r.Tags)
	add("related_to", r.RelatedTo)
	if len(members) == 0 {
		return ""
	}
	return "{" + strings.Join(members, ",") + "}"
}
