package connector

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	// silence is how long an open session is silent before it counts as abandoned.
	silence = 24 * time.Hour
	// grace is how long a session whose process died is left alone: its last hooks
	// may still be running.
	grace = 5 * time.Minute
)

// Abandoned returns, for each session that is open in the store and that nobody
// will end any more, the fact that says so, for the caller to redact and append. It
// appends nothing itself. A session is abandoned when its journal was silent for
// 24 hours, or when a process that died without ending it left its file in
// runtimeDir (Claude Code's ~/.claude/sessions; "" is none).
//
// The fact is timed at the session's last one, so that any later fact revokes it,
// and its id is made from that time: to find and append it twice is harmless.
// r should be up to date; a session that it wrongly says is open is left alone.
func Abandoned(ctx context.Context, j *journal.Journal, r Reader, runtimeDir string, now time.Time) ([]schema.Event, error) {
	open, err := r.Sessions(ctx, graph.SessionFilter{Status: schema.StatusActive})
	if err != nil {
		return nil, err
	}
	dead := deadSessions(runtimeDir)
	var facts []schema.Event
	for _, row := range open {
		file, err := j.Stat(row.SessionID)
		if err != nil {
			continue // recorded by another machine, or gone
		}
		quiet, reason := now.Sub(file.ModTime), "silent"
		if dead[row.SessionID] && quiet >= grace {
			reason = "process_died"
		} else if quiet < silence {
			continue
		}
		last, ended, err := lastFact(j, row.SessionID)
		if err != nil {
			return facts, err
		}
		if ended || last.Timestamp.IsZero() {
			continue
		}
		facts = append(facts, Abandonment(last, reason))
	}
	return facts, nil
}

// Abandonment is the fact that a session was abandoned after its last fact.
func Abandonment(last schema.Event, reason string) schema.Event {
	id := schema.EventID(schema.OriginAPI, "abandoned", last.SessionID, schema.FormatTime(last.Timestamp))
	return schema.Event{
		V: schema.Version, EventID: id, EventType: schema.SessionEnd, SessionID: last.SessionID,
		Timestamp: last.Timestamp, SourceSDK: last.SourceSDK, Origin: schema.OriginAPI,
		Status: schema.StatusAbandoned, Reason: reason, CausedBy: last.EventID,
	}
}

// lastFact returns a session's latest fact by time, and whether the session ended
// with it or was abandoned after it.
func lastFact(j *journal.Journal, session string) (last schema.Event, ended bool, err error) {
	var lines schema.Decoder
	for line, err := range j.Records(session) {
		if errors.Is(err, fs.ErrNotExist) {
			return schema.Event{}, false, nil
		}
		if err != nil {
			return last, false, err
		}
		e, err := lines.Record(line, session)
		if err != nil || e.OfRecorder() || e.Timestamp.Before(last.Timestamp) {
			continue
		}
		end := e.EventType == schema.SessionEnd
		ended = end || ended && e.Timestamp.Equal(last.Timestamp)
		last = e
	}
	return last, ended, nil
}

// runtimeProcess is what Claude Code writes to sessions/<pid>.json while it runs.
type runtimeProcess struct {
	SessionID string          `json:"sessionId"`
	StartedAt json.RawMessage `json:"startedAt"` // milliseconds, or RFC 3339
	ProcStart json.RawMessage `json:"procStart"` // the system's own start time
}

// deadSessions returns the sessions of processes that ended without removing their
// file, leaving out those that another, living process has resumed.
func deadSessions(dir string) map[string]bool {
	dead := map[string]bool{}
	if dir == "" {
		return dead
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	living := map[string]bool{}
	for _, path := range paths {
		pid, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err != nil || pid <= 0 {
			continue
		}
		var p runtimeProcess
		text, err := os.ReadFile(path)
		if err != nil || json.Unmarshal(text, &p) != nil || p.SessionID == "" {
			continue
		}
		if session := schema.SafeID(p.SessionID); p.dead(pid) {
			dead[session] = true
		} else {
			living[session] = true
		}
	}
	for session := range living {
		delete(dead, session)
	}
	return dead
}

// dead reports whether the process that wrote the file is certainly gone: there is
// none of its id, or one that began after the file says the session did. In doubt
// it lives: 24 hours of silence tell, too.
func (p *runtimeProcess) dead(pid int) bool {
	started, alive := processStart(pid)
	if !alive {
		return true
	}
	said, ok := p.startedAt()
	if !ok || started.IsZero() {
		return false
	}
	// Clocks are set, and the system's idea of when it booted moves with them.
	return started.After(said.Add(time.Minute))
}

func (p *runtimeProcess) startedAt() (time.Time, bool) {
	if ms, err := strconv.ParseInt(string(p.StartedAt), 10, 64); err == nil && ms > 0 {
		return time.UnixMilli(ms), true
	}
	t, err := time.Parse(time.RFC3339Nano, schema.Unquote(p.StartedAt))
	return t, err == nil
}
