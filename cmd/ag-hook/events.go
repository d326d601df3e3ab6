package main

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// eventsRuntime is the name of callers who speak the Event Protocol themselves.
const eventsRuntime = "events"

// pause is how long after a whole value more may take to come. A caller who leaves stdin
// open, as some do, waits for the hook as long.
const pause = 200 * time.Millisecond

// protocol returns the events that a payload holds: objects or arrays of them, a line
// each or not. What is no event is an unknown one, with what came.
func (h *hook) protocol(payload, key []byte) (events []schema.Event) {
	src := jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAPI, User: userName(), HashKey: key}
	src.Host, _ = os.Hostname()
	d := jsonl.NewDecoder(src)
	var n, bad, skipped int64
	first := ""
	for value := range values(payload) {
		n++
		more, line, err := d.Append(events, value, n, h.at)
		if line.Skipped {
			skipped++
		}
		if err == nil {
			events = more
			continue
		}
		if bad++; bad == 1 {
			first = where(n, err)
		}
		for _, e := range h.unknown(value, err.Error()) {
			e.Origin = schema.OriginAPI
			events = append(events, e)
		}
	}
	if bad > 0 {
		h.warn(fmt.Sprintf("%d of %d values are no events, recorded as unknown; the first: %s", bad, n, first),
			"metadata.hook_error of the event says what is wrong: see schema/event.schema.json")
	}
	if skipped > 0 {
		h.warn(fmt.Sprintf("%d source_position events were left out: only the journal's own readers write them", skipped), "")
	}
	return events
}

// where says where in a payload a fault is, and nothing of the payload.
func where(n int64, err error) string {
	text := fmt.Sprintf("value %d", n)
	if fault := (*jsonl.LineError)(nil); errors.As(err, &fault) {
		if fault.Item >= 0 {
			text += fmt.Sprintf(", item %d", fault.Item)
		}
		text += fmt.Sprintf(", column %d", fault.Column)
	}
	return text
}

// values yields the JSON values of a payload: its lines, and where a line is none the value
// that begins with it, which may have several lines or others behind it. A line that is
// neither comes as it is.
func values(payload []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		torn := false // once is enough: each look is at all that is left
		for {
			payload = bytes.TrimLeft(payload, " \t\r\n")
			if len(payload) == 0 {
				return
			}
			end := len(payload)
			if i := bytes.IndexByte(payload, '\n'); i >= 0 {
				end = i
			}
			if !torn && (payload[0] == '{' || payload[0] == '[') && !schema.Valid(payload[:end]) {
				whole, ok := schema.ValueEnd(payload)
				if ok && schema.Valid(payload[:whole]) {
					end = whole
				} else {
					torn = true
				}
			}
			if !yield(payload[:end]) {
				return
			}
			payload = payload[end:]
		}
	}
}

// appendAll appends the events with one Append. Where it returns false some may be
// missing: to append them again does no harm.
func (h *hook) appendAll(j *journal.Journal, r *redact.Redactor, events []schema.Event) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false // one by one it is seen which
		}
	}()
	lines := make([]redact.Line, len(events))
	for i := range events {
		lines[i] = h.way(j, r, &events[i]).Event(events[i])
	}
	return j.Append(lines...) == nil
}

// valuesScanner tells whether what has come ends between two values.
type valuesScanner struct {
	object objectScanner
	any    bool // a value has ended
	open   bool // one has begun since
}

// settled takes the next piece.
func (s *valuesScanner) settled(piece []byte) bool {
	for len(piece) > 0 {
		s.object.arrays = true
		end := s.object.end(piece)
		if s.object.none { // no object or array: it ends with its line
			if end = bytes.IndexByte(piece, '\n'); end >= 0 {
				end++
			}
		}
		if end < 0 {
			s.open = s.object.none || s.object.depth > 0
			break
		}
		piece, s.object = piece[end:], objectScanner{}
		s.any, s.open = true, false
	}
	return s.any && !s.open
}
