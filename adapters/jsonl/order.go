package jsonl

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Order reads the lines of one file one after the other and says of each what those before
// it tell: what a line of a OneSession format leaves out, the order of the file knows. It is
// a function of the lines before, however the file is read, so that who goes on in the middle
// shows it these first. It keeps little of a line: the runs that are under way, maxRuns of
// them at most.
type Order struct {
	src    Source
	time   time.Time // of the last line that has one
	runs   map[string]*runOrder
	began  []string // runs in their order; those that ended are among them
	agents map[string]*agentOrder
}

// maxRuns is how many runs are followed at a time; the oldest are forgotten then.
const maxRuns = 4096

// runOrder is what the lines of a run that is under way told.
type runOrder struct {
	request string      // event id of the last llm.request, "" where it was answered
	unsure  bool        // more requests than that one wait, and nobody names a run
	model   string      // that it asks
	asked   time.Time   // when
	call    string      // tool_use_id of the call that has not ended
	tool    string      // that it calls
	agent   *agentOrder // nil until agent_started; its RuntimeTraceBehavior tells of ends then
	told    string      // the status of agent_finished
	failed  bool        // the last thing that the run did was to fail to call its model
}

// agentOrder is the runs of one agent that are under way. They share the behavior that tells
// of their ends, and the first that ends silences it (runtime_trace_behavior.py, after_run).
type agentOrder struct {
	name   string
	open   int
	shared bool
}

// Before is what the lines before one tell of it; the zero value is nothing.
type Before struct {
	// Time is that of the nearest line before which has one, where the line has none.
	Time    time.Time
	request string    // event id of the llm.request that it answers, or says the failure of
	asked   time.Time // when that was
	call    string    // tool_use_id of the call that failed
	failed  bool      // the run that ends raised, or said that it failed
}

// NewOrder returns the order of a file, before its first line.
func NewOrder(src Source) *Order {
	return &Order{src: src, runs: map[string]*runOrder{}, agents: map[string]*agentOrder{}}
}

// Time is that of the last line that has one.
func (o *Order) Time() time.Time { return o.time }

// Next says what the lines before tell of a line, which is as Append gets it, and takes in what
// it tells of later ones. Of a bad line it takes what it can read.
func (o *Order) Next(line []byte) Before {
	if !o.src.Format.OneSession() {
		return Before{}
	}
	var b Before
	m := o.read(line)
	if !m.timed {
		b.Time = o.time
	} else {
		o.time = m.time
	}
	if o.src.Format == TraceEvents && m.channel != "log" && m.channel != "user" {
		o.trace(line, &m, &b)
	}
	return b
}

// orderMarks are the members of a line that its order needs.
type orderMarks struct {
	time                 time.Time
	timed                bool
	kind, channel        string
	eventID, cause, span json.RawMessage
	context, payload     json.RawMessage
}

// read reads them, of a dump's line up to its time, which is what it begins with.
func (o *Order) read(line []byte) (m orderMarks) {
	for name, raw := range schema.Fields(line) {
		switch name {
		case "timestamp":
			if at, ok := parseTime(schema.Unquote(raw)); ok {
				m.time, m.timed = at, true
			}
			if m.timed && o.src.Format == Audit {
				return m
			}
		case "kind":
			m.kind = schema.Unquote(raw)
		case "channel":
			m.channel = schema.Unquote(raw)
		case "event_id":
			m.eventID = raw
		case "parent_event_id":
			m.cause = raw
		case "span_id":
			m.span = raw
		case "context":
			m.context = raw
		case "payload":
			m.payload = raw
		}
	}
	return m
}

