package jsonl

import (
	"cmp"
	"fmt"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Format is what the lines of a file are.
type Format string

// The formats. Claude Code's transcripts are read by adapters/claude; Detect names them
// so that nobody takes one for something else.
const (
	Audit       Format = "audit"        // the third seed's audit dumps
	TraceEvents Format = "trace-events" // the unified TraceEvents that such dumps are made of
	OMS         Format = "oms"          // Action grains, 1.1 to 1.3, bare or in batches
	Events      Format = "events"       // the Event Protocol: schema/event.schema.json, and the reference's
	Claude      Format = "claude"
)

// Formats lists the formats that a Decoder reads.
func Formats() []Format { return []Format{Audit, TraceEvents, OMS, Events} }

// OneSession reports whether a file of the format is one session (SessionID), and its
// lines name none.
func (f Format) OneSession() bool { return f == Audit || f == TraceEvents }

// Source is what the lines of one file, or what one caller sends, have in common.
type Source struct {
	Format Format
	// Session is whose the lines of a OneSession format are: see SessionID.
	Session string
	// Title and Path, which may be empty, say of that session where it comes from.
	Title, Path string
	// Origin of events whose line does not say it: schema.OriginAudit of a file or
	// pipe, schema.OriginAPI of a caller, who is there to end what it began.
	Origin     schema.Origin
	Host, User string
	// HashKey is the key of Event.InputHash: the journal's.
	HashKey []byte
	// Key names what a caller sends: with it, an event that says neither when it was nor
	// which it is has the same id each time that it is sent with this key. See eventID.
	Key string
	// Namespace is that of grains that name none; "" is DefaultNamespace.
	Namespace string
	// KeepUnknown keeps grains of other types as unknown events instead of refusing them.
	KeepUnknown bool
}

// Line says what a line was.
type Line struct {
	// Kind is the line's own type, for counts: agent_call, user_input, llm.request,
	// action, tool_start …; "batch" for a batch of grains.
	Kind string
	// Skipped is a line of a known kind of which nothing is recorded (a TraceEvent of
	// the log channel, a source_position), Unknown one of a kind that this version does
	// not know: it is an unknown event, whole.
	Skipped, Unknown bool
	// Hashes are the hashes of the grains, in their order.
	Hashes []string
}

// LineError says what is wrong with a line. Nothing of the line is recorded.
type LineError struct {
	Column int    // the byte at which it is, from 1; 0 is not known
	Item   int    // the grain or event of a batch or array, from 0; -1 is no part of one
	Field  string // "" is the whole
	Err    error
}

func (e *LineError) Error() string {
	text := e.Err.Error()
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Item >= 0 {
		text = fmt.Sprintf("item %d: %s", e.Item, text)
	}
	if e.Column > 0 {
		text = fmt.Sprintf("column %d: %s", e.Column, text)
	}
	return text
}

func (e *LineError) Unwrap() error { return e.Err }

// Decoder turns the lines of one source into events. It keeps nothing of a line: what a
// line means depends on the line, its number, the Source and Before alone, so that a reader may
// go on anywhere in a file. It is for one goroutine.
type Decoder struct {
	// Before is what the lines in front of the next one tell of it, as an Order has it. Only
	// files of a OneSession format have an order.
	Before  Before
	src     Source
	texts   schema.Texts // what lines repeat of each other
	scratch []byte       // used again
	// spill, where it is not nil, takes what a batch gave so far, and returns what it left of it.
	spill func([]schema.Event) []schema.Event
}

// NewDecoder returns the decoder of a source whose Format is one of Formats.
func NewDecoder(src Source) *Decoder { return &Decoder{src: src} }

// Append appends the events of one whole line, without its newline, to dst. n is the
// line's number, from 1; at is the time of what states none: when it was received, or
// the file's last change. On an error, a *LineError, dst is as it was. The events alias
// nothing of line.
func (d *Decoder) Append(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	switch d.src.Format {
	case Audit:
		return d.audit(dst, line, n, at)
	case TraceEvents:
		return d.traceEvent(dst, line, n, at)
	case OMS:
		return d.grains(dst, line, n, at)
	case Events:
		return d.event(dst, line, n, at)
	}
	return dst, Line{}, &LineError{Item: -1, Err: fmt.Errorf("format %q: nobody decodes it", d.src.Format)}
}

// Pieces is Append for a batch that is long: it hands the events to yield, at least room of
// them at a time, and keeps none, so that they need not all be in memory. The first
// are handed over once all of the line is known to be right. They are valid until
// yield returns; an error of yield ends it, and is returned. Line.Hashes stays empty.
func (d *Decoder) Pieces(line []byte, n int64, at time.Time, room int, yield func([]schema.Event) error) (Line, error) {
	if d.src.Format != OMS && d.src.Format != Events {
		events, what, err := d.Append(nil, line, n, at)
		if err != nil {
			return what, err
		}
		return what, yield(events)
	}
	defer func() { d.spill = nil }()
	d.spill = func(events []schema.Event) []schema.Event { return events[:0] }
	if _, what, err := d.Append(nil, line, n, at); err != nil {
		return what, err
	}
	var failed error
	d.spill = func(events []schema.Event) []schema.Event {
		if failed == nil && len(events) < room {
			return events
		}
		if failed == nil {
			failed = yield(events)
		}
		clear(events)
		return events[:0]
	}
	rest, what, err := d.Append(nil, line, n, at)
	if err == nil && failed == nil && len(rest) > 0 {
		failed = yield(rest)
	}
	return what, cmp.Or(err, failed)
}

// spilled is called behind each item of a batch.
func (d *Decoder) spilled(events []schema.Event) []schema.Event {
	if d.spill == nil {
		return events
	}
	return d.spill(events)
}
