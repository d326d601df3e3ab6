package main

import (
	"os"
	"os/signal"
	"syscall"
)

// ignoreSignals ignores what a console sends while an event is on its way to the
// journal.
func ignoreSignals() {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}
