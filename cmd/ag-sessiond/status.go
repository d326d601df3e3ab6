package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/secrets"
	"github.com/actiongraph/actiongraph/transcript"
)

func (a *app) statusCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What is recorded where, how far each store is, what went wrong",
		Long: `Say what the journal holds, how far each store is behind it (the embedded one, those
in config.toml, and --graph), whether a daemon runs and which transcripts and other JSONL
it reads, or would read by config.toml, what in transcripts was broken or of unknown
types, and what ag-hook could not record. It reads the whole journal and changes nothing.

Growth is reckoned by the times of the journal's files: a session counts whole on the day on
which it was last written to.

Of the stores that a daemon keeps, the daemon says how they are; the others are asked,
and have two seconds to answer.`,
		Example: `  ag-sessiond status
  ag-sessiond status --graph bolt://localhost:7687
  ag-sessiond status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
	a.graphFlag(cmd, "show this Neo4j or Memgraph, too, by `URL` or name in config.toml; may be repeated")
	return cmd
}

type statusReport struct {
	Home    string        `json:"home"`
	Journal journalStatus `json:"journal"`
	Store   storeStatus   `json:"store"`
	Stores  []storeHealth `json:"stores"` // Store first, as its replica sees it, then the graphs
	Daemon  daemonStatus  `json:"daemon"`
	beside                // what a running daemon says of itself
	// Configured is what no daemon reads now; absent while one runs, which says what it reads.
	Configured *configured `json:"configured,omitempty"`
	// Skipped is what imports and daemons passed over in transcripts; absent where that is nothing.
	Skipped *transcript.Skipped `json:"transcripts_skipped,omitempty"`
	// Scrub is one of secrets that is at work, or was killed.
	Scrub  *secrets.Marker `json:"secrets_scrub,omitempty"`
	Policy policyStatus    `json:"policy"`
	// Forgotten says what was forgotten; absent where nothing was.
	Forgotten *forgottenStatus `json:"forgotten,omitempty"`
	HookLog   []string         `json:"hook_log"` // its last lines
	Versions  versionInfo      `json:"versions"`
}

// failure is what makes the report one of a record that no verb can read.
func (s statusReport) failure() error {
	if s.Store.Error == "" {
		return nil
	}
	return unavailable(errcode.With(errcode.StoreUnavailable, fmt.Errorf("the store cannot be used: %s", s.Store.Error)))
}

type journalStatus struct {
	ID          string      `json:"id,omitempty"`
	Bytes       int64       `json:"bytes"`        // of what was recorded
	Stored      int64       `json:"stored_bytes"` // of the files that hold it
	Packed      packedShare `json:"packed"`
	Growth      growth      `json:"growth"`
	Sessions    int         `json:"sessions"`
	Events      int64       `json:"events"`
	TornLines   int64       `json:"torn_lines"`
	LastEventAt time.Time   `json:"last_event_at,omitzero"`
	// Unreadable counts files that could not be read to their end.
	Unreadable int `json:"unreadable"`
}

// packedShare is what is packed of a journal.
type packedShare struct {
	Sessions int   `json:"sessions"`
	Bytes    int64 `json:"bytes"`        // of what was recorded
	Stored   int64 `json:"stored_bytes"` // of the files that hold it
}

// growth is how much was recorded lately, in bytes, by the times of files: a session counts whole
// on the day on which it was last written to.
type growth struct {
	Week  int64 `json:"bytes_7d"`
	Month int64 `json:"bytes_30d"`
}

// count adds one session to what the journal comes to.
func (s *journalStatus) count(f journal.File, now time.Time) {
	s.Sessions++
	s.Bytes += f.Size
	s.Stored += f.Stored
	if f.Packed > 0 {
		s.Packed.Sessions++
		s.Packed.Bytes += f.Packed
		s.Packed.Stored += f.Stored - (f.Size - f.Packed)
	}
	if f.ModTime.After(s.LastEventAt) {
		s.LastEventAt = f.ModTime.UTC()
	}
	const day = 24 * time.Hour
	if now.Sub(f.ModTime) < 7*day {
		s.Growth.Week += f.Size
	}
	if now.Sub(f.ModTime) < 30*day {
		s.Growth.Month += f.Size
	}
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
	// Older says that the file is of an earlier layout, which the next verb that reads, or
	// the daemon, makes anew: what is known of it is known then.
	Older bool `json:"older,omitempty"`
	// Aside are files of earlier layouts that were put aside.
	Aside []asideStatus `json:"aside,omitempty"`
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
	c, badConfig := a.config() // does not keep anybody from seeing the rest
	graphs, err := a.allGraphs(c)
	if err != nil && badConfig == nil {
		return err
	}
	s := statusReport{Home: home, HookLog: []string{}, Versions: versions()}
	s.Store.Path = filepath.Join(home, storeFile)
	there, err := recorded(home)
	if err != nil {
		return err
	}
	s.Policy = policyState(home)
	if m, is := secrets.Unfinished(home); is {
		s.Scrub = &m
	}
	s.HookLog = lastLines(filepath.Join(home, "hook.log"), 5)
	if there {
		j, err := packed.Open(home)
		if err != nil {
			return unavailable(err)
		}
		if s.Journal, err = journalState(ctx, j, a.now()); err != nil {
			return err
		}
		s.Store = storeState(ctx, j, s.Store)
		s.Daemon = daemonState(home)
		said := a.daemonSays(s)
		s.beside = said.beside
		if skipped := actiongraph.TranscriptsSkipped(home); skipped.Files > 0 {
			s.Skipped = &skipped
		}
		s.Stores = a.storeHealths(ctx, j, s, said, graphs)
		s.Forgotten = forgottenState(j, s.Stores)
	} else {
		s.Stores = append([]storeHealth{{Name: embedded, URL: s.Store.Path, Kind: "SQLite"}}, a.askGraphs(ctx, nil, graphs)...)
	}
	if badConfig == nil && !s.Daemon.Running {
		s.Configured, badConfig = a.configuredOnly()
	}
	if a.json {
		return errors.Join(a.printJSON(s), s.failure(), badConfig)
	}
	a.printStatus(s)
	if !there || s.Journal.Sessions == 0 {
		a.note("nothing is recorded in %s yet: %s", home, howToStart)
	}
	return errors.Join(s.failure(), badConfig)
}

// journalState reads the whole journal, as bytes: an event is a complete line.
func journalState(ctx context.Context, j *journal.Journal, now time.Time) (journalStatus, error) {
	s := journalStatus{ID: j.ID()}
	files, err := j.Files()
	if err != nil {
		return s, unavailable(err)
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		s.count(f, now)
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
	s.Aside = asideStores(j, s.Path)
	info, err := os.Stat(s.Path)
	unmade := func() storeStatus {
		if l, err := connector.Behind(ctx, j, noPositions{}); err == nil {
			s.LagBytes, s.LagSessions = l.Bytes, l.Sessions
		}
		return s
	}
	if errors.Is(err, fs.ErrNotExist) {
		return unmade()
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
	if s.Older = isOlder(err); s.Older {
		return unmade()
	}
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
