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

// traceFinished adds the end of a run, which is when it was. It is told of one that raised, too
// (agents/agent.py, run).
func (f *draft) traceFinished(t *trace, extra *object) {
	if f.needRun(t.payload); f.err != nil {
		return
	}
	e := f.add(schema.AgentEnd, idMain)
	e.AgentName = t.context.member("agent_id").text()
	e.Status = schema.StatusCompleted
	if f.before.failed {
		e.Status, e.IsError = schema.StatusFailed, true
	}
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

// traceRepeated adds what other lines tell, too: a context, which people see who want all.
func (f *draft) traceRepeated(t *trace, extra *object) {
	e := f.add(schema.Context, idMain)
	e.Actor = schema.ActorRuntime
	f.rest(t, extra)
}

func (f *draft) traceDecision(t *trace, extra *object) {
	v := t.payload.member("decision")
	if !f.isObject(v, "payload.decision") {
		return
	}
	from := len(f.dst)
	// Where events have spans, each call is told with an id of its own (traceToolStart), and
	// nothing joins it to the decision. That one may also be of a tool that is not allowed,
	// which is not called then (agents/agent.py, handle_tool_call).
	f.callsTold = t.span != ""
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

// traceResponse adds the end of a model call. Which request it answers the order of the file
// says, unless parent_event_id does; how long that took, their times.
func (f *draft) traceResponse(t *trace, extra *object) {
	parsed, usage := t.payload.member("parsed_payload"), t.payload.member("usage")
	e := f.add(schema.LLMEnd, idMain)
	e.Model = t.payload.member("model_name").text()
	f.answers(e)
	e.InputTokens, e.CacheReadInputTokens, e.OutputTokens = tokens(usage)
	e.Content = f.text(t.payload.member("raw_text"), "payload.raw_text")
	if !parsed.null() {
		extra.raw("model_response", parsed)
	}
	f.rest(t, extra, "raw_text", "parsed_payload")
	if f.kind == nameLLMError {
		f.modelError(t, e, parsed)
	}
}

// answers says of the end of a model call which one that is.
func (f *draft) answers(e *schema.Event) {
	e.CausedBy = f.before.request
	if took := f.time.Sub(f.before.asked); !f.before.asked.IsZero() && !f.timeless && took >= 0 {
		ms := float64(took) / 1e6
		e.DurationMS = &ms
	}
}

// traceModelFailed adds the end of a model call of which no answer came, and the error.
func (f *draft) traceModelFailed(t *trace, extra *object) {
	end := f.add(schema.LLMEnd, idMain)
	f.answers(end)
	end.IsError = true
	f.failure(t, end)
	f.rest(t, extra)
	class, message := end.ErrorType, end.ErrorMessage
	e := f.add(schema.Error, idRest)
	e.ErrorType, e.ErrorMessage, e.CausedBy = class, message, f.id(idMain)
}

// tokens reads an LlmUsage (agent_framework, model.py), or what a chat completion says
// itself. Of its input tokens some may be cached; ours are those that are not.
func tokens(usage value) (input, cached, output *int64) {
	count := func(name, other string) *int64 {
		if n := usage.member(name).count(); n != nil {
			return n
		}
		return usage.member(other).count()
	}
	input, output = count("input_tokens", "prompt_tokens"), count("output_tokens", "completion_tokens")
	if cached = usage.member("input_cached_tokens").count(); input == nil || cached == nil || *cached > *input {
		return input, nil, output
	}
	*input -= *cached
	return input, cached, output
}

// modelError says of the end of a model call that it failed, and adds the error, as a dump
// has it among its events.
func (f *draft) modelError(t *trace, end *schema.Event, parsed value) {
	end.IsError, end.ErrorType = true, nameLLMError
	if class := t.payload.member("error_type").text(); class != "" {
		end.ErrorType = class
	}
	if end.ErrorMessage = readEntry(t.payload).failure(); end.ErrorMessage == "" {
		end.ErrorMessage = readEntry(parsed).failure()
	}
	class, message := end.ErrorType, end.ErrorMessage
	e := f.add(schema.Error, idRest)
	e.ErrorType, e.ErrorMessage, e.CausedBy = class, message, f.id(idMain)
}

// traceToolStart adds the start of a call (RuntimeTraceBehavior, runtime_trace_behavior.py),
// whose id is that of its span.
func (f *draft) traceToolStart(t *trace, extra *object) {
	input := t.payload.member("tool_input")
	e := f.traceTool(schema.ToolStart, t, extra)
	e.ToolInput = input.cloned()
	e.InputHash = keyedHash(f.src.HashKey, e.ToolInput)
	f.restOfTool(t, extra, "tool_input", input)
}

// traceToolEnd adds the end of a call that gave a result. Until April 2026 only the
// beginning of the result was written, as result_preview.
func (f *draft) traceToolEnd(t *trace, extra *object) {
	result := t.payload.member("result")
	e := f.traceTool(schema.ToolEnd, t, extra)
	if e.Result = result.cloned(); !result.there() {
		e.Result = t.payload.member("result_preview").cloned()
	}
	f.restOfTool(t, extra, "result", result)
}

func (f *draft) traceTool(typ schema.Type, t *trace, extra *object) *schema.Event {
	e := f.add(typ, idMain)
	e.ToolUseID = laneID(t.span)
	e.ToolName = f.takeText(t.payload.member("tool_name"), "payload.tool_name", extra)
	return e
}

// restOfTool is rest without what traceTool and a typed field took, of which null is none.
func (f *draft) restOfTool(t *trace, extra *object, field string, v value) {
	if v.null() {
		field = "tool_name"
	}
	f.rest(t, extra, "tool_name", field)
}

// traceToolFailed adds the end of a call that raised: the one of that tool which its run has begun
// and not ended (agents/agent.py, _execute_tool_step).
func (f *draft) traceToolFailed(t *trace, extra *object) {
	e := f.traceTool(schema.ToolEnd, t, extra)
	e.ToolUseID, e.IsError = f.before.call, true
	f.failure(t, e)
	f.rest(t, extra, "tool_name")
}

// traceError adds what failed. What a tool raised that has begun no call is one, too.
func (f *draft) traceError(t *trace, extra *object) {
	e := f.add(schema.Error, idMain)
	f.failure(t, e)
	e.ToolName = t.payload.member("tool_name").text()
	f.rest(t, extra)
}

func (f *draft) failure(t *trace, e *schema.Event) {
	if e.ErrorType = t.payload.member("error_type").text(); e.ErrorType == "" {
		e.ErrorType = f.kind
	}
	if e.ErrorMessage = readEntry(t.payload).failure(); e.ErrorMessage == "" {
		e.ErrorMessage = t.whole.member("summary").text()
	}
}
