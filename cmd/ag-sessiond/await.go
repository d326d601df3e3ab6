package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
)

// awaitStore catches the store up, and waits while another process is only beginning
// to make it: what it holds by then would look like an empty record. failed is why
// the store that is there could not be caught up; err says that there is none yet.
func (a *app) awaitStore(ctx context.Context, j *journal.Journal, path string) (failed, err error) {
	failed = a.catchUp(ctx, j, path)
	if !errors.Is(failed, connector.ErrLocked) {
		return failed, nil
	}
	files, err := journalFiles(j.Home(), -1)
	if err != nil {
		return failed, unavailable(err)
	}
	for deadline := time.Now().Add(makingPatience); ctx.Err() == nil && !made(ctx, j, path, files); {
		if time.Now().After(deadline) {
			err := opens(path)
			if isOlder(err) {
				return failed, unavailable(keptByOlder(j.Home()))
			}
			if info, statErr := os.Stat(path); statErr == nil && info.Size() > 0 && err != nil {
				return failed, nil // it is not being made but damaged, as the reader will say
			}
			return failed, unavailable(beingMade(j.Home()))
		}
		// It waits a moment for the lock each time.
		if failed = a.catchUp(ctx, j, path); !errors.Is(failed, connector.ErrLocked) {
			break
		}
	}
	return failed, nil
}

// made reports whether a store can answer: it has at least a tenth of the sessions
// whose files the journal has, or all that those files hold.
func made(ctx context.Context, j *journal.Journal, path string, files int) bool {
	store, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return false // missing, or without a layout yet
	}
	defer store.Close()
	positions, err := store.Positions(ctx, j.ID())
	if err != nil || 10*len(positions) >= files && (len(positions) > 0 || files == 0) {
		return true
	}
	lag, err := connector.Behind(ctx, j, store)
	return err == nil && lag.Bytes == 0
}

func opens(path string) error {
	store, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return store.Close()
}

// beingMade says who makes the store that is not there yet. It never says sync: that
// would wait for the same lock.
func beingMade(home string) error {
	if by, held, err := connector.Held(home, connector.RunLock); err == nil && held {
		return errcode.With(errcode.StoreBusy, fmt.Errorf("the daemon (%s) is making the store; try again in a moment", by))
	}
	by, held, err := connector.Held(home, connector.GraphLock)
	if err != nil || !held {
		by = "it is done by now"
	}
	return errcode.With(errcode.StoreBusy, fmt.Errorf("another process is making the store; try again in a moment (graph.lock is locked by %s)", by))
}

// journalFiles counts the sessions' files of a home's journal, by their names alone
// and up to limit; -1 is all.
func journalFiles(home string, limit int) (n int, err error) {
	dir, err := os.Open(journal.Dir(home))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	for limit < 0 || n < limit {
		names, err := dir.Readdirnames(64)
		for _, name := range names {
			if _, ok := journal.SessionOf(name); ok { // one of which a part is packed counts twice
				n++
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
