package watch

import (
	"context"
	"errors"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/live"
)

// frames is how many times a second the screen may be redrawn: what happens is seen within
// 70 ms and what tail gathers for, and a screen that stays costs 15 looks.
const frames = 15

// Screen shows on a terminal what w tells until a key or ctx ends it, and leaves the
// terminal as it was.
func Screen(ctx context.Context, w *live.Watcher, style render.Style, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := tea.NewProgram(NewModel(style, w.Session, time.Now()),
		tea.WithInput(in), tea.WithOutput(out),
		tea.WithAltScreen(), tea.WithFPS(frames), tea.WithoutSignalHandler(), tea.WithoutBracketedPaste())
	// Not by tea.WithContext: a program that is killed closes its input without waiting for who
	// reads it (a data race in Bubble Tea 1.3.10's shutdown); one that quits waits.
	defer context.AfterFunc(ctx, p.Quit)()
	changes := make(chan live.Change)
	watched := make(chan error, 1)
	go func() {
		err := w.Run(ctx, changes)
		close(changes)
		if ctx.Err() == nil {
			stop()
		}
		watched <- err
	}()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for c := range changes {
			p.Send(c)
		}
	}()
	_, err := p.Run()
	stop()
	<-sent
	failed := <-watched
	if errors.Is(failed, context.Canceled) {
		failed = nil
	}
	return errors.Join(err, failed)
}
