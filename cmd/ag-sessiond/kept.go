package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/source"
	"github.com/actiongraph/actiongraph/transcript"
)

// kept are the stores that a daemon keeps in step, the embedded one first.
type kept []keptStore

type keptStore struct {
	name, url, database string
	store               connector.Store
	replica             *connector.Replica
}

// How much of the journal one transaction takes where it is not the replica's default of
// 4 MiB. For a Neo4j a quarter of that is enough: 4, 2, 1 and 1/2 MiB took 213, 191, 177
// and 221 µs of the server's CPU an action (medians), and 4 MiB take 30 MB of memory
// more. An embedded store that catches up beside it takes less at a time, and the garbage
// collector begins earlier, for the daemon to stay under 120 MB: 107 where it was 161, for
// 1.6 s more of its catch-up with 100,000 events, and 2 % of CPU time.
const (
	graphBytes     = 1 << 20
	embeddedBytes  = 512 << 10
	garbagePercent = 70
)

// embeddedMaxBytes bounds a transaction of the embedded store beside so many databases; 0 is
// the replica's default.
func embeddedMaxBytes(beside int) int64 {
	if beside > 0 {
		return embeddedBytes
	}
	return 0
}

func (k kept) names() (names []string) {
	for _, s := range k {
		names = append(names, s.name)
	}
	return names
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
	beside
}

// beside is how a daemon does what it does beside keeping stores; nil is what it does not do.
type beside struct {
	Transcripts *transcript.Health `json:"transcripts,omitempty"` // the reading of them
	Sources     *source.Health     `json:"sources,omitempty"`     // the reading of other JSONL
	API         *apiHealth         `json:"api,omitempty"`         // how it is reached
	Metrics     *metricsHealth     `json:"metrics,omitempty"`     // where what it counts is told, beside that
	Config      *configHealth      `json:"config,omitempty"`      // whether the file is in force
}

// reportFile is where it is, below the home. It counts only while the daemon's lock is
// held: a daemon that was killed leaves it behind.
const reportFile = "status.json"

const (
	// reportShare bounds what counting the lag costs, as a rule: a five-hundredth of a core,
	// however many files the journal has (24 ms for 5,000).
	reportShare = 500
	// reportWait is how old a lag becomes at most: the first count, while the machine is
	// busy catching up, may take seconds, and 500 times that is half an hour of silence.
	reportWait = 10 * time.Second
	// quickCount is how long a report waits for the lag that belongs to it.
	quickCount = 200 * time.Millisecond
)

// reporter writes the report, and counts the lag beside that.
type reporter struct {
	stores  func() kept // as they are now
	keeps   kept        // as they were at the last look
	journal *journal.Journal
	path    string
	log     zerolog.Logger
	said    []connector.Health // in the last report
	others  func() beside
	told    beside // in the last report
	lags    []*connector.EventLag
	failed  bool // to write

	results chan counted // of the count that goes on
	going   bool
	stale   bool               // what goes on is of other stores
	of      []connector.Health // how the stores were when it began
	took    time.Duration      // the last one
	next    time.Time
}

type counted struct {
	lags []*connector.EventLag
	took time.Duration
}

// keepReport writes the report whenever something changed, at most once a second, and
// removes it in the end. How the stores are is said at once; how far they are behind as
// often as it may cost to count that.
func keepReport(ctx context.Context, j *journal.Journal, stores func() kept, others func() beside, log zerolog.Logger) {
	r := reporter{stores: stores, others: others, journal: j, path: filepath.Join(j.Home(), reportFile), log: log,
		results: make(chan counted, 1)}
	defer os.Remove(r.path)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	r.look(ctx)
	for {
		select {
		case <-ctx.Done():
			if r.going {
				<-r.results // nothing reads the journal after this
			}
			return
		case c := <-r.results:
			r.take(c)
			now := r.keeps.health()
			r.forget(now, r.of)
			r.write(ctx, now)
		case <-ticker.C:
			r.look(ctx)
		}
	}
}

