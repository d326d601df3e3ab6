//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreSignals ignores what a runtime, a terminal or a limit may send while an
// event is on its way to the journal. SIGQUIT would print a stack and exit 2, which
// blocks the tool; with SIGXFSZ ignored a write beyond the limit fails like any other.
func ignoreSignals() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGXFSZ)
}
