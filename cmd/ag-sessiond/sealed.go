package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/seal"
)

// sealedSession finds the session that arg means in the journal and its seals, whatever stores know.
func sealedSession(j *journal.Journal, arg string) (string, error) {
	all, err := seal.Sessions(j)
	if err != nil {
		return "", err
	}
	switch arg {
	case "":
		return "", usagef("a session's id is empty: give an id, a prefix of one, or latest")
	case "latest":
		return latestSession(j)
	}
	arg = schema.SafeID(arg)
	if slices.Contains(all, arg) {
		return arg, nil
	}
	all = slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, arg) })
	switch len(all) {
	case 0:
		return "", errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q in the journal of %s: ag-sessiond sessions lists them", arg, j.Home()))
	case 1:
		return all[0], nil
	}
	return "", usagef("%q begins the ids of %d sessions: %s", arg, len(all), strings.Join(all[:min(len(all), 5)], ", "))
}

// latestSession is the one that was written to last.
func latestSession(j *journal.Journal) (string, error) {
	files, err := j.Files()
	if err == nil && len(files) == 0 {
		err = errcode.With(errcode.SessionNotFound, fmt.Errorf("there is no session yet: %s", howToStart))
	}
	if err != nil {
		return "", err
	}
	return slices.MaxFunc(files, func(a, b journal.File) int { return a.ModTime.Compare(b.ModTime) }).Session, nil
}

// withWitnesses calls fn with each store that keeps the end of the log of seals: the embedded one, those of
// the configuration and of --graph; or with why it cannot be opened.
func (a *app) withWitnesses(ctx context.Context, j *journal.Journal, readOnly bool, fn func(name string, store connector.Witness, err error)) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	graphs, err := a.allGraphs(c)
	if err != nil {
		return err
	}
	err = withEmbedded(j, readOnly, fn)
	for _, g := range graphs {
		store, openErr := a.open(ctx, g, readOnly, zerolog.Nop())
		if openErr != nil {
			fn(g.Name, nil, openErr)
			continue
		}
		fn(g.Name, store, nil)
		err = errors.Join(err, store.Close())
	}
	return err
}

func withEmbedded(j *journal.Journal, readOnly bool, fn func(name string, store connector.Witness, err error)) error {
	path := filepath.Join(j.Home(), storeFile)
	if _, err := os.Stat(path); readOnly && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !readOnly {
		lock, err := connector.LockHome(j.Home(), connector.GraphLock, readPatience)
		if err != nil {
			fn(embedded, nil, err) // a daemon that seals gives it the end itself
			return nil
		}
		defer lock.Unlock()
	}
	store, err := sqlite.Open(path, sqlite.Options{ReadOnly: readOnly})
	if err != nil {
		fn(embedded, nil, err)
		return nil
	}
	fn(embedded, store, nil)
	return store.Close()
}

// witnesses are the stores that keep the end of the log of seals.
func (k kept) witnesses() map[string]connector.Witness {
	all := map[string]connector.Witness{}
	for _, s := range k {
		if w, ok := s.store.(connector.Witness); ok {
			all[s.name] = w
		}
	}
	return all
}
