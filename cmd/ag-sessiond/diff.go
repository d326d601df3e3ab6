package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/diff"
	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/history"
)

func (a *app) diffCmd() *cobra.Command {
	var format, file string
	var full bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two sessions: a fork with its parent, or two on the same task",
		Long: `Compare two sessions turn by turn: calls by tool and input, then messages, subagents where
they were spawned. What is the same is one line; of the rest the text that differs is shown,
side by side where there are 120 columns, and in the end what each did in sum. A fork's
history is read through to its parent's. Exit code 0 says that both did the same, 3 that
they differ.

Ids, times, durations, tokens, cost, the session's directory and names made up in /tmp
are another each time: they make nothing different. Nor is anything compared that "show"
hides.

The first five members of --json are counts: shared_events, a_only_events and b_only_events
are events by id (not those about the record: fork, source_position); divergent_nodes are
actions and subagents that both have with other values, divergent_relations what relates two
such in one of them only. Of sessions that share no event it is the pairs that are counted
which differ. Then come same, first_divergence, a and b with their totals, the files that only
one wrote, and turns: items within items, each with change (same, changed, a_only, b_only), what
it is in a and b, and the fields that differ, as values or hunks of lines.`,
		Example: `  ag-sessiond diff c8813339 a775679a
  ag-sessiond diff c8813339 latest --full | less
  ag-sessiond diff c8813339 latest --json | jq .first_divergence
  ag-sessiond diff c8813339 latest --format html -o diff.html`,
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 1 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeSession(cmd, args, prefix)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOneOf("--format", format, diffFormats()); err != nil {
				return err
			}
			if a.json && cmd.Flags().Changed("format") {
				return usagef("--json and --format are two formats: give one")
			}
			d, err := a.diff(cmd.Context(), args, full)
			if err != nil {
				return err
			}
			if err := a.printDiff(d, format, file, full); err != nil || d.Same {
				return err
			}
			// That they differ is the answer, and no failure.
			return &exitError{code: exitDiffers, err: errors.New("the sessions differ"), silent: true}
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or html")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write this `file`, not stdout; a new one is readable by you alone")
	cmd.Flags().BoolVar(&full, "full", false, "show what is the same, too, and texts in full")
	cmd.Flags().StringVar(&a.events, "events", "", "compare sessions of the events at this `URL`: file:///home, sqlite:///file.db or postgres://…")
	completeStores(cmd, "events")
	fixedCompletion(cmd, "format", diffFormats())
	return cmd
}

func diffFormats() []string { return []string{"text", "html"} }

// diff compares the two sessions that args name.
func (a *app) diff(ctx context.Context, args []string, full bool) (*diff.Diff, error) {
	prices, err := a.prices()
	if err != nil {
		return nil, err
	}
	source, ids, done, err := a.histories(ctx, args)
	if err != nil {
		return nil, err
	}
	defer done()
	var logs []*history.Log
	for _, id := range ids {
		log, err := history.Open(ctx, source, id, history.Point{})
		if err != nil {
			return nil, interruptedOr(ctx, err)
		}
		logs = append(logs, log)
	}
	d, err := diff.Compare(ctx, logs[0], logs[1], diff.Options{Full: full, Prices: &prices})
	return d, interruptedOr(ctx, err)
}

// histories is where the events of the sessions are that args name, and their ids: the journal,
// or the event store of --events, which is read where it is.
func (a *app) histories(ctx context.Context, args []string) (source history.Source, ids []string, done func() error, err error) {
	if a.events != "" {
		store, err := eventstore.Open(ctx, a.events)
		if err != nil {
			return nil, nil, nil, storeError(ctx, "--events", err)
		}
		for _, arg := range args {
			id, err := eventstore.Find(ctx, store, arg)
			if err != nil {
				return nil, nil, nil, errors.Join(interruptedOr(ctx, fmt.Errorf("%s: %w", eventstore.Redacted(a.events), err)), store.Close())
			}
			ids = append(ids, id)
		}
		return store, ids, store.Close, nil
	}
	err = a.readSource(ctx, func(ctx context.Context, r storeReader) error {
		for _, arg := range args {
			s, err := session(ctx, r, arg, a.howToBegin())
			if err != nil {
				return err
			}
			ids = append(ids, s.SessionID)
		}
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	j, err := a.ownJournal()
	if err != nil {
		return nil, nil, nil, err
	}
	for i, id := range ids {
		ids[i] = journalSession(j, id)
	}
	return history.Journal(j), ids, func() error { return nil }, nil
}

func (a *app) printDiff(d *diff.Diff, format, file string, full bool) error {
	write := func(w io.Writer) error {
		return d.Text(w, diff.Terminal{Width: a.style.Width, Color: a.style.Color && w == a.out, UTF8: a.style.UTF8, Full: full})
	}
	switch {
	case a.json:
		write = func(w io.Writer) error {
			text, err := encodeJSON(d, "  ")
			if err != nil {
				return err
			}
			_, err = w.Write(text)
			return err
		}
	case format == "html":
		redactor := a.redactor()
		write = func(w io.Writer) error {
			return d.HTML(w, func(text string) string { text, _ = redactor.Text(text); return text })
		}
	}
	if file == "" || file == "-" || isStdout(file) {
		return write(a.out)
	}
	if err := writeFile(file, write); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	a.note("%s", file)
	return nil
}
