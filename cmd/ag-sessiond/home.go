package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
)

const (
	// storeFile is the embedded store, below the home.
	storeFile = sqlite.FileName
	// readPatience is how long a reading verb waits for another one that is writing
	// the store: rather an answer that is behind than none.
	readPatience = 50 * time.Millisecond
	// makingPatience is how long a reading verb waits for a store that another process
	// makes: without it there is no answer at all.
	makingPatience = 2 * time.Second
	// tagPatience is how long tag waits to see its tag in a store that a daemon keeps.
	tagPatience = 2 * time.Second
)

// homeDir is the directory of journal and store that the verb reads.
func (a *app) homeDir() (string, error) {
	if a.borrowed != "" {
		return a.borrowed, nil
	}
	return a.configHome()
}

// configHome is the home directory, which has the configuration, also where --events is read.
func (a *app) configHome() (string, error) {
	home := a.home
	if home == "" {
		home = journal.DefaultHome()
	}
	if home == "" {
		return "", unavailable(errcode.With(errcode.HomeUnknown, errors.New("no home directory is known: give --home or set AG_HOME")))
	}
	return filepath.Abs(home)
}

// storePath is where the embedded store is.
func (a *app) storePath() (string, error) {
	home, err := a.homeDir()
	return filepath.Join(home, storeFile), err
}

// journal opens the journal of the home, which must be there.
func (a *app) journal() (*journal.Journal, error) {
	home, err := a.homeDir()
	if err != nil {
		return nil, err
	}
	j, err := packed.Adopt(home)
	return j, unavailable(err)
}

// ownJournal opens the journal of the home for what a graph does not hold. It makes
// none: with --graph the home may be that of a machine that records nothing.
func (a *app) ownJournal() (*journal.Journal, error) {
	home, err := a.homeDir()
	if err != nil {
		return nil, err
	}
	there, err := recorded(home)
	if err == nil && !there {
		err = errcode.With(errcode.HomeMissing, fmt.Errorf("there is no journal in %s", home))
	}
	if err != nil {
		return nil, err
	}
	return a.journal()
}

// journalSession is the session of a journal that a session of a store is: the same,
// or what its continuation continues.
func journalSession(j *journal.Journal, id string) string {
	if base, _, ok := strings.Cut(id, "~"); ok && graph.ContinuationID(base, j.ID()) == id {
		return base
	}
	return id
}

// recorded reports whether the home was ever recorded into. Asking must not make
// one: a mistyped --home would look like an empty record from then on.
func recorded(home string) (bool, error) {
	info, err := os.Stat(home)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, unavailable(err)
	case !info.IsDir():
		return false, unavailable(fmt.Errorf("%s is no directory: give --home or set AG_HOME to one", home))
	}
	_, err = os.Stat(journal.Dir(home))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, unavailable(err)
}

// storeReader is what a reading verb reads: the answers, and how far they go.
type storeReader interface {
	connector.Reader
	connector.Store
}

// read is readSource for verbs that only ask questions.
func (a *app) read(ctx context.Context, fn func(context.Context, connector.Reader) error) error {
	return a.readSource(ctx, func(ctx context.Context, s storeReader) error { return fn(ctx, s) })
}

// readSource catches the store up with the journal and calls fn with it. Where the
// store cannot be caught up fn gets it as it is, and stderr says how far behind it is.
// With --graph it is that database, as it is.
func (a *app) readSource(ctx context.Context, fn func(context.Context, storeReader) error) error {
	if len(a.graphs) > 0 {
		return a.readGraph(ctx, fn)
	}
	if _, err := a.borrow(ctx); err != nil {
		return err
	}
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	there, err := recorded(home)
	if err != nil {
		return err
	}
	if !there {
		a.empty = true
		a.note("nothing is recorded in %s yet: %s", home, howToStart)
		return fn(ctx, nothing{})
	}
	j, err := packed.Adopt(home)
	if err != nil {
		return unavailable(err)
	}
	path := filepath.Join(home, storeFile)
	failed, err := a.awaitStore(ctx, j, path)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	store, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err != nil {
		if failed != nil && failed.Error() != err.Error() {
			err = errors.Join(failed, err)
		}
		return unavailable(err)
	}
	defer store.Close()
	if failed != nil {
		failed = a.behind(ctx, j, store, failed)
	}
	if err := a.noteEmpty(ctx, j, store); err != nil {
		return err
	}
	if err := fn(ctx, store); err != nil {
		return err
	}
	return failed
}

