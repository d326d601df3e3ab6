package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Replaced returns the sessions whose files are not those that a store folded: it still has
// what is no longer in the journal, until its replica has folded them again. A session without
// a file is none.
func Replaced(ctx context.Context, j *journal.Journal, store Store) (sessions []string, err error) {
	positions, err := store.Positions(ctx, j.ID())
	if err != nil {
		return nil, fmt.Errorf("read the store's positions: %w", err)
	}
	for session, at := range positions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if at = folded(at); at == (schema.Position{}) {
			continue
		}
		cursor, err := j.Read(session, at)
		switch {
		case err == nil:
			cursor.Close()
		case errors.Is(err, journal.ErrReplaced) && !errors.Is(err, fs.ErrNotExist):
			sessions = append(sessions, session)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return sessions, nil
}
