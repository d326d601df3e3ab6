package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// ErrBeingWritten says that a session changes too fast to be compared.
var ErrBeingWritten = errors.New("it is being written all the time: verify it again later")

// Verify folds a session's journal afresh, up to where the store says it is, and
// returns what the store holds differently, A being the journal's and B the
// store's. An empty session is all of them, in the order of their ids. What the
// store does not have yet is no difference: see Behind.
//
// The error joins one for each session that could not be compared, which keeps none
// of the others from it: the changes are valid beside it. One of a session that the
// store's writer did not leave alone wraps ErrBeingWritten.
func Verify(ctx context.Context, j *journal.Journal, store Store, session string) ([]graph.Change, error) {
	v := verification{journal: j, store: store}
	positions, err := v.positions(ctx)
	if err != nil {
		return nil, err
	}
	if v.standings, err = standingsIn(ctx, store, j.ID()); err != nil {
		return nil, err
	}
	sessions := []string{session}
	if session == "" {
		sessions = slices.Sorted(maps.Keys(positions))
	}
	found := map[string]finding{}
	for _, s := range sessions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if v.standings[s].Absorbed > 0 {
			continue // it is in another journal's, which is verified where that is
		}
		if f := v.look(ctx, s, positions[s]); f.err != nil || len(f.changes) > 0 {
			found[s] = f
		}
	}
	if len(found) > 0 {
		// A recording goes on meanwhile: what was found of a session that moved on
		// compares its graph with a position that it no longer has.
		now, err := v.positions(ctx)
		if err != nil {
			return nil, err
		}
		for s := range found {
			if now[s] != positions[s] {
				found[s] = v.again(ctx, s)
			}
		}
	}
	var all []graph.Change
	var errs []error
	for _, s := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[s].changes...)
		if err := found[s].err; err != nil {
			errs = append(errs, fmt.Errorf("verify session %s: %w", s, err))
		}
	}
	return all, errors.Join(errs...)
}

type verification struct {
	journal   *journal.Journal
	store     Store
	standings map[string]graph.Standing
}

// own is the id under which the store holds the journal's record of a session.
func (v verification) own(session string) string {
	if v.standings[session].Continues {
		return graph.ContinuationID(session, v.journal.ID())
	}
	return session
}

// finding is what is wrong with one session.
type finding struct {
	changes []graph.Change
	err     error
}

func (v verification) positions(ctx context.Context) (map[string]schema.Position, error) {
	positions, err := v.store.Positions(ctx, v.journal.ID())
	if err != nil {
		return nil, fmt.Errorf("read the store's positions: %w", err)
	}
	return positions, nil
}

// again compares a session that is being recorded: loaded between two looks at its
// position that agree, it is what the store holds at that position.
func (v verification) again(ctx context.Context, session string) finding {
	for try := range 10 {
		sleep(ctx, time.Duration(try)*10*time.Millisecond) // calls come in bursts
		before, err := v.positions(ctx)
		if err != nil {
			return finding{err: err}
		}
		found := v.look(ctx, session, before[session])
		after, err := v.positions(ctx)
		if err != nil {
			return finding{err: err}
		}
		if before[session] == after[session] {
			return found
		}
	}
	return finding{err: ErrBeingWritten}
}

// look compares what the store holds of a session with its journal's up to a position,
// and asks the store for what that does not show.
func (v verification) look(ctx context.Context, session string, at schema.Position) finding {
	held, err := v.store.Load(ctx, v.own(session))
	found := v.compare(ctx, session, at, held, err)
	if checker, ok := v.store.(Checker); ok && found.err == nil {
		changes, err := checker.Check(ctx, v.own(session))
		found.changes, found.err = append(found.changes, changes...), err
	}
	return found
}

// compare folds a session's journal up to a position and compares that with what
// the store holds; err is of loading that.
func (v verification) compare(ctx context.Context, session string, at schema.Position, held *graph.Graph, err error) finding {
	if err != nil {
		return finding{err: err}
	}
	fresh := graph.New()
	if at != (schema.Position{}) {
		fresh, err = v.fold(ctx, session, at)
	}
	what := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		what = "the file is gone"
	case errors.Is(err, journal.ErrReplaced):
		what = "the file was replaced"
	case err != nil:
		return finding{err: err}
	}
	if what != "" {
		return finding{changes: []graph.Change{{What: "Session " + session, Field: "journal", A: what, B: fmt.Sprintf("folded up to %d", at.Offset)}}}
	}
	return finding{changes: slices.DeleteFunc(graph.Diff(fresh, held), func(c graph.Change) bool {
		return othersNode(c.What, v.own(session))
	})}
}

// fold folds a session's journal up to a position, which has to match the file.
func (v verification) fold(ctx context.Context, session string, at schema.Position) (*graph.Graph, error) {
	cursor, err := v.journal.Read(session, at)
	if err != nil {
		return nil, err
	}
	cursor.Close()
	fresh, state := graph.New(), newSession(session, v.journal.ID(), v.standings[session].Continues)
	folded := 0
	err = readTo(ctx, v.journal, session, at, func(e *schema.Event) {
		state.Apply(e)
		if folded++; folded%maxPart == 0 {
			fresh.Apply(state.Take()...)
		}
	})
	fresh.Apply(state.Take()...)
	return fresh, err
}

// othersNode reports whether a change is about the node of another session, to
// which this one only holds an edge: that session's own fold fills it.
func othersNode(what, session string) bool {
	key, is := strings.CutPrefix(what, string(graph.LabelSession)+" ")
	return is && key != session
}
