package actiongraph

import (
	"context"

	"github.com/actiongraph/actiongraph/diff"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/schema"
)

// Diff compares two sessions, turn by turn, as they are in the journal; package diff says what
// is compared, and compares sessions of other sources. A session that is not there is an error
// that wraps fs.ErrNotExist.
func (h *Home) Diff(ctx context.Context, a, b string, o diff.Options) (*diff.Diff, error) {
	var logs [2]*history.Log
	for i, id := range []string{a, b} {
		log, err := history.Open(ctx, history.Journal(h.journal), schema.SafeID(id), history.Point{})
		if err != nil {
			return nil, err
		}
		logs[i] = log
	}
	return diff.Compare(ctx, logs[0], logs[1], o)
}
