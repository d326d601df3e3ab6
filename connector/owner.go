package connector

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// A session belongs to one journal in a store. What another journal records of it, a
// session resumed on a second machine, is folded as its continuation, until one
// journal is imported into the other: a source_position says so, and what was
// imported is then written by that journal alone.

// askContinued learns which sessions another journal owns in the store.
func (r *Replica) askContinued(ctx context.Context) error {
	if r.continued == nil {
		r.continued, r.absorbed = map[string]bool{}, map[string][]string{}
	}
	continued, err := continuedIn(ctx, r.Store, r.Journal.ID())
	// What a failed Apply told stays: a store knows of a continuation only once it
	// holds some of it.
	maps.Copy(r.continued, continued)
	return err
}

// continuedIn returns the sessions of a journal that another one owns in a store.
func continuedIn(ctx context.Context, store Store, journal string) (map[string]bool, error) {
	shared, ok := store.(Shared)
	if !ok {
		return nil, nil
	}
	return shared.Continued(ctx, journal)
}

// owned takes note of the sessions that another journal owns, if that is why an Apply
// failed. It reports whether there is one that it did not know.
func (r *Replica) owned(err error) (more bool) {
	var owned *graph.OwnedError
	if !errors.As(err, &owned) {
		return false
	}
	for _, session := range owned.Sessions {
		more = more || !r.continued[session]
		r.continued[session] = true
		r.folds.drop(session)
	}
	return more
}

// newSession returns the empty fold of a session, or of its continuation.
func newSession(session, journal string, continued bool) *graph.Session {
	if continued {
		return graph.NewContinuation(session, journal)
	}
	return graph.NewSession(session, journal)
}

// batch is the next batch of a session, empty.
func (f *folding) batch(session string) graph.Batch {
	return graph.Batch{
		Journal: f.Journal.ID(), Session: session, From: f.positions[session], Continues: f.continued[session],
	}
}

// errTakeOver says that a session that was folded as a continuation has its owner's
// record in it now.
var errTakeOver = errors.New("its owner's record was imported")

// absorb notes the journal whose record of the session was imported into this one.
func (f *folding) absorb(p *part, e *schema.Event) error {
	if e.EventType != schema.SourcePosition {
		return nil
	}
	other := schema.FieldString(e.Metadata, schema.MetaJournal)
	if other == "" || other == p.Journal {
		return nil
	}
	known := slices.Contains(f.absorbed[p.Session], other)
	if !known {
		f.absorbed[p.Session] = append(f.absorbed[p.Session], other)
	}
	if p.Continues && !known {
		return errTakeOver
	}
	p.Absorbs = append(p.Absorbs, other)
	return nil
}

// takeOver folds a session again from its beginning, no longer as a continuation. If
// its owner is a third journal the store says so, and it stays one.
func (f *folding) takeOver(ctx context.Context, session string) error {
	f.dropOps()
	f.flush(ctx) // batches of one transaction are all of the one or all of the other
	delete(f.continued, session)
	p := &part{Batch: f.batch(session)}
	p.Reset, p.Absorbs, p.counts.Sessions = true, slices.Clone(f.absorbed[session]), 1
	cursor, err := f.Journal.Read(session, schema.Position{})
	if err != nil {
		return err
	}
	defer cursor.Close()
	return f.read(ctx, p, cursor, schema.Position{})
}
