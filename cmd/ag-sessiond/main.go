// Command ag-sessiond answers questions about recorded agent sessions, and keeps
// the store in step with the journal. See ag-sessiond help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A signal ends the context; what is under way is finished or left undone whole.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
