package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) verifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [SESSION]",
		Short: "Fold the journal afresh and compare with the store",
		Long: `Fold the journal afresh and compare the result with what the store holds, node by
node and edge by edge. Exit code 0 says identical, 3 that they differ: the differences
are printed, the journal's side first. To have the store made anew from the journal,
remove graph.db and run sync.

With --graph it is that database, up to where this journal is in it: what it holds of
this journal's sessions, also of those whose file is gone. Other machines' sessions are
theirs to verify.`,
		Example: `  ag-sessiond verify
  ag-sessiond verify latest --json
  ag-sessiond verify --graph bolt://localhost:7687`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && len(a.graphs) > 0 {
				return a.verifyGraph(cmd.Context())
			}
			if len(args) == 0 {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return a.verify(ctx, r, "") })
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.verify(ctx, r, s.SessionID)
			})
		},
	}
	a.graphFlag(cmd, "compare with this Neo4j or Memgraph, by `URL` or name in config.toml, not with the embedded store")
	return cmd
}

type verifyReport struct {
	Identical   bool           `json:"identical"`
	Sessions    int            `json:"sessions"` // compared
	Differences []graph.Change `json:"differences"`
}

// verifyGraph compares all that a graph database holds of the home's journal.
func (a *app) verifyGraph(ctx context.Context) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	store, err := a.openGraph(ctx, name, true)
	if err != nil {
		return err
	}
	defer store.Close()
	return a.verify(ctx, store, "")
}

// verify compares a store with the journal. What is no store, of a home that was never
// recorded into, equals it.
func (a *app) verify(ctx context.Context, from any, id string) error {
	report, failed := verifyReport{Differences: []graph.Change{}}, error(nil)
	if store, ok := from.(connector.Store); ok {
		var err error
		if report, failed, err = a.compare(ctx, store, id); err != nil {
			return err
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

// compare holds a store against the home's journal; failed is what could not be
// compared, beside the rest.
func (a *app) compare(ctx context.Context, store connector.Store, id string) (report verifyReport, failed, err error) {
	j, err := a.ownJournal()
	if err != nil {
		return report, nil, unavailable(err)
	}
	positions, err := store.Positions(ctx, j.ID())
	if err != nil {
		return report, nil, unavailable(err)
	}
	if id != "" {
		id = journalSession(j, id)
		if _, ours := positions[id]; !ours && len(a.graphs) > 0 {
			return report, nil, fmt.Errorf("session %s was not recorded in the journal of %s: it is verified on the machine that did", id, j.Home())
		}
	}
	changes, failed := connector.Verify(ctx, j, store, id)
	report.Differences = append([]graph.Change{}, changes...)
	if report.Sessions = len(positions); id != "" {
		report.Sessions = 1
	}
	return report, failed, nil
}
