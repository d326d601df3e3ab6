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
	// A signal ends the context; what is under way is finished or left undone whole.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
