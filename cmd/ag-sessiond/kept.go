package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/journal"
)

// kept are the stores that a daemon keeps in step, the embedded one first.
type kept []keptStore

type keptStore struct {
	name, url, database string
	store               connector.Store
	replica             *connector.Replica
}

// openGraphs opens every graph database of the configuration and of --graph. None is
// waited for: one that is down is its replica's to wait for.
func (a *app) openGraphs(ctx context.Context, log zerolog.Logger) (keeps kept, err error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	graphs, err := a.allGraphs(c)
	if err != nil {
		return nil, err
	}
	for _, g := range graphs {
		store, err := a.open(ctx, g, false, log.With().Str("store", g.Name).Logger())
		if err != nil {
			return keeps, err
		}
		keeps = append(keeps, keptStore{name: g.Name, url: g.URL, database: g.Database, store: store})
	}
	return keeps, nil
}

func (k kept) close() {
	for _, s := range k {
		s.store.Close() // nothing is in it that the journal has not
	}
}

func (k kept) names() (names []string) {
	for _, s := range k {
		names = append(names, s.name)
	}
	return names
}

func (k kept) replicas() (replicas []*connector.Replica) {
	for _, s := range k {
		replicas = append(replicas, s.replica)
	}
	return replicas
}

// storeHealth is how one store is: what the daemon says of it in its status file, or
// what the store itself says where no daemon keeps it.
type storeHealth struct {
	Name     string `json:"name"`
	URL      string `json:"url"` // the embedded store's file
	Database string `json:"database,omitempty"`
	Kind     string `json:"kind,omitempty"` // SQLite, Neo4j, Memgraph; "" where it has not answered yet
	Version  string `json:"version,omitempty"`
	Kept     bool   `json:"kept_by_daemon"`
	connector.Health
	Lag *connector.EventLag `json:"lag,omitempty"` // absent where the store has not answered yet
}

// daemonReport is what a running daemon says of itself, for whoever asks about it.
type daemonReport struct {
	PID       int           `json:"pid"`
	UpdatedAt time.Time     `json:"updated_at"`
	Stores    []storeHealth `json:"stores"`
}

// reportFile is where it is, below the home. It counts only while the daemon's lock is
// held: a daemon that was killed leaves it behind.
const reportFile = "status.json"

// reportShare bounds what reports cost: a five-hundredth of one core, however many
// files the journal has (24 ms for 5,000).
const reportShare = 500

// keepReport writes the report whenever something changed, at most once a second, and
// removes it in the end.
func keepReport(ctx context.Context, j *journal.Journal, keeps kept, log zerolog.Logger) {
	path := filepath.Join(j.Home(), reportFile)
	defer os.Remove(path)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var last []connector.Health
	var next time.Time
	failed := false
	for {
		now := keeps.health()
		if settled := slices.Equal(now, last) && allUp(now); !settled && !time.Now().Before(next) {
			began := time.Now()
			err := writeReport(ctx, path, keeps.report(ctx, j, now))
			next = began.Add(reportShare * time.Since(began))
			last = now
			if err != nil && !failed && ctx.Err() == nil {
				log.Warn().Str("reason", "status.unwritable").Str("error_message", err.Error()).Msg("ag-sessiond status will not know how the stores are")
			}
			failed = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (k kept) health() (all []connector.Health) {
	for _, s := range k {
		all = append(all, s.replica.Health())
	}
	return all
}

func allUp(all []connector.Health) bool {
	return !slices.ContainsFunc(all, func(h connector.Health) bool { return h.State != connector.Up })
}

func (k kept) report(ctx context.Context, j *journal.Journal, healths []connector.Health) daemonReport {
	r := daemonReport{PID: os.Getpid(), UpdatedAt: time.Now().UTC()}
	for i, s := range k {
		h := storeHealth{Name: s.name, URL: s.url, Database: s.database, Kept: true, Health: healths[i]}
		if at := s.replica.StorePositions(); at != nil {
			if lag, err := connector.BehindPositions(ctx, j, at); err == nil {
				h.Lag = &lag
			}
		}
		h.Kind, h.Version = kindOf(ctx, s.store, h.State)
		r.Stores = append(r.Stores, h)
	}
	return r
}

// kindOf says what a store is, if it is there: a server that is down is not asked, as
// nobody waits for its answer.
func kindOf(ctx context.Context, store connector.Store, state connector.State) (kind, version string) {
	server, ok := store.(*neo4j.Store)
	if !ok {
		return "SQLite", ""
	}
	if state == connector.Connecting || state == connector.Down {
		return "", ""
	}
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	info, err := server.Info(ctx) // known already, unless it was lost just now
	if err != nil {
		return "", ""
	}
	return info.Product, info.Version
}

// writeReport replaces the file: who reads it sees all of one report.
func writeReport(ctx context.Context, path string, r daemonReport) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fresh := path + ".new" // one daemon writes it, and finds it where another was killed
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// readReport returns what the running daemon says; the zero report where it has not
// said anything yet.
func readReport(home string) (r daemonReport, err error) {
	text, err := os.ReadFile(filepath.Join(home, reportFile))
	if os.IsNotExist(err) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("the daemon's %s: %w", reportFile, err)
	}
	return r, nil
}
