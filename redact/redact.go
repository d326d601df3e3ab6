package redact

import (
	"bytes"
	"cmp"
	"maps"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// DefaultMaxString is what Options.MaxString is where it is 0.
const DefaultMaxString = 1 << 20

// Options are what New takes; the zero value is the default.
type Options struct {
	// MaxString is how many bytes of one string value an event keeps: see
	// schema.CutString. A tool_input or result that is then still longer than 16 such
	// strings is kept as one: its JSON as a text, cut.
	MaxString int
	// Policy returns the capture policy in force, which is asked for each event; nil, and a
	// nil policy, keep everything. Everyone who writes to a home has its Redactor from
	// journal.Journal.Redactor, which gives the home's.
	Policy func() *policy.Policy
	// Key keys the hashes that stand for what the policy leaves out.
	Key []byte
	// Project is where the runtime says that the session's project is, "" where nobody does.
	Project string
}

// Redactor takes credentials out of events. It is safe for concurrent use, and
// cheap to make: it compiles an expression when its literal first turns up.
type Redactor struct {
	max     int
	anchors *anchors
	rules   []*rule
	exprs   []lazyExpr // one a rule

	options  Options
	whole    int              // how long an input or a result may be
	patterns []policy.Pattern // the user's own
	keeper   *policy.Keeper   // nil: everything is kept
	inForce  atomic.Pointer[Redactor]
}

type lazyExpr struct {
	once sync.Once
	re   *regexp.Regexp
}

// New returns a Redactor with every rule of the package.
func New(o Options) *Redactor {
	r := &Redactor{max: o.MaxString, options: o, rules: make([]*rule, 0, 320), anchors: new(newAnchors(640))}
	if r.max <= 0 {
		r.max = DefaultMaxString
	}
	r.whole = maxStrings * r.max
	for _, table := range tables() {
		for i := range table {
			for _, lit := range table[i].lits {
				r.anchors.add(len(r.rules), &table[i], lit)
			}
			r.rules = append(r.rules, &table[i])
		}
	}
	r.exprs = make([]lazyExpr, len(r.rules))
	return r
}

// Event redacts, cuts and encodes e. What it took out is counted in the line's
// redacted and cut members. The line is valid JSON whatever e holds: a raw field
// that is no JSON is kept as a string (metadata and extra, which are objects, as
// {"payload": string}), and a session id that is no valid id is hashed.
func (r *Redactor) Event(e schema.Event) Line {
	line, _ := r.AppendEvent(nil, e)
	return line
}

// AppendEvent is Event for one who makes many lines and gives up all of them at once: it
// writes the line behind buf, which it returns longer by that line; the line's bytes are
// those of buf. A line for which buf has no room has memory of its own.
func (r *Redactor) AppendEvent(buf []byte, e schema.Event) (Line, []byte) {
	return r.AppendEventNear(buf, e, "")
}

// AppendEventNear is AppendEvent for an event that may not say in which folder it happened: dir
// is then the one by which the policy decides whether it is recorded, "" where nobody knows. It
// is no part of the line.
func (r *Redactor) AppendEventNear(buf []byte, e schema.Event, dir string) (Line, []byte) {
	dir = cmp.Or(e.WorkingDirectory, dir)
	if e.EventType != schema.SourcePosition { // the readers' own, who compare its path
		r = r.current()
	}
	ofReader := e.EventType == schema.SourcePosition && schema.IsPositionsID(e.SessionID)
	if !ofReader && !(e.OfRecorder() && e.SessionID == schema.Recorder) {
		e.SessionID = schema.SafeID(e.SessionID)
	}
	if r.keeper != nil {
		if rule := r.keeper.LeavesOut(dir); rule != 0 {
			return Line{typ: e.EventType, out: LeftOut{Session: e.SessionID, Event: e.EventID, Rule: rule}}, buf
		}
	}
	mend(&e)
	begin, full := len(buf), buf
	if need := room(&e); cap(buf)-len(buf) < need {
		begin, buf = 0, make([]byte, 0, min(need, 1024+2*r.max))
	} else {
		full = nil
	}
	encoded := size(&e) <= r.max && r.keeper == nil
	if encoded {
		buf = e.AppendJSON(buf)
	}
	if line := buf[begin:]; !encoded || len(line) > r.max || r.mayHold(texts(line, &e)) {
		r.rewrite(&e)
		if r.keeper != nil {
			r.keeper.Withhold(&e)
		}
		buf = e.AppendJSON(buf[:begin])
	}
	line := Line{session: e.SessionID, typ: e.EventType, placed: dir != "", json: buf[begin:len(buf):len(buf)]}
	if full != nil {
		buf = full
	}
	return line, buf
}

// Text redacts one plain string, by the same rules, and returns what it took out,
// counted by rule (nil where it found nothing). It does not cut.
func (r *Redactor) Text(s string) (string, map[string]int) {
	r = r.current()
	if !r.mayHold([]byte(s)) {
		return s, nil
	}
	f := findings{}
	out := string(r.text([]byte(s), &f))
	return out, f.counts
}

// findings is what one event lost.
type findings struct {
	counts map[string]int
	cut    int
}

func (f *findings) add(id string) {
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[id]++
}

// rewrite redacts and cuts every field of e that holds text. Ids and hashes are
// left alone: they are keys, and what reads them compares them byte by byte.
func (r *Redactor) rewrite(e *schema.Event) {
	f := findings{counts: maps.Clone(e.Redacted), cut: e.Cut}
	for _, s := range []*string{
		&e.SourceSDK, &e.HookEventName, &e.AgentType, &e.Actor, &e.Host, &e.UserID, &e.WorkingDirectory,
		&e.ToolName, &e.ErrorType, &e.ErrorMessage, &e.AgentName, &e.ParentAgentName, &e.FromAgent, &e.ToAgent,
		&e.Role, &e.Model, &e.Status, &e.Reason, &e.Title,
	} {
		*s = r.value(*s, &f)
	}
	e.Content = r.content(e, &f)
	e.Tags = slices.Clone(e.Tags)
	for i, tag := range e.Tags {
		e.Tags[i] = r.value(tag, &f)
	}
	e.ToolInput = r.bounded(r.raw(e.ToolInput, &f), &f)
	e.Result = r.bounded(r.raw(e.Result, &f), &f)
	e.Metadata = r.raw(e.Metadata, &f)
	e.Extra = r.raw(e.Extra, &f)
	e.Redacted, e.Cut = f.counts, f.cut
}

// value redacts a string, then cuts it: the other way round, a secret that
// straddles the cut would keep its halves.
func (r *Redactor) value(s string, f *findings) string { return r.cut(r.plain(s, f), f) }

// plain redacts a string.
func (r *Redactor) plain(s string, f *findings) string {
	if b := []byte(s); r.mayHold(b) {
		s = string(r.text(b, f))
	}
	if !utf8.ValidString(s) {
		s = string([]rune(s)) // as encoding it would, which makes it longer
	}
	return s
}

func (r *Redactor) cut(s string, f *findings) string {
	s, cut := schema.CutString(s, r.max)
	if cut {
		f.cut++
	}
	return s
}

// maxStrings is how many of the longest strings a tool_input or result may be long: the
// two texts of a file that is written, the images of a page.
const maxStrings = 16

// bounded returns a redacted value, or where it is too long the text of it, cut: what is
// made of many small values has no string to cut. It is redacted again, as a text, for
// what is the bytes of an image in JSON can be a token in a text.
func (r *Redactor) bounded(raw []byte, f *findings) []byte {
	if len(raw) <= r.whole {
		return raw
	}
	return schema.AppendString(nil, r.value(string(raw), f))
}

// mend repairs the raw fields of e that are no JSON.
func mend(e *schema.Event) {
	e.ToolInput, e.Result = repair(e.ToolInput, false), repair(e.Result, false)
	e.Metadata, e.Extra = repair(e.Metadata, true), repair(e.Extra, true)
}

// size is about how long e is: what is longer than a string may be is not encoded to be
// looked at, and then again without what it lost.
func size(e *schema.Event) int {
	return len(e.ToolInput) + len(e.Result) + len(e.Metadata) + len(e.Extra) + len(e.Content) + len(e.ErrorMessage)
}

// texts is the line of e without the ids and the time that it begins with, which rewrite
// leaves alone; or the whole line, where one of them needed an escape.
func texts(line []byte, e *schema.Event) []byte {
	at := len(`{"v":1,"event_id":"","event_type":"","session_id":"","timestamp":"",`) +
		len(e.EventID) + len(e.EventType) + len(e.SessionID) + len(schema.TimeLayout)
	if at < len(line) && bytes.HasPrefix(line[at:], []byte(`"source_sdk":`)) {
		return line[at:]
	}
	return line
}

// room is how long the line of e mostly is at most.
func room(e *schema.Event) int {
	n := size(e)
	return 1024 + n + n/8
}

// repair returns raw where it is one JSON value on one line, else what comes
// nearest. A raw field is checked by itself: `1,"is_error":true` makes a valid
// line, with a member that nobody set.
func repair(raw []byte, object bool) []byte {
	if len(raw) == 0 {
		return raw
	}
	raw = bytes.Trim(raw, " \t\r\n")
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\ufffd"))
	}
	if !schema.Valid(raw) || tooDeep(raw) {
		return quote(raw, object)
	}
	if bytes.IndexByte(raw, '\n') >= 0 || bytes.IndexByte(raw, '\r') >= 0 {
		raw = compact(raw)
	}
	if object && raw[0] != '{' && string(raw) != "null" {
		return quote(raw, object)
	}
	return raw
}

