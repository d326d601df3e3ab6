package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/service"
)

// abandonEvery is how often the daemon looks for sessions that nobody will end.
const abandonEvery = 5 * time.Minute

func (a *app) runCmd() *cobra.Command {
	var format, file string
	var flags runFlags
	formats := []string{"json", "console"}
	cmd := &cobra.Command{
		Use:   "run [--transcripts [DIR…]]",
		Short: "Run the daemon: follow the journal until a signal",
		Long: `Follow the journal and keep the store in step with it, until SIGINT or SIGTERM. No
verb needs the daemon; with it, reading verbs have nothing left to catch up. One runs
per home. It logs to stderr, or to the file that --log-file names, which this user alone may
read: at 4 MiB it becomes PATH.1, in place of the one that is there, and a new one begins.
ag-sessiond service install has it run by itself.

It also reads the transcript of each session that hooks announce, and of its subagents,
as they grow: what was said, what it cost, and how calls ended that no hook saw end. With
--transcripts it reads everything below DIR, or below the folders where Claude Code keeps
its sessions: the sessions of before the hooks, too, once, and those of programs without
hooks. With --source, and for each [[source]] in config.toml, it reads the JSONL that
other agents write, as ag-sessiond tail does: audit dumps, Action grains, events of the
protocol. ag-sessiond status says how far it is with each.

It answers HTTP requests on a unix socket in the home, api.sock, which this user alone may
open, and with --listen on a loopback port, to those who have the token in api.token:
they post events and Action grains, and recall them. GET /openapi.json says how.

With --graph, and for each [[graph]] in config.toml, it keeps a Neo4j or Memgraph in
step, too. Each store goes on from where it is by itself: one that is down, slow or full
keeps nothing else from working, and catches up when it is back. Who logs in is said in
config.toml; of a --graph that is not in there, by AG_GRAPH_USER and AG_GRAPH_PASSWORD.

A config.toml that changed is taken over within two seconds, and on SIGHUP, without
disturbing what did not change. One that is broken is said, here and by ag-sessiond
status, and that of before stays in force.`,
		Example: `  ag-sessiond run
  ag-sessiond run --graph bolt://localhost:7687
  ag-sessiond run --transcripts
  ag-sessiond run --source ~/agent/traces --source '~/agent/logs/*.jsonl'
  ag-sessiond run --listen 127.0.0.1:4009
  ag-sessiond run --log json --log-file ~/.actiongraph/ag-sessiond.log`,
		Args: func(cmd *cobra.Command, args []string) error {
			if flags.trees.given {
				return nil
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if err := checkOneOf("--log", format, formats); err != nil {
				return err
			}
			flags.trees.dirs = append(flags.trees.dirs, dirs...)
			return a.logged(format, file, func(log zerolog.Logger) error { return a.run(cmd.Context(), log, flags) })
		},
	}
	cmd.Flags().StringVar(&format, "log", "", "json or console (default console on a terminal, else json)")
	fixedCompletion(cmd, "log", formats)
	cmd.Flags().StringVar(&file, "log-file", "", "log to `PATH` rather than to stderr; it does not grow for ever")
	cmd.Flags().Var(&flags.trees, "transcripts", "read all transcripts below `DIR` as they grow, not only announced ones; all: below all folders of Claude Code")
	cmd.Flags().Lookup("transcripts").NoOptDefVal = config.All
	cmd.Flags().BoolVar(&flags.noTranscripts, "no-transcripts", false, "read no transcripts at all")
	flags.doors.add(cmd)
	cmd.Flags().StringArrayVar(&flags.sources, "source", nil, "read the JSONL in this file, folder or glob `PATH` as it grows; may be repeated")
	a.graphFlag(cmd, "keep this Neo4j or Memgraph in step, too, by `URL` or name in config.toml; may be repeated")
	return cmd
}

// logged calls fn with the log that the flags ask for. In a file it says why fn failed, too:
// nobody sees the stderr of a service.
func (a *app) logged(format, file string, fn func(zerolog.Logger) error) error {
	const logger = "actiongraph.sessiond"
	if file == "" {
		return fn(connector.NewLogger(a.err, logger, format == "console" || format == "" && terminalWidth(a.err) > 0))
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return unavailable(err)
	}
	to, err := service.OpenLog(file)
	if err != nil {
		return unavailable(err)
	}
	log := connector.NewLogger(to, logger, format == "console")
	if err = fn(log); err != nil {
		log.Error().EmbedObject(logline.Why(failure.RunFailed, err)).Msg("the daemon ends")
	}
	return errors.Join(err, to.Close())
}

// of is the log of what one package has to say.
func of(log zerolog.Logger, pkg string) zerolog.Logger {
	return log.With().Str("logger", "actiongraph."+pkg).Logger()
}

func (a *app) run(ctx context.Context, log zerolog.Logger, flags runFlags) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	asked := hangUps(ctx, stop, log)
	c, err := a.config()
	if err != nil {
		return err
	}
	p, err := a.plan(c, flags)
	if err != nil {
		return err
	}
	j, err := packed.Adopt(home) // the daemon may be there before the first hook
	if err != nil {
		return unavailable(err)
	}
	running, err := connector.LockHome(home, connector.RunLock, 100*time.Millisecond) // who asks for it has it for a moment
	if errors.Is(err, connector.ErrLocked) {
		return unavailable(errors.Join(errcode.With(errcode.DaemonRunning, errors.New("a daemon is running for this home already")), err))
	}
	if err != nil {
		return unavailable(err)
	}
	defer running.Unlock()
	os.Remove(filepath.Join(home, reportFile)) // of a daemon that was killed
	lock, err := waitForLock(ctx, home, log)
	if ctx.Err() != nil {
		return nil // told to stop before it began
	}
	if err != nil {
		return err
	}
	defer lock.Unlock()
	path := filepath.Join(home, storeFile)
	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return unavailable(err)
	}
	if store.Superseded() > 0 {
		log.Info().EmbedObject(logline.Why(failure.StoreOlder, nil)).Msg(madeAnew(store))
	}
	if err := a.keep(ctx, j, keptStore{name: embedded, url: path, store: store}, store, p, flags, asked, log); err != nil {
		return errors.Join(err, store.Close())
	}
	log.Info().Msg("stopped")
	return store.Close()
}

