package jsonl

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// nameLLMError is the name of an entry of events[], and the kind of a TraceEvent, that
// says that a model call failed.
const nameLLMError = "llm.error"

// callerHost is the caller_id of a call that no agent made (agent_framework, host.py).
const callerHost = "host"

// agentCall is an AgentCallAuditRecord. A field that is not there, and one that has its
// dataclass's default (null, an empty list), say the same.
type agentCall struct {
	typ, timestamp                     value
	runID, callerID, agentName         value
	systemPrompt, userPrompt           value
	systemSources, userSources         value
	sent, received, response, decision value
	callbacks, skills, events          value
	failed, refused                    bool   // the model call; what it gave is an error
	failure                            string // what is said of that
	lane, agent, caller                string
	systemText, userText               string
	others                             []otherField // what no field takes
	extra                              object       // which is in here, and what fields leave
}

// agentCall adds the events of an AgentCallAuditRecord. All of them are in the lane of its
// run. It is written when the call ends, and does not say when that was.
func (f *draft) agentCall(v value, c *agentCall) {
	f.kind = kindAgentCall
	f.begin(c)
	f.lane = c.lane
	f.needRun(v)
	f.setTime(c.timestamp)
	f.received(&c.extra)
	if f.err != nil {
		return
	}
	c.readFailure()
	f.agentStart(c)
	f.modelCall(c)
	if !c.decision.null() && f.isObject(c.decision, partDecision) {
		f.decision(c.decision, idDecision, idDecided)
	}
	place, last := idRest, f.time
	place = f.each(c.callbacks, "callbacks", place, func(v value, field string, place int) int {
		last = later(last, f.callback(v, field, place))
		return place + 1
	})
	place = f.each(c.skills, "skill_invocations", place, func(v value, field string, place int) int {
		last = later(last, f.skill(v, field, place))
		return place + 2
	})
	place = f.each(c.events, "events", place, func(v value, _ string, place int) int {
		f.entry(v, place)
		return place + 1
	})
	e := f.add(schema.AgentEnd, place)
	e.Timestamp, e.AgentName = last, c.agent
	if e.Status = schema.StatusCompleted; c.raised() {
		e.Status, e.IsError = schema.StatusFailed, true
	}
	e.Extra = json.RawMessage(`{"end_time":"unknown"}`)
}

// maxEntries is how many elements of a record's list become events of their own: two
// bytes of a line must not become a thousand of memory. The others are kept in one event.
const maxEntries = 5000

