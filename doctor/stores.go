package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// openStore opens the embedded store for reading; nil where there is none yet.
func (e *exam) openStore() (*sqlite.Store, error) {
	path := filepath.Join(e.Home, sqlite.FileName)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	return sqlite.Open(path, sqlite.Options{ReadOnly: true})
}

// store asks whether the embedded store can be read, by this version, and how far it is. It
// may be behind: the next verb that reads catches it up.
func store(ctx context.Context, e *exam) []Check {
	j, err := e.journal()
	if err != nil || j == nil {
		return ok("nothing is recorded yet")
	}
	path := filepath.Join(e.Home, sqlite.FileName)
	s, err := e.openStore()
	if errors.Is(err, sqlite.ErrOlder) {
		if by, running, _ := connector.Held(e.Home, connector.RunLock); running {
			return warn("stop the daemon and start it again", "an earlier version wrote it, and the daemon (%s), which is of that one, keeps it from being made anew", by)
		}
		return ok("an earlier version wrote it: the next verb that reads, or the daemon, makes it anew from the journal")
	}
	if err != nil {
		return fail("do what it says; the journal has everything, and ag-sessiond sync folds it again", "%v", err)
	}
	if s == nil {
		return ok("not made yet: the next verb that reads makes it")
	}
	defer s.Close()
	lag, err := connector.Behind(ctx, j, s)
	if err != nil {
		return fail("move the file away: ag-sessiond sync makes it again", "%v", err)
	}
	asides, _ := sqlite.Asides(path)
	for _, a := range asides {
		if only := sqlite.Only(a, j.Knows); len(only) > 0 {
			return warn("put the journal's file back from a backup and run ag-sessiond sync, or remove "+word(a.Path),
				"can be read; %s of an earlier version, in %s, that the journal has no file of, as %s", plural(len(only), "session", "sessions"), a.Path, only[0])
		}
	}
	if lag.Bytes > 0 {
		return ok("can be read; %s of journal behind, which the next verb that reads, or the daemon, folds", render.Bytes(lag.Bytes))
	}
	return ok("can be read, and has all of the journal")
}

// verifyBytes bounds the journal of a session that is verified: 8 MiB take half a second.
const verifyBytes = 8 << 20

// verified folds the latest session afresh, as far as the store has it, and compares.
func verified(ctx context.Context, e *exam) []Check {
	s, err := e.openStore()
	if err != nil {
		return ok("not known: see store")
	}
	if s == nil {
		return ok("there is no store to compare with")
	}
	defer s.Close()
	sessions, err := e.sessions()
	if err != nil || len(sessions) == 0 {
		return ok("nothing is recorded yet")
	}
	j, _ := e.journal()
	positions, err := s.Positions(ctx, j.ID())
	if err != nil {
		return fail("move the file away: ag-sessiond sync makes it again", "%v", err)
	}
	for _, f := range sessions {
		if positions[f.Session] == (schema.Position{}) || f.Size > verifyBytes {
			continue
		}
		changes, err := connector.Verify(ctx, j, s, f.Session)
		switch {
		case errors.Is(err, connector.ErrBeingWritten):
			return ok("session %s is being written: ag-sessiond verify compares it later", f.Session)
		case err != nil:
			return warn("ag-sessiond verify "+f.Session, "session %s could not be compared: %v", f.Session, err)
		case len(changes) > 0:
			return fail("ag-sessiond graph-schema clear, then ag-sessiond sync: the store is made again from the journal",
				"session %s differs in %s, first: %s", f.Session, plural(len(changes), "place", "places"), changes[0].String())
		}
		return ok("session %s is in the store as the journal has it", f.Session)
	}
	return ok("no session of less than %s is in the store yet", render.Bytes(verifyBytes))
}

