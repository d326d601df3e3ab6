package jsonl

import (
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// traceStarted adds the start of a run. What a TraceEvent says of it is what a record of a
// dump begins with, and the run that called it, where a dump has an agent's name only.
func (f *draft) traceStarted(t *trace, extra *object) {
	var c agentCall
	readCall(&c, t.payload, false)
	f.begin(&c)
	f.needRun(t.payload)
	if f.err != nil {
		return
	}
	if parent := t.payload.member("parent_run_id").text(); parent != "" {
		c.caller = laneID(parent)
	}
	*extra = c.extra
	f.agentStart(&c)
}

// traceFinished adds the end of a run, which is when it was.
func (f *draft) traceFinished(t *trace, extra *object) {
	if f.needRun(t.payload); f.err != nil {
		return
	}
	e := f.add(schema.AgentEnd, idMain)
	e.AgentName = t.context.member("agent_id").text()
	e.Status = schema.StatusCompleted
	f.rest(t, extra)
}

// rest puts into extra what nobody took of a payload.
func (f *draft) rest(t *trace, extra *object, taken ...string) {
	for name, m := range t.payload.members() {
		if m.at != t.run.at && !slices.Contains(taken, string(name)) {
			extra.raw(string(name), m)
		}
	}
}

func (f *draft) traceDecision(t *trace, extra *object) {
	v := t.payload.member("decision")
	if !f.isObject(v, "payload.decision") {
		return
	}
	from := len(f.dst)
	f.decision(v, idMain, idDecided)
	f.rest(t, extra, "decision")
	extra.join(f.dst[from].Extra)
}

// traceCallback adds a callback, and the entry that the subscriber notes with it.
func (f *draft) traceCallback(t *trace, extra *object) {
	e := f.part(schema.Callback, partCallback, idMain)
	for name, m := range t.payload.members() {
		switch string(name) {
		case "intent":
			e.Title = f.text(m, "payload.intent")
		case "prompt":
			if e.Content = f.text(m, "payload.prompt"); e.Content != "" {
				continue
			}
		case "event":
			continue
		}
		if m.at != t.run.at {
			extra.raw(string(name), m)
		}
	}
	if v := t.payload.member("event"); !v.empty() {
		f.entry(v, idRest)
	}
}

func (f *draft) traceNamed(t *trace, extra *object) {
	v := t.payload.member("event")
	if v.empty() {
		f.fail(t.payload.fault("payload.event", "missing: a named event has one"))
		return
	}
	from := len(f.dst)
	f.entry(v, idMain)
	f.rest(t, extra, "event")
	extra.join(f.dst[from].Extra)
}

func (f *draft) traceSkill(t *trace, extra *object) {
	f.rest(t, extra, "skill_name", "parameters")
	f.invoke(t.payload.member("skill_name"), t.payload.member("parameters"), "payload", idMain, f.time, &object{})
}

// traceMemory adds a memory operation: its kind says which.
func (f *draft) traceMemory(t *trace, extra *object) {
	e := f.add(schema.Memory, idMain)
	e.Actor = schema.ActorRuntime
	e.Reason = f.kind[strings.LastIndexByte(f.kind, '.')+1:]
	e.Title = f.text(t.payload.member("title"), "payload.title")
	e.Content = f.text(t.payload.member("summary"), "payload.summary")
	f.rest(t, extra)
}

func (f *draft) traceRequest(t *trace, extra *object) {
	request := t.payload.member("input_payload")
	e := f.add(schema.LLMStart, idMain)
	if e.Model = t.payload.member("model_name").text(); e.Model == "" {
		e.Model = request.member("model").text()
	}
	extra.raw("request", request)
	f.rest(t, extra, "input_payload")
}

// traceResponse adds the end of a model call. Nothing in a TraceEvent says which request
// it answers, unless parent_event_id does.
func (f *draft) traceResponse(t *trace, extra *object) {
	parsed, usage := t.payload.member("parsed_payload"), t.payload.member("usage")
	e := f.add(schema.LLMEnd, idMain)
	e.Model = t.payload.member("model_name").text()
	e.InputTokens, e.OutputTokens = usage.member("prompt_tokens").count(), usage.member("completion_tokens").count()
	e.Content = f.text(t.payload.member("raw_text"), "payload.raw_text")
	if !parsed.null() {
		extra.raw("model_response", parsed)
	}
	f.rest(t, extra, "raw_text", "parsed_payload")
	if f.kind != nameLLMError {
		return
	}
	e.IsError, e.ErrorType = true, nameLLMError
	if class := t.payload.member("error_type").text(); class != "" {
		e.ErrorType = class
	}
	if e.ErrorMessage = readEntry(t.payload).failure(); e.ErrorMessage == "" {
		e.ErrorMessage = readEntry(parsed).failure()
	}
}
