package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	// patience is how long the hook waits for stdin to go on.
	patience = 5 * time.Second
	// deadline is how long it may then take: 64 MiB on a machine with too much to do.
	// It ends what hangs in a file system; the runtime's SIGTERM is ignored.
	deadline = time.Minute
	// collectFrom is the size of a payload from which memory matters more than time.
	collectFrom = 4 << 20
	maxMeta     = 4 << 10
)

// hook is one run.
type hook struct {
	options
	log      hookLog
	in       input
	patience time.Duration
	exit     func()
	started  []string // where this process was started, as it is written and as it is; nil: not asked yet
	watchdog *time.Timer
}

func newHook(o options) *hook {
	return &hook{options: o, log: hookLog{o.home, o.now}, patience: patience, exit: func() { os.Exit(0) }}
}

// run records what stdin holds.
func (h *hook) run(stdin io.Reader) {
	for _, p := range h.problems {
		h.warn(p, "correct the command in the runtime's settings, or run `ag-sessiond install` again")
	}
	if h.runtime == "" {
		h.log.add(problem{level: "ERROR", message: "no runtime given, nothing recorded",
			cure: "name it: ag-hook claude, or ag-hook events"})
		return
	}
	h.watchdog = time.AfterFunc(h.patience, h.late)
	payload, more := h.read(stdin)
	if !h.in.take() {
		select {} // the watchdog is recording, and ends the process
	}
	h.watchdog.Reset(deadline)
	h.record(payload)
	if more {
		h.drain(stdin)
	}
}

// read reads what the runtime gives: one value, or of a caller of the protocol any number.
func (h *hook) read(stdin io.Reader) (payload []byte, more bool) {
	if h.runtime == eventsRuntime {
		return h.in.readAll(stdin, func() {
			wait := h.patience
			if h.in.settled.Load() {
				wait = min(wait, pause)
			}
			h.watchdog.Reset(wait)
		})
	}
	return h.in.read(stdin, func() { h.watchdog.Reset(h.patience) })
}

// late is the watchdog: stdin stopped in the middle of a value, or after one and is left
// open, or the file system does not answer. It ends the process.
func (h *hook) late() {
	defer h.exit()
	defer h.recovered()
	if !h.in.take() {
		h.log.add(problem{level: "ERROR", message: "the file system did not answer in time, an event may be lost",
			cure: "keep " + h.home + " on a local disk"})
		return
	}
	h.watchdog.Reset(deadline)
	if !h.in.settled.Load() {
		h.warn("stdin stopped before the end of a JSON value: recorded what had come", "")
	}
	h.record(h.in.soFar())
}

// drain takes what is left in stdin, so that a writer who has more than a pipe holds
// is not told that its reader went away. It stops after a moment, or at the end.
func (h *hook) drain(stdin io.Reader) {
	done := make(chan bool)
	go func() {
		io.Copy(io.Discard, stdin)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(50 * time.Millisecond):
	}
}

// record turns a payload into events and appends them.
func (h *hook) record(payload []byte) {
	if len(bytes.TrimSpace(payload)) == 0 {
		h.log.add(problem{level: "ERROR", message: "stdin was empty, nothing recorded",
			cure: "the runtime gives the payload on stdin: `ag-sessiond install` has it call ag-hook"})
		return
	}
	if len(payload) == maxPayload {
		h.warn(fmt.Sprintf("the payload is longer than %d bytes: recorded its beginning", maxPayload), "")
	}
	if len(payload) >= collectFrom {
		debug.SetGCPercent(100)
	}
	j, err := journal.Open(h.home)
	var key []byte
	var r *redact.Redactor
	if err == nil {
		key = j.Key()
		// Looked at, never recorded: the environment holds the user's secrets.
		r = j.Redactor(os.Getenv("CLAUDE_PROJECT_DIR"))
		h.policy(j.Policy())
	}
	events := h.events(payload, key)
	if h.runtime == eventsRuntime && err == nil && h.appendAll(j, r, events) {
		return
	}
	for _, e := range events {
		if err != nil {
			h.lost(&e, err)
			continue
		}
		h.append(j, r, &e)
	}
}

