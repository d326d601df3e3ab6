package jsonl

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// event reads a line of the Event Protocol: one event, or an array of them.
func (d *Decoder) event(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	if !schema.Valid(line) {
		return dst, Line{}, notJSON(line)
	}
	v := value{line: line, end: len(line)}
	v.skip()
	place := place{n: n, at: at, item: -1}
	if v.first() != '[' {
		r := d.readEvent(v, place)
		switch {
		case r.fault != nil:
			return dst, Line{}, r.fault
		case r.e.EventType == schema.SourcePosition:
			// What this home's own files were read up to: from outside it would forge that.
			return dst, Line{Kind: r.kind, Skipped: true}, nil
		}
		return append(dst, r.e), Line{Kind: shortName(r.kind), Unknown: r.unknown}, nil
	}
	was := len(dst)
	for i, e := range v.elements() {
		place.item = i
		r := d.readEvent(e, place)
		if r.fault == nil && r.e.EventType == schema.SourcePosition {
			r.fault = e.fault("event_type", "source_position: nobody but the journal's own readers may say this")
		}
		if r.fault != nil {
			r.fault.Item = i
			return dst[:was], Line{}, r.fault
		}
		dst = d.spilled(append(dst, r.e))
	}
	return dst, Line{Kind: "batch"}, nil
}

// place is where and when an event came: the identity of one that states no other.
type place struct {
	n    int64
	at   time.Time
	item int
}

// eventReading is an event that is being read.
type eventReading struct {
	e       schema.Event
	kind    string // its event_type as it was written
	unknown bool   // of a type that this version does not know
	rest    object // what no field of an event took
	fault   *LineError
}

// readEvent reads one event.
func (d *Decoder) readEvent(v value, at place) (r eventReading) {
	if v.first() != '{' {
		r.fault = v.fault("", "want an event, an object, got %s", v.what())
		return r
	}
	for name, m := range v.members() {
		if r.fault = r.member(&d.texts, name, m); r.fault != nil {
			return r
		}
	}
	e := &r.e
	r.kind = string(e.EventType)
	if e.EventType == "" {
		r.fault = v.fault("event_type", "missing: tool_start, message, … as in schema/event.schema.json")
		return r
	}
	if e.SessionID == "" {
		r.fault = v.fault("session_id", "missing: whose event is it?")
		return r
	}
	if !slices.Contains(schema.Types(), e.EventType) {
		r.unknown = true
		r.rest.text("event_type", r.kind)
		e.HookEventName = cmp.Or(e.HookEventName, r.kind)
		e.EventType = schema.Unknown
	}
	d.complete(&r, v, at)
	if r.fault == nil {
		r.addRest(v)
	}
	if r.fault == nil {
		r.fault = invalid(v, e.Validate())
	}
	return r
}

// member takes one member of an event.
func (r *eventReading) member(texts *schema.Texts, name []byte, m value) *LineError {
	if m.null() {
		return nil // a field that a fact does not have
	}
	if string(name) == "content" && m.first() != '"' {
		// The reference's content is any value: blocks of a message, mostly.
		r.e.Content = textOf(m)
		r.rest.raw("content", m)
		return nil
	}
	known, err := r.e.Set(texts, name, clean(m.raw()))
	if err != nil && string(name) == "timestamp" {
		if t, ok := parseTime(m.text()); ok {
			r.e.Timestamp, err = t, nil
		}
	}
	if err != nil {
		return fieldFault(m, string(name), err)
	}
	if !known {
		r.rest.raw(string(name), m)
	}
	return nil
}

// fieldFault says what schema found wrong with a field, and where it is.
func fieldFault(v value, name string, err error) *LineError {
	fault := v.fault(name, "%w", err)
	if field := (*schema.FieldError)(nil); errors.As(err, &field) {
		fault.Field, fault.Err = field.Field, errors.New(field.Problem)
		if v.first() != '{' {
			fault.Err = errors.New(field.Problem + ", got " + v.sample())
		}
	}
	return fault
}

// invalid is the first of what Validate found, where it is in the line.
func invalid(v value, err error) *LineError {
	field := (*schema.FieldError)(nil)
	if err == nil || !errors.As(err, &field) {
		return nil
	}
	where := v
	if m := v.member(field.Field); m.there() {
		where = m
	}
	return where.fault(field.Field, "%s", field.Problem)
}

// textOf is the text in blocks of a message: {"type":"text","text":…}, strings.
func textOf(v value) string {
	if v.first() == '{' {
		return v.member("text").text()
	}
	var text strings.Builder
	for _, block := range v.elements() {
		part := block.text()
		if block.first() == '{' {
			part = block.member("text").text()
		}
		if part != "" && text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(part)
	}
	return text.String()
}