// look reports what is new. A change of state has its lag counted whatever was counted
// before, if that is quick, so that no report says that a store is up and far behind.
func (r *reporter) look(ctx context.Context) {
	r.renew(r.stores())
	now := r.keeps.health()
	changed := !slices.EqualFunc(now, r.said, sameState)
	due := (!slices.Equal(now, r.of) || !allUp(now)) && !time.Now().Before(r.next)
	if !r.going && (due || changed && r.took <= quickCount) {
		r.going, r.of = true, now
		keeps := r.keeps
		go func() {
			began := time.Now()
			r.results <- counted{keeps.lags(ctx, r.journal), time.Since(began)}
		}()
		select {
		case c := <-r.results:
			r.take(c)
			r.write(ctx, now)
			return
		case <-time.After(quickCount):
		case <-ctx.Done():
		}
	}
	if !changed && reflect.DeepEqual(r.besides(), r.told) {
		return
	}
	r.forget(now, r.said)
	r.write(ctx, now)
}

// renew begins anew with other stores: nothing that was said or counted is about them.
func (r *reporter) renew(stores kept) {
	if slices.EqualFunc(stores, r.keeps, func(a, b keptStore) bool { return a.replica == b.replica }) {
		return
	}
	r.keeps, r.said, r.of, r.lags = stores, nil, nil, make([]*connector.EventLag, len(stores))
	r.stale, r.next = r.going, time.Time{}
}

// forget drops the lags that were counted in another state than now.
func (r *reporter) forget(now, then []connector.Health) {
	for i := range now {
		if then == nil || !sameState(now[i], then[i]) {
			r.lags[i] = nil
		}
	}
}

func (r *reporter) take(c counted) {
	r.took, r.going = c.took, false
	if r.stale {
		r.stale = false
		return
	}
	r.lags = c.lags
	r.next = time.Now().Add(lagWait(c.took))
}

func (r *reporter) write(ctx context.Context, now []connector.Health) {
	report := r.keeps.report(ctx, now, r.lags)
	report.beside = r.besides()
	for i := range report.Stores {
		if h := &report.Stores[i]; h.State == connector.Up && h.LastErrorAt.Before(r.journal.ForgottenAt()) {
			h.LastError = ""
		}
	}
	err := writeReport(ctx, r.path, report)
	if err != nil && !r.failed && ctx.Err() == nil {
		r.log.Warn().EmbedObject(logline.Why(failure.StatusUnwritable, err)).Msg("ag-sessiond status will not know how the stores are")
	}
	r.failed, r.said, r.told = err != nil, now, report.beside
}

// besides is others without errors from before something was forgotten: they may name it, and so
// would the file.
func (r *reporter) besides() beside {
	b, gone := r.others(), r.journal.ForgottenAt()
	if t := b.Transcripts; t != nil && t.LastErrorAt.Before(gone) {
		t.LastError = ""
	}
	if s := b.Sources; s != nil && s.LastErrorAt.Before(gone) {
		s.LastError = ""
	}
	return b
}

// lagWait is how long after a count the next may begin, if that took so long.
func lagWait(took time.Duration) time.Duration { return min(reportShare*took, reportWait) }

// sameState reports whether nothing changed but what grows with every event.
func sameState(a, b connector.Health) bool {
	return a.State == b.State && a.Refused == b.Refused && a.LastError == b.LastError
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

// lags counts what each store does not have, nil where that is not known.
func (k kept) lags(ctx context.Context, j *journal.Journal) []*connector.EventLag {
	lags := make([]*connector.EventLag, len(k))
	for i, s := range k {
		if at := s.replica.StorePositions(); at != nil {
			if lag, err := connector.BehindPositions(ctx, j, at); err == nil {
				lags[i] = &lag
			}
		}
	}
	return lags
}

func (k kept) report(ctx context.Context, healths []connector.Health, lags []*connector.EventLag) daemonReport {
	r := daemonReport{PID: os.Getpid(), UpdatedAt: time.Now().UTC()}
	for i, s := range k {
		h := storeHealth{Name: s.name, URL: s.url, Database: s.database, Kept: true, Health: healths[i], Lag: lags[i]}
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
