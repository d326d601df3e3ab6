package connector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
)

// Replica keeps one store in step with the journal: it is one cursor over the
// journal, with the state of the folds that are still going on. Several replicas
// of one journal know nothing of each other, so that a dead store lags alone.
//
// Whatever goes wrong, a replica starts over from the positions that the store
// itself reports; there is no other path to recovery, after a crash neither. Zero
// fields take the defaults.
type Replica struct {
	Journal *journal.Journal
	Store   Store
	Name    string // of the store, for the log
	Log     zerolog.Logger
	// Metrics takes how the store's writing goes; nil is nobody. Observer learns what the
	// store took; nil is nobody: of several replicas of a journal one has one.
	Metrics  metrics.Metrics
	Observer Observer
	// Failures records what of sessions is torn, refused or replaced, and what their events say
	// went wrong; nil, as of who only reads, records nothing.
	Failures *Failures

	// Thorough makes Sync open every file, also those whose size says that nothing
	// was added: it finds a file that was replaced by one of the same size.
	Thorough bool
	// Only are the sessions that Sync folds, where it is not nil: the store need not have the
	// others.
	Only []string
	// LeaveCompact leaves Store.Compact to another replica: whoever asks a question does not
	// wait until the store is written anew.
	LeaveCompact bool
	// MaxEvents and MaxBytes bound one transaction: 3,000 events, 4 MiB of lines.
	// Two transactions are in memory at a time; of 8,000 each, and with 50,000 kept,
	// a daemon of two stores took 181 MB for 100,000 events, with these 148, as fast.
	MaxEvents int
	MaxBytes  int64
	// ApplyTimeout is when a store that does not answer counts as failed: 2 min.
	// AnswerTimeout is the same for its positions, which take no such work: 30 s.
	ApplyTimeout, AnswerTimeout time.Duration
	// Idle is how long after its session's last line a fold's state is kept: 10 min.
	Idle time.Duration
	// MaxKept bounds the states kept, in events folded, 20 more a session: 20,000, about 12 MB.
	// MaxLive bounds them where sessions go on from them again and again: 3,000,000, which
	// is a namespace of a million grains beside what else goes on, about 250 MB.
	MaxKept, MaxLive int
	// MinBackoff and MaxBackoff bound the wait after a failure: 0.1 s, 30 s.
	MinBackoff, MaxBackoff time.Duration

	running  sync.Mutex // one Sync or Run at a time
	folds    folds      // survives a Sync: the next one may go on from it
	health   health
	down     outage // of Run
	size     size   // of a transaction
	twins    twins
	standing standing // of sessions that other journals record too: see owner.go

	forgotten forgotten

	// Tests set these; else they are Journal.Sync, and quietFor.
	syncFile func(session string) error
	quiet    time.Duration
}

func (r *Replica) setDefaults() {
	r.MaxEvents = cmp.Or(r.MaxEvents, 3000)
	r.MaxBytes = cmp.Or(r.MaxBytes, 4<<20)
	r.ApplyTimeout = cmp.Or(r.ApplyTimeout, 2*time.Minute)
	r.AnswerTimeout = cmp.Or(r.AnswerTimeout, 30*time.Second)
	r.Idle = cmp.Or(r.Idle, 10*time.Minute)
	r.MaxKept = cmp.Or(r.MaxKept, 20_000)
	r.MaxLive = cmp.Or(r.MaxLive, 3_000_000)
	r.MinBackoff = cmp.Or(r.MinBackoff, 100*time.Millisecond)
	r.MaxBackoff = cmp.Or(r.MaxBackoff, 30*time.Second)
	r.quiet = cmp.Or(r.quiet, quietFor)
	if r.syncFile == nil {
		r.syncFile = r.Journal.Sync
	}
	if r.Metrics == nil {
		r.Metrics = metrics.Nop{}
	}
}

// Report says what a Sync wrote to the store, as far as it came.
type Report struct {
	Sessions int `json:"sessions"` // with something new
	Events   int `json:"events"`   // folded
	Ops      int `json:"ops"`      // written
	Refused  int `json:"refused"`  // lines that are JSON and no events of this version
	Torn     int `json:"torn"`     // lines that are no records
	Resets   int `json:"resets"`   // sessions dropped since their file was replaced
	Missing  int `json:"missing"`  // sessions that the store knows and that have no file; kept

	Forgotten int `json:"forgotten"` // sessions that the journal forgot, and now the store

	Newer    int           `json:"newer"` // sessions folded only up to a line that a newer version wrote
	Bytes    int64         `json:"bytes"` // of journal read
	Duration time.Duration `json:"duration_ns"`
}

