package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

// enterHome is done before each verb: a home that a newer version of this program has used is
// refused, before anything is written there, and what config.toml says of capture is taken
// over. Verbs that need no home say what they say.
func (a *app) enterHome(cmd *cobra.Command) error {
	for c := cmd; c.HasParent(); c = c.Parent() {
		if slices.Contains([]string{"version", "schema", "completion", "help", "quickstart", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, c.Name()) {
			return nil
		}
	}
	home, err := a.homeDir()
	if err != nil {
		return nil // the verb says so, if it needs one
	}
	if err := journal.CheckHome(home); err != nil {
		return unavailable(err)
	}
	a.compilePolicy(home)
	return nil
}

// openStore opens the embedded store for its one writer, and says where it has to be made
// anew.
func (a *app) openStore(path string) (*sqlite.Store, error) {
	store, err := sqlite.Open(path, sqlite.Options{})
	if err == nil && store.Superseded() > 0 {
		a.note("%s", madeAnew(store))
	}
	return store, err
}

func madeAnew(store *sqlite.Store) string {
	return fmt.Sprintf("an earlier version of ag-sessiond wrote the store (layout %d, now %d): making it anew from the journal, once", store.Superseded(), sqlite.Version)
}

// keptByOlder is of a store of an earlier layout that a process keeps from being made anew.
func keptByOlder(home string) error {
	by, held, err := connector.Held(home, connector.RunLock)
	if err != nil || !held {
		return beingMade(home)
	}
	return errcode.With(errcode.StoreOlder, fmt.Errorf("the daemon (%s) keeps the store for an earlier version of ag-sessiond: stop it and start it again, and it makes the store anew for this one", by))
}

// asideStatus is a store of an earlier layout that was put aside.
type asideStatus struct {
	sqlite.Aside
	Sessions int    `json:"sessions"`
	Only     int    `json:"only_here"` // sessions that the journal does not have
	Error    string `json:"error,omitempty"`
}

// asideStores says what was put aside of a store, and what of it the journal lacks.
func asideStores(j *journal.Journal, path string) (all []asideStatus) {
	asides, _ := sqlite.Asides(path)
	for _, a := range asides {
		s := asideStatus{Aside: a, Sessions: len(a.Sessions), Only: len(sqlite.Only(a, j.Knows))}
		if a.Err != nil {
			s.Error = a.Err.Error()
		}
		all = append(all, s)
	}
	return all
}

func (a *app) printAsides(asides []asideStatus, field func(name, format string, args ...any)) {
	for _, s := range asides {
		what := "goes when the store has caught up"
		switch {
		case s.Error != "":
			what = "cannot be read: " + s.Error + "; remove it, if nothing in it is wanted"
		case s.Only > 0:
			what = render.Plural(int64(s.Only), "session") + " in it of which the journal has no file: put that back from a backup, or remove " + s.Path
		}
		field("older", "%s", render.OneLine(fmt.Sprintf("a store of layout %d, %s: %s", s.Layout, render.Bytes(s.Bytes), what)))
	}
}

// isOlder reports whether a store is only to be made anew by the next verb that reads.
func isOlder(err error) bool { return errors.Is(err, sqlite.ErrOlder) }
