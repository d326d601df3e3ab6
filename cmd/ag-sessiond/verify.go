package main

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) verifyCmd() *cobra.Command {
	var seals sealQuestion
	cmd := &cobra.Command{
		Use:   "verify [SESSION]",
		Short: "Fold the journal afresh and compare with the store",
		Long: `Fold the journal afresh and compare the result with what the store holds, node by
node and edge by edge. Exit code 0 says identical, 3 that they differ: the differences
are printed, the journal's side first. To have the store made anew from the journal,
run graph-schema clear and sync.

With --graph it is that database: what it holds of this journal's sessions, also of
those whose file is gone. Other machines' sessions are theirs to verify.

What of the journal is not in the store yet is no difference; it is counted, as behind.
While a daemon keeps the store in step that is a matter of moments, and verify waits
two seconds for it. Exit code 1 says that whole sessions are not there, or that the
store is behind and no daemon keeps it in step.

With --seal it proves instead that of what was sealed (ag-sessiond seal) nothing was
changed, removed or inserted since, or says where the first break of each session is: exit code 3.
It asks every store for its copy of the end of the log, and names those it could not.`,
		Example: `  ag-sessiond verify
  ag-sessiond verify latest --json
  ag-sessiond verify --graph bolt://localhost:7687
  ag-sessiond verify --seal --public-key /media/elsewhere/key --head /media/elsewhere/head`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case seals.asked:
				return a.verifySeal(cmd.Context(), seals, args)
			case seals.publicKey != "" || seals.head != "":
				return usagef("--public-key and --head are for --seal")
			case len(args) == 0 && len(a.graphs) > 0: // an empty one is behind, and says so
				name, err := a.oneGraph()
				if err != nil {
					return err
				}
				return a.withGraph(cmd.Context(), name, true, func(store *neo4j.Store) error { return a.verify(cmd.Context(), store, "") })
			case len(args) == 0:
				return a.readSource(cmd.Context(), func(ctx context.Context, s storeReader) error { return a.verify(ctx, s, "") })
			}
			return a.readSource(cmd.Context(), func(ctx context.Context, store storeReader) error {
				s, err := session(ctx, store, args[0], a.howToBegin())
				if j, jErr := a.ownJournal(); err != nil && jErr == nil && j.Forgotten(schema.SafeID(args[0])) {
					s.SessionID, err = schema.SafeID(args[0]), nil
				}
				if err != nil {
					return err
				}
				return a.verify(ctx, store, s.SessionID)
			})
		},
	}
	cmd.Flags().BoolVar(&seals.asked, "seal", false, "prove that what was sealed is as it was")
	cmd.Flags().StringVar(&seals.publicKey, "public-key", "", "with --seal: the public key in `FILE` is to have signed it")
	cmd.Flags().StringVar(&seals.head, "head", "", "with --seal: the end of the log that was kept in `FILE`")
	a.graphFlag(cmd, "compare with this Neo4j or Memgraph, by `URL` or name in config.toml, not with the embedded store")
	return cmd
}

// verifyMemory is the soft limit of a comparison. One session of 2,000,000 actions peaks at
// 409 MB with it, and at 530 MB, no faster, with twice as much.
const verifyMemory = 250 << 20

type verifyReport struct {
	Identical   bool           `json:"identical"`
	Sessions    int            `json:"sessions"` // compared
	Differences []graph.Change `json:"differences"`
	Behind      storeLag       `json:"behind"`
}

// storeLag is what of the journal a store does not have yet.
type storeLag struct {
	connector.EventLag
	Missing int  `json:"missing_sessions"` // of which it has nothing
	Kept    bool `json:"kept_by_daemon"`
}

// verify compares a store with the journal: one session, or with an empty id all that it
// holds of the journal.
func (a *app) verify(ctx context.Context, store connector.Store, id string) error {
	report, failed, err := a.compare(ctx, store, id)
	if err != nil {
		return err
	}
	none := report.Sessions == 0 && report.Behind.Missing > 0 // to compare, which is no result
	report.Identical = len(report.Differences) == 0 && failed == nil && !none
	if a.json {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		a.printVerified(report)
	}
	if len(report.Differences) > 0 {
		if failed != nil {
			a.note("not all was compared: %v", failed)
		}
		return &exitError{code: exitDiffers, err: errcode.With(errcode.StoreDiffers, fmt.Errorf("%s between the journal and the store",
			render.Plural(int64(len(report.Differences)), "difference")))}
	}
	if failed != nil {
		return failed
	}
	return report.Behind.failure(a.catchUpWith())
}