// Progress is how far a Sync is.
type Progress struct {
	Sessions, Events  int
	Bytes, TotalBytes int64
}

// Sync catches the store up with the journal as it is now, and returns what it
// did. progress may be nil; it is called after each transaction. A file that
// cannot be read does not stop the others; the error names it.
func (r *Replica) Sync(ctx context.Context, progress func(Progress)) (Report, error) {
	r.running.Lock()
	defer r.running.Unlock()
	r.setDefaults()
	start := time.Now()
	var total Report
	r.size.less = 0
	for attempt := 1; ; attempt++ {
		p, err := r.catchUp(ctx, r.Thorough, progress)
		whole := err == nil
		err = errors.Join(err, refusedError(p.refused), p.unreadableError())
		if whole {
			r.forgotten.failed = time.Time{} // who asks for it gets it
			err = errors.Join(err, p.settle(ctx, p.runAll))
		}
		total.add(p.report)
		total.Missing, total.Newer = p.report.Missing, len(p.newer)
		total.Duration = time.Since(start)
		if ctx.Err() == nil && r.size.worthwhile(err) {
			attempt = 0 // a store that is too slow for a transaction may have time for half of it
			continue
		}
		// Somebody else wrote to the store between our reading its positions and
		// our writing. Once more from what it says now.
		if r.owned(err) {
			attempt = 0 // each adds a session: it ends
			continue
		}
		if !errors.Is(err, graph.ErrConflict) || attempt == 3 {
			return total, err
		}
		r.standing = standing{}
	}
}

// catchUp reads the store's positions and folds every file that goes beyond.
func (r *Replica) catchUp(ctx context.Context, thorough bool, progress func(Progress)) (*pass, error) {
	p := &pass{Replica: r, progress: progress, unreadable: map[string]error{}, newer: map[string]bool{}}
	positions, back, err := r.ask(ctx)
	if err != nil {
		return p, err
	}
	p.positions = positions
	if p.positions == nil {
		p.positions = map[string]schema.Position{}
	}
	files, err := r.Journal.Files()
	if err != nil {
		return p, err
	}
	forgotten, missing := withoutFile(r.Journal, positions, files)
	if r.Only != nil {
		files = slices.DeleteFunc(files, func(f journal.File) bool { return !slices.Contains(r.Only, f.Session) })
	}
	p.report.Missing, r.forgotten.settled = missing, 0
	files = slices.DeleteFunc(files, func(f journal.File) bool {
		behind := f.Size - folded(positions[f.Session]).Offset
		p.total += max(behind, 0)
		return behind == 0 && !thorough
	})
	if back {
		r.down.answers(p.total)
	}
	// Oldest first: a store numbers what it is given in that order, and the newest
	// numbers are what a search looks at first.
	slices.SortFunc(files, func(a, b journal.File) int {
		return cmp.Or(a.ModTime.Compare(b.ModTime), cmp.Compare(a.Session, b.Session))
	})
	sessions := forgotten
	for _, f := range files {
		sessions = append(sessions, f.Session)
	}
	if err := p.run(ctx, sessions); err != nil {
		return p, err
	}
	if len(p.unreadable)+len(p.refused)+len(p.newer) == 0 && r.Only == nil {
		err = p.dropOlder(func(sessions []string) bool { return !slices.ContainsFunc(sessions, p.lacks) })
	}
	if err != nil { // the store is none the worse for it
		p.Log.Warn().EmbedObject(logline.Why(failure.StoreOlder, err)).Msg("a store of an earlier layout cannot be removed")
	}
	return p, nil
}

func (p *pass) lacks(session string) bool { return !p.Journal.Knows(session) }

// dropOlder has a store remove what it took the place of, where done says so of the sessions
// in it, or where one of them was forgotten since: no other way takes that out of there.
func (p *pass) dropOlder(done func(sessions []string) bool) error {
	s, ok := p.Store.(Successor)
	if !ok {
		return nil
	}
	return s.DropOlder(func(sessions []string) bool {
		return done(sessions) || slices.ContainsFunc(sessions, p.Journal.Forgotten)
	})
}

// ask learns what the store holds, and which sessions another journal owns in it. back is
// that it did not say so the last time.
func (r *Replica) ask(ctx context.Context) (positions map[string]schema.Position, back bool, err error) {
	limited, cancel := context.WithTimeout(ctx, r.AnswerTimeout)
	defer cancel()
	if err = r.askStandings(limited); err == nil {
		if positions, err = r.Store.Positions(limited, r.Journal.ID()); err != nil {
			err = fmt.Errorf("read the store's positions: %w", err)
		}
	}
	if err == nil {
		before, back := r.health.answered(positions)
		if r.Observer != nil {
			r.Observer.Holds(before, positions)
		}
		return positions, back, nil
	}
	r.health.unanswered()
	if ctx.Err() == nil && limited.Err() != nil {
		err = &timeoutError{"answer", r.AnswerTimeout, err}
	}
	if ctx.Err() == nil {
		r.failed(err)
	}
	return nil, false, err
}

