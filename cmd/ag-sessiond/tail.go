package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/source"
)

const (
	// tailReport is how often tail says how far it is, where there was something new.
	tailReport = 10 * time.Second
	// tailEnd is how long the store may take for what was read before Ctrl-C; what it does not
	// take then, the next reading verb folds.
	tailEnd = time.Minute
)

func (a *app) tailCmd() *cobra.Command {
	var o jsonlOptions
	cmd := &cobra.Command{
		Use:   "tail PATH...",
		Short: "Read the JSONL of other agents as it grows, until Ctrl-C",
		Long: `Read files of JSONL as they grow: audit dumps, TraceEvents, Action grains, events of the
protocol, whatever import reads but transcripts, which run follows. A PATH is a file, a
folder or a glob; files that appear later, or are rotated, cut or replaced, are read as
what they are. What was read before is not read again, also by another tail or import.

It needs no daemon, and keeps the store in step itself; where a daemon does that, it only
records. A line that is not whole yet waits until it is; a bad line is said, and the rest
goes on. Ctrl-C ends it: what was read is kept. [[source]] in config.toml has the daemon
do the same.`,
		Example: `  ag-sessiond tail traces/
  ag-sessiond tail 'logs/*.jsonl' --format oms --namespace research`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := o.check(config.SourceFormats()); err != nil {
				return err
			}
			var specs []source.Spec
			var err error
			for _, path := range paths {
				options := source.Options{Format: sourceFormat(o.format), Namespace: o.namespace, KeepUnknown: o.keepUnknown}
				if specs, err = addSource(specs, path, options); err != nil {
					return err
				}
			}
			return a.tail(cmd.Context(), specs)
		},
	}
	o.formatFlags(cmd, config.SourceFormats())
	return cmd
}

// tailed is what tail says as JSON when it ends.
type tailed struct {
	source.Health
	Stored bool `json:"stored"` // the store has it all; else the next reading verb, or the daemon, takes it in
}

func (a *app) tail(ctx context.Context, specs []source.Spec) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	j, err := packed.Adopt(home)
	if err != nil {
		return unavailable(err)
	}
	a.resumeForgetting(j)
	log := zerolog.New(tailLog{a}).Level(zerolog.WarnLevel)
	replica, release, err := a.ownReplica(j, log)
	if err != nil {
		return err
	}
	follower := sourceFollower(j, specs, log)
	follower.Found = a.sayFound
	follower.Failed = (&connector.Failures{Journal: j, Log: log}).Record
	a.sayFollowed(specs)
	followers := []connector.Follower{follower}
	if replica != nil {
		followers = append(followers, replica)
	}
	var saying sync.WaitGroup
	saying.Go(func() { a.sayProgress(ctx, follower.Health) })
	connector.Follow(ctx, j, log, followers...)
	saying.Wait()
	end := tailed{Health: follower.Health()}
	if replica != nil {
		// ctx is over; what was read before that still goes to the store.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tailEnd)
		_, err = replica.Sync(last, nil)
		end.Stored = err == nil
		cancel()
	}
	err = errors.Join(err, release())
	if a.json {
		return errors.Join(a.printJSON(end), err)
	}
	a.printf("%s\n", readSoFar(end.Health))
	return err
}

// sayFollowed says what is followed, and what of it is not there yet: a path that is
// mistyped would be followed for ever.
func (a *app) sayFollowed(specs []source.Spec) {
	for _, s := range specs {
		_, err := os.Lstat(s.Path)
		globbed, _ := filepath.Glob(s.Path)
		switch {
		case err == nil:
			a.note("following %s", s.Path)
		case len(globbed) > 0:
			a.note("following %s, %s now", s.Path, render.Plural(int64(len(globbed)), "file"))
		default:
			a.note("following %s: nothing is there yet", s.Path)
		}
	}
}

// sayFound says of each file what it is, once that is known.
func (a *app) sayFound(path string, format jsonl.Format) {
	switch format {
	case "":
		a.note("%s: no format that is known; left alone", path)
	case jsonl.Claude:
		a.note("%s: a transcript; left alone: run --transcripts follows them", path)
	default:
		a.note("%s: %s", path, format)
	}
}

// tailLog says what is logged as import says it: FILE:LINE: column C: why.
type tailLog struct{ *app }

func (l tailLog) Write(line []byte) (int, error) {
	var e struct {
		Reason  string `json:"reason"`
		Path    string `json:"path"`
		Line    int64  `json:"line"`
		Broken  int64  `json:"broken_lines"`
		Error   string `json:"error_message"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return 0, err
	}
	switch {
	case e.Reason == "source.foreign": // sayFound said it
	case e.Line > 0:
		l.note("%s", source.Problem{Path: e.Path, Line: e.Line, Error: e.Error})
		if e.Broken > 1 {
			l.note("%s: %s", e.Path, render.Plural(e.Broken-1, "more bad line"))
		}
	default:
		l.note("%s", strings.Join(slices.DeleteFunc([]string{e.Path, e.Message, e.Error}, func(s string) bool { return s == "" }), ": "))
	}
	return len(line), nil
}

// sayProgress says now and then how far it is, if there is something new.
func (a *app) sayProgress(ctx context.Context, health func() source.Health) {
	ticker := time.NewTicker(tailReport)
	defer ticker.Stop()
	for said := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if now := readSoFar(health()); now != said {
			a.note("%s", now)
			said = now
		}
	}
}

func readSoFar(h source.Health) string {
	parts := []string{render.Plural(h.Lines, "line") + " read, " + render.Plural(h.Events, "event") + " in " + render.Plural(int64(h.Files), "file")}
	if h.Broken > 0 {
		parts = append(parts, render.Plural(h.Broken, "bad line")+" skipped")
	}
	if h.Forgotten > 0 {
		parts = append(parts, render.Plural(int64(h.Forgotten), "session")+" forgotten before, of which nothing is recorded")
	}
	if h.Failing > 0 {
		parts = append(parts, render.Plural(int64(h.Failing), "file")+" cannot be read")
	}
	if h.Waiting > 0 {
		parts = append(parts, render.Plural(int64(h.Waiting), "file")+" not complete yet, among them "+h.WaitsFor)
	}
	if h.Behind > 0 {
		parts = append(parts, render.Bytes(h.Behind)+" behind")
	}
	return strings.Join(parts, "; ")
}
