package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/forget"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// forgetting is one run of forget or prune.
type forgetting struct {
	*app
	asker  asker
	why    string // what the tombstones say
	filter actiongraph.ForgetFilter
	before string
	dryRun bool
	yes    bool
}

func (a *app) forgetCmd() *cobra.Command {
	f := &forgetting{app: a, why: "forget"}
	cmd := &cobra.Command{
		Use:   "forget",
		Short: "Take sessions out of everything that is recorded, for good",
		Long: `Take sessions out of the journal, the embedded store, every graph in config.toml, and
the home's index, positions and logs, with what nothing else uses: all that is chosen by
id, by project, by age (--before) or by tag (--tag). Given together, all has to hold.

What is forgotten stays so: a hook that still runs, a session that is resumed, an import
and a daemon record nothing of it any more. For that a keyed hash of its id stays; nothing
else does. A graph that is down is done when it is back: status shows what is pending.

It lists what it found and asks; --dry-run lists only, --yes does not ask. What is not
actiongraph's is left, and named: transcripts of Claude Code, exports, backups.`,
		Example: `  ag-sessiond forget session 86f58e49
  ag-sessiond forget project ~/clients/acme --dry-run
  ag-sessiond forget --before 2026-01-01 --tag scratch --yes`,
		Args: a.noSuchVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.before == "" && f.filter.Tag == "" {
				return usagef("what is to be forgotten? say forget session ID, forget project DIR, --before or --tag: see ag-sessiond forget --help")
			}
			return f.run(cmd)
		},
	}
	f.flags(cmd)
	f.filterFlags(cmd)
	a.add(cmd, "", a.forgetSessionCmd(), a.forgetProjectCmd())
	return cmd
}

func (f *forgetting) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "list what would go, and remove nothing")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.filter.WithForks, "with-forks", false, "forget their forks, too, and the forks of these; else forks keep what they share")
}

func (f *forgetting) filterFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.before, "before", "", "sessions of which nothing is as new as this `time`: "+whenHelp)
	cmd.Flags().StringVar(&f.filter.Tag, "tag", "", "sessions with this `tag`")
}

func (a *app) forgetSessionCmd() *cobra.Command {
	f := &forgetting{app: a, why: "forget"}
	var lift bool
	cmd := &cobra.Command{
		Use:   "session SESSION...",
		Short: "Forget these sessions",
		Long: `Forget sessions, each with its subagents. A fork of one is a session of its own: what it
shares becomes its own before, under its id, and counts as its own from then on; where it
came from is forgotten. With --with-forks the forks are forgotten, too, and theirs. A
namespace is the session ns-NAMESPACE.

With --lift a session that was forgotten, named by its whole id, is recorded again from
now on. What was forgotten is gone by then; import brings back what transcripts still have.`,
		Example: `  ag-sessiond forget session 86f58e49
  ag-sessiond forget session ns-scratch --yes
  ag-sessiond forget session 86f58e49-5b0e-4b6c-9d4e-0c3c4e1f7a11 --lift`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if lift {
				return a.liftForgotten(args)
			}
			var err error
			if f.filter.Sessions, err = a.toForget(cmd.Context(), args); err != nil || len(f.filter.Sessions) == 0 {
				return err
			}
			return f.run(cmd)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&lift, "lift", false, "record them again from now on; what was forgotten stays gone")
	return cmd
}

func (a *app) forgetProjectCmd() *cobra.Command {
	f := &forgetting{app: a, why: "forget"}
	cmd := &cobra.Command{
		Use:   "project DIR",
		Short: "Forget the sessions that ran in a folder, or below it",
		Long: `Forget every session that ran in DIR or below it, with any of its events; where DIR leads
by links is meant, too. The folder need not be there any more. Sessions that ran
elsewhere and only read, wrote or named something there are not taken: they are named.
Events that name no session ("unknown") go one by one, and leave no tombstone.`,
		Example: `  ag-sessiond forget project ~/clients/acme --dry-run
  ag-sessiond forget project . --before 90d`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return usagef("DIR is empty: name a folder")
			}
			f.filter.Project = args[0]
			return f.run(cmd)
		},
	}
	f.flags(cmd)
	f.filterFlags(cmd)
	return cmd
}

