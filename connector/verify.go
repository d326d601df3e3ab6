package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Lag is how far a store is behind the journal.
type Lag struct {
	Sessions int   `json:"sessions"` // with something that the store does not have
	Bytes    int64 `json:"bytes"`    // of journal that the store does not have
}

// Behind compares what a store holds with where the journal's files end, a torn tail
// aside: nothing will ever come of one, and it must not count forever. A file that
// shrank counts whole: all of it is to be folded again.
func Behind(ctx context.Context, j *journal.Journal, store Store) (Lag, error) {
	var lag Lag
	positions, err := store.Positions(ctx, j.ID())
	if err != nil {
		return lag, fmt.Errorf("read the store's positions: %w", err)
	}
	files, err := j.Files()
	if err != nil {
		return lag, err
	}
	for _, f := range files {
		from := positions[f.Session].Offset
		if f.Size == from {
			continue
		}
		behind := f.Size
		if f.Size > from {
			end, err := j.End(f)
			if err != nil {
				end = f.Size // it cannot be read, and so is not in the store
			}
			if behind = end - from; behind <= 0 {
				continue
			}
		}
		lag.Sessions++
		lag.Bytes += behind
	}
	return lag, nil
}

// Verify folds a session's journal afresh, up to where the store says it is, and
// returns what the store holds differently, A being the journal's and B the
// store's. An empty session is all of them, in the order of their ids. What the
// store does not have yet is no difference: see Behind.
func Verify(ctx context.Context, j *journal.Journal, store Store, session string) ([]graph.Change, error) {
	positions, err := store.Positions(ctx, j.ID())
	if err != nil {
		return nil, fmt.Errorf("read the store's positions: %w", err)
	}
	sessions := []string{session}
	if session == "" {
		sessions = slices.Sorted(maps.Keys(positions))
	}
	var all []graph.Change
	for _, s := range sessions {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		changes, err := verifySession(ctx, j, store, s, positions[s])
		if err != nil {
			return all, fmt.Errorf("verify session %s: %w", s, err)
		}
		all = append(all, changes...)
	}
	return all, nil
}

func verifySession(ctx context.Context, j *journal.Journal, store Store, session string, at schema.Position) ([]graph.Change, error) {
	changed := func(what string) []graph.Change {
		return []graph.Change{{What: "Session " + session, Field: "journal", A: what, B: fmt.Sprintf("folded up to %d", at.Offset)}}
	}
	if at != (schema.Position{}) {
		cursor, err := j.Read(session, at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return changed("the file is gone"), nil
		case errors.Is(err, journal.ErrReplaced):
			return changed("the file was replaced"), nil
		case err != nil:
			return nil, err
		}
		cursor.Close()
	}
	fresh := graph.New()
	state := graph.NewSession(session, j.ID())
	if at != (schema.Position{}) {
		err := readTo(j, session, at, func(e *schema.Event) { fresh.Apply(state.Apply(e)...) })
		if err != nil {
			return nil, err
		}
	}
	held, err := store.Load(ctx, session)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(graph.Diff(fresh, held), func(c graph.Change) bool {
		return othersNode(c.What, session)
	}), nil
}

// othersNode reports whether a change is about the node of another session, to
// which this one only holds an edge: that session's own fold fills it.
func othersNode(what, session string) bool {
	key, is := strings.CutPrefix(what, string(graph.LabelSession)+" ")
	return is && key != session
}