// tooDeep reports whether raw is valid by itself and no longer within a line, where
// it is one level deeper: encoding/json reads 10,000.
func tooDeep(raw []byte) bool {
	if bytes.Count(raw, []byte("["))+bytes.Count(raw, []byte("{")) < 9990 {
		return false
	}
	return !schema.Valid(slices.Concat([]byte("["), raw, []byte("]")))
}

func quote(raw []byte, object bool) []byte {
	if len(raw) == 0 {
		return raw
	}
	var b []byte
	if object {
		b = append(b, `{"`+schema.MetaPayload+`":`...)
	}
	b = schema.AppendString(b, string(raw))
	if object {
		b = append(b, '}')
	}
	return b
}

// apply replaces the spans of s.
func (r *Redactor) apply(s []byte, spans []span, f *findings) []byte {
	var out []byte
	last := 0
	for _, p := range spans {
		id := r.name(p.slot)
		f.add(id)
		out = append(out, s[last:p.start]...)
		out = append(out, markOpen...)
		out = append(out, id...)
		out = append(out, ']')
		last = p.end
	}
	return append(out, s[last:]...)
}

const markOpen = "[REDACTED:"

// text redacts s until nothing is left to find: what stands behind a secret can
// become a secret's beginning once the bytes that hid it are gone, and redacting
// twice must give what redacting once gives.
func (r *Redactor) text(s []byte, f *findings) []byte {
	for range 16 {
		spans := r.find(s)
		if len(spans) == 0 {
			break
		}
		s = r.apply(s, spans, f)
	}
	return r.custom(s, f)
}

// RuleIDs returns the id of every rule, sorted.
func RuleIDs() []string {
	var ids []string
	for _, table := range tables() {
		for i := range table {
			if table[i].kind != escaped {
				ids = append(ids, table[i].id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
