// Package doctor finds out whether sessions are recorded, and why not.
//
// Run makes the checks of the list in checks(): each is a small function that looks at one
// thing and says how it is, in words, and what to do about it. They are made side by side,
// each with a deadline, so that what hangs, a database or a network disk, is a FAIL of its
// own and holds up no other.
//
// Nothing is changed but by the probe, which calls the registered hook as Claude Code would,
// in the home that the hook uses, as a session of its own (schema.ProbeID) that neither
// journal nor daemon takes for one, and removes that file again. A home of its own would leave
// even less, and prove less: most of what keeps events from being recorded is wrong with the home.
// (SQLite keeps its two files beside the store while anybody reads it, as for every verb.)
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/settings"
)

// Status is how a check went.
type Status string

// Only a Fail means that something is not recorded, or may not be.
const (
	OK   Status = "OK"
	Warn Status = "WARN"
	Fail Status = "FAIL"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`         // what was found
	Cure   string `json:"cure,omitempty"` // what to do about it
}

// Env is what is looked at. Of all but Home the zero value will do.
type Env struct {
	Home string // of actiongraph, absolute
	// Claude says where Claude Code's settings are; by default where it would look if this
	// process started it in the current folder.
	Claude settings.Env
	// Version is what ag-hook is to be, too; "" and "devel" are not compared.
	Version string
	// Events are the hook events that an installation registers; none are not compared.
	Events []string
	Getenv func(string) string // os.Getenv by default
	Now    func() time.Time    // time.Now by default
}

// Failed reports whether a check failed.
func Failed(checks []Check) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.Status == Fail })
}

// Run makes every check. One that fails, panics or hangs keeps no other from being made.
//
// In a home that a newer version has used nothing is looked at: a probe would write there.
func Run(ctx context.Context, env Env) []Check {
	if err := journal.CheckHome(env.Home); errors.Is(err, journal.ErrNewerHome) {
		return []Check{{Name: "home", Status: Fail, Detail: err.Error(), Cure: "run the newer version's doctor"}}
	}
	return run(ctx, newExam(env), checks())
}

// check is one entry of the list.
type check struct {
	name  string
	look  func(context.Context, *exam) []Check // names are filled in
	limit time.Duration                        // 0: patience
	// alone is a check that measures time: the others are done by then.
	alone bool
}

// patience is how long a check may take, and grace how much longer one that was told to
// stop.
const (
	patience = 5 * time.Second
	grace    = 500 * time.Millisecond
)

// checks are all there are, in the order in which they are told: what everything else
// depends on comes first.
func checks() []check {
	return []check{
		{name: "config", look: configuration},
		{name: "policy", look: capture},
		{name: "home", look: home},
		{name: "files", look: files},
		{name: "filesystem", look: filesystem},
		{name: "disk", look: disk},
		{name: "clock", look: clock},
		{name: "path", look: path},
		{name: "settings", look: settingsFiles},
		{name: "switches", look: switches},
		{name: "trust", look: trust},
		{name: "hook", look: registered},
		{name: "binary", look: binaries},
		{name: "duplicates", look: duplicates},
		{name: "recorders", look: recorders},
		{name: "probe", look: probes, limit: time.Minute, alone: true},
		{name: "hook.log", look: hookLog},
		{name: "journal", look: tornLines},
		{name: "scrub", look: scrubbed},
		{name: "ends", look: withoutEnd},
		{name: "forgotten", look: forgotten},
		{name: "store", look: store},
		{name: "verify", look: verified},
		{name: "graphs", look: graphs, limit: 2 * patience},
		{name: "daemon", look: daemon},
		{name: "service", look: installedService},
	}
}

// run makes checks and returns what they found, in the order of the list.
func run(ctx context.Context, e *exam, list []check) []Check {
	found := make([][]Check, len(list))
	var looking sync.WaitGroup
	for i, c := range list {
		if !c.alone {
			looking.Go(func() { found[i] = c.made(ctx, e) })
		}
	}
	looking.Wait()
	for i, c := range list {
		if c.alone {
			found[i] = c.made(ctx, e)
		}
	}
	return slices.Concat(found...)
}

// made makes one check. Where it panics or does not come back that is what was found.
func (c check) made(ctx context.Context, e *exam) []Check {
	limit := c.limit
	if limit == 0 {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Check, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fail("report it, with what ag-sessiond version prints", "the check itself failed: panic: %v", v)
			}
		}()
		done <- c.look(ctx, e)
	}()
	var found []Check
	select {
	case found = <-done:
	case <-ctx.Done():
		select {
		case found = <-done:
		case <-time.After(grace):
			found = fail("look for a disk, a program or a database that does not answer", "no answer within %v", limit)
		}
	}
	for i := range found {
		if found[i].Name == "" {
			found[i].Name = c.name
		}
	}
	return found
}

func ok(format string, args ...any) []Check {
	return []Check{{Status: OK, Detail: fmt.Sprintf(format, args...)}}
}

func warn(cure, format string, args ...any) []Check {
	return []Check{{Status: Warn, Detail: fmt.Sprintf(format, args...), Cure: cure}}
}

func fail(cure, format string, args ...any) []Check {
	return []Check{{Status: Fail, Detail: fmt.Sprintf(format, args...), Cure: cure}}
}

// exam is one Run: what is looked at, and what several checks need, which is got once.
type exam struct {
	Env
	now      time.Time
	journal  func() (*journal.Journal, error) // nil where there is none
	sessions func() ([]journal.File, error)   // the latest first
	settings func() []settings.File
	config   func() (config.Config, error)
}

func newExam(env Env) *exam {
	e := &exam{Env: env}
	if e.Getenv == nil {
		e.Getenv = os.Getenv
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Claude == (settings.Env{}) {
		dir, _ := os.Getwd() // where none is known there is no project
		e.Claude, _ = settings.Here(dir)
	}
	if e.Claude.GOOS == "" {
		e.Claude.GOOS = runtime.GOOS
	}
	e.now = e.Now()
	e.journal = sync.OnceValues(func() (*journal.Journal, error) { return openJournal(e.Home) })
	e.sessions = sync.OnceValues(e.latest)
	e.settings = sync.OnceValue(func() []settings.File { return settings.Files(e.Claude) })
	e.config = sync.OnceValues(func() (config.Config, error) { return config.Load(e.Home) })
	return e
}
