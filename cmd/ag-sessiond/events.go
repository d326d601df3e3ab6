package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// eventsHelp says what --events costs.
const eventsHelp = "answer from the events at this `URL`: file:///home, sqlite:///file.db or postgres://…; of the last two the session that is named, else all, " +
	"are copied to a folder for the time of the verb, about 10,000 events a second"

// eventsFlag gives a reading verb the flag --events.
func (a *app) eventsFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.events, "events", "", eventsHelp)
	completeStores(cmd, "events")
}

// orGraph refuses a verb's --events beside its --graph.
func (a *app) orGraph(cmd *cobra.Command) {
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if len(a.graphs) > 0 && cmd.Flags().Changed("events") {
			return usagef("--events and --graph: give one of them, a graph is what is made of events")
		}
		if before == nil {
			return nil
		}
		return before(cmd, args)
	}
}

// enterEvents makes the home of a verb the one that --events names. It is done before the verb.
func (a *app) enterEvents(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup("events"); f == nil || !f.Changed {
		return nil
	}
	kind, path, err := eventstore.KindOf(a.events)
	if err != nil {
		return usagef("--events: %w", err)
	}
	if kind == eventstore.File {
		a.home, a.events = path, ""
	}
	return nil
}

// borrow fills a folder with the sessions of --events, once a verb, and makes it the home: so
// every verb reads an event store as it reads a journal. names are the sessions that the verb
// is about, whose ids are returned, and what they were forked from comes with them; none are all.
func (a *app) borrow(ctx context.Context, names ...string) (ids []string, err error) {
	if a.events == "" || a.borrowed != "" {
		return names, nil
	}
	store, err := eventstore.Open(ctx, a.events)
	if err != nil {
		return nil, storeError(ctx, "--events", err)
	}
	defer store.Close()
	var o eventstore.Options
	for _, name := range names {
		id, err := eventstore.Find(ctx, store, name)
		if err != nil {
			return nil, interruptedOr(ctx, fmt.Errorf("%s: %w", eventstore.Redacted(a.events), err))
		}
		family, err := withParents(ctx, store, id)
		if err != nil {
			return nil, interruptedOr(ctx, err)
		}
		ids, o.Sessions = append(ids, id), append(o.Sessions, family...)
	}
	removeLeft(os.TempDir(), time.Now().Add(-24*time.Hour))
	dir, err := os.MkdirTemp("", borrowedPrefix)
	if err != nil {
		return nil, unavailable(err)
	}
	a.borrowed = filepath.Join(dir, "home") // below what is readable by this user alone from the beginning
	return ids, a.fill(ctx, store, o)
}

const borrowedPrefix = "ag-sessiond-events-"

// removeLeft removes the copies that verbs left which were killed before then: nobody who forgets a session
// looks for it there. No verb that reads runs for so long.
func removeLeft(dir string, before time.Time) {
	entries, _ := os.ReadDir(dir) // who cannot read it finds no more
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && strings.HasPrefix(e.Name(), borrowedPrefix) && info.ModTime().Before(before) {
			os.RemoveAll(filepath.Join(dir, e.Name())) // another user's stays
		}
	}
}

func withParents(ctx context.Context, store eventstore.Store, id string) (sessions []string, err error) {
	past, err := history.Open(ctx, store, id, history.Point{})
	if err != nil {
		return nil, err
	}
	for _, s := range past.Segments {
		sessions = append(sessions, s.Session)
	}
	return sessions, nil
}

// fill copies sessions into the folder. Of many, one that cannot be read keeps none of the
// others from being shown. The journal's id is the same each time, so that a graph that is made
// of it twice is the same.
func (a *app) fill(ctx context.Context, store eventstore.Store, o eventstore.Options) error {
	if err := os.Mkdir(a.borrowed, 0o700); err != nil {
		return unavailable(err)
	}
	id := schema.NewID("events", eventstore.Redacted(a.events))
	if err := os.WriteFile(filepath.Join(a.borrowed, "id"), []byte(id+"\n"), 0o600); err != nil {
		return unavailable(err)
	}
	home, err := eventstore.Create(ctx, "file://"+filepath.ToSlash(a.borrowed))
	if err != nil {
		return unavailable(err)
	}
	defer home.Close()
	progress, done := a.eventBar(ctx)
	o.Progress = progress
	reports, err := eventstore.Migrate(ctx, store, home, o)
	done()
	if ctx.Err() != nil || reports == nil || err != nil && len(o.Sessions) > 0 {
		return interruptedOr(ctx, err)
	}
	failed := 0
	for _, r := range reports {
		if r.Error != "" {
			a.note("left out: session %s: %s", r.Session, r.Error)
			failed++
		}
	}
	if a.empty = len(reports) == failed; a.empty {
		a.note("there is no session in %s: %s", eventstore.Redacted(a.events), a.howToBegin())
	}
	return nil
}

// giveBack removes what was borrowed.
func (a *app) giveBack() error {
	if a.borrowed == "" {
		return nil
	}
	dir := filepath.Dir(a.borrowed)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove %s, a copy of events: %w", dir, err)
	}
	return nil
}

// completeStored offers the ids of sessions that are in --events.
func (a *app) completeStored(ctx context.Context, prefix string) (out []string) {
	store, err := eventstore.Open(ctx, a.events)
	if err != nil {
		return nil
	}
	defer store.Close()
	sessions, _ := store.Sessions(ctx)
	for _, s := range sessions {
		if strings.HasPrefix(s.ID, prefix) && len(out) < 30 {
			out = append(out, s.ID+"\t"+render.Plural(s.Events, "event"))
		}
	}
	return out
}

// howToCopy is what to do where an event store has no session.
func howToCopy(url string) string {
	return fmt.Sprintf("ag-sessiond migrate --from URL --to %s copies some there", eventstore.Redacted(url))
}
