package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// replayTarget is the store that a replay is held against.
type replayTarget struct {
	connector.Replica
	replay string // the command that repairs it
	close  func() error
}

// openTarget opens the store that --graph names, for a strict replay only to read it.
func (a *app) openTarget(ctx context.Context, j *journal.Journal, o replayOptions) (*replayTarget, error) {
	name, err := a.oneGraph()
	if err != nil {
		return nil, err
	}
	t := &replayTarget{
		Replica: connector.Replica{Journal: j, Log: zerolog.Nop(), Thorough: true},
		replay:  "ag-sessiond replay " + cmp.Or(o.session, "--all"),
	}
	file, isFile, err := sqliteFile(name)
	switch own := filepath.Join(j.Home(), storeFile); {
	case err != nil:
		return nil, err
	case name == "" || isFile && sameFile(file, own):
		t.Name = embedded
		err = a.openOwn(t, own, o)
	case isFile:
		t.Name, t.LeaveCompact = name, true // it is no store of the home, whose tombstones do not wait for it
		t.replay += " --graph " + name
		err = t.openFile(file, o.strict)
	default:
		t.replay += " --graph " + name
		err = a.openGraph(ctx, t, name, o.strict)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// openOwn opens the embedded store, of which there is one writer at a time.
func (a *app) openOwn(t *replayTarget, path string, o replayOptions) error {
	if o.until != "" {
		return usagef("--until would put the past into the home's own store, which is to have all there is: " +
			"give it one of its own, --graph sqlite:///FILE, or ask with --at: ag-sessiond show SESSION --at")
	}
	if o.strict {
		return t.openFile(path, true)
	}
	lock, err := connector.LockHome(t.Journal.Home(), connector.GraphLock, syncPatience)
	if errors.Is(err, connector.ErrLocked) {
		err = fmt.Errorf("%w: stop it first, or compare with --strict, which needs no lock", err)
	}
	if err != nil {
		return unavailable(err)
	}
	if err := t.openFile(path, false); err != nil {
		return errors.Join(err, lock.Unlock())
	}
	shut := t.close
	t.close = func() error { return errors.Join(shut(), lock.Unlock()) }
	return nil
}

func (t *replayTarget) openFile(path string, readOnly bool) error {
	store, err := sqlite.Open(path, sqlite.Options{ReadOnly: readOnly})
	if err != nil {
		return unavailable(err)
	}
	t.Store, t.close = store, store.Close
	return nil
}

func (a *app) openGraph(ctx context.Context, t *replayTarget, name string, readOnly bool) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	g, err := a.findGraph(c, name)
	if err != nil {
		return err
	}
	store, err := a.open(ctx, g, readOnly, zerolog.Nop())
	if err != nil {
		return err
	}
	t.Name, t.Store, t.MaxBytes, t.close = g.Name, store, graphBytes, store.Close
	return nil
}

// sqliteFile is the file that a URL like sqlite:///graph.db names: below the working
// directory, or with a fourth slash from the root.
func sqliteFile(name string) (path string, is bool, err error) {
	if !strings.HasPrefix(name, "sqlite:") {
		return "", false, nil
	}
	path, ok := strings.CutPrefix(name, "sqlite:///")
	if !ok || path == "" {
		return "", true, usagef("--graph %s: a file is sqlite:///graph.db, below the working directory, or sqlite:////tmp/graph.db", name)
	}
	path, err = filepath.Abs(filepath.FromSlash(path))
	return path, true, err
}

// recordedSession is the session of a journal that arg names, as session is of a store: an
// id, the beginning of one, or latest. It asks no store, which may be what is wrong.
func recordedSession(j *journal.Journal, arg string) (string, error) {
	files, err := j.Files()
	if err != nil {
		return "", unavailable(err)
	}
	if len(files) == 0 {
		return "", errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q: there is none yet; %s", arg, howToStart))
	}
	if arg == "latest" {
		return slices.MaxFunc(files, func(a, b journal.File) int { return a.ModTime.Compare(b.ModTime) }).Session, nil
	}
	var found []string
	for _, f := range files {
		if f.Session == arg || f.Session == schema.SafeID(arg) {
			return f.Session, nil
		}
		if arg != "" && strings.HasPrefix(f.Session, arg) {
			found = append(found, f.Session)
		}
	}
	switch len(found) {
	case 0:
		return "", errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q in the journal of %s: ag-sessiond inspect lists them", arg, j.Home()))
	case 1:
		return found[0], nil
	}
	return "", errcode.With(errcode.SessionAmbiguous, fmt.Errorf("%q is the beginning of %d session ids: give more of it\n  %s", arg, len(found), strings.Join(found[:min(len(found), 10)], "\n  ")))
}

// sessionPoint is a session, and up to where it counts.
type sessionPoint struct {
	session string
	at      history.Point
}

// pointsOf are the sessions that --until is about: an event is of one session.
func (a *app) pointsOf(ctx context.Context, j *journal.Journal, o replayOptions) (out []sessionPoint, err error) {
	if o.session != "" {
		at, err := a.point(ctx, history.Journal(j), o.session, o.until)
		return []sessionPoint{{o.session, at}}, err
	}
	t, err := parseWhen(o.until, a.now(), true)
	if err != nil {
		return nil, usagef("--until of --all is a time, as an event is of one session: %w", err)
	}
	files, err := j.Files()
	for _, f := range files {
		out = append(out, sessionPoint{f.Session, history.Moment(t)})
	}
	if err == nil && len(out) == 0 {
		err = errcode.With(errcode.SessionNotFound, fmt.Errorf("there is no session yet: %s", howToStart))
	}
	return out, err
}
