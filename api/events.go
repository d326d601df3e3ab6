package api

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// accepted is the answer to posted events.
type accepted struct {
	// Accepted counts the events, and EventIDs are theirs, in the order of the body.
	Accepted int      `json:"accepted"`
	EventIDs []string `json:"event_ids"`
	// Skipped counts lines of which nothing is recorded, as they are only a journal's own.
	Skipped int `json:"skipped"`
	// Forgotten counts the events of sessions that were forgotten: of these nothing is recorded.
	Forgotten int `json:"forgotten,omitempty"`
}

// events records events of the protocol: an object, an array of them, or a line each.
func (s *Server) events(q *request) (answer, error) {
	key, err := requestKey(q.Request)
	if err != nil {
		return nil, err
	}
	src := s.source(jsonl.Events)
	src.Key = key
	p := posted{dec: jsonl.NewDecoder(src), at: time.Now().UTC()}
	if slices.Contains(jsonTypes(), q.mediaType) {
		err = p.value(q.body)
	} else {
		err = p.lines(q.body)
	}
	if err != nil {
		return nil, err
	}
	q.body = nil // memory
	a := accepted{EventIDs: make([]string, 0, len(p.events)), Skipped: p.skipped}
	for part := range slices.Chunk(p.events, atOnce) {
		if err := s.Store.AddEvents(part); !passedOver(err, &a.Forgotten) {
			return nil, recorded(err, len(a.EventIDs))
		}
		for i := range part {
			a.EventIDs = append(a.EventIDs, part[i].EventID)
		}
		clear(part)
	}
	s.counts.events.Add(int64(len(p.events)))
	a.Accepted = len(a.EventIDs)
	return a, nil
}

// passedOver reports whether all was recorded but what is of sessions that were forgotten, and
// counts that: it is no failure of who posts the rest.
func passedOver(err error, n *int) bool {
	var gone *actiongraph.ForgottenError
	if errors.As(err, &gone) {
		*n += gone.Events
		return true
	}
	return err == nil
}

// posted are the events of one request.
type posted struct {
	dec     *jsonl.Decoder
	at      time.Time // when it came; events that state no time keep their order
	events  []schema.Event
	skipped int
}

func (p *posted) value(body []byte) error {
	v, err := oneValue(body)
	if err != nil {
		return err
	}
	if err := p.add(v.flat, 1); err != nil {
		return v.wrong(err)
	}
	if p.skipped > 0 { // in lines it may be a journal's; who posts one alone means it
		wrong := bad("%s: nobody but the journal's own readers may say this", schema.SourcePosition)
		wrong.Field = "event_type"
		return wrong
	}
	return nil
}

func (p *posted) lines(text []byte) error {
	n := int64(0)
	for line := range bytes.Lines(text) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := p.add(line, n); err != nil {
			var wrong *jsonl.LineError
			if errors.As(err, &wrong) {
				return wrongLine(err, n)
			}
			return err
		}
	}
	return nil
}

func (p *posted) add(line []byte, n int64) error {
	if err := fewItems(line); err != nil {
		return err
	}
	events, was, err := p.dec.Append(p.events, line, n, p.at.Add(time.Duration(len(p.events))))
	if err != nil {
		return err
	}
	if p.events = events; len(events) > mostItems {
		return tooMany()
	}
	if was.Skipped {
		p.skipped++
	}
	return nil
}
