package jsonl

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// sourceSDK is Event.SourceSDK of what agent_framework writes.
const sourceSDK = "agent-framework"

// maxName is how long an agent's id or a kind may be, in bytes.
const maxName = 128

// maxPart is the greatest place in a line that Event.Seq tells apart.
const maxPart = 999

// Places of the events of a line, which are part of their ids: a place means the same
// whether the other events are there or not.
const (
	idSession = iota // what the file says of the session
	idMain           // the line's own event
	idSystem         // its system prompt
	idUser           // its user prompt
	idRequest
	idResponse
	idDecision
	idDecided // what the decision led to
	idRest    // callbacks, skills, events and the end, one after the other
)

// draft is the events of one line while they are made. The first fault ends it: of a
// line with one nothing is recorded.
type draft struct {
	src    *Source
	before Before
	dst    []schema.Event
	was    int    // how many events dst had
	door   string // what key is the key of: "line", or "trace" for a TraceEvent's own id
	key    string
	seq    int64 // of the line

	at   time.Time // of what states no time
	kind string    // the line's
	lane string
	time time.Time
	// timeless says that the line has no time: it has that of its neighbour, or else the one at
	// which it was received.
	timeless bool
	// callsTold says that the calls that a decision led to are told by other lines.
	callsTold bool
	line      Line
	err       *LineError
}

func (d *Decoder) draft(dst []schema.Event, n int64, at time.Time, key string) *draft {
	if !d.Before.Time.IsZero() {
		at = d.Before.Time
	}
	return &draft{src: &d.src, before: d.Before, dst: dst, was: len(dst), at: at.UTC(), door: "line", key: key, seq: n * (maxPart + 1)}
}

func (f *draft) fail(err *LineError) {
	if f.err == nil {
		f.err = err
	}
}

// id is the event id of the event at a place of the line.
func (f *draft) id(place int) string { return f.idOf(f.key, place) }

func (f *draft) idOf(key string, place int) string {
	return schema.EventID(schema.OriginAudit, f.door, f.src.Session, key, strconv.Itoa(place))
}

// add adds an event of the line. It is at that address until the next one is added.
func (f *draft) add(typ schema.Type, place int) *schema.Event {
	f.dst = append(f.dst, schema.Event{})
	e := &f.dst[len(f.dst)-1]
	e.V, e.EventType, e.EventID = schema.Version, typ, f.id(place)
	e.SessionID, e.Timestamp = f.src.Session, f.time
	e.SourceSDK, e.Origin, e.HookEventName = sourceSDK, schema.OriginAudit, f.kind
	e.AgentID, e.Actor = f.lane, schema.ActorAgent
	e.Seq = f.seq + int64(min(place, maxPart))
	e.Host, e.UserID = f.src.Host, f.src.User
	return e
}

// part is add for a part of the line that has a name of its own.
func (f *draft) part(typ schema.Type, name string, place int) *schema.Event {
	e := f.add(typ, place)
	e.HookEventName = name
	return e
}

// finish gives e the line's time and what else the line says.
func (f *draft) finish(e *schema.Event, extra *object) {
	f.received(extra)
	e.Timestamp = f.time
	e.Extra = extra.json()
}

// received gives a line without a time that of what states none, and says so.
func (f *draft) received(extra *object) {
	if f.time.IsZero() {
		f.time, f.timeless = f.at, true
	}
	if f.timeless {
		markTimeless(extra)
	}
}

func markTimeless(extra *object) {
	extra.key("timestamp_missing")
	extra.buf = append(extra.buf, "true"...)
}

// done ends the line: on its file's first one with what the file says of the session.
func (f *draft) done(n int64) ([]schema.Event, Line, error) {
	if f.err != nil {
		return f.dst[:f.was], Line{}, f.err
	}
	f.line.Kind = f.kind
	if n == 1 && (f.src.Title != "" || f.src.Path != "") {
		var extra object
		f.lane = ""
		if f.time.IsZero() {
			f.time = f.at
		}
		e := f.add(schema.SessionUpdate, idSession)
		e.Actor = schema.ActorRuntime
		e.Title = f.src.Title
		if f.src.Path != "" {
			extra.text("transcript_path", f.src.Path)
		}
		e.Extra = extra.json()
	}
	return f.dst, f.line, nil
}

// setTime takes the time of the line. That it has none is no fault.
func (f *draft) setTime(v value) {
	if t, ok := f.timeOf(v, "timestamp"); ok {
		f.time = t
	}
}

// timeOf reads a time; ok is false where there is none.
func (f *draft) timeOf(v value, field string) (t time.Time, ok bool) {
	if v.null() {
		return t, false
	}
	t, ok = parseTime(v.text())
	if !ok {
		f.fail(v.fault(field, "want an RFC 3339 time of 1970 to 2261, as datetime.isoformat() writes it, got %s", v.sample()))
	}
	return t, ok
}

// sample is the value as a message shows it.
func (v value) sample() string {
	if v.first() == '{' || v.first() == '[' {
		return v.what()
	}
	text, _ := schema.CutString(string(v.raw()), 200)
	return text
}

// text is that of a string, "" of null and of none; anything else is a fault.
func (f *draft) text(v value, field string) string {
	if !v.null() && v.first() != '"' {
		f.fail(v.fault(field, "want a string, got %s", v.what()))
	}
	return v.text()
}

// takeText is text for a typed field that says all there is: what it cannot say, that
// the value is "" or null, goes to extra, under the last part of the field's name.
func (f *draft) takeText(v value, field string, extra *object) string {
	text := f.text(v, field)
	if text == "" {
		extra.raw(field[strings.LastIndexByte(field, '.')+1:], v)
	}
	return text
}

// name is a name or an id: a string, or a number, whose digits it is then. exact is
// false where extra has to keep the value itself.
func (f *draft) name(v value, field string) (name string, exact bool) {
	switch c := v.first(); {
	case v.null():
		return "", !v.there()
	case c == '"':
		name = v.text()
		return name, name != ""
	case c == '-' || '0' <= c && c <= '9':
		return string(v.raw()), false
	}
	f.fail(v.fault(field, "want a string or a number, got %s", v.what()))
	return "", false
}

// laneID is a run's id as the lane of its events, and as its callees name it.
func laneID(id string) string {
	if len(id) > maxName {
		return schema.SafeID(id)
	}
	return id
}

// list reports whether v is an array; null and none are an empty one.
func (f *draft) list(v value, field string) bool {
	if !v.null() && v.first() != '[' {
		f.fail(v.fault(field, "want an array, got %s", v.what()))
		return false
	}
	return true
}

// isObject reports whether v is an object, and faults it if it is not.
func (f *draft) isObject(v value, field string) bool {
	if v.first() != '{' {
		f.fail(v.fault(field, "want an object, got %s", v.what()))
		return false
	}
	return true
}

func item(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// call adds the start of a call, which no result follows.
func (f *draft) call(part, tool string, place int, input json.RawMessage) *schema.Event {
	e := f.part(schema.ToolStart, part, place)
	e.ToolName = tool
	e.ToolUseID = schema.NewID("tool_use", e.EventID)
	e.ToolInput = input
	e.InputHash = keyedHash(f.src.HashKey, input)
	return e
}

// keyedHash is Event.InputHash; without a key there is none.
func keyedHash(key, input []byte) string {
	if len(key) == 0 || len(input) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(input)
	return schema.Key(mac.Sum(nil)[:16]).String()
}
