package actiongraph

import (
	"context"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/live"
)

// Watch tells what the sessions that run are doing, or one whether it runs or not, and then
// what changes, until ctx ends or the journal cannot be read: then the channel is closed. It
// reads the journal alone; package live says what is told.
func (h *Home) Watch(ctx context.Context, session string) <-chan live.Change {
	w := &live.Watcher{Journal: h.journal, Session: safeOrAll(session), Log: zerolog.Nop()}
	out := make(chan live.Change)
	go func() {
		defer close(out)
		if err := w.Run(ctx, out); err != nil && ctx.Err() == nil {
			select {
			case out <- live.Change{Err: err}:
			case <-ctx.Done():
			}
		}
	}()
	return out
}
