package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/secrets"
)

const (
	// scrubPatience is how long a scrub waits for a daemon to fold again what changed, and to
	// write its store anew: it does so when nothing arrives for some seconds.
	scrubPatience = 5 * time.Minute
	// graphScrubPatience is the same for a database, which may be down.
	graphScrubPatience = 20 * time.Second
	// unfinishedEvery is how often the daemon looks for a scrub that was killed.
	unfinishedEvery = 3 * time.Second
)

func (a *app) secretsScrubCmd() *cobra.Command {
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "scrub",
		Short: "Take the credentials that scan finds out of journal, stores and logs, for good",
		Long: `Replace every credential that secrets scan finds by [REDACTED:rule], in the journal and the
logs, have every store fold what changed again, write the embedded store's file anew, so
that nothing of it is left in its bytes, and scan again. That is asked first, and without
a terminal needs --yes. Agents may work on meanwhile: nothing that they record is lost.

A scrub that was killed is gone on with by the next, or by the daemon. A Neo4j or Memgraph
that is down is named, and scrubbed when it is caught up again; what its own files and
logs still have is the database's to remove. What you exported, backups, and the agents'
own session files are not touched.

Exit code 0 says that the scan at the end found nothing, 1 that something is left.`,
		Example: `  ag-sessiond secrets scrub --dry-run
  ag-sessiond secrets scrub
  ag-sessiond secrets scrub --yes --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dryRun {
				return a.secretsScan(cmd.Context())
			}
			return a.secretsScrub(cmd.Context(), asker{a, cmd.InOrStdin()}, yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "as secrets scan: only say what is found")
	a.graphFlag(cmd, "scrub this Neo4j or Memgraph, too, by `URL` or name in config.toml; may be repeated")
	return cmd
}

func (a *app) secretsScrub(ctx context.Context, ask asker, yes bool) error {
	if !yes && !ask.person() {
		return usagef("what is taken out of the journal is gone for good: say --yes where nobody can be asked, or look first with --dry-run")
	}
	j, err := a.existingJournal(secrets.ScrubReport{After: noFindings()})
	if err != nil || j == nil {
		return err
	}
	sc, err := a.openScan(ctx, j)
	if err != nil {
		return err
	}
	defer sc.close()
	if !yes {
		report, err := sc.scan(ctx)
		if err != nil {
			return err
		}
		if err := a.printSecrets(report); err != nil {
			return err
		}
		if _, unfinished := secrets.Unfinished(j.Home()); len(report.Findings) > 0 || unfinished {
			if yes, err := ask.dares("Take them out, for good?"); err != nil || !yes {
				return err
			}
		}
	}
	done := sc.bar(ctx)
	report, err := sc.Scrub(ctx, sc.fold)
	done()
	if errors.Is(err, connector.ErrLocked) {
		return unavailable(err)
	}
	if a.json {
		return errors.Join(a.printJSON(report), err)
	}
	a.printScrub(report)
	if err == nil && len(report.Pending) > 0 {
		err = &exitError{code: exitFailed, silent: true, err: errors.New("not every store is scrubbed")}
	}
	return err
}

func (a *app) printScrub(r secrets.ScrubReport) {
	if r.Found == 0 {
		a.printf("no secret found in %s\n", render.Bytes(r.After.Bytes))
	} else {
		a.printf("%s: %s rewritten in %s\n", render.Plural(int64(r.Found), "finding"), render.Plural(int64(r.Lines), "line"), render.Plural(int64(r.Sessions), "session"))
	}
	if r.Found > 0 && len(r.After.Findings) == 0 {
		a.printf("scanned again: nothing is left\n")
	}
	for name, why := range r.Pending {
		a.note("%s is pending: %s", name, why)
	}
	if r.Found > 0 {
		a.note("not ours, and as before: exports, backups, the agents' own session files, a database's logs. A credential that was recorded should be replaced where it is used")
	}
}

// fold brings every store in step with the journal, or waits for the daemon that does, until
// nothing is left in it of what was taken out.
func (sc *openScan) fold(ctx context.Context) (pending map[string]string, err error) {
	pending = map[string]string{}
	if store, ok := sc.Stores[embedded].(*sqlite.Store); ok {
		if err := sc.foldEmbedded(ctx, store); err != nil {
			if ctx.Err() != nil {
				return pending, ctx.Err()
			}
			pending[embedded] = err.Error()
		}
	}
	daemon := daemonState(sc.Journal.Home()).Running
	for _, g := range sc.graphs {
		err := errors.New("no daemon")
		if daemon {
			err = awaitFolded(ctx, sc.Journal, g.store, graphScrubPatience)
		}
		if err != nil && ctx.Err() == nil {
			_, err = sc.syncGraph(ctx, sc.Journal, g.Graph)
		}
		if ctx.Err() != nil {
			return pending, ctx.Err()
		}
		if err != nil {
			pending[g.Name] = strings.TrimSpace(err.Error())
		}
	}
	return pending, nil
}

// foldEmbedded catches the embedded store up, or waits for who keeps it.
func (sc *openScan) foldEmbedded(ctx context.Context, reader *sqlite.Store) error {
	deadline := time.Now().Add(scrubPatience)
	for told := false; ; {
		lock, err := connector.LockHome(sc.Journal.Home(), connector.GraphLock, readPatience)
		if err == nil {
			return errors.Join(sc.syncEmbedded(ctx), lock.Unlock())
		}
		if !errors.Is(err, connector.ErrLocked) {
			return err
		}
		held := err
		if is, err := foldedAgain(ctx, sc.Journal, reader); err == nil && is {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it was not folded again within %s: %w", scrubPatience, held)
		}
		if !told {
			sc.note("waiting for the daemon to fold again what changed, which it does when nothing arrives for some seconds")
			told = true
		}
		sleep(ctx, 200*time.Millisecond)
	}
}

func (sc *openScan) syncEmbedded(ctx context.Context) error {
	store, err := sqlite.Open(sc.Files[0], sqlite.Options{})
	if err != nil {
		return err
	}
	r := connector.Replica{Journal: sc.Journal, Store: store, Name: embedded, Log: zerolog.Nop(), Thorough: true}
	_, err = r.Sync(ctx, nil)
	return errors.Join(err, store.Close())
}

// foldedAgain reports whether a store has nothing any more of what was replaced in the journal.
func foldedAgain(ctx context.Context, j *journal.Journal, store connector.Store) (bool, error) {
	replaced, err := connector.Replaced(ctx, j, store)
	if err != nil || len(replaced) > 0 {
		return false, err
	}
	if s, ok := store.(*sqlite.Store); ok {
		due, err := s.CompactDue(ctx)
		return !due, err
	}
	return true, nil
}

// awaitFolded waits for a daemon to fold again what was replaced.
func awaitFolded(ctx context.Context, j *journal.Journal, store connector.Store, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; sleep(ctx, 200*time.Millisecond) {
		is, err := foldedAgain(ctx, j, store)
		if is && err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			if err == nil {
				err = errors.New("it was not folded again in time")
			}
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// finishScrubs has the daemon go on with a scrub that was killed.
func (a *app) finishScrubs(ctx context.Context, j *journal.Journal, log zerolog.Logger) {
	for ctx.Err() == nil {
		if _, unfinished := secrets.Unfinished(j.Home()); unfinished {
			if _, held, err := connector.Held(j.Home(), connector.ScrubLock); err == nil && !held {
				err := a.finishScrub(ctx, j)
				switch {
				case ctx.Err() != nil, errors.Is(err, connector.ErrLocked):
				case err != nil:
					log.Error().EmbedObject(logline.Why(failure.ScrubUnfinished, err)).Msg("a scrub of secrets that was killed cannot be finished: run ag-sessiond secrets scrub")
					sleep(ctx, 10*time.Minute)
				default:
					log.Info().Msg("finished a scrub of secrets that was killed")
				}
			}
		}
		sleep(ctx, unfinishedEvery)
	}
}

func (a *app) finishScrub(ctx context.Context, j *journal.Journal) error {
	quiet := *a
	quiet.err = io.Discard
	sc, err := quiet.openScan(ctx, j)
	if err != nil {
		return err
	}
	defer sc.close()
	_, err = sc.Scrub(ctx, sc.fold)
	return err
}
