package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) verifyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [SESSION]",
		Short: "Fold the journal afresh and compare with the store",
		Long: `Fold the journal afresh and compare the result with what the store holds, node by
node and edge by edge. Exit code 0 says identical, 3 that they differ: the differences
are printed, the journal's side first. To have the store made anew from the journal,
remove graph.db and run sync.`,
		Example: `  ag-sessiond verify
  ag-sessiond verify latest --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.read(cmd.Context(), func(ctx context.Context, _ connector.Reader) error { return a.verify(ctx, "") })
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, _ connector.Reader, s graph.SessionRow) error {
				return a.verify(ctx, s.SessionID)
			})
		},
	}
}

type verifyReport struct {
	Identical   bool           `json:"identical"`
	Sessions    int            `json:"sessions"` // compared
	Differences []graph.Change `json:"differences"`
}

func (a *app) verify(ctx context.Context, id string) error {
	report := verifyReport{Differences: []graph.Change{}}
	var failed error // what could not be compared; the rest was
	if !a.empty {
		j, err := a.journal()
		if err != nil {
			return err
		}
		store, err := sqlite.Open(filepath.Join(j.Home(), storeFile), sqlite.Options{ReadOnly: true})
		if err != nil {
			return unavailable(err)
		}
		defer store.Close()
		positions, err := store.Positions(ctx, j.ID())
		if err != nil {
			return err
		}
		var changes []graph.Change
		changes, failed = connector.Verify(ctx, j, store, id)
		report.Differences = append(report.Differences, changes...)
		if report.Sessions = len(positions); id != "" {
			report.Sessions = 1
		}
	}
	report.Identical = len(report.Differences) == 0 && failed == nil
	if a.json {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		for _, c := range report.Differences {
			a.printf("%s\n", a.style.Truncate(render.OneLine(c.String()), max(a.style.Width, 200)))
		}
		if report.Identical {
			a.printf("identical: %s\n", render.Plural(int64(report.Sessions), "session"))
		}
	}
	if len(report.Differences) > 0 {
		if failed != nil {
			a.note("not all was compared: %v", failed)
		}
		return &exitError{code: exitDiffers, err: fmt.Errorf("%s between the journal and the store",
			render.Plural(int64(len(report.Differences)), "difference"))}
	}
	return failed
}
