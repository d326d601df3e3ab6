// Command ag-sessiond answers questions about recorded agent sessions, and keeps
// the store in step with the journal. See ag-sessiond help.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// softMemory is where the garbage collector begins to work harder, so that a catch-up
// over years of sessions stays under 200 MB with SQLite's own memory beside it.
const softMemory = 90 << 20

func main() {
	ctx := untilSignal()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal returns a context that a signal ends; what is under way is finished or
// left undone whole. A second signal kills: not everything that blocks, as a pipe
// that nobody reads, looks at a context.
func untilSignal() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}