// withoutEnd counts the sessions of the last day that ended and said so by nothing: killed,
// or their last hook was.
func withoutEnd(ctx context.Context, e *exam) []Check {
	s, err := e.openStore()
	if err != nil {
		return ok("not known: see store")
	}
	if s == nil {
		return ok("not known before there is a store")
	}
	defer s.Close()
	j, err := e.journal()
	if err != nil || j == nil {
		return ok("nothing is recorded yet")
	}
	facts, err := connector.Abandoned(ctx, j, s, e.processes(), e.now)
	if err != nil {
		return warn("ag-sessiond verify", "not known: %v", err)
	}
	n, last := 0, ""
	count := func(session string, at time.Time) {
		if e.now.Sub(at) < 2*day { // a day of silence is what tells
			n++
			last = session
		}
	}
	for _, f := range facts {
		count(f.SessionID, f.Timestamp)
	}
	known, err := s.Sessions(ctx, graph.SessionFilter{Status: schema.StatusAbandoned, Since: e.now.Add(-7 * day)})
	if err != nil {
		return warn("ag-sessiond verify", "not known: %v", err)
	}
	for _, row := range known {
		count(row.SessionID, row.LastEventAt)
	}
	if n == 0 {
		return ok("every session of the last day that is over has its end")
	}
	return warn("nothing of it is lost; where it happens often let Claude Code end by itself, and see that SessionEnd has its timeout: ag-sessiond install",
		"%s without an end in the last two days, as %s: killed, or its last hook was cut off", plural(n, "session", "sessions"), last)
}

// processes is where Claude Code keeps a file for each of its processes.
func (e *exam) processes() string {
	return filepath.Join(e.claudeDir(), "sessions")
}

func (e *exam) claudeDir() string {
	if e.Claude.ConfigDir != "" {
		return e.Claude.ConfigDir
	}
	return filepath.Join(e.Claude.UserHome, ".claude")
}

// answerPatience is how long a database has for its answers.
const answerPatience = 3 * time.Second

// graphs asks each database of the configuration, all at once.
func graphs(ctx context.Context, e *exam) []Check {
	c, err := e.config()
	if err != nil {
		return ok("not known before %s is right", config.FileName)
	}
	if len(c.Graph) == 0 {
		return ok("none is configured")
	}
	var each []check
	for _, g := range c.Graph {
		each = append(each, check{name: "graph " + g.Name, limit: answerPatience, look: func(ctx context.Context, e *exam) []Check { return e.graph(ctx, g) }})
	}
	return run(ctx, e, each)
}

// graph asks one database whether it is there, has its constraints and indexes, and is in
// step with the journal.
func (e *exam) graph(ctx context.Context, g config.Graph) []Check {
	password, err := g.Secret(e.Getenv)
	if err != nil {
		return fail("put the password where config.toml says it is", "%v", err)
	}
	s, err := neo4j.Open(ctx, neo4j.Options{URL: g.URL, User: g.User, Password: password, Database: g.Database,
		ReadOnly: true, UserAgent: "actiongraph/doctor", Log: zerolog.Nop()})
	if err != nil {
		return fail("correct it: ag-sessiond config edit", "%v", err)
	}
	defer s.Close()
	down := func(err error) []Check {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer within %v", answerPatience)
		}
		return fail("start it, or correct url and password, or take it out of config.toml; nothing is lost meanwhile", "%s: %v", g.URL, err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		return down(err)
	}
	if missing, err := s.SchemaMissing(ctx); err != nil {
		return down(err)
	} else if missing {
		return warn("ag-sessiond graph-schema setup --graph "+g.Name+", or let a daemon do it: ag-sessiond run",
			"%s %s lacks constraints or indexes", info.Product, info.Version)
	}
	j, err := e.journal()
	if err != nil || j == nil {
		return ok("%s %s, set up", info.Product, info.Version)
	}
	lag, err := connector.Behind(ctx, j, s)
	if err != nil {
		return down(err)
	}
	if _, running, _ := connector.Held(e.Home, connector.RunLock); lag.Bytes > 0 && !running {
		return warn("ag-sessiond run keeps it in step, ag-sessiond sync --graph "+g.Name+" does it once",
			"%s %s is %s of journal behind, in %s, and no daemon runs", info.Product, info.Version, render.Bytes(lag.Bytes), plural(lag.Sessions, "session", "sessions"))
	}
	return ok("%s %s, set up, %s of journal behind", info.Product, info.Version, render.Bytes(lag.Bytes))
}
