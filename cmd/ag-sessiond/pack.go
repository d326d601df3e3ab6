package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

type packFlags struct {
	olderThan string
	dryRun    bool
}

// packOlderThan is what pack goes by where it is told nothing: nobody resumes most sessions
// after a week, and to pack one again costs its whole length.
const packOlderThan = "7d"

func (a *app) packCmd() *cobra.Command {
	var f packFlags
	cmd := &cobra.Command{
		Use:   "pack [SESSION...]",
		Short: "Pack sessions that have ended; they are read as before",
		Long: `Pack the journal's files of sessions that have ended: they take about a tenth of the room
then, and every verb reads them as before. The stores stay as they are.

A session is packed once nothing was written to it for a week (--older-than), or when it is
named. One that is resumed later is appended to as ever, and packed whole by the next pack. A
kill at any moment loses nothing; the next pack completes it. What is packed is seekable
Zstandard, journal/<session>.jsonl.zst: zstd -d unpacks it, too.

To have the daemon do it: ag-sessiond config set retention.pack_after 30d`,
		Example: `  ag-sessiond pack --dry-run
  ag-sessiond pack --older-than 30d
  ag-sessiond pack latest`,
		ValidArgsFunction: a.completeSession,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.pack(cmd.Context(), args, f) },
	}
	cmd.Flags().StringVar(&f.olderThan, "older-than", "", "those to which nothing was written for so `LONG`, like 12h, 30d, 4w (default "+packOlderThan+"; 0s of named ones)")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be packed")
	return cmd
}

func (a *app) pack(ctx context.Context, args []string, f packFlags) error {
	o := connector.PackOptions{DryRun: f.dryRun, Now: a.now()}
	if f.olderThan == "" && len(args) == 0 {
		f.olderThan = packOlderThan
	}
	if f.olderThan != "" {
		var ok bool
		if o.OlderThan, ok = parseSpan(f.olderThan); !ok {
			return usagef("--older-than %q: want how long, like 12h, 30d or 4w", f.olderThan)
		}
	}
	j, err := a.existingJournal(connector.PackReport{Sessions: []connector.PackedSession{}, DryRun: f.dryRun})
	if err != nil || j == nil {
		return err
	}
	return a.readSource(ctx, func(ctx context.Context, r storeReader) error {
		for _, arg := range args {
			s, err := session(ctx, r, arg, a.howToBegin())
			if err != nil {
				return err
			}
			o.Sessions = append(o.Sessions, journalSession(j, s.SessionID))
		}
		bar, done := a.progressBar(ctx)
		if bar != nil {
			o.Progress = func(n, total int64) { bar(connector.Progress{Bytes: n, TotalBytes: total}) }
		}
		report, err := connector.Pack(ctx, j, r, o)
		done()
		if errors.Is(err, connector.ErrLocked) {
			return unavailable(fmt.Errorf("another process packs or scrubs the journal: %w", err))
		}
		if a.json {
			return errors.Join(a.printJSON(report), err)
		}
		if err == nil || len(report.Sessions) > 0 { // "nothing to pack" would be a lie
			a.printPack(report, f.olderThan)
		}
		return err
	})
}

func (a *app) printPack(r connector.PackReport, olderThan string) {
	sessions := render.Plural(int64(len(r.Sessions)), "session")
	switch {
	case len(r.Sessions) == 0:
		a.printf("nothing to pack\n")
	case r.DryRun:
		a.printf("%s would be packed, of files that take %s (--json names them)\n", sessions, render.Bytes(r.Before))
	default:
		a.printf("%s packed: files that took %s take %s now, %s\n", sessions, render.Bytes(r.Before), render.Bytes(r.After), render.Duration(r.Duration))
	}
	for _, line := range []struct {
		n    int
		what string
	}{
		{r.Finished, "whose packing was interrupted: completed"},
		{r.Packed, "packed already"},
		{r.Open, "left: not ended"},
		{r.Recent, "left: written to within " + olderThan},
	} {
		if line.n > 0 {
			a.printf("%s %s\n", render.Plural(int64(line.n), "session"), line.what)
		}
	}
}

// packEvery is how often the daemon looks for sessions to pack.
const packEvery = time.Hour

// packer packs, beside a daemon, what is older than its configuration says.
type packer struct {
	journal *journal.Journal
	reader  connector.Reader
	log     zerolog.Logger

	mu    sync.Mutex
	after time.Duration // 0: nothing is packed
}

func (p *packer) set(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = after
}

// run packs now and then until ctx ends; each time one session after the other, on one core.
func (p *packer) run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		after := p.after
		p.mu.Unlock()
		if after == 0 {
			continue
		}
		report, err := connector.Pack(ctx, p.journal, p.reader, connector.PackOptions{OlderThan: after, Now: time.Now()})
		if len(report.Sessions) > 0 {
			p.log.Info().Int("sessions", len(report.Sessions)).Int64("before_bytes", report.Before).Int64("after_bytes", report.After).
				Float64("latency_seconds", report.Duration.Seconds()).Msg("packed sessions")
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, connector.ErrLocked) {
			p.log.Warn().EmbedObject(logline.Why(failure.PackFailed, err)).Msg("not every session could be packed")
		}
	}
}
