package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
)

func (a *app) inspectCmd() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect [URL]",
		Short: "Look at the events themselves: of a session, one whole, or those that made a node",
		Long: `Look at the record from outside: the sessions with how many events each has and the
last of them; of one session its last events, in the order of their times; one event, whole;
or a node, with the event that gave each property its value, and a version: how many events
changed it. A fork's events begin with those that it shares with its parent.

It reads the journal of the home, or with URL an event store: file:///home/me/.actiongraph,
sqlite:///events.db, postgres://…`,
		Example: `  ag-sessiond inspect
  ag-sessiond inspect --session latest --tail 50
  ag-sessiond inspect --event e84111fb
  ag-sessiond inspect --session c8813339 --node 9f4cbf92
  ag-sessiond inspect sqlite:///events.db --session c8813339 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.url = args[0]
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			return a.inspect(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.session, "session", "", "this `session`: an id, the beginning of one, or latest")
	flags.IntVar(&o.tail, "tail", 20, "the last so `many` events, or sessions; 0 is all")
	flags.StringVar(&o.event, "event", "", "this event, whole: its `id` or the beginning of it")
	flags.StringVar(&o.node, "node", "", "the node of this `key`, and the events that made it; with --session")
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

type inspectOptions struct {
	url, session, event, node string
	tail                      int
}

func (o *inspectOptions) check(cmd *cobra.Command) error {
	flags := cmd.Flags()
	for _, name := range []string{"session", "event", "node"} {
		if flag := flags.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usagef("--%s is empty", name)
		}
	}
	switch {
	case o.event != "" && o.node != "":
		return usagef("--event and --node: give one of them")
	case o.node != "" && o.session == "":
		return usagef("--node is one of a session's: name it with --session")
	case flags.Changed("tail") && o.event+o.node != "":
		return usagef("--tail is of a list: without --event and --node")
	case o.tail < 0:
		return usagef("--tail %d: how many, or 0 for all", o.tail)
	}
	return nil
}

func (a *app) inspect(ctx context.Context, o inspectOptions) error {
	if o.url == "" {
		home, err := a.homeDir()
		if err != nil {
			return err
		}
		there, err := recorded(home)
		if err != nil {
			return err
		}
		if !there {
			return a.inspectNothing(home, o)
		}
		o.url = fileURL(home)
	}
	store, err := eventstore.Open(ctx, o.url)
	if errors.Is(err, eventstore.ErrURL) {
		return usagef("%w", err)
	}
	if err != nil {
		return interruptedOr(ctx, unavailable(err))
	}
	defer store.Close()
	if o.session == "" && o.event == "" {
		return a.inspectSessions(ctx, store, o)
	}
	if o.session != "" {
		if o.session, err = eventstore.Find(ctx, store, o.session); err != nil {
			return interruptedOr(ctx, err)
		}
	}
	if o.event != "" {
		return a.inspectEvent(ctx, store, o)
	}
	l, err := history.Open(ctx, store, o.session, history.Point{})
	if err != nil {
		return err
	}
	if l.Missing != "" {
		a.note("session %s, of which it is a fork, is not there: what they share is left out", l.Missing)
	}
	if o.node != "" {
		return a.inspectNode(ctx, l, o.node)
	}
	return a.inspectEvents(ctx, l, o.tail)
}

// inspectNothing is inspect of a home that was never recorded into.
func (a *app) inspectNothing(home string, o inspectOptions) error {
	a.note("nothing is recorded in %s yet: %s", home, howToStart)
	switch {
	case o.session+o.event != "":
		return &exitError{code: exitFailed, silent: true, err: errors.New("nothing is recorded")}
	case a.json:
		return a.printJSON(inspectedSessions{Sessions: []inspectedSession{}})
	}
	return nil
}

// fileURL names a home as an event store.
func fileURL(home string) string {
	path := filepath.ToSlash(home)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:\… on Windows
	}
	return "file://" + path
}

// inspectEvent prints one event as it was recorded, of whichever session has it.
func (a *app) inspectEvent(ctx context.Context, store eventstore.Store, o inspectOptions) error {
	sessions := []string{o.session}
	if o.session == "" {
		all, err := store.Sessions(ctx)
		if err != nil {
			return interruptedOr(ctx, unavailable(err))
		}
		sessions = nil
		for _, s := range all {
			sessions = append(sessions, s.ID)
		}
	}
	var found []*history.Log
	for _, session := range sessions {
		at, err := history.Find(ctx, store, session, o.event)
		if errors.Is(err, graph.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		l, err := history.Open(ctx, store, session, at)
		if err != nil {
			return err
		}
		found = append(found, l)
	}
	switch len(found) {
	case 0:
		where := "of any session"
		if o.session != "" {
			where = "of session " + o.session
		}
		return errcode.With(errcode.NotFound, fmt.Errorf("no event %q %s: an id, or the beginning of one, of 8 characters at least; ag-sessiond inspect --session SESSION lists a session's", o.event, where))
	case 1:
		return a.printEvent(ctx, found[0])
	}
	var in []string
	for _, l := range found {
		in = append(in, l.Session())
	}
	return errcode.With(errcode.SessionAmbiguous, fmt.Errorf("%d sessions have an event %s: say which with --session\n  %s", len(found), o.event, strings.Join(in, "\n  ")))
}

// printEvent prints the event that a history ends with.
func (a *app) printEvent(ctx context.Context, l *history.Log) error {
	at := l.Segments[len(l.Segments)-1].Until
	var line []byte
	err := l.Sorted(ctx, func(_ int, r *history.Record) error {
		if r.EventID == at.Event() && r.SessionID == l.Session() {
			line = slices.Clone(r.Line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.printJSON(json.RawMessage(line))
}
