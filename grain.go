package actiongraph

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Grain is one Action grain of OMS: what a tool was called with and what it gave. Only
// ToolName is required.
type Grain = jsonl.Grain

// Add records one grain in its namespace and returns its hash. When it returns nil the
// grain is on the disk. To add it again changes nothing. A grain that is wrong is an
// error, a *jsonl.LineError that names the field: see Grain.Validate, also for grains of
// other types.
func (h *Home) Add(g Grain) (hash string, err error) {
	hashes, err := h.AddBatch([]Grain{g})
	if err != nil {
		var e *jsonl.LineError
		if errors.As(err, &e) {
			e.Item = -1
		}
		return "", err
	}
	return hashes[0], nil
}

// AddBatch records all grains or none: one that is wrong is an error, a
// *jsonl.LineError with its index, and nothing is written. Grains that do not say when
// they were created have the order of the batch. Any other error (a full disk) may leave
// some of them in the journal; nothing is acknowledged then, and adding the batch again
// makes it whole. Many callers at once share the wait for the disk. Where a grain's namespace was
// forgotten the error is a *ForgottenError, beside all hashes: the others are recorded.
func (h *Home) AddBatch(grains []Grain) (hashes []string, err error) {
	src := h.caller()
	hashes = make([]string, len(grains))
	events := make([]schema.Event, 0, 2*len(grains))
	now := time.Now()
	for i, g := range grains {
		g.Namespace = cmp.Or(g.Namespace, jsonl.DefaultNamespace)
		if err := g.Validate(); err != nil {
			return nil, itemError(i, err)
		}
		hashes[i] = g.Hash()
		// Two apart, since a result is one behind its call.
		events = g.AppendEvents(events, &src, now.Add(time.Duration(2*i)))
	}
	if err := h.commit(events); err != nil {
		return nil, fmt.Errorf("add %d grains: %w", len(grains), err)
	}
	return hashes, h.dropped(events)
}

// AddEvents records events of the protocol, all or none, as AddBatch does. V, Origin,
// SourceSDK and Timestamp are filled in where they are empty, and EventID: of an event
// that states its time, from all that it says, so that adding it again changes nothing. Where a session was
// forgotten the error is a *ForgottenError: the events of others are recorded.
func (h *Home) AddEvents(events []schema.Event) error {
	events = append([]schema.Event(nil), events...)
	now := time.Now()
	for i := range events {
		if err := completeEvent(&events[i], now.Add(time.Duration(i))); err != nil {
			return itemError(i, err)
		}
	}
	if err := h.commit(events); err != nil {
		return fmt.Errorf("add %d events: %w", len(events), err)
	}
	return h.dropped(events)
}

// Recall finds calls of tools: see graph.SearchQuery, whose Recall it sets.
func (h *Home) Recall(ctx context.Context, q graph.SearchQuery) ([]graph.SearchHit, error) {
	r, err := h.Reader(ctx)
	if err != nil {
		return nil, err
	}
	q.Recall = true
	return r.Search(ctx, q)
}

// caller is the source of what this process adds.
func (h *Home) caller() jsonl.Source {
	h.machine.Do(func() { h.host, h.user = machine() })
	return jsonl.Source{Format: jsonl.OMS, Origin: schema.OriginAPI, Host: h.host, User: h.user, HashKey: h.journal.Key()}
}

// completeEvent fills in what an added event leaves out. The same event gets the same id
// each time, unless nothing in it says when it was.
func completeEvent(e *schema.Event, now time.Time) error {
	if e.EventType == schema.SourcePosition {
		return &schema.FieldError{Field: "event_type", Problem: string(e.EventType) + " says what an import has read, and is not to be added"}
	}
	e.V = cmp.Or(e.V, schema.Version)
	e.Origin = cmp.Or(e.Origin, schema.OriginAPI)
	e.SourceSDK = cmp.Or(e.SourceSDK, DefaultSourceSDK)
	switch {
	case e.EventID != "":
	case e.Timestamp.IsZero():
		e.EventID = rand.Text()
	default:
		e.EventID = eventID("event", e.SessionID, string(e.AppendJSON(nil)))
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = now
	}
	return checkEvent(e)
}

// itemError says of which item of a batch an error is, and of which field.
func itemError(item int, err error) error {
	var known *jsonl.LineError
	if errors.As(err, &known) {
		known.Item = item
		return known
	}
	var field *schema.FieldError
	if errors.As(err, &field) {
		return &jsonl.LineError{Item: item, Field: field.Field, Err: fmt.Errorf("%w: %s", schema.ErrInvalid, field.Problem)}
	}
	return &jsonl.LineError{Item: item, Err: err}
}

// commit appends events and waits until they are on the disk.
func (h *Home) commit(events []schema.Event) error {
	lines, err := h.append(events)
	if err != nil {
		return err
	}
	sessions := make([]string, 0, 1)
	for i := range lines {
		if _, out := lines[i].LeftOut(); out {
			continue
		}
		if len(sessions) == 0 || lines[i].Session() != sessions[len(sessions)-1] {
			sessions = append(sessions, lines[i].Session())
		}
	}
	return h.journal.SyncAll(sessions)
}