func (h *hook) append(j *journal.Journal, r *redact.Redactor, e *schema.Event) {
	defer func() {
		if v := recover(); v != nil {
			h.lost(e, panicError(v))
		}
	}()
	if err := j.Append(h.way(j, r, e).Event(*e)); err != nil {
		h.lost(e, err)
	}
}

// events asks the runtime's adapter. What it cannot do leaves an unknown event,
// with the payload whole.
func (h *hook) events(payload, key []byte) (events []schema.Event) {
	defer func() {
		if v := recover(); v != nil {
			h.log.add(problem{level: "WARNING", message: "the adapter panicked, recorded an unknown event",
				err: panicError(v), cure: "report it"})
			events = h.unknown(payload, "the adapter panicked")
		}
	}()
	switch h.runtime {
	case "claude":
		events = claude.Events(payload, h.environment(payload, key))
	case eventsRuntime:
		return h.protocol(payload, key)
	default:
		h.warn("an unknown runtime, recorded an unknown event", "name one that ag-hook knows: claude, or events")
		return h.unknown(payload, "unknown runtime")
	}
	if len(events) == 0 {
		return h.unknown(payload, "the adapter made no event of it")
	}
	return events
}

// environment gathers what costs no process. Where the agent works is asked at
// every event, what is checked out there only when a session starts.
func (h *hook) environment(payload, key []byte) claude.Env {
	env := claude.Env{Now: h.at, User: userName(), HashKey: key}
	env.Host, _ = os.Hostname()
	var gitDir string
	env.RepoRoot, gitDir = findRepo(schema.FieldString(payload, "cwd"))
	if gitDir != "" && schema.FieldString(payload, "hook_event_name") == "SessionStart" {
		env.GitBranch, env.GitCommit = head(gitDir)
	}
	if path := claude.AgentMetaPath(payload); path != "" {
		env.AgentMeta = readSmall(path, maxMeta)
	}
	return env
}

// unknown returns an event that holds a payload of which no adapter made one.
func (h *hook) unknown(payload []byte, why string) []schema.Event {
	session := schema.FieldString(payload, "session_id")
	if session == "" {
		session = "unknown" // where adapters file what names no session
	}
	meta := append(schema.AppendString([]byte(`{"`+schema.MetaHookError+`":`), why), `,"`+schema.MetaPayload+`":`...)
	meta = append(schema.AppendString(meta, string(payload)), '}')
	return []schema.Event{{
		V:         schema.Version,
		EventID:   schema.EventID(schema.OriginHook, "unknown", schema.FormatTime(h.at), string(payload)),
		EventType: schema.Unknown,
		SessionID: schema.SafeID(session),
		Timestamp: h.at.UTC(),
		SourceSDK: "unknown",
		Origin:    schema.OriginHook,
		Actor:     schema.ActorRuntime,
		Metadata:  meta,
	}}
}

func (h *hook) warn(message, cure string) {
	h.log.add(problem{level: "WARNING", message: message, cure: cure})
}

func (h *hook) lost(e *schema.Event, err error) {
	h.log.add(problem{level: "ERROR", message: "event lost", err: err, cure: cure(h.home, err), event: e})
}

// recovered keeps a panic from printing a stack and exiting 2, which would put it
// into the model's context and block the tool.
func (h *hook) recovered() {
	if v := recover(); v != nil {
		h.log.add(problem{level: "ERROR", message: "an event may be lost", err: panicError(v), cure: "report it"})
	}
}

// panicError says what panicked and where, without a value that may be the payload's.
func panicError(v any) error {
	text := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		text = err.Error() // names types and lengths, no contents
	}
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Errorf("panic: %s at %s:%d", text, f.Function, f.Line)
		}
		if !more {
			return fmt.Errorf("panic: %s", text)
		}
	}
}