// trace takes in a TraceEvent, as agent_framework writes them: what one run does it does one
// after the other, and its lines are in that order.
func (o *Order) trace(line []byte, m *orderMarks, b *Before) {
	switch m.kind {
	case "runtime.audit.agent_call_started":
		o.end(m.run()) // a run's id may be called again
	case "runtime.agent_started":
		o.start(m.run(), schema.FieldString(m.context, "agent_id"))
	case "runtime.agent_finished":
		if r := o.runs[m.run()]; r != nil {
			r.told, r.failed = schema.FieldString(m.payload, "status"), false
			if r.told == "" {
				r.told = schema.StatusCompleted
			}
		}
	case "runtime.audit.agent_call_finished":
		if r := o.runs[m.run()]; r != nil {
			b.failed = r.raised()
			o.end(m.run())
		}
	case "llm.request":
		r := o.of(m.run())
		r.unsure = r.request != "" && m.run() == ""
		r.request, r.model, r.asked, r.failed = o.requestID(line, m), m.model(), m.time, false
	case "llm.response", nameLLMError:
		o.answered(o.of(m.run()), m, b)
	case "runtime.model_call_failed":
		r := o.of(m.run())
		o.answered(r, m, b)
		r.failed = true
	case "runtime.tool_call_started":
		r := o.of(m.run())
		r.call, r.tool, r.failed = laneID(schema.Unquote(m.span)), laneID(m.toolName()), false
	case "runtime.tool_call_finished":
		if r := o.of(m.run()); r.call == laneID(schema.Unquote(m.span)) {
			r.call = ""
		}
	case "runtime.tool_execution_failed":
		if r := o.of(m.run()); r.call != "" && r.tool == laneID(m.toolName()) {
			b.call, r.call = r.call, ""
		}
	}
}

// run is the lane that the line is in: see draft.traceRun.
func (m *orderMarks) run() string {
	for _, from := range [][]byte{m.payload, m.context} {
		switch raw := schema.Field(from, "run_id"); {
		case len(raw) > 2 && raw[0] == '"':
			return laneID(schema.Unquote(raw))
		case len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9'):
			return laneID(string(raw))
		}
	}
	return ""
}

func (m *orderMarks) model() string {
	return laneID(schema.FieldString(m.payload, "model_name"))
}

func (m *orderMarks) toolName() string { return schema.FieldString(m.payload, "tool_name") }

// requestID is the id of the event that Append makes of a request.
func (o *Order) requestID(line []byte, m *orderMarks) string {
	f := draft{src: &o.src, door: "trace", key: schema.Unquote(m.eventID)}
	if f.key == "" {
		f.door, f.key = "line", lineKey(line)
	}
	return f.id(idMain)
}

// answered notes that a model answered, or failed to. It is the last request of the run that it answered,
// unless that is of another model, or the line says itself what caused it.
func (o *Order) answered(r *runOrder, m *orderMarks, b *Before) {
	model := m.model()
	same := model == "" || r.model == "" || model == r.model
	if r.request != "" && !r.unsure && same && schema.Unquote(m.cause) == "" {
		b.request, b.asked = r.request, r.asked
	}
	r.request, r.unsure = "", false
}

// raised reports that a run which ends now did not come to an end of its own.
func (r *runOrder) raised() bool {
	switch r.told {
	case "":
		return r.failed || r.agent != nil && !r.agent.shared
	case "failed", "error":
		return true
	}
	return false
}

// of is the run of that id, "" that of what names none.
func (o *Order) of(id string) *runOrder {
	r := o.runs[id]
	if r == nil {
		for len(o.runs) >= maxRuns {
			oldest := o.began[0]
			o.began = o.began[1:]
			o.end(oldest)
		}
		r = &runOrder{}
		o.runs[id] = r
		if o.began = append(o.began, id); len(o.began) > 2*maxRuns {
			o.began = slices.DeleteFunc(o.began, func(id string) bool { return o.runs[id] == nil })
		}
	}
	return r
}

func (o *Order) start(id, agent string) {
	r := o.of(id)
	if r.agent != nil {
		return
	}
	agent = laneID(agent)
	if r.agent = o.agents[agent]; r.agent == nil {
		r.agent = &agentOrder{}
		o.agents[agent] = r.agent
	}
	r.agent.name = agent
	r.agent.open++
	r.agent.shared = r.agent.shared || r.agent.open > 1
}

func (o *Order) end(id string) {
	r := o.runs[id]
	if r == nil {
		return
	}
	delete(o.runs, id)
	if r.agent == nil {
		return
	}
	if r.agent.open--; r.agent.open == 0 {
		delete(o.agents, r.agent.name)
	}
}
