//go:build unix

package main

import (
	"io"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A bar is drawn by a goroutine of its own while what it says changes: the race detector looks on.
func TestBarsAreDrawnBesideTheirWork(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	if err := pty.Setsize(master, &pty.Winsize{Rows: 20, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	// Nothing here waits for what is drawn: that would put the one behind the other.
	go func() { _, _ = io.Copy(io.Discard, master) }()
	a := &app{err: tty}
	counting, importing := a.countBar(t.Context(), "events"), a.importBar(t.Context())
	counting.start, importing.start = time.Time{}, time.Time{} // long ago: both are due
	for n := range 500 {                                       // a bar is drawn some times a second
		counting.count(n)
		importing.reading(int64(n), 1<<40)
		time.Sleep(time.Millisecond)
	}
	counting.done()
	importing.done()
}
