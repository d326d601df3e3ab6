package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) failuresCmd() *cobra.Command {
	var since, reason string
	var reasons []string
	for _, r := range failure.Reasons() {
		reasons = append(reasons, string(r))
	}
	cmd := &cobra.Command{
		Use:   "failures [SESSION]",
		Short: "What went wrong while sessions were recorded",
		Long: `List what went wrong while a session was recorded, or while any was: torn lines, payloads
that nobody understands, credentials that were taken out, transcripts that were lost. The
daemon, sync, import and tail record each once, as an event of its session; what belongs to
no session is in ` + schema.Recorder + `, which can be given as SESSION. None of it is an error of
the agent. docs/failures.md says of each reason what it means and what to do.

It reads the journal: without SESSION all of it, with --since only what changed since.`,
		Example: `  ag-sessiond failures
  ag-sessiond failures latest
  ag-sessiond failures --since 7d --reason journal.torn --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeSession,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			f := connector.FailureFilter{Reason: failure.Reason(reason)}
			if err := checkOneOf("--reason", reason, reasons); err != nil {
				return err
			}
			if f.Since, err = parseWhen(since, a.now(), false); err != nil {
				return err
			}
			if len(args) == 0 || args[0] == schema.Recorder {
				f.Session = strings.Join(args, "")
				if _, err := a.borrow(cmd.Context()); err != nil {
					return err
				}
				return a.failures(cmd.Context(), f)
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, _ connector.Reader, s graph.SessionRow) error {
				f.Session = s.SessionID
				return a.failures(ctx, f)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "noticed at this `time` or later: "+whenHelp)
	cmd.Flags().StringVar(&reason, "reason", "", "only of this `REASON`")
	fixedCompletion(cmd, "reason", reasons)
	a.eventsFlag(cmd)
	return cmd
}

func (a *app) failures(ctx context.Context, f connector.FailureFilter) error {
	j, err := a.existingJournal([]failure.Failure{})
	if err != nil || j == nil {
		return err
	}
	f.Session = journalSession(j, f.Session)
	found, err := connector.FindFailures(ctx, j, f)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case a.json:
		if jsonErr := a.printJSON(found); jsonErr != nil {
			return jsonErr
		}
	case len(found) == 0 && err == nil:
		a.nothing("no failure is recorded")
	default:
		a.printFailures(found)
	}
	return err
}

func (a *app) printFailures(found []failure.Failure) {
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = f.SessionID
	}
	cols := []render.Column{{Title: "TIME", Drop: 1}, {Title: "SESSION"}, {Title: "REASON"}, {Title: "WHERE", Give: 12, Left: true, Drop: 2}, {Title: "WHAT", Give: 24}}
	short := shortIDs(ids)
	cells := make([][]string, len(found))
	for i, f := range found {
		session := short[i]
		if f.SessionID == schema.Recorder {
			session = schema.Recorder
		}
		cells[i] = []string{f.Timestamp.Local().Format(time.DateTime), session, string(f.Reason), failedAt(f), f.Message}
	}
	_ = a.style.Table(a.out, cols, cells)
}

// failedAt is where something failed, as far as that is known.
func failedAt(f failure.Failure) string {
	switch {
	case f.Line > 0:
		return homeRelative(f.Path) + ":" + strconv.FormatInt(f.Line, 10)
	case f.Path != "":
		return homeRelative(f.Path)
	case f.Offset != nil:
		return "byte " + strconv.FormatInt(*f.Offset, 10)
	case f.Rule != "":
		return f.Rule
	}
	return f.Store
}
