package seal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
)

// Every is how often a Follower seals a journal that grows all the time. An entry is some 400
// bytes: a session that is never quiet has its log grow by 25 kB an hour.
const Every = time.Minute

// stopWait is how long a Follower goes on that was told to end.
const stopWait = 5 * time.Second

// Follower seals sessions as they grow, and gives the stores the end of the log. What changes after a
// quiet minute is sealed at once. A home that is at rest costs nothing.
type Follower struct {
	Journal *journal.Journal
	Stores  func() map[string]connector.Witness // by name, as they are now
	Log     zerolog.Logger
	Every   time.Duration // 0 is Every

	sealer Sealer
	said   string // why it could not, the last time
}

// Run seals the sessions that it receives until ctx ends, and then once more.
func (f *Follower) Run(ctx context.Context, changes <-chan []string) {
	f.sealer.Journal = f.Journal
	every := f.Every
	if every == 0 {
		every = Every
	}
	pending := map[string]bool{}
	var last time.Time
	var due <-chan time.Time
	var sealed chan left // of what goes on
	for {
		select {
		case <-ctx.Done():
			if sealed != nil {
				for _, s := range (<-sealed).sessions { // it may have been cut off
					pending[s] = true
				}
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
			defer cancel()
			f.seal(ctx, pending)
			return
		case sessions := <-changes:
			for _, s := range sessions {
				pending[s] = true
			}
			if due == nil && sealed == nil {
				due = time.After(time.Until(last.Add(every)))
			}
		case <-due:
			due, sealed = nil, make(chan left, 1)
			these := pending
			pending = map[string]bool{}
			go func() { sealed <- f.seal(ctx, these) }()
		case what := <-sealed:
			sealed, last = nil, time.Now()
			for _, s := range what.sessions {
				pending[s] = true
			}
			if len(pending) > 0 || what.stores {
				due = time.After(every)
			}
		}
	}
}

// left is what is to be done again.
type left struct {
	sessions []string
	stores   bool
}

// seal seals sessions once, and says in the log what is new of why it cannot.
func (f *Follower) seal(ctx context.Context, sessions map[string]bool) (l left) {
	var err error
	if len(sessions) > 0 {
		var report Report
		report, err = f.sealer.Seal(ctx, time.Now(), slices.Sorted(maps.Keys(sessions))...)
		l.sessions = report.Later
		if errors.Is(err, connector.ErrLocked) || ctx.Err() != nil {
			l.sessions, err = slices.Collect(maps.Keys(sessions)), nil
		}
	}
	stores := f.Stores()
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		failed := f.keep(ctx, name, stores[name])
		l.stores = l.stores || failed != nil
		if errors.Is(failed, ErrOtherLog) { // which does not pass by itself
			err = errors.Join(err, fmt.Errorf("store %s: %w", name, failed))
		}
	}
	said := ""
	if err != nil {
		said = err.Error()
	}
	switch {
	case ctx.Err() != nil || said == f.said:
		return l
	case said != "":
		f.Log.Error().EmbedObject(logline.Why(failure.SealFailed, err)).Msg("not everything could be sealed")
	default:
		f.Log.Info().Msg("sealing goes on")
	}
	f.said = said
	return l
}

// keepWait is how long one store is waited for: the others are to have the end soon, too.
const keepWait = 10 * time.Second

func (f *Follower) keep(ctx context.Context, name string, store connector.Witness) error {
	ctx, cancel := context.WithTimeout(ctx, keepWait)
	defer cancel()
	return f.sealer.Keep(ctx, name, store)
}