// complete fills in what the line leaves out. A line that has a v is of this protocol and
// says of who, where and with what all that it wants to.
func (d *Decoder) complete(r *eventReading, v value, at place) {
	e := &r.e
	if e.V == 0 {
		e.V = schema.Version
		e.Host, e.UserID = cmp.Or(e.Host, d.src.Host), cmp.Or(e.UserID, d.src.User)
		// Events of one moment keep their order.
		e.Seq = cmp.Or(e.Seq, at.n*1000+int64(at.item+1))
		r.reference()
		if e.InputHash == "" && (e.EventType == schema.ToolStart || e.EventType == schema.Permission) {
			e.InputHash = keyedHash(d.src.HashKey, e.ToolInput)
		}
	}
	e.SourceSDK = cmp.Or(e.SourceSDK, "unknown")
	e.Origin = cmp.Or(e.Origin, d.src.Origin, schema.OriginAPI)
	if safe := schema.SafeID(e.SessionID); safe != e.SessionID {
		e.Metadata = withText(e.Metadata, schema.MetaSessionID, e.SessionID)
		e.SessionID = safe
	}
	if e.EventID == "" {
		e.EventID = d.eventID(r, v, at)
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = at.at.Round(0).UTC()
	}
}

// reference takes what the reference's dataclasses call otherwise. An event that names its
// agent comes from a subagent there (actions_graph files it so), and the name is its id.
func (r *eventReading) reference() {
	e := &r.e
	e.AgentID = cmp.Or(e.AgentID, e.AgentName)
	if e.EventType == schema.Error {
		e.IsError = true
	}
	if string(e.Metadata) == "{}" {
		e.Metadata = nil
	}
	if e.Content != "" || len(r.rest.buf) == 0 {
		return
	}
	name := ""
	switch e.EventType {
	case schema.AgentEnd:
		name = "output"
	case schema.LLMEnd:
		name = "response"
	default:
		return
	}
	// A text is the content, anything else stays what it is.
	rest := object{}
	for key, m := range (value{line: r.rest.buf, end: len(r.rest.buf)}).members() {
		if string(key) == name && m.first() == '"' {
			e.Content = m.text()
			continue
		}
		rest.raw(string(key), m)
	}
	r.rest = rest
}

// eventID names a fact that has no event_id: by what its kind of fact has for a key, so
// that the facts of one call join whoever tells them, else by the line's own bytes. Bytes
// without a time name no moment: then the place in the file does, and of a caller his key
// for the call or else the time, too, as he numbers each of his calls from 1.
func (d *Decoder) eventID(r *eventReading, v value, at place) string {
	e := &r.e
	id := func(key ...string) string {
		return schema.EventID(schema.OriginAudit, r.kind, append([]string{e.SessionID}, key...)...)
	}
	switch e.EventType {
	case schema.ToolStart, schema.ToolEnd, schema.ToolBatch:
		if e.ToolUseID != "" {
			return id(e.ToolUseID)
		}
	case schema.LLMStart, schema.LLMEnd:
		if e.MessageID != "" {
			return id(e.MessageID)
		}
	}
	if !e.Timestamp.IsZero() {
		return id(string(v.raw()))
	}
	where, item := strconv.FormatInt(at.n, 10), strconv.Itoa(at.item)
	if d.src.Key != "" {
		return id(string(v.raw()), where, item, d.src.Key)
	}
	if d.src.Origin != schema.OriginAudit {
		where += "/" + schema.FormatTime(at.at)
	}
	return id(string(v.raw()), where, item)
}

// addRest puts into Extra what no field took. A name that is in both is a fault: one of
// them would be lost.
func (r *eventReading) addRest(v value) {
	rest := r.rest.json()
	if rest == nil {
		return
	}
	if len(r.e.Extra) == 0 {
		r.e.Extra = rest
		return
	}
	there := map[string]bool{}
	for name := range schema.Fields(r.e.Extra) {
		there[name] = true
	}
	for name := range schema.Fields(rest) {
		if there[name] {
			r.fault = v.member(name).or(v).fault(name, "is in extra, too: leave one of them out")
			return
		}
	}
	r.e.Extra = joinObjects(r.e.Extra, rest)
}

// joinObjects returns the members of both.
func joinObjects(a, b json.RawMessage) json.RawMessage {
	o := object{buf: make([]byte, 0, len(a)+len(b))}
	for _, part := range []json.RawMessage{a, b} {
		for name, raw := range schema.Fields(part) {
			o.key(name)
			o.buf = append(o.buf, raw...)
		}
	}
	return o.json()
}

// or is v, w where v is not there.
func (v value) or(w value) value {
	if v.there() {
		return v
	}
	return w
}

// withText returns the object with one more member; one of that name is replaced.
func withText(raw json.RawMessage, name, text string) json.RawMessage {
	var o object
	for key, m := range schema.Fields(raw) {
		if key != name {
			o.key(key)
			o.buf = append(o.buf, m...)
		}
	}
	o.text(name, text)
	return o.json()
}
