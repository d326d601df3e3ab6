package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
)

// foldPause is how long an import goes on before the store takes in what it has read,
// again and again.
const foldPause = 200 * time.Millisecond

// importFold catches the embedded store up while an import writes the journal: the two
// wait for different things, and together they keep two cores at work. A nil one does
// nothing.
type importFold struct {
	replica *connector.Replica
	release func() error
	total   connector.Report
	stop    chan struct{}
	ended   sync.WaitGroup
	wait    atomic.Bool // a large session is being read: to fold it piece by piece is to fold it many times
}

// large says whether a large session is being read.
func (f *importFold) large(now bool) {
	if f != nil {
		f.wait.Store(now)
	}
}

// ownReplica opens the embedded store for what keeps it in step, until release; nil where
// another process does.
func (a *app) ownReplica(j *journal.Journal, log zerolog.Logger) (replica *connector.Replica, release func() error, err error) {
	lock, err := connector.LockHome(j.Home(), connector.GraphLock, syncPatience)
	if errors.Is(err, connector.ErrLocked) {
		a.note("another process keeps the store: it takes in what is read")
		return nil, func() error { return nil }, nil
	}
	if err != nil {
		return nil, nil, unavailable(err)
	}
	store, err := a.openStore(filepath.Join(j.Home(), storeFile))
	if err != nil {
		return nil, nil, unavailable(errors.Join(err, lock.Unlock()))
	}
	release = func() error { return errors.Join(store.Close(), lock.Unlock()) }
	return &connector.Replica{Journal: j, Store: store, Name: embedded, Log: log, Failures: &connector.Failures{Journal: j, Log: log}}, release, nil
}

// foldAlong begins to catch the store up. Where another process keeps the store, that
// one does so.
func (a *app) foldAlong(ctx context.Context, dryRun bool) (*importFold, error) {
	if dryRun {
		return nil, nil
	}
	j, err := a.journal()
	if err != nil {
		return nil, err
	}
	replica, release, err := a.ownReplica(j, zerolog.Nop())
	if err != nil || replica == nil {
		return nil, err
	}
	f := &importFold{replica: replica, release: release, stop: make(chan struct{})}
	f.ended.Go(func() {
		for pause := foldPause; ; {
			select {
			case <-f.stop:
				return
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			if f.wait.Load() {
				continue
			}
			began := time.Now()
			if f.sync(ctx, nil) != nil {
				return // finish says what is wrong, if it still is
			}
			// Where more sessions grow than the replica keeps, each pass folds them anew: with a
			// pause that grows as it does, all of them together cost a few of the last.
			pause = max(foldPause, time.Since(began)/4)
		}
	})
	return f, nil
}

func (f *importFold) sync(ctx context.Context, progress func(connector.Progress)) error {
	report, err := f.replica.Sync(ctx, progress)
	f.total.Sessions += report.Sessions // one that was taken in in two parts counts twice
	f.total.Events += report.Events
	f.total.Ops += report.Ops
	f.total.Bytes += report.Bytes
	f.total.Duration += report.Duration
	f.total.Refused, f.total.Torn = f.total.Refused+report.Refused, f.total.Torn+report.Torn
	f.total.Resets += report.Resets
	f.total.Forgotten += report.Forgotten
	f.total.Missing, f.total.Newer = report.Missing, report.Newer
	return err
}

// finish takes in the rest, unless the import was stopped, and closes the store.
func (f *importFold) finish(ctx context.Context, stopped bool, progress func(connector.Progress)) (*connector.Report, error) {
	if f == nil {
		return nil, nil
	}
	close(f.stop)
	f.ended.Wait()
	var err error
	if !stopped {
		err = f.sync(ctx, progress)
	}
	return &f.total, errors.Join(err, f.release())
}