// each adds the events of the elements of a list, and returns the place behind them.
func (f *draft) each(list value, field string, place int, add func(v value, field string, place int) int) int {
	if !f.list(list, field) {
		return place
	}
	for i, v := range list.elements() {
		if i == maxEntries {
			rest := v
			rest.end = list.end
			var extra object
			extra.key(field)
			extra.buf = append(append(extra.buf, '['), rest.copied()...)
			e := f.part(schema.Context, partEvent, place)
			e.Title, e.Extra = field, extra.json()
			return place + 1
		}
		place = add(v, item(field, i), place)
	}
	return place
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// otherField is a member of a record that no field of an agentCall takes.
type otherField struct {
	name  string
	value value
}

// needRun faults what is told of an agent call that no run_id names.
func (f *draft) needRun(v value) {
	if f.lane != "" {
		return
	}
	if run := v.member("run_id"); run.there() {
		v = run
	}
	f.fail(v.fault("run_id", "missing: an agent call has one"))
}

// readCall takes the fields of a record, and of the payload of a TraceEvent that tells the
// start of one, of which those of the rest are none.
func readCall(c *agentCall, v value, whole bool) {
	for name, m := range v.members() {
		field := c.began(name)
		if field == nil && whole {
			field = c.ended(name)
		}
		if field != nil {
			*field = m
		} else {
			c.others = append(c.others, otherField{string(name), m})
		}
	}
}

// begin reads what is known of a call when it begins.
func (f *draft) begin(c *agentCall) {
	for _, o := range c.others {
		c.extra.raw(o.name, o.value)
	}
	c.lane = f.run(c.runID, &c.extra)
	if c.caller, _ = f.name(c.callerID, "caller_id"); c.caller == callerHost {
		c.caller = ""
	} else if run := callerRun(c); run != "" {
		c.caller = run
	}
	if c.caller = laneID(c.caller); !c.callerID.there() {
		c.extra.key("caller_id")
		c.extra.buf = append(c.extra.buf, "null"...)
	}
	c.extra.raw("caller_id", c.callerID)
	var exact bool
	if c.agent, exact = f.name(c.agentName, "agent_name"); !exact {
		c.extra.raw("agent_name", c.agentName)
	}
	c.systemText = f.takeText(c.systemPrompt, "system_prompt", &c.extra)
	c.userText = f.takeText(c.userPrompt, "user_prompt", &c.extra)
	f.list(c.systemSources, "system_prompt_sources")
	f.list(c.userSources, "user_prompt_sources")
}

// callerRun is the run that made a call, where the call's own id tells: agent_framework
// (host.py) makes it of the caller's run, which ends with the caller's name, and its
// agent's name, or in a batch the call's output_key, which may have dots. A dump of several
// prompts has as many runs of one name.
func callerRun(c *agentCall) string {
	if c.caller == "" {
		return ""
	}
	run := c.runID.text()
	if k := strings.LastIndex(run, "."+c.caller+"."); k >= 0 {
		return run[:k+1+len(c.caller)]
	}
	return ""
}

// run is the lane of a run; extra keeps its id where the lane is not that.
func (f *draft) run(v value, extra *object) string {
	id, exact := f.name(v, "run_id")
	lane := laneID(id)
	if lane != id || !exact && id != "" {
		extra.raw("run_id", v)
	}
	return lane
}

// began is the field of that name that is known when a call begins, nil where none is.
func (c *agentCall) began(name []byte) *value {
	switch string(name) {
	case "run_id":
		return &c.runID
	case "caller_id":
		return &c.callerID
	case "agent_name":
		return &c.agentName
	case "system_prompt":
		return &c.systemPrompt
	case "system_prompt_sources":
		return &c.systemSources
	case "user_prompt":
		return &c.userPrompt
	case "user_prompt_sources":
		return &c.userSources
	}
	return nil
}

// ended is the field of that name of a whole record, beside those of its beginning.
func (c *agentCall) ended(name []byte) *value {
	switch string(name) {
	case "type":
		return &c.typ
	case "timestamp":
		return &c.timestamp
	case "llm_message_sent":
		return &c.sent
	case "llm_message_received":
		return &c.received
	case "model_response":
		return &c.response
	case "agent_decision":
		return &c.decision
	case "callbacks":
		return &c.callbacks
	case "skill_invocations":
		return &c.skills
	case "events":
		return &c.events
	}
	return nil
}

// agentStart adds the start of a call and its prompts.
func (f *draft) agentStart(c *agentCall) {
	e := f.add(schema.AgentStart, idMain)
	e.AgentName, e.AgentType, e.ParentAgentName = c.agent, c.agent, c.caller
	e.Content = c.userText
	e.Extra = c.extra.json()
	f.prompt(idSystem, schema.RoleSystem, c.systemText, "system_prompt_sources", c.systemSources)
	f.prompt(idUser, schema.RoleUser, c.userText, "user_prompt_sources", c.userSources)
}

// prompt adds a prompt of an agent, which another agent or a file may have written.
func (f *draft) prompt(place int, role, text, name string, sources value) {
	if text == "" && sources.empty() {
		return
	}
	e := f.add(schema.Message, place)
	e.Role, e.Actor, e.Content = role, schema.ActorRuntime, text
	if !sources.empty() {
		var extra object
		extra.raw(name, sources)
		e.Extra = extra.json()
	}
}

// modelCall adds the request and the response of a record's model call, of which it holds
// the last one. That it failed is said in the events.
func (f *draft) modelCall(c *agentCall) {
	if !c.sent.null() {
		e := f.add(schema.LLMStart, idRequest)
		e.Model = c.sent.member("model").text()
		var extra object
		extra.raw("request", c.sent)
		e.Extra = extra.json()
	}
	if c.received.null() && c.response.null() && (!c.failed || c.sent.null()) {
		return
	}
	e := f.add(schema.LLMEnd, idResponse)
	e.CausedBy = f.id(idRequest)
	var extra object
	if e.Content = c.received.text(); e.Content == "" && !c.received.null() {
		extra.raw("llm_message_received", c.received) // "", or a list in an old version
	}
	if !c.response.null() {
		extra.raw("model_response", c.response)
	}
	if c.failed && c.received.empty() || c.refused {
		e.IsError, e.ErrorType, e.ErrorMessage = true, nameLLMError, c.failure
	}
	e.Extra = extra.json()
}

// readFailure reads what is said of a model call that failed: by the events, or by an answer that is
// an error, as agent_framework has it of a provider that refuses (drivers/dial.py,
// llm_trace_logging.py).
func (c *agentCall) readFailure() {
	said := c.response.member("error")
	c.refused = !said.empty() && said.first() != 'f' && string(said.raw()) != "0"
	for _, v := range c.events.elements() {
		if e := readEntry(v); e.title() == nameLLMError {
			c.failed, c.failure = true, e.failure()
			return
		}
	}
	if c.refused {
		c.failed, c.failure = true, readEntry(c.response).failure()
	}
}

// raised reports a run that asked its model and ended with no answer to decide on: its
// exception ended it. Of one that raised later a record says nothing.
func (c *agentCall) raised() bool {
	return !c.sent.null() && c.decision.null() && (c.failed || c.received.empty())
}
