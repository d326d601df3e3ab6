package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "What is recorded where, how far the store is, what went wrong",
		Long: `Say what the journal holds, how far the store is behind it, whether a daemon runs,
and what ag-hook could not record. It reads the whole journal and changes nothing.`,
		Example: `  ag-sessiond status
  ag-sessiond status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
}

type statusReport struct {
	Home     string        `json:"home"`
	Journal  journalStatus `json:"journal"`
	Store    storeStatus   `json:"store"`
	Daemon   daemonStatus  `json:"daemon"`
	HookLog  []string      `json:"hook_log"` // its last lines
	Versions versionInfo   `json:"versions"`
}

type journalStatus struct {
	ID          string    `json:"id,omitempty"`
	Bytes       int64     `json:"bytes"`
	Sessions    int       `json:"sessions"`
	Events      int64     `json:"events"`
	TornLines   int64     `json:"torn_lines"`
	LastEventAt time.Time `json:"last_event_at,omitzero"`
	// Unreadable counts files that could not be read to their end.
	Unreadable int `json:"unreadable"`
}

type storeStatus struct {
	Path        string `json:"path"`
	Exists      bool   `json:"exists"`
	Bytes       int64  `json:"bytes"`
	Sessions    int64  `json:"sessions"`
	Actions     int64  `json:"actions"`
	Position    int64  `json:"position_bytes"` // of journal folded
	LagBytes    int64  `json:"lag_bytes"`
	LagSessions int    `json:"lag_sessions"`
	Error       string `json:"error,omitempty"`
}

type daemonStatus struct {
	Running bool   `json:"running"`
	Detail  string `json:"detail,omitempty"`
}

func (a *app) status(ctx context.Context) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	s := statusReport{Home: home, HookLog: []string{}, Versions: versions()}
	s.Store.Path = filepath.Join(home, storeFile)
	there, err := recorded(home)
	if err != nil {
		return err
	}
	s.HookLog = lastLines(filepath.Join(home, "hook.log"), 5)
	if there {
		j, err := journal.Open(home)
		if err != nil {
			return unavailable(err)
		}
		if s.Journal, err = journalState(ctx, j); err != nil {
			return err
		}
		s.Store = storeState(ctx, j, s.Store)
		s.Daemon = daemonState(home)
	}
	if a.json {
		return a.printJSON(s)
	}
	a.printStatus(s)
	if !there || s.Journal.Sessions == 0 {
		a.note("nothing is recorded in %s yet: %s", home, howToStart)
	}
	return nil
}

// journalState reads the whole journal, as bytes: an event is a complete line.
func journalState(ctx context.Context, j *journal.Journal) (journalStatus, error) {
	s := journalStatus{ID: j.ID()}
	files, err := j.Files()
	if err != nil {
		return s, unavailable(err)
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		s.Sessions++
		s.Bytes += f.Size
		if f.ModTime.After(s.LastEventAt) {
			s.LastEventAt = f.ModTime.UTC()
		}
		c, err := j.Read(f.Session, journal.Position{})
		if err != nil {
			s.Unreadable++
			continue
		}
		for err == nil {
			if _, err = c.Next(); err == nil {
				s.Events++
			}
		}
		if !errors.Is(err, io.EOF) {
			s.Unreadable++
		}
		s.TornLines += int64(c.Torn())
		c.Close()
	}
	return s, nil
}

func storeState(ctx context.Context, j *journal.Journal, s storeStatus) storeStatus {
	info, err := os.Stat(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if l, err := connector.Behind(ctx, j, noPositions{}); err == nil {
			s.LagBytes, s.LagSessions = l.Bytes, l.Sessions
		}
		return s
	}
	fail := func(err error) storeStatus {
		s.Error = err.Error()
		return s
	}
	if err != nil {
		return fail(err)
	}
	s.Exists, s.Bytes = true, info.Size()
	store, err := sqlite.Open(s.Path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return fail(err)
	}
	defer store.Close()
	positions, err := store.Positions(ctx, j.ID())
	if err != nil {
		return fail(err)
	}
	for _, p := range positions {
		s.Position += p.Offset
	}
	l, err := connector.Behind(ctx, j, store)
	if err != nil {
		return fail(err)
	}
	s.LagBytes, s.LagSessions = l.Bytes, l.Sessions
	sum, err := store.Summary(ctx, "")
	if err != nil {
		return fail(err)
	}
	s.Sessions, s.Actions = sum.SessionCount, sum.ActionCount
	return s
}

// noPositions is a store that is not there yet.
type noPositions struct{ connector.Store }

func (noPositions) Positions(context.Context, string) (map[string]journal.Position, error) {
	return nil, nil
}

// daemonState asks the kernel who holds the daemon's lock.
func daemonState(home string) daemonStatus {
	by, held, err := connector.Held(home, connector.RunLock)
	if err != nil {
		return daemonStatus{Detail: err.Error()}
	}
	return daemonStatus{Running: held, Detail: by}
}

// lastLines returns the last n lines of a small file; none where there is no file.
func lastLines(path string, n int) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		return []string{}
	}
	var lines []string
	for line := range bytes.Lines(bytes.TrimSpace(b)) {
		lines = append(lines, strings.TrimSpace(string(line)))
	}
	return list(lines[max(0, len(lines)-n):])
}

func (a *app) printStatus(s statusReport) {
	field := func(name, format string, args ...any) {
		a.printf("%-10s", name)
		a.printf(format+"\n", args...)
	}
	j, st := s.Journal, s.Store
	field("home", "%s", render.OneLine(s.Home))
	field("journal", "%s in %s, %s", render.Plural(j.Events, "event"), render.Plural(int64(j.Sessions), "session"), render.Bytes(j.Bytes))
	if !j.LastEventAt.IsZero() {
		field("last", "%s", render.Time(j.LastEventAt))
	}
	if j.TornLines > 0 {
		field("torn", "%s skipped: left by writers that were killed, never acknowledged", render.Plural(j.TornLines, "line"))
	}
	if j.Unreadable > 0 {
		field("unread", "%s cannot be read", render.Plural(int64(j.Unreadable), "journal file"))
	}
	switch {
	case st.Error != "":
		field("store", "%s", render.OneLine(st.Error))
	case !st.Exists:
		field("store", "not made yet; the first reading verb makes it")
	default:
		field("store", "%s, %s, %s", render.Plural(st.Sessions, "session"), render.Plural(st.Actions, "action"), render.Bytes(st.Bytes))
	}
	if st.LagBytes > 0 {
		field("behind", "%s of journal in %s; the next reading verb or sync folds it", render.Bytes(st.LagBytes), render.Plural(int64(st.LagSessions), "session"))
	} else if st.Exists && st.Error == "" {
		field("behind", "nothing")
	}
	if s.Daemon.Running {
		field("daemon", "running: %s", render.OneLine(s.Daemon.Detail))
	} else {
		field("daemon", "not running (none is needed)")
	}
	field("version", "%s, event protocol %d, %s", s.Versions.Version, s.Versions.Protocol, s.Versions.Go)
	if len(s.HookLog) > 0 {
		a.printf("\nhook.log, last lines:\n")
		for _, line := range s.HookLog {
			a.printf("  %s\n", a.style.Truncate(render.OneLine(line), a.style.Width-2))
		}
	}
}
