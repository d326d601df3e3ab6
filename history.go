package actiongraph

import (
	"context"
	"errors"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/schema"
)

// ReadCloser is a Reader that was made for somebody, who closes it.
type ReadCloser interface {
	connector.Reader
	Close() error
}

// History returns what was recorded of a session up to a point, which Log.Find knows by its
// event, and history.Moment by its time; the zero Point is the end. Of a fork it goes through
// to its parents. A session that is not in the journal is an error that wraps fs.ErrNotExist.
func (h *Home) History(ctx context.Context, session string, until history.Point) (*history.Log, error) {
	return history.Open(ctx, history.Journal(h.journal), schema.SafeID(session), until)
}

// At returns what answers as Home.Reader would have at a point of one session: it has that
// session as it was then and, of a fork, what its parents shared with it, and no other. It
// costs one fold of them, and is in memory, until Close.
func (h *Home) At(ctx context.Context, session string, until history.Point) (ReadCloser, error) {
	l, err := h.History(ctx, session, until)
	if err != nil {
		return nil, err
	}
	return ReadHistory(ctx, l)
}

// ReadHistory is At for a history from anywhere, an event store say.
func ReadHistory(ctx context.Context, l *history.Log) (ReadCloser, error) {
	store, err := sqlite.InMemory()
	if err != nil {
		return nil, err
	}
	err = l.Fold(ctx, func(session string, ops []graph.Op) error {
		return store.Apply(ctx, []graph.Batch{{Session: session, Ops: ops}})
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}