// keep keeps the stores in step with the journal until ctx ends, by a plan and those that
// follow it, and says how they are in the home's status file.
func (a *app) keep(ctx context.Context, j *journal.Journal, first keptStore, r connector.Reader, p plan, flags runFlags, asked <-chan os.Signal, log zerolog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSignals(j, r)
	folds := of(log, "connector")
	failures := &connector.Failures{Journal: j, Log: folds, Metrics: s.metrics}
	first.replica = &connector.Replica{Journal: j, Store: first.store, Name: first.name, Log: folds, MaxBytes: embeddedMaxBytes(len(p.graphs)),
		Metrics: s.metrics, Observer: s.tally, Failures: failures}
	k := &keeper{app: a, journal: j, log: log, failures: failures, ctx: ctx, crew: &crew{ctx: ctx, journal: j}, first: first, reader: r, packer: &packer{journal: j, reader: r, log: log},
		signals: s, config: configHealth{LoadedAt: time.Now().UTC()}}
	s.keeper = k
	s.tally.SetPrices(&p.prices)
	k.crew.add(first.replica)
	var besides sync.WaitGroup
	defer func() {
		besides.Wait() // they read the stores that are closed then
		k.end()
	}()
	if err := k.take(p); err != nil {
		cancel()
		k.crew.Run(ctx, nil) // waits
		return err
	}
	log.Info().Str("home", j.Home()).Str("journal", j.ID()).Int("pid", os.Getpid()).Str("version", versions().Version).
		Strs("stores", k.keeps().names()).Str("transcripts", p.transcripts.String()).
		Strs("sources", specPaths(p.sources)).Msg("following the journal")
	besides.Go(func() { endAbandoned(ctx, j, r, log) })
	besides.Go(func() { a.finishScrubs(ctx, j, log) })
	besides.Go(func() { keepReport(ctx, j, k.keeps, k.beside, log) })
	besides.Go(func() { k.reload(ctx, asked, flags) })
	besides.Go(func() { k.packer.run(ctx, packEvery) })
	besides.Go(func() { k.retain(ctx) })
	connector.Follow(ctx, j, folds, k.crew)
	return nil
}

// waitForLock waits until nobody else writes the store: a reading verb that catches
// up is done in a moment.
func waitForLock(ctx context.Context, home string, log zerolog.Logger) (*connector.Lock, error) {
	for told := false; ; {
		lock, err := connector.LockHome(home, connector.GraphLock, 250*time.Millisecond)
		if err == nil || !errors.Is(err, connector.ErrLocked) {
			return lock, unavailable(err)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !told {
			log.Info().EmbedObject(logline.Why(failure.RunWaiting, err)).Msg("waiting for another process that writes the store")
			told = true
		}
	}
}

// endAbandoned appends, now and then, that a session was abandoned.
func endAbandoned(ctx context.Context, j *journal.Journal, r connector.Reader, log zerolog.Logger) {
	ticker := time.NewTicker(abandonEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := appendAbandoned(ctx, j, r); err != nil && ctx.Err() == nil {
			log.Warn().EmbedObject(logline.Why(failure.AbandonedFailed, err)).Msg("looking for abandoned sessions failed")
		}
	}
}

// appendAbandoned appends the fact for each session that nobody will end any more,
// and returns how many there were.
func appendAbandoned(ctx context.Context, j *journal.Journal, r connector.Reader) (int, error) {
	facts, err := connector.Abandoned(ctx, j, r, claudeSessions(), time.Now())
	redactor := j.Redactor("")
	for i, e := range facts {
		if err := j.Append(redactor.Event(e)); err != nil {
			return i, err
		}
	}
	return len(facts), err
}

// claudeSessions is where Claude Code keeps a file for each of its processes.
func claudeSessions() string {
	if dir := os.Getenv("CLAUDE_CONFIG_DIR"); dir != "" {
		return filepath.Join(dir, "sessions")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".claude", "sessions")
}
