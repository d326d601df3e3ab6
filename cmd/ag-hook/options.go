package main

import (
	"runtime/debug"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/journal"
)

// options is the command line. What is wrong with it is reported in hook.log and
// never keeps an event from being recorded, which is why it is not package flag's
// to parse: that stops at the first mistake.
type options struct {
	runtime  string // the agent's name: "claude"; "events" of who speaks the protocol
	home     string
	now      time.Time
	at       time.Time // when the event was received, if not now
	print    string    // what to print, and do nothing else
	problems []string
}

const usage = `ag-hook records one hook event of an AI coding agent, read from stdin.

  ag-hook claude [--home DIR] [--at RFC3339]
  ag-hook events [--home DIR] [--at RFC3339]

claude takes what Claude Code gives its hooks, events any number of Event Protocol
events (schema/event.schema.json): objects or arrays of them.

  --home DIR     where the journal is (default $AG_HOME, else ~/.actiongraph)
  --at RFC3339   the time of the event, instead of now
  --version      print the version

It prints nothing and exits 0 whatever happens; problems are in hook.log under the
home. To have it called: ag-sessiond install
`

func parseOptions(args []string, now time.Time) options {
	o := options{home: journal.DefaultHome(), now: now, at: now}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") {
			o.setRuntime(arg)
			continue
		}
		name, value, inline := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		takesValue := name == "home" || name == "at"
		if takesValue && !inline {
			if len(args) == 0 {
				o.problems = append(o.problems, "--"+name+" needs a value")
				break
			}
			value, args = args[0], args[1:]
		}
		o.set(name, value)
	}
	return o
}

func (o *options) setRuntime(name string) {
	if o.runtime != "" {
		o.problems = append(o.problems, "one argument too many: the only one is the runtime")
		return
	}
	o.runtime = name
}

func (o *options) set(name, value string) {
	switch name {
	case "home":
		o.home = value
	case "at":
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil || at.Year() < 1971 || at.Year() > 2260 { // the protocol's years, in any zone
			o.problems = append(o.problems, "--at: want a time like 2026-01-02T15:04:05Z; took the clock's")
			return
		}
		o.at = at
	case "version":
		o.print = "ag-hook " + version() + "\n"
	case "help", "h":
		o.print = usage
	default:
		o.problems = append(o.problems, "an unknown option; there are --home, --at and --version")
	}
}

// release is the version of a published build: make release sets it.
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