// Run follows the journal until ctx ends: it catches up, then folds each session
// that changes names. When the store fails it says so once, and tries again with
// growing waits until it is back. It is the caller's goroutine that runs it.
func (r *Replica) Run(ctx context.Context, changes <-chan []string) {
	r.running.Lock()
	defer r.running.Unlock()
	r.setDefaults()
	changed, stop := gather(ctx, changes)
	defer stop()
	r.down = outage{log: r.Log.With().Str("store", r.Name).Logger()}
	// At first what has the size it had may still be another file; internal/tail's
	// first report names them all, and each is opened then. After a failure that
	// report is gone.
	thorough := false
	for wait := r.MinBackoff; ctx.Err() == nil; wait = min(2*wait, r.MaxBackoff) {
		err := r.follow(ctx, changed, thorough, func() {
			r.health.up()
			r.down.over()
			wait = r.MinBackoff
		})
		thorough = true
		if ctx.Err() != nil {
			return
		}
		if r.owned(err) {
			continue
		}
		r.standing = standing{} // whose a session is may have changed, too
		r.health.failed(r.twin(err))
		r.Metrics.Counter(metrics.Retries, 1, r.Name)
		if r.down.begin(err); r.down.reason == login {
			wait = r.MaxBackoff // somebody has to change a password: to hurry locks the account
		}
		// Half of the wait is left to chance: the machines of a team must not all
		// come back to one database in the same moment.
		sleep(ctx, wait/2+rand.N(wait/2+1))
	}
}

// follow catches up and goes on until something fails; ok is called whenever the
// store has everything that was there.
func (r *Replica) follow(ctx context.Context, changed *gathered, thorough bool, ok func()) error {
	p, err := r.catchUp(ctx, thorough, nil)
	if err != nil {
		return err
	}
	refused := newRefusals(p)
	defer refused.due.Stop()
	ok()
	if p.report.Events > r.MaxEvents {
		debug.FreeOSMemory() // a daemon keeps for days what a catch-up took for seconds
	}
	idle := time.NewTicker(min(time.Minute, r.Idle))
	defer idle.Stop()
	quiet := time.NewTimer(r.quiet)
	defer quiet.Stop()
	for {
		var sessions []string
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-quiet.C:
			more, err := r.maintain(ctx, p.settle(ctx, refused.follow))
			if err != nil {
				return err
			}
			if more {
				quiet.Reset(r.quiet / 5)
			} else {
				quiet.Reset(2 * r.quiet) // and see whether the store is still there
			}
		case <-changed.wake:
			sessions = changed.take()
		case <-refused.due.C:
			if err := refused.retry(ctx); err != nil {
				return err
			}
		case now := <-idle.C:
			r.folds.dropIdle(now.Add(-r.Idle))
			if err := p.settle(ctx, refused.follow); err != nil { // where it is never quiet
				if _, err = r.maintain(ctx, err); err != nil {
					return err
				}
			}
			// A permission may have been given back, which changes no file's time.
			sessions = slices.Sorted(maps.Keys(p.unreadable))
		}
		if len(sessions) == 0 {
			continue
		}
		if err := refused.follow(ctx, sessions); err != nil {
			return err
		}
		ok()
		quiet.Reset(r.quiet)
		if p.dropped() != r.forgotten.settled {
			quiet.Reset(r.quiet / 5) // somebody waits for it; what else was forgotten with it is there by then
		}
	}
}

const (
	// quietFor is how long nothing has to arrive before a store is maintained.
	quietFor = 5 * time.Second
	// maintenance is how long an event that arrives then may have to wait.
	maintenance = 200 * time.Millisecond
)

// maintain lets the store do its own work for a moment, and reports whether there
// may be more. Its error is a store that does not answer, or is no longer the one that was
// folded into. settled is what forgetting failed with.
func (r *Replica) maintain(ctx context.Context, settled error) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, maintenance)
	defer cancel()
	if m, ok := r.Store.(Maintainer); ok {
		err = m.Maintain(ctx)
		more = err == nil && ctx.Err() != nil
	}
	err = errors.Join(settled, err)
	var named reasoned
	if errors.Is(err, graph.ErrConflict) || errors.As(err, &named) {
		return false, err
	}
	r.down.tidied(err)
	return more, nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
