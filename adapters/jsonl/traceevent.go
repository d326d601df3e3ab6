package jsonl

import (
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// traceEvent reads one TraceEvent, as agent_framework's JsonlTraceSubscriber writes it
// (asdict, agent_framework.tracing): what its AuditTraceSubscriber makes a dump of, one
// fact a line, when it happened. Kinds that this subscriber passes over are a context, or unknown
// events; the channels that it is not subscribed to, log and user, are skipped.
func (d *Decoder) traceEvent(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	v, err := lineValue(line)
	if err != nil {
		return dst, Line{}, err
	}
	t := readTrace(v)
	f := d.draft(dst, n, at, t.eventID)
	if f.door = "trace"; f.key == "" {
		f.door, f.key = "line", lineKey(line)
	}
	f.trace(t)
	return f.done(n)
}

// trace is a TraceEvent. What is not taken of it is in envelope.
type trace struct {
	whole, kind, timestamp  value
	context, payload        value
	run                     value // the payload's run_id, where it is the lane
	channel, eventID, cause string
	span                    string // the call or the run that the event is about
	envelope                object
}

func readTrace(v value) *trace {
	t := &trace{whole: v}
	for name, m := range v.members() {
		switch string(name) {
		case "kind":
			t.kind = m
		case "timestamp":
			t.timestamp = m
		case "payload":
			t.payload = m
		default:
			switch string(name) {
			case "channel":
				t.channel = m.text()
			case "context":
				t.context = m
			case "event_id":
				t.eventID = m.text()
			case "parent_event_id":
				t.cause = m.text()
			case "span_id":
				t.span = m.text()
			}
			if !m.empty() { // the dataclass's defaults
				t.envelope.raw(string(name), m)
			}
		}
	}
	return t
}

func (f *draft) trace(t *trace) {
	kind := t.kind.text()
	if kind == "" {
		at := t.kind
		if !at.there() {
			at = t.whole
		}
		f.fail(at.fault("kind", "want the kind of a TraceEvent, got %s", t.kind.what()))
		return
	}
	f.kind = shortName(kind)
	f.time, _ = parseTime(t.timestamp.text())
	if channel := t.channelOf(kind); channel == "log" || channel == "user" {
		f.line.Skipped = true
		return
	}
	add := f.traced(kind, t)
	if add == nil {
		f.untraced(t)
		return
	}
	f.setTime(t.timestamp)
	if !t.payload.null() && !f.isObject(t.payload, "payload") || !t.context.null() && !f.isObject(t.context, "context") {
		return
	}
	from := len(f.dst)
	var extra object
	f.lane = f.traceRun(t, &extra)
	if f.timeless = f.time.IsZero(); f.timeless {
		f.time = f.at
	}
	add(t, &extra)
	if f.err != nil || len(f.dst) == from {
		return
	}
	// What the line says beside its payload is said once, of its first event.
	f.received(&extra)
	if envelope := t.envelope.json(); envelope != nil {
		extra.key("trace_event")
		extra.buf = append(extra.buf, envelope...)
	}
	e := &f.dst[from]
	e.HookEventName, e.Extra = f.kind, extra.json()
	if t.cause != "" && e.CausedBy == "" {
		e.CausedBy = f.idOf(t.cause, idMain)
	}
}

// channelOf is the channel of the event; where it states none, its kind begins with it.
func (t *trace) channelOf(kind string) string {
	if t.channel != "" {
		return t.channel
	}
	channel, _, _ := strings.Cut(kind, ".")
	return channel
}

// traced returns what adds the events of a kind, nil where nobody knows it, or where other
// lines tell it. It adds the line's own event first, at idMain, and leaves to extra what no
// event takes of the payload.
func (f *draft) traced(kind string, t *trace) func(*trace, *object) {
	switch kind {
	case "runtime.tool_call_started", "runtime.tool_call_finished":
		if t.span == "" {
			return nil // it names no call
		}
		if kind == "runtime.tool_call_started" {
			return f.traceToolStart
		}
		return f.traceToolEnd
	case "runtime.tool_execution_failed":
		if f.before.call != "" {
			return f.traceToolFailed
		}
		return f.traceError
	case "runtime.run_failed":
		return f.traceError
	case "runtime.model_call_failed":
		if f.before.request != "" {
			return f.traceModelFailed
		}
		if !t.payload.member("status_code").null() {
			return f.traceRepeated // its provider answered: llm.error is that answer (drivers/dial.py)
		}
		return f.traceError
	case "runtime.audit.agent_call_started":
		return f.traceStarted
	case "runtime.audit.agent_call_finished":
		return f.traceFinished
	case "runtime.audit.decision":
		return f.traceDecision
	case "runtime.audit.callback":
		return f.traceCallback
	case "runtime.audit.named_event":
		return f.traceNamed
	case "runtime.audit.skill_invocation":
		return f.traceSkill
	case "runtime.memory_put", "runtime.memory_update", "runtime.memory_autostore":
		return f.traceMemory
	case "llm.request":
		return f.traceRequest
	case "llm.response", nameLLMError:
		return f.traceResponse
	}
	if repeats(kind) {
		return f.traceRepeated
	}
	return nil
}

// repeats reports a kind of which other lines tell what there is to know
// (agents/agent.py, host.py of agent_framework 0.6.0).
func repeats(kind string) bool {
	switch kind {
	case "runtime.agent_started", "runtime.agent_finished", "runtime.decision_made", "runtime.model_call_started",
		"runtime.parameters_bound", "runtime.context_updated", "runtime.tool_unavailable":
		return true
	}
	for _, about := range []string{"runtime.subagent_call_", "runtime.skill_", "runtime.callback_"} {
		if strings.HasPrefix(kind, about) {
			return true
		}
	}
	return false
}

// untraced keeps an event of a kind that nobody knows, whole, in the lane of its run.
func (f *draft) untraced(t *trace) {
	if f.lane = laneID(t.payload.member("run_id").text()); f.lane == "" {
		f.lane = laneID(t.context.member("run_id").text())
	}
	f.unknown(t.whole)
	if t.cause != "" {
		f.dst[len(f.dst)-1].CausedBy = f.idOf(t.cause, idMain)
	}
}

// traceRun is the lane of an event: the run that its payload names, else its context.
func (f *draft) traceRun(t *trace, extra *object) string {
	if t.run = t.payload.member("run_id"); !t.run.empty() {
		return f.run(t.run, extra)
	}
	t.run = value{}
	return f.run(t.context.member("run_id"), extra)
}