// catchUp folds what is new in the journal into the store. The lock is given back
// before anything is printed: a pager that nobody scrolls must not hold it.
func (a *app) catchUp(ctx context.Context, j *journal.Journal, path string) error {
	lock, err := connector.LockHome(j.Home(), connector.GraphLock, readPatience)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	store, err := a.openStore(path)
	if err != nil {
		return err
	}
	r := connector.Replica{Journal: j, Store: store, Name: embedded, Log: zerolog.Nop(), LeaveCompact: true} // the error says it
	progress, done := a.progressBar(ctx)
	_, err = r.Sync(ctx, progress)
	done()
	return errors.Join(err, store.Close())
}

// behind says how far the store is behind the journal, and why. It returns what is
// left of the failure: nothing where another process keeps the store, for then the
// answer is whole but for the last moments.
func (a *app) behind(ctx context.Context, j *journal.Journal, store connector.Store, failed error) error {
	held := errors.Is(failed, connector.ErrLocked)
	lag, err := connector.Behind(ctx, j, store)
	for deadline := time.Now().Add(a.patience); held && err == nil && lag.Bytes > 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
		lag, err = connector.Behind(ctx, j, store)
	}
	if err != nil {
		return errors.Join(failed, err)
	}
	if lag.Bytes > 0 || !held {
		a.note("the store is %s of journal behind, in %s: %v", render.Bytes(lag.Bytes), render.Plural(int64(lag.Sessions), "session"), failed)
	}
	if held {
		return nil
	}
	return &exitError{code: exitFailed, err: failed, silent: true}
}

// noteEmpty says that nothing is recorded. The journal decides: a store without rows
// may only not have been made yet.
func (a *app) noteEmpty(ctx context.Context, j *journal.Journal, r connector.Reader) error {
	files, err := journalFiles(j.Home(), 1)
	if err != nil {
		return unavailable(err)
	}
	if files > 0 || a.empty {
		return nil
	}
	some, err := r.Sessions(ctx, graph.SessionFilter{Limit: 1}) // of a journal that was removed
	if err != nil {
		return unavailable(err)
	}
	if a.empty = len(some) == 0; a.empty {
		a.note("nothing is recorded in %s yet: %s", j.Home(), howToStart)
	}
	return nil
}

// readSession is read for the one session that arg names.
func (a *app) readSession(ctx context.Context, arg string, fn func(context.Context, connector.Reader, graph.SessionRow) error) error {
	ids, err := a.borrow(ctx, arg)
	if err != nil {
		return err
	}
	arg = ids[0]
	return a.readSource(ctx, func(ctx context.Context, r storeReader) error {
		s, err := session(ctx, r, arg, a.howToBegin())
		if err != nil {
			return err
		}
		if a.at != "" {
			return a.readAt(ctx, s, fn)
		}
		return fn(ctx, r, s)
	})
}

// howToBegin is what to do where the store that a verb reads has no session.
func (a *app) howToBegin() string {
	if len(a.graphs) > 0 {
		return howToFill(a.graphs[0])
	}
	if a.events != "" {
		return howToCopy(a.events)
	}
	return howToStart
}

// nothing is the store of a home that was never recorded into.
type nothing struct{}

func (nothing) Positions(context.Context, string) (map[string]journal.Position, error) {
	return nil, nil
}
func (nothing) Apply(context.Context, []graph.Batch) error {
	return errcode.With(errcode.StoreUnavailable, errors.New("there is no store to write"))
}
func (nothing) Close() error { return nil }

func (nothing) Sessions(context.Context, graph.SessionFilter) ([]graph.SessionRow, error) {
	return nil, nil
}
func (nothing) Actions(context.Context, graph.ActionFilter) ([]graph.ActionRow, error) {
	return nil, nil
}
func (nothing) Action(_ context.Context, id string) (graph.ActionRow, error) {
	return graph.ActionRow{}, fmt.Errorf("action %s: %w", id, graph.ErrNotFound)
}
func (nothing) Agents(context.Context, string) ([]graph.AgentRow, error) { return nil, nil }
func (nothing) Tools(context.Context, string) ([]graph.ToolStats, error) { return nil, nil }
func (nothing) Profile(context.Context, graph.ProfileFilter) ([]graph.ToolProfile, error) {
	return nil, nil
}
func (nothing) Summary(context.Context, string) (graph.Summary, error) { return graph.Summary{}, nil }
func (nothing) Load(context.Context, string) (*graph.Graph, error)     { return graph.New(), nil }
func (nothing) Usage(context.Context, graph.UsageFilter) ([]graph.UsageRow, error) {
	return nil, nil
}
func (nothing) Search(context.Context, graph.SearchQuery) ([]graph.SearchHit, error) {
	return nil, nil
}
