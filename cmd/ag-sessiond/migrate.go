package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) migrateCmd() *cobra.Command {
	var from, to, session string
	var o eventstore.Options
	cmd := &cobra.Command{
		Use:   "migrate --from URL --to URL",
		Short: "Copy events between homes, SQLite files and PostgreSQL",
		Long: `Copy the events of sessions from one event store into another, which is made where it is
not there. A store is named by a URL:

  file:///home/me/.actiongraph    the journal of a home
  sqlite:///events.db             a SQLite file, by a relative path (three slashes)
  sqlite:////srv/events.db        and by an absolute one (four)
  postgres://me@host/database     PostgreSQL, with UTF-8; also postgresql://

Each session is one transaction. What is there already is not added again, so to migrate
again after Ctrl-C or a kill goes on where it was. Sessions are independent of each other:
one that fails is reported, and the others go on. A record that is torn or was changed fails
its session, unless --skip-corrupted leaves it out.

What goes into a home passes redaction and the home's policy, and sessions that the home was
told to forget stay out. A password is better in PGPASSWORD or ~/.pgpass than in a URL, which
other users of the machine may see.`,
		Example: `  ag-sessiond migrate --from file://$HOME/.actiongraph --to sqlite:///archive.db
  ag-sessiond migrate --from sqlite:///archive.db --to postgres://me@db.example.org/agents
  ag-sessiond migrate --from postgres://me@db.example.org/agents --session 5c1f --to file:///tmp/look --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" || to == "" {
				return usagef("give both --from URL and --to URL")
			}
			if cmd.Flags().Changed("session") && session == "" { // of a variable that is not set: all would go to the other store
				return usagef("a session's id is empty: give an id, a prefix of one, or latest")
			}
			return a.migrate(cmd.Context(), from, to, session, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "copy from this event store, by `URL`")
	flags.StringVar(&to, "to", "", "into this one, by `URL`")
	flags.StringVar(&session, "session", "", "only this `SESSION`: an id, a prefix of one, or latest")
	flags.BoolVar(&o.SkipCorrupted, "skip-corrupted", false, "leave records out that are no events, and count them")
	completeStores(cmd, "from")
	completeStores(cmd, "to")
	return cmd
}

// completeStores offers how URLs of event stores begin.
func completeStores(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"file:///\tthe journal of a home", "sqlite:///\ta SQLite file", "postgres://\tPostgreSQL"},
			cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

func (a *app) migrate(ctx context.Context, from, to, session string, o eventstore.Options) error {
	if sameStore(from, to) {
		return usagef("--from and --to name one store: %s", eventstore.Redacted(from))
	}
	source, err := eventstore.Open(ctx, from)
	if err != nil {
		return storeError(ctx, "--from", err)
	}
	defer source.Close()
	if session != "" {
		id, err := eventstore.Find(ctx, source, session)
		if err != nil {
			return interruptedOr(ctx, err)
		}
		o.Sessions = []string{id}
	}
	target, err := eventstore.Create(ctx, to)
	if err != nil {
		return storeError(ctx, "--to", err)
	}
	defer target.Close()
	progress, done := a.eventBar(ctx)
	o.Progress = progress
	reports, err := eventstore.Migrate(ctx, source, target, o)
	done()
	if reports == nil { // the source's sessions cannot be listed
		return interruptedOr(ctx, unavailable(err))
	}
	if err := a.printMigrated(reports); err != nil {
		return err
	}
	if err != nil {
		return &exitError{code: exitFailed, err: err, silent: true}
	}
	return nil
}

// sameStore reports whether two URLs name one store by the same words.
func sameStore(from, to string) bool {
	kind, path, err := eventstore.KindOf(from)
	other, otherPath, otherErr := eventstore.KindOf(to)
	if err != nil || otherErr != nil || kind != other || kind == eventstore.Postgres {
		return from == to
	}
	abs, err := filepath.Abs(path)
	otherAbs, otherErr := filepath.Abs(otherPath)
	return err == nil && otherErr == nil && abs == otherAbs
}

// storeError is of a store that cannot be opened, and which flag names it.
func storeError(ctx context.Context, flag string, err error) error {
	if errors.Is(err, eventstore.ErrURL) {
		return usagef("%s: %w", flag, err)
	}
	return interruptedOr(ctx, unavailable(err))
}

// eventBar draws how many events were read, on a terminal and where it is known of how many.
func (a *app) eventBar(ctx context.Context) (progress func(done, total int64), end func()) {
	if terminalWidth(a.err) == 0 {
		return nil, func() {}
	}
	start := time.Now()
	var bars *mpb.Progress
	var bar *mpb.Bar
	progress = func(done, total int64) {
		if done%100 != 0 || done > total || time.Since(start) < barDelay {
			return
		}
		if bar == nil {
			bars = mpb.NewWithContext(ctx, mpb.WithOutput(a.err), mpb.WithWidth(40))
			bar = bars.AddBar(total, mpb.PrependDecorators(decor.Name("events "), decor.CountersNoUnit("%d / %d")),
				mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)), mpb.BarRemoveOnComplete())
			bar.DecoratorAverageAdjust(start)
		}
		bar.SetCurrent(done)
	}
	return progress, func() {
		if bar != nil {
			bar.Abort(true)
			bars.Wait()
		}
	}
}

// printMigrated prints a row for each session but for those that were there already, of which
// there may be thousands, and what it comes to. Why one failed is on stderr.
func (a *app) printMigrated(reports []eventstore.Report) error {
	if a.json {
		return a.printJSON(reports)
	}
	count := map[eventstore.Status]int64{}
	var events, skipped int64
	var cells [][]string
	for _, r := range reports {
		count[r.Status]++
		events += int64(r.Events)
		skipped += int64(r.Skipped)
		if r.Status == eventstore.Unchanged && r.Skipped == 0 {
			continue
		}
		left := ""
		if r.Skipped > 0 {
			left = render.Count(int64(r.Skipped))
		}
		cells = append(cells, []string{r.Session, string(r.Status), render.Count(int64(r.Events)), left})
	}
	if len(cells) > 0 {
		cols := []render.Column{{Title: "SESSION", Give: 8}, {Title: "STATUS"}, {Title: "EVENTS", Right: true}, {Title: "SKIPPED", Right: true, Drop: 1}}
		if err := a.style.Table(a.out, cols, cells); err != nil {
			return err
		}
	}
	a.printf("%s of %s migrated\n", render.Plural(events, "event"), render.Plural(count[eventstore.Migrated], "session"))
	for _, t := range []struct {
		n    int64
		what string
	}{
		{count[eventstore.Unchanged], "there already"}, {count[eventstore.Forgotten], "not taken: the home was told to forget it"},
		{count[eventstore.Failed], "failed, and can be migrated again"},
	} {
		if t.n > 0 {
			a.printf("%s %s\n", render.Plural(t.n, "session"), t.what)
		}
	}
	if skipped > 0 {
		a.printf("%s left out: no events\n", render.Plural(skipped, "record"))
	}
	for _, r := range reports {
		if r.Error != "" {
			a.note("session %s: %s", r.Session, r.Error)
		}
	}
	return nil
}
