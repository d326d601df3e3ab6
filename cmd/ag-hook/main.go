// Command ag-hook records one hook event of an AI coding agent and gets out of its
// way. The runtime starts it at each step:
//
//	ag-hook claude [--home DIR] [--at RFC3339] < payload
//	ag-hook events [--home DIR] [--at RFC3339] < events
//
// It reads one JSON value from stdin, normalizes it (adapters/claude), or any number of
// events of the protocol from whoever has a hook of his own (adapters/jsonl), takes
// credentials out (redact), appends it to the session's journal (journal) and exits
// 0. It prints nothing: what a hook prints becomes the model's context, and an exit
// code of 2 blocks the tool. Whatever goes wrong is one line in <home>/hook.log.
//
// The agent waits for it, so it links the standard library only, starts no process,
// opens no socket and syncs nothing but the end of a session.
package main

import (
	"os"
	"runtime/debug"
	"time"
)

func main() {
	// Before anything else: a runtime that exits sends its hooks SIGTERM and does
	// not wait for them, and their events would be the ones lost.
	ignoreSignals()
	now := time.Now()
	debug.SetGCPercent(-1) // a process of one millisecond has nothing to collect
	options := parseOptions(os.Args[1:], now)
	if options.print != "" {
		os.Stdout.WriteString(options.print)
		return
	}
	h := newHook(options)
	defer os.Exit(0)
	defer h.recovered()
	h.run(os.Stdin)
}
