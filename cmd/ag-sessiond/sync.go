package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

const (
	syncPatience = 2 * time.Second // for reading verbs that are catching up
	barDelay     = time.Second     // what is done by then needs no progress bar
)

func (a *app) syncCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Fold the journal into the store; print what was new",
		Long: `Fold what is new in the journal into the store. Every reading verb does so first;
sync is for doing it at another time, and for seeing what it does. It looks into every
file, also those whose size did not change.

With --graph it is those databases that are caught up, one after the other, and not the
embedded store; one that fails does not keep the others from it.`,
		Example: `  ag-sessiond sync
  ag-sessiond sync --graph bolt://localhost:7687
  ag-sessiond sync --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(a.graphs) > 0 {
				return a.syncGraphs(cmd.Context())
			}
			return a.sync(cmd.Context())
		},
	}
	a.graphFlag(cmd, "catch up this Neo4j or Memgraph, by `URL` or name in config.toml; may be repeated")
	return cmd
}

func (a *app) sync(ctx context.Context) error {
	j, err := a.existingJournal(connector.Report{})
	if err != nil || j == nil {
		return err
	}
	a.resumeForgetting(j)
	lock, err := connector.LockHome(j.Home(), connector.GraphLock, syncPatience)
	if err != nil {
		return unavailable(err)
	}
	defer lock.Unlock()
	store, err := a.openStore(filepath.Join(j.Home(), storeFile))
	if err != nil {
		return unavailable(err)
	}
	progress, done := a.progressBar(ctx)
	r := connector.Replica{Journal: j, Store: store, Name: embedded, Log: zerolog.Nop(), Thorough: true, Failures: silentFailures(j)}
	report, err := r.Sync(ctx, progress)
	done()
	if err == nil {
		err = a.syncAbandoned(ctx, &r, &report)
	}
	err = errors.Join(err, store.Close())
	if a.json {
		return errors.Join(a.printJSON(report), err)
	}
	a.printSync(report)
	if err == nil && report.Newer > 0 {
		return errHeld()
	}
	return err
}

// errHeld is of a store that is not whole, as was said.
func errHeld() error {
	return &exitError{code: exitFailed, silent: true, err: errors.New("some sessions are held")}
}

func (a *app) printSync(report connector.Report) {
	a.printf("%s in %s, %s of journal, %s\n", render.Plural(int64(report.Events), "new event"),
		render.Plural(int64(report.Sessions), "session"), render.Bytes(report.Bytes), render.Duration(report.Duration))
	for _, line := range []struct {
		n    int
		noun string
		what string
	}{
		{report.Torn, "torn line", "skipped: what writers left that were killed; their events were not acknowledged"},
		{report.Refused, "line", "skipped: no event of this version"},
		{report.Newer, "session", "held at a line of a newer version: update ag-sessiond"},
		{report.Resets, "session", "folded again: the journal file was replaced, or another version of this program had folded it"},
		{report.Forgotten, "session", "taken out of the store: it was forgotten"},
		{report.Missing, "session", "kept in the store without a journal file"},
	} {
		if line.n > 0 {
			a.printf("%s %s\n", render.Plural(int64(line.n), line.noun), line.what)
		}
	}
}

// graphSync is what a sync did to one graph database.
type graphSync struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	connector.Report
	Error string `json:"error,omitempty"`
}

func (a *app) syncGraphs(ctx context.Context) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	graphs, err := a.givenGraphs(c)
	if err != nil {
		return err
	}
	j, err := a.existingJournal([]graphSync{})
	if err != nil || j == nil {
		return err
	}
	a.resumeForgetting(j)
	reports, failed := []graphSync{}, 0
	for _, g := range graphs {
		done := a.syncOne(ctx, j, g)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if done.Error != "" || done.Newer > 0 {
			failed++
		}
		reports = append(reports, done)
	}
	if a.json {
		err = a.printJSON(reports)
	}
	if err == nil && failed > 0 {
		return &exitError{code: exitFailed, silent: true, err: errors.New("not every graph is up to date")}
	}
	return err
}

// syncOne catches one graph database up and says so at once: the next one may take long.
func (a *app) syncOne(ctx context.Context, j *journal.Journal, g config.Graph) graphSync {
	report, err := a.syncGraph(ctx, j, g)
	done := graphSync{Name: g.Name, URL: g.URL, Report: report}
	if ctx.Err() != nil {
		return done
	}
	if !a.json && (err == nil || report.Events > 0) {
		a.printf("%s: ", g.Name)
		a.printSync(report)
		a.out.Flush() // an error is there at the last one, too
	}
	if err != nil {
		done.Error = err.Error()
		a.note("%s: %v", g.Name, err)
	}
	return done
}

// syncGraph catches one graph database up with the journal. Another writer of it, a
// daemon say, is no harm: what both write is the same, and is compared.
func (a *app) syncGraph(ctx context.Context, j *journal.Journal, g config.Graph) (report connector.Report, err error) {
	store, err := a.open(ctx, g, false, zerolog.Nop())
	if err != nil {
		return report, err
	}
	progress, done := a.namedBar(ctx, g.Name)
	r := connector.Replica{Journal: j, Store: store, Name: g.Name, Log: zerolog.Nop(), Thorough: true, MaxBytes: graphBytes, Failures: silentFailures(j)}
	report, err = r.Sync(ctx, progress)
	done()
	return report, errors.Join(err, store.Close())
}

// silentFailures records what goes wrong for a verb that appends: the verb's own report says how
// much there was of it.
func silentFailures(j *journal.Journal) *connector.Failures {
	return &connector.Failures{Journal: j, Log: zerolog.Nop()}
}

// syncAbandoned ends the sessions that nobody will end any more.
func (a *app) syncAbandoned(ctx context.Context, r *connector.Replica, report *connector.Report) error {
	n, err := appendAbandoned(ctx, r.Journal, r.Store.(*sqlite.Store))
	if err != nil || n == 0 {
		return err
	}
	a.note("%s abandoned: no end was recorded, and there is no process or 24 hours of silence", render.Plural(int64(n), "session"))
	after, err := r.Sync(ctx, nil)
	report.Events += after.Events
	report.Ops += after.Ops
	report.Bytes += after.Bytes
	report.Duration += after.Duration
	return err
}

// existingJournal opens the journal if anything was ever recorded; else it says what
// to do, prints nothing as JSON, and returns nil.
func (a *app) existingJournal(nothing any) (*journal.Journal, error) {
	home, err := a.homeDir()
	if err != nil {
		return nil, err
	}
	there, err := recorded(home)
	if err != nil {
		return nil, err
	}
	if !there {
		a.note("nothing is recorded in %s yet: %s", home, howToStart)
		if a.json {
			return nil, a.printJSON(nothing)
		}
		return nil, nil
	}
	return a.journal()
}

// progressBar draws how far a sync is, on a terminal and when it takes longer than
// a moment. done ends it.
func (a *app) progressBar(ctx context.Context) (progress func(connector.Progress), done func()) {
	return a.namedBar(ctx, "journal")
}

func (a *app) namedBar(ctx context.Context, name string) (progress func(connector.Progress), done func()) {
	if terminalWidth(a.err) == 0 {
		return nil, func() {}
	}
	start := time.Now()
	var bars *mpb.Progress
	var bar *mpb.Bar
	progress = func(p connector.Progress) {
		if bar == nil {
			if time.Since(start) < barDelay {
				return
			}
			bars = mpb.NewWithContext(ctx, mpb.WithOutput(a.err), mpb.WithWidth(40))
			bar = bars.AddBar(p.TotalBytes,
				mpb.PrependDecorators(decor.Name(render.OneLine(name)+" "), decor.CountersKiloByte("% .1f / % .1f")),
				mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)),
				mpb.BarRemoveOnComplete())
		}
		bar.SetTotal(p.TotalBytes, false)
		bar.SetCurrent(p.Bytes)
	}
	return progress, func() {
		if bar != nil {
			bar.Abort(true)
			bars.Wait()
		}
	}
}
