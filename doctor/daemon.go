package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
)

// statusFile is what a running daemon says of itself, below the home.
const statusFile = "status.json"

// daemonSays is what is looked at of it.
type daemonSays struct {
	Stores []struct {
		Name      string          `json:"name"`
		State     connector.State `json:"state"`
		LastError string          `json:"last_error"`
		Refused   int             `json:"refused_sessions"`
	} `json:"stores"`
}

// followPatience is how long a daemon that follows the journal may take for what is in it
// now: an event takes some 30 ms.
const followPatience = 2 * time.Second

// daemon asks whether one runs, where one is needed, and whether it does what it is for.
func daemon(ctx context.Context, e *exam) []Check {
	by, running, err := connector.Held(e.Home, connector.RunLock)
	if err != nil {
		return fail("make it readable for this user, and keep the home on a local disk", "%v", err)
	}
	if !running {
		c, err := e.config()
		if err == nil && len(c.Graph)+len(c.Source) > 0 {
			return warn("ag-sessiond run", "none runs, and config.toml has %s and %s that only a daemon keeps up",
				plural(len(c.Graph), "graph", "graphs"), plural(len(c.Source), "source", "sources"))
		}
		return ok("none runs, and none is needed: verbs that read catch up by themselves")
	}
	says, err := readStatus(e.Home)
	if err != nil {
		return warn("stop it and start it again: ag-sessiond run", "%s runs and does not say how it is: %v", by, err)
	}
	for _, s := range says.Stores {
		if s.State == connector.Down || s.Refused > 0 {
			return warn("see ag-sessiond status; it tries again and again, and nothing is lost", "%s runs; store %s is %s: %s", by, s.Name, s.State, s.LastError)
		}
	}
	behind, err := e.follows(ctx)
	if err != nil {
		return warn("see ag-sessiond status", "%s runs; how far it is is not known: %v", by, err)
	}
	if behind > 0 {
		return warn("see ag-sessiond status: it may be catching up; if this number stays, stop it and start it again",
			"%s runs and had not folded %s of journal within %v", by, render.Bytes(behind), followPatience)
	}
	return ok("%s runs and follows the journal", by)
}

// readStatus waits for a daemon that has just begun.
func readStatus(home string) (says daemonSays, err error) {
	for deadline := time.Now().Add(followPatience); ; time.Sleep(50 * time.Millisecond) {
		var text []byte
		text, err = os.ReadFile(filepath.Join(home, statusFile))
		if err == nil {
			return says, json.Unmarshal(text, &says)
		}
		if !time.Now().Before(deadline) {
			return says, err
		}
	}
}

// follows returns how much of what the journal holds now, in bytes, the embedded store does not
// get within followPatience. What is appended meanwhile does not count: an agent at work
// always is a moment ahead.
func (e *exam) follows(ctx context.Context) (behind int64, err error) {
	j, err := e.journal()
	if err != nil || j == nil {
		return 0, err
	}
	sessions, err := e.sessions()
	if err != nil {
		return 0, err
	}
	ends := map[string]int64{}
	for _, f := range sessions {
		if ends[f.Session], err = j.End(f); err != nil {
			return 0, err
		}
	}
	for deadline := time.Now().Add(followPatience); ; time.Sleep(50 * time.Millisecond) {
		behind, err = e.lacks(ctx, j.ID(), ends)
		if err != nil || behind == 0 || ctx.Err() != nil || !time.Now().Before(deadline) {
			return behind, err
		}
	}
}

// lacks sums up what the embedded store lacks up to the given ends of sessions.
func (e *exam) lacks(ctx context.Context, journal string, ends map[string]int64) (sum int64, err error) {
	s, err := e.openStore()
	if err != nil {
		return 0, err
	}
	if s == nil {
		return 0, fmt.Errorf("it has made no store")
	}
	defer s.Close()
	positions, err := s.Positions(ctx, journal)
	for session, end := range ends {
		sum += max(0, end-positions[session].Offset)
	}
	return sum, err
}
