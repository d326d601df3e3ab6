package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
)

// importBar draws one bar for both halves of an import: the files are read into the
// journal, and the store takes it in. Without a terminal it draws nothing.
type importBar struct {
	app   *app
	ctx   context.Context
	start time.Time
	bars  *mpb.Progress
	bar   *mpb.Bar
	text  atomic.Value // a string: what is being done, how much of it, how fast; the bar's goroutine reads it
	total int64        // bytes of files; the store's half of the bar is as long
}

func (a *app) importBar(ctx context.Context) *importBar {
	return &importBar{app: a, ctx: ctx, start: time.Now()}
}

// reading draws that so many bytes are read; nobody knows how many there are in a pipe.
func (b *importBar) reading(done, total int64) {
	b.total = max(total, done, 1)
	b.draw(done, "reading", done, b.total, done)
}

func (b *importBar) folding(p connector.Progress) {
	b.total = max(b.total, 1)
	share := float64(b.total) * float64(p.Bytes) / float64(max(p.TotalBytes, 1))
	b.draw(b.total+int64(share), "storing", p.Bytes, p.TotalBytes, b.total)
}

func (b *importBar) draw(current int64, doing string, done, total, read int64) {
	since := time.Since(b.start)
	if b.bar == nil && (terminalWidth(b.app.err) == 0 || since < barDelay) {
		return
	}
	rate := int64(float64(read) / since.Seconds())
	b.text.Store(fmt.Sprintf("%s %s of %s, %s/s ", doing, render.Bytes(done), render.Bytes(total), render.Bytes(rate)))
	if b.bar == nil {
		b.bars = mpb.NewWithContext(b.ctx, mpb.WithOutput(b.app.err), mpb.WithWidth(30))
		b.bar = b.bars.AddBar(2*b.total,
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.text.Load().(string) })),
			mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)),
			mpb.BarRemoveOnComplete())
		b.bar.DecoratorAverageAdjust(b.start)
	}
	b.bar.SetTotal(2*b.total, false)
	b.bar.SetCurrent(current)
}

// done takes the bar away.
func (b *importBar) done() {
	if b.bar != nil {
		b.bar.Abort(true)
		b.bars.Wait()
		b.bar = nil
	}
}