func (a *app) printVerified(report verifyReport) {
	for _, c := range report.Differences {
		a.printf("%s\n", a.style.Truncate(render.OneLine(c.String()), max(a.style.Width, 200)))
	}
	if report.Identical {
		a.printf("identical: %s\n", render.Plural(int64(report.Sessions), "session"))
	}
	if l := report.Behind; l.Bytes > 0 {
		missing := ""
		if l.Missing > 0 {
			missing = fmt.Sprintf(", %s of which it has nothing", render.Count(int64(l.Missing)))
		}
		a.printf("behind: %s of the journal, in %s%s\n", lagEvents(l.EventLag), render.Plural(int64(l.Lag.Sessions), "session"), missing)
	}
}

// failure is what makes a store that is behind a verification in part.
func (l storeLag) failure(cure string) error {
	switch {
	case l.Bytes == 0, l.Missing == 0 && l.Kept:
		return nil
	case l.Kept:
		return errcode.With(errcode.StoreBehind, fmt.Errorf("the daemon has not brought %s of the journal into the store yet: ag-sessiond status says how it is, %s catches it up",
			render.Plural(int64(l.Missing), "session"), cure))
	case l.Missing > 0:
		return errcode.With(errcode.StoreBehind, fmt.Errorf("the store lacks %s of the journal: %s", render.Plural(int64(l.Missing), "session"), cure))
	}
	return errcode.With(errcode.StoreBehind, fmt.Errorf("the store is behind the journal, and no daemon keeps it in step: %s", cure))
}

// catchUpWith is the command that catches the store of a verb up.
func (a *app) catchUpWith() string {
	if len(a.graphs) > 0 {
		return "ag-sessiond sync --graph " + a.graphs[0]
	}
	return "ag-sessiond sync"
}

// compare holds a store against the home's journal; failed is what could not be
// compared, beside the rest. A home that was never recorded into equals no store.
func (a *app) compare(ctx context.Context, store connector.Store, id string) (report verifyReport, failed, err error) {
	report.Differences = []graph.Change{}
	if _, none := store.(nothing); none {
		return report, nil, nil
	}
	j, err := a.ownJournal()
	if err != nil {
		return report, nil, unavailable(err)
	}
	if id != "" {
		id = journalSession(j, id)
	}
	positions, lag, err := a.settled(ctx, j, store, id)
	if err != nil {
		return report, nil, interruptedOr(ctx, unavailable(err))
	}
	report.Behind = lag
	forgotten := id != "" && j.Forgotten(id)
	if forgotten {
		a.note("session %s was forgotten: the store is to have nothing of it", id)
	}
	if _, ours := positions[id]; id != "" && !ours && !forgotten && len(a.graphs) > 0 {
		return report, nil, errcode.With(errcode.SessionElsewhere, fmt.Errorf("session %s was not recorded in the journal of %s: it is verified on the machine that did", id, j.Home()))
	}
	if a.env("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(verifyMemory))
	}
	changes, failed := connector.Verify(ctx, j, store, id)
	report.Differences = append(report.Differences, changes...)
	if report.Sessions = len(positions); id != "" {
		report.Sessions = 1
	}
	return report, failed, nil
}

// settled returns how far a store is with a journal. One that a daemon keeps gets a
// moment: what a hook wrote just now is not worth a word.
func (a *app) settled(ctx context.Context, j *journal.Journal, store connector.Store, id string) (at map[string]journal.Position, lag storeLag, err error) {
	kept := a.storeIsKept()
	for deadline := time.Now().Add(syncPatience); ; time.Sleep(100 * time.Millisecond) {
		if at, err = store.Positions(ctx, j.ID()); err != nil {
			return at, lag, err
		}
		if lag, err = lagOf(ctx, j, at, id); err != nil {
			return at, lag, err
		}
		lag.Kept = kept
		if !kept || lag.Bytes == 0 || ctx.Err() != nil || !time.Now().Before(deadline) {
			return at, lag, ctx.Err()
		}
	}
}

// lagOf counts what a store at these positions does not have of a journal, or of one
// session of it.
func lagOf(ctx context.Context, j *journal.Journal, at map[string]journal.Position, id string) (lag storeLag, err error) {
	files, err := j.Files()
	if err != nil {
		return lag, err
	}
	has := maps.Clone(at)
	if has == nil {
		has = map[string]journal.Position{}
	}
	for _, f := range files {
		if id != "" && f.Session != id {
			has[f.Session] = journal.Position{Offset: f.Size, Fold: graph.Revision} // whatever it is, it was not asked for
			continue
		}
		if at[f.Session].Offset > 0 {
			continue
		}
		if end, err := j.End(f); err != nil || end > 0 {
			lag.Missing++
		}
	}
	lag.EventLag, err = connector.BehindPositions(ctx, j, has)
	return lag, err
}

// storeIsKept reports whether a daemon of this home keeps the store of a verb in step.
func (a *app) storeIsKept() bool {
	if len(a.graphs) > 0 {
		return a.daemonKeeps(a.graphs[0])
	}
	home, err := a.homeDir()
	if err != nil {
		return false
	}
	_, held, _ := connector.Held(home, connector.RunLock)
	return held
}
