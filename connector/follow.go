package connector

import (
	"context"
	"sync"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
)

// Follow keeps replicas of one journal in step with it until ctx ends: it watches
// the journal's directory and tells each replica which sessions changed.
func Follow(ctx context.Context, j *journal.Journal, log zerolog.Logger, replicas ...*Replica) {
	var running sync.WaitGroup
	defer running.Wait()
	inboxes := make([]chan []string, len(replicas))
	for i, r := range replicas {
		inboxes[i] = make(chan []string)
		running.Go(func() { r.Run(ctx, inboxes[i]) })
	}
	reports := make(chan []string)
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sessions := <-reports:
				for _, inbox := range inboxes {
					select {
					case inbox <- sessions:
					case <-ctx.Done():
					}
				}
			}
		}
	})
	dir := tail.Dir{Path: journal.Dir(j.Home()), Suffix: journal.Suffix, Log: log}
	dir.Run(ctx, reports)
}
