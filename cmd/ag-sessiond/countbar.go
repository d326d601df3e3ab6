package main

import (
	"context"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/actiongraph/actiongraph/internal/render"
)

// countBar says how many of what were read so far, of nobody knows how many. Without a
// terminal it says nothing.
type countBar struct {
	app   *app
	ctx   context.Context
	what  string
	start time.Time
	bars  *mpb.Progress
	bar   *mpb.Bar
}

func (a *app) countBar(ctx context.Context, what string) *countBar {
	return &countBar{app: a, ctx: ctx, what: what, start: time.Now()}
}

func (b *countBar) count(n int) {
	if b.bar == nil {
		if terminalWidth(b.app.err) == 0 || time.Since(b.start) < barDelay {
			return
		}
		b.bars = mpb.NewWithContext(b.ctx, mpb.WithOutput(b.app.err))
		b.bar = b.bars.New(0, mpb.SpinnerStyle(), mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
			return " " + render.Count(s.Current) + " " + b.what
		})))
	}
	b.bar.SetCurrent(int64(n))
}

// done takes the bar away.
func (b *countBar) done() {
	if b.bar != nil {
		b.bar.Abort(true)
		b.bars.Wait()
		b.bar = nil
	}
}
