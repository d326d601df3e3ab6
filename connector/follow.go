package connector

import (
	"context"
	"slices"
	"sync"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Follower is something that goes on until ctx ends, and receives the sessions of which
// something was appended: a Replica. It receives them whatever it is busy with, as others
// wait for it to be told, too.
type Follower interface {
	Run(ctx context.Context, changes <-chan []string)
}

// Follow keeps replicas of one journal, and what else follows it, in step with it until ctx
// ends: it watches the journal's directory and tells each which sessions changed.
func Follow(ctx context.Context, j *journal.Journal, log zerolog.Logger, followers ...Follower) {
	var running sync.WaitGroup
	defer running.Wait()
	inboxes := make([]chan []string, len(followers))
	for i, r := range followers {
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
				sessions = slices.DeleteFunc(sessions, schema.NoSession) // nobody's facts
				if len(sessions) == 0 {
					continue
				}
				for _, inbox := range inboxes {
					select {
					case inbox <- sessions:
					case <-ctx.Done():
					}
				}
			}
		}
	})
	dir := tail.Dir{Path: journal.Dir(j.Home()), Name: journal.SessionOf, Log: log}
	dir.Run(ctx, reports)
}
