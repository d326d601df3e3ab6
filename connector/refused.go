package connector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// refusal is that a store refuses what a session holds: it breaks a constraint that
// somebody made there.
type refusal struct {
	err   error
	from  schema.Position  // what the store still holds of the session
	claim []graph.Imported // not nil: it was to be taken over, see owner.go
}

// maxRefused is how many sessions a store may refuse before it takes one: more than
// that, and it is the store that is broken.
const maxRefused = 8

// apply writes batches, all in one transaction. Where the store refuses what one of them
// holds it is found by halving, and its session is left out until it is retried: it must
// not keep the others from the store. events is how many the batches are of; whole
// reports that all was written.
func (p *pass) apply(ctx context.Context, batches []graph.Batch, events int) (whole bool, err error) {
	wanted := len(batches)
	batches = slices.DeleteFunc(slices.Clone(batches), func(b graph.Batch) bool { return p.refused[b.Session].err != nil })
	if len(batches) == 0 {
		return wanted == 0, nil
	}
	limited, cancel := context.WithTimeout(ctx, p.ApplyTimeout)
	defer cancel()
	began := time.Now()
	err = p.Store.Apply(limited, batches)
	p.measure(batches, time.Since(began), err)
	switch {
	case err == nil:
		p.written++
		p.health.took(batches, events)
		p.size.took(events, time.Since(began), p.ApplyTimeout)
		return wanted == len(batches), nil
	case ctx.Err() == nil && limited.Err() != nil:
		p.size.halve(events)
		return false, &timeoutError{"finish", p.ApplyTimeout, err}
	case !errors.Is(err, graph.ErrRefused), p.written == 0 && len(p.refused) >= maxRefused:
		return false, err
	case len(batches) == 1:
		p.refused[batches[0].Session] = refused(&batches[0], err)
		return false, nil
	}
	for _, part := range halves(batches, p.written == 0 && len(p.refused) == 0) {
		if _, err := p.apply(ctx, part, events*len(part)/len(batches)); err != nil {
			return false, err
		}
	}
	return false, nil
}

func refused(b *graph.Batch, err error) refusal {
	r := refusal{err: err, from: b.From}
	if b.Reset && !b.Continues {
		r.claim = b.Absorbs
	}
	return r
}

// halves splits batches. The first time in a pass the last one comes first, alone: it is
// of the session that changed last, and more than maxRefused older ones that are refused
// must not make a store look broken that takes it.
func halves(batches []graph.Batch, first bool) [][]graph.Batch {
	last, half := len(batches)-1, len(batches)/2
	if first && last > 1 {
		return [][]graph.Batch{batches[last:], batches[:half], batches[half:last]}
	}
	return [][]graph.Batch{batches[:half], batches[half:]}
}

// undoRefused forgets what was folded of the sessions that the store refused: it holds
// them as they were before.
func (p *pass) undoRefused() {
	for session, r := range p.refused {
		p.refusedBy(session, r.err)
		p.positions[session] = r.from
		p.folds.drop(session)
		if r.claim != nil {
			p.standing.claiming[session] = r.claim // the store would say again who owns it
		}
	}
}

// runAll is run, which fails if the store refuses one of the sessions.
func (p *pass) runAll(ctx context.Context, sessions []string) error {
	if err := p.run(ctx, sessions); err != nil {
		return err
	}
	return refusedError(p.refused)
}

// refusedError names one of the sessions that a store refuses, and how many there are.
func refusedError(refused map[string]refusal) error {
	for _, session := range slices.Sorted(maps.Keys(refused)) {
		return fmt.Errorf("the store refuses %d sessions, among them %s: %w", len(refused), session, refused[session].err)
	}
	return nil
}

// refusals are the sessions that a store refuses while it takes the others. They wait
// for a timer of their own: were the store down for their sake, every other session
// would wait as long.
type refusals struct {
	*pass
	waiting map[string]refusal
	due     *time.Timer
	wait    time.Duration
}

func newRefusals(p *pass) *refusals {
	r := &refusals{pass: p, waiting: map[string]refusal{}, due: time.NewTimer(0), wait: p.MinBackoff}
	r.due.Stop()
	r.note()
	return r
}

// follow folds sessions that changed, but those that wait.
func (r *refusals) follow(ctx context.Context, sessions []string) error {
	sessions = slices.DeleteFunc(sessions, func(s string) bool { return r.waiting[s].err != nil })
	if len(sessions) == 0 {
		return nil
	}
	if err := r.run(ctx, sessions); err != nil {
		return err
	}
	r.note()
	return nil
}

// retry offers the sessions that wait to the store again, a few at a time: many that it
// goes on refusing are no sign that it is broken.
func (r *refusals) retry(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, r.AnswerTimeout)
	defer cancel()
	if err := r.askStandings(limited); err != nil { // a batch that was refused changed what we know of them
		return err
	}
	for session := range r.standing.claiming {
		delete(r.standing.held, session)
	}
	waited := len(r.waiting)
	for sessions := range slices.Chunk(slices.Sorted(maps.Keys(r.waiting)), maxRefused) {
		if err := r.run(ctx, sessions); err != nil {
			return err
		}
		for _, session := range sessions {
			delete(r.waiting, session)
		}
		maps.Copy(r.waiting, r.refused)
	}
	if r.wait = min(2*r.wait, r.MaxBackoff); len(r.waiting) < waited {
		r.wait = r.MinBackoff // somebody is at work there
	}
	r.tell()
	return nil
}

// note adds what the last run found refused.
func (r *refusals) note() {
	before := len(r.waiting)
	maps.Copy(r.waiting, r.refused)
	if len(r.waiting) > before {
		r.wait = r.MinBackoff
		r.tell()
	}
}

// tell says what waits, and when it is due.
func (r *refusals) tell() {
	err := refusedError(r.waiting)
	r.health.refuses(len(r.waiting), err)
	r.down.refuses(err)
	if err != nil {
		r.due.Reset(r.wait)
	}
}
