// Package replay makes a store again what its journal says.
//
// A graph is a pure function of the set of events, so that to replay them is to fold them
// again. Repair folds a journal afresh beside what a store holds, and has the store fold
// again each session of which it holds something else. Check only compares, and names the
// first divergence with the event that it is about. Until puts sessions into a store as they
// were at a point of their history.
package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Divergence is something that a store holds of a session and its journal says otherwise.
type Divergence struct {
	Session string
	// Event is what recorded it; the zero Point where no event did.
	Event history.Point
	// Change is what is held differently, A being the journal's and B the store's.
	graph.Change
}

// Check compares what a store holds of a session with its journal, of all where the session
// is "", and returns the first divergence: in the first session that has any the earliest
// by the order of the session's events, what no event recorded being the last. It is nil
// where there is none. What the store does not have yet is none: see connector.Behind.
func Check(ctx context.Context, j *journal.Journal, store connector.Store, session string) (first *Divergence, err error) {
	found := errors.New("found")
	err = connector.VerifyEach(ctx, j, store, session, func(session string, changes []graph.Change) error {
		if first, err = earliest(ctx, j, session, changes); err != nil {
			return err
		}
		return found
	})
	if errors.Is(err, found) {
		err = nil
	}
	return first, err
}

func earliest(ctx context.Context, j *journal.Journal, session string, changes []graph.Change) (*Divergence, error) {
	first := &Divergence{Session: session, Change: changes[0]}
	l, err := history.Open(ctx, history.Journal(j), session, history.Point{})
	if err != nil {
		return first, nil // the file is gone, which the change says
	}
	authors, err := l.Authors(ctx, changes)
	if err != nil {
		return nil, err
	}
	for i, at := range authors {
		if at.Before(first.Event) {
			first.Event, first.Change = at, changes[i]
		}
	}
	return first, nil
}

// Repaired is a session that a store was made to fold again.
type Repaired struct {
	Session string
	// Changes are what it held differently, A being the journal's.
	Changes []graph.Change
}

// maxChanges is how many changes of a session are kept to be told: a store that lost its
// actions has millions.
const maxChanges = 1000

// Report says what Repair did.
type Report struct {
	Sessions int // compared, or folded for the first time
	Repaired []Repaired
	Sync     connector.Report // of what was folded
}

// Repair makes a replica's store hold what the journal says: it folds into it what is new,
// and again what differs, of the replica's Only sessions or of all. A session that could not be
// compared keeps none of the others from it, and is in the error.
func Repair(ctx context.Context, r *connector.Replica, progress func(connector.Progress)) (Report, error) {
	var report Report
	held, err := r.Store.Positions(ctx, r.Journal.ID())
	if err != nil {
		return report, err
	}
	sessions := r.Only
	if sessions == nil {
		sessions = []string{""}
	}
	var errs []error
	for _, session := range sessions {
		if _, has := held[session]; !has && session != "" {
			continue
		}
		err := connector.VerifyEach(ctx, r.Journal, r.Store, session, func(session string, changes []graph.Change) error {
			if _, err := r.Journal.Stat(session); err != nil {
				// What the store has is all there is of it.
				errs = append(errs, fmt.Errorf("session %s is left as the store has it: %w", session, err))
				return nil
			}
			report.Repaired = append(report.Repaired, Repaired{session, slices.Clone(changes[:min(len(changes), maxChanges)])})
			return nil
		})
		if err != nil && !errors.Is(err, connector.ErrOtherFold) { // Sync folds it again by itself
			errs = append(errs, err)
		}
	}
	if err := r.TakeBack(ctx, names(report.Repaired)); err != nil {
		return report, errors.Join(append(errs, err)...)
	}
	if report.Sync, err = r.Sync(ctx, progress); err != nil {
		return report, errors.Join(append(errs, err)...)
	}
	if held, err = r.Store.Positions(ctx, r.Journal.ID()); err != nil {
		return report, errors.Join(append(errs, err)...)
	}
	if report.Sessions = len(held); r.Only != nil {
		report.Sessions = len(r.Only)
	}
	for _, session := range names(report.Repaired) {
		err := connector.VerifyEach(ctx, r.Journal, r.Store, session, func(session string, changes []graph.Change) error {
			return errcode.With(errcode.StoreDiffers, fmt.Errorf("session %s was folded again, and still the store holds something else, as %v: "+
				"what is not the session's own stays; have the store made anew", session, changes[0]))
		})
		errs = append(errs, err)
	}
	return report, errors.Join(errs...)
}

func names(repaired []Repaired) (sessions []string) {
	for _, r := range repaired {
		sessions = append(sessions, r.Session)
	}
	return sessions
}

// ErrHeld is wrapped by Until where the store holds something of the session already.
var ErrHeld = errcode.New(errcode.ReplayHeld, "the store holds the session already: give one that is new")

// Until puts a session into a store as it was at a point of its history, of a fork what is
// its own, and returns how many ops it wrote. The store must have nothing of it yet. It knows
// that this is not the whole: whoever catches it up with the journal later folds the session
// again from its beginning.
func Until(ctx context.Context, j *journal.Journal, store connector.Store, session string, until history.Point) (ops int, err error) {
	held, err := store.Positions(ctx, j.ID())
	if err != nil {
		return 0, err
	}
	if _, has := held[session]; has {
		return 0, fmt.Errorf("session %s: %w", session, ErrHeld)
	}
	l, err := history.Open(ctx, history.Journal(j), session, until)
	if err != nil {
		return 0, err
	}
	var at schema.Position
	err = l.Fold(ctx, func(segment string, changed []graph.Op) error {
		if segment != session || len(changed) == 0 {
			return nil
		}
		// A position of no revision of the fold is one that no replica goes on from.
		to := schema.Position{Offset: at.Offset + 1}
		err := store.Apply(ctx, []graph.Batch{{Journal: j.ID(), Session: session, From: at, To: to, Ops: changed}})
		at, ops = to, ops+len(changed)
		return err
	})
	return ops, err
}
