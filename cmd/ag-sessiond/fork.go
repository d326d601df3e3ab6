package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) forkCmd() *cobra.Command {
	var f actiongraph.Fork
	cmd := &cobra.Command{
		Use:   "fork SESSION --at-event ID | --at-turn N",
		Short: "Make a session that shares another's history up to a point",
		Long: `Make a session that shares the history of another one up to an event or the end of a
turn, that included, and goes on by itself: what hooks, an import or the API record under
its id continues it. Nothing is copied, and SESSION stays as it is. Verbs that show the
fork show first what it shares; what they count is its own.

trace lists a session's events with their ids. Turns are counted as "show" draws them: a prompt and
what followed. To say the same --id and point again changes nothing.`,
		Example: `  ag-sessiond fork latest --at-turn 3 --label "without the cache"
  ag-sessiond fork c8813339 --at-event 3f2a91bc --id 0b6f5f0e-6f0e-4a51-9a0b-2f1f5a1c7d11`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			turn, id := cmd.Flags().Changed("at-turn"), cmd.Flags().Changed("id")
			switch {
			case turn == (f.AtEvent != ""):
				return usagef("where? say one of --at-event ID and --at-turn N; ag-sessiond trace %s lists its events", args[0])
			case turn && f.AtTurn < 1:
				return usagef("--at-turn %d: turns are counted from 1", f.AtTurn)
			case id && (!schema.ValidID(f.SessionID) || schema.NoSession(f.SessionID)):
				return usagef("--id %q is no session's id: want %s", f.SessionID, schema.IDPattern)
			case render.OneLine(f.Label) != f.Label || len(f.Label) > 128:
				return usagef("--label %q: want one line of at most 128 bytes without control characters", f.Label)
			}
			f.Session = args[0]
			return a.fork(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.AtEvent, "at-event", "", "share up to this event, by its `id` or a beginning of it (8 characters or more)")
	flags.Int64Var(&f.AtTurn, "at-turn", 0, "share up to the end of the turn of this `number`")
	flags.StringVar(&f.Label, "label", "", "what to call the fork: its title")
	flags.StringVar(&f.SessionID, "id", "", "the fork's `id` (default a new UUID)")
	flags.StringVar(&a.events, "events", "", "fork a session of the events at this `URL`, and write there that it is one: file:///home, sqlite:///file.db or postgres://…")
	completeStores(cmd, "events")
	cmd.SetFlagErrorFunc(tagFlagError)
	return cmd
}

func (a *app) fork(ctx context.Context, f actiongraph.Fork) error {
	arg := f.Session
	if err := a.borrowFork(ctx, f); err != nil {
		return err
	}
	err := a.readSession(ctx, arg, func(_ context.Context, _ connector.Reader, s graph.SessionRow) error {
		f.Session = s.SessionID
		return nil
	})
	if err != nil {
		return err
	}
	j, err := a.journal()
	if err != nil {
		return err
	}
	f.Session = journalSession(j, f.Session)
	h, err := actiongraph.Open(j.Home(), actiongraph.Options{})
	if err != nil {
		return unavailable(err)
	}
	defer h.Close()
	forked, err := h.Fork(ctx, f)
	switch {
	case errors.Is(err, connector.ErrLocked):
		return unavailable(err)
	case errors.Is(err, graph.ErrNotFound) && f.AtEvent != "":
		return fmt.Errorf("%w; ag-sessiond trace %s lists its events", err, arg)
	case err != nil:
		return err
	}
	if err := a.storeFork(ctx, forked.SessionID); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(forked)
	}
	if forked.Known {
		a.note("session %s is this fork already", forked.SessionID)
	}
	a.printf("%s  shares %s of %s, up to event %s (%s)\n", forked.SessionID, render.Plural(int64(forked.Events), "event"),
		forked.ParentSessionID, forked.ParentEventID, render.Time(forked.ParentEventTime))
	return nil
}

// borrowFork copies what a fork of --events needs: the session, and one that has the fork's id
// already, which only that store knows.
func (a *app) borrowFork(ctx context.Context, f actiongraph.Fork) error {
	if a.events == "" {
		return nil
	}
	names := []string{f.Session}
	if f.SessionID != "" {
		store, err := eventstore.Open(ctx, a.events)
		if err != nil {
			return storeError(ctx, "--events", err)
		}
		if id, err := eventstore.Find(ctx, store, f.SessionID); err == nil && id == f.SessionID {
			names = append(names, id)
		}
		if err := store.Close(); err != nil {
			return interruptedOr(ctx, unavailable(err))
		}
	}
	_, err := a.borrow(ctx, names...)
	return err
}

// storeFork writes into the store of --events what was recorded of a fork in the copy.
func (a *app) storeFork(ctx context.Context, session string) error {
	if a.borrowed == "" {
		return nil
	}
	from, err := eventstore.Open(ctx, "file://"+filepath.ToSlash(a.borrowed))
	if err != nil {
		return storeError(ctx, "--events", err)
	}
	defer from.Close()
	to, err := eventstore.Open(ctx, a.events)
	if err != nil {
		return storeError(ctx, "--events", err)
	}
	_, err = eventstore.Migrate(ctx, from, to, eventstore.Options{Sessions: []string{session}})
	return interruptedOr(ctx, errors.Join(err, to.Close()))
}