func (a *app) pruneCmd() *cobra.Command {
	f := &forgetting{app: a, why: "prune"}
	var olderThan string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Forget old sessions",
		Long: `Forget the sessions of which nothing is as new as an age, as forget --before does, but for
those with one of the tags of --keep-tag. Without --older-than both are those of [retention]
in config.toml, by which the daemon does the same each hour.`,
		Example: `  ag-sessiond prune --older-than 90d --dry-run
  ag-sessiond prune --older-than 12w --keep-tag release --keep-tag incident --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.age(olderThan, cmd.Flags().Changed("keep-tag")); err != nil {
				return err
			}
			return f.run(cmd)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&olderThan, "older-than", "", "how old, as a `span`: 90d, 12w")
	cmd.Flags().StringArrayVar(&f.filter.KeepTags, "keep-tag", nil, "keep sessions with this `tag`; may be repeated")
	return cmd
}

// age sets what prune chooses.
func (f *forgetting) age(olderThan string, tags bool) error {
	span, ok := parseSpan(olderThan)
	if olderThan == "" {
		c, err := f.config()
		if err != nil {
			return err
		}
		if span = c.Retention.Age(); span == 0 {
			return usagef("how old? say --older-than 90d, or set retention.older_than in config.toml")
		}
		if !tags {
			f.filter.KeepTags = c.Retention.KeepTags
		}
	} else if !ok || span == 0 {
		return usagef("--older-than %q is no age: say 90d or 12w", olderThan)
	}
	f.filter.Before = f.now().Add(-span)
	return nil
}

// toForget finds the sessions that arguments name. Those that are forgotten already are said.
func (a *app) toForget(ctx context.Context, args []string) (ids []string, err error) {
	j, err := a.existingJournal(struct{}{})
	if err != nil || j == nil {
		return nil, err
	}
	for _, arg := range args {
		id := schema.SafeID(journalSession(j, arg))
		_, statErr := j.Stat(id)
		switch {
		case !errors.Is(statErr, fs.ErrNotExist): // also where no store, or not even it, can be read
		case j.Forgotten(id):
			a.note("session %s was forgotten already", id)
			continue
		default:
			err := a.readSession(ctx, arg, func(_ context.Context, _ connector.Reader, s graph.SessionRow) error {
				id = journalSession(j, s.SessionID)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		if !schema.ValidID(id) {
			return nil, errcode.With(errcode.SessionElsewhere, fmt.Errorf("session %s was recorded on another machine: forget it there, and what it left here goes with the next sync", id))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// liftForgotten lets sessions be recorded again.
func (a *app) liftForgotten(args []string) error {
	j, err := a.existingJournal(struct{}{})
	if err != nil || j == nil {
		return err
	}
	h, err := actiongraph.Open(j.Home(), actiongraph.Options{})
	if err != nil {
		return unavailable(err)
	}
	defer h.Close()
	names, err := a.graphNames()
	if err != nil {
		return err
	}
	lifted := []string{}
	var errs []error
	for _, arg := range args {
		id := schema.SafeID(journalSession(j, arg))
		switch done, err := h.Lift(id, names...); {
		case err != nil:
			errs = append(errs, err)
		case done:
			lifted = append(lifted, id)
		default:
			a.note("session %s was not forgotten (its whole id is asked for: of what is forgotten no beginning is known)", id)
		}
	}
	if a.json {
		return errors.Join(append(errs, a.printJSON(map[string][]string{"lifted": lifted}))...)
	}
	for _, id := range lifted {
		a.printf("session %s is recorded again from now on\n", id)
	}
	return errors.Join(errs...)
}

// graphNames are those of the databases in config.toml.
func (a *app) graphNames() (names []string, err error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	for _, g := range c.Graph {
		names = append(names, g.Name)
	}
	return names, nil
}

// run finds, asks, and forgets.
func (f *forgetting) run(cmd *cobra.Command) (err error) {
	f.asker = asker{f.app, cmd.InOrStdin()}
	if !f.dryRun && !f.yes && !f.asker.person() {
		return usagef("sessions are forgotten for good, and nobody can be asked here: say --yes, or --dry-run to see which")
	}
	if f.before != "" {
		if f.filter.Before, err = parseWhen(f.before, f.now(), false); err != nil {
			return err
		}
	}
	report := forgetReport{DryRun: f.dryRun, Found: emptyFound(), Left: []string{}, Pending: map[string]int{}}
	j, err := f.existingJournal(report)
	if err != nil || j == nil {
		return err
	}
	h, err := actiongraph.Open(j.Home(), actiongraph.Options{LockWait: 50 * time.Millisecond})
	if err != nil {
		return unavailable(err)
	}
	defer h.Close()
	found, failed := h.Forgettable(cmd.Context(), f.filter) // what cannot be read keeps no other from it
	if cmd.Context().Err() != nil {
		return cmd.Context().Err()
	}
	report.Found = found
	if !f.json {
		f.list(found)
	}
	if len(found.Sessions) == 0 || f.dryRun {
		return errors.Join(f.end(j, report), failed)
	}
	if !f.yes {
		if ok, err := f.asker.dares(f.question(found)); err != nil || !ok {
			f.note("nothing is forgotten")
			return err
		}
	}
	if err := f.forget(cmd.Context(), h, j, &report); err != nil {
		return errors.Join(f.end(j, report), failed, err)
	}
	return errors.Join(f.end(j, report), failed)
}

// emptyFound is what is found where nothing is recorded.
func emptyFound() actiongraph.Forgettable {
	return actiongraph.Forgettable{Sessions: []actiongraph.ForgettableSession{}, Beside: []actiongraph.ForgetBeside{}, Forks: []actiongraph.ForgetFork{}, Dirs: []string{}}
}

// resumeForgetting completes what a forget that was killed had begun: each verb that writes does so first.
func (a *app) resumeForgetting(j *journal.Journal) {
	if err := forget.Resume(j); err != nil {
		a.note("forgetting that was begun before cannot be completed: %v", err)
	}
}
