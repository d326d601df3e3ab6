package main

import (
	"runtime"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/doctor"
	"github.com/actiongraph/actiongraph/internal/figures"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/metrics/prometheus"
)

// signals are what a daemon tells those who watch over it. Counters are counted as it works;
// gauges are set when somebody asks, so that nobody who does not ask pays for them.
type signals struct {
	journal *journal.Journal
	tally   *figures.Tally
	metrics *prometheus.Metrics
	began   time.Time
	keeper  *keeper // set before anybody asks

	mu      sync.Mutex      // one who asks at a time
	stores  map[string]bool // that have gauges
	readers map[string]bool // likewise
	seen    map[string]int64
	sizes   sizes
}

// sizes are what takes a look at the journal's folder.
type sizes struct {
	next           time.Time // before that it is not looked at again
	bytes          int64
	sessions       int
	leftOut        journal.LeftOut
	free           uint64
	lag            map[string]int64 // by store
	known, hasFree bool
}

// What a look at the journal's folder may cost: at most every ten seconds, and a hundredth of
// the time.
const (
	sizesEvery = 10 * time.Second
	sizesShare = 100
)

func newSignals(j *journal.Journal, r connector.Reader) *signals {
	m := prometheus.New()
	v := versions()
	m.Gauge(metrics.BuildInfo, 1, v.Version, runtime.Version())
	return &signals{journal: j, metrics: m, tally: &figures.Tally{Journal: j, Reader: r, Metrics: m}, began: time.Now().UTC(), seen: map[string]int64{}}
}

// Metrics are all figures as they are now.
func (s *signals) Metrics() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keeps := s.keeper.keeps()
	s.look(keeps)
	s.setStores(keeps)
	s.setBeside(s.keeper.beside())
	s.tally.Gauges()
	if s.sizes.known {
		s.metrics.Gauge(metrics.JournalBytes, float64(s.sizes.bytes))
		s.metrics.Gauge(metrics.JournalSessions, float64(s.sizes.sessions))
		s.metrics.Gauge(metrics.LeftOut, float64(s.sizes.leftOut.Sessions), "sessions")
		s.metrics.Gauge(metrics.LeftOut, float64(s.sizes.leftOut.Parts), "parts")
		s.metrics.Gauge(metrics.LeftOut, float64(s.sizes.leftOut.Events), "events")
	}
	if s.sizes.hasFree {
		s.metrics.Gauge(metrics.DiskFree, float64(s.sizes.free))
	}
	return s.metrics.Text()
}

// look looks at the journal's folder, if that is due. What cannot be read stays as it was.
func (s *signals) look(keeps kept) {
	began := time.Now()
	if began.Before(s.sizes.next) {
		return
	}
	if files, err := s.journal.Files(); err == nil {
		s.sizes.known, s.sizes.sessions, s.sizes.bytes, s.sizes.lag = true, len(files), 0, map[string]int64{}
		for _, f := range files {
			s.sizes.bytes += f.Size
		}
		for _, k := range keeps {
			if at := k.replica.StorePositions(); at != nil {
				s.sizes.lag[k.name] = connector.BehindBytes(s.journal, files, at).Bytes
			}
		}
	}
	if n, err := journal.ReadLeftOut(s.journal.Home()); err == nil {
		s.sizes.leftOut = n
	}
	free, err := doctor.FreeBytes(s.journal.Home())
	s.sizes.free, s.sizes.hasFree = free, err == nil
	s.sizes.next = time.Now().Add(max(sizesEvery, sizesShare*time.Since(began)))
}

func (s *signals) setStores(keeps kept) {
	now := map[string]bool{}
	for _, k := range keeps {
		now[k.name] = true
		h := k.replica.Health()
		up := 0.0
		if isUp(h.State) {
			up = 1
		}
		s.metrics.Gauge(metrics.StoreUp, up, k.name)
		s.metrics.Gauge(metrics.StorePosition, float64(h.Position), k.name)
		s.metrics.Gauge(metrics.RefusedSessions, float64(h.Refused), k.name)
		s.metrics.Gauge(metrics.StoreLagTime, s.behind(h).Seconds(), k.name)
		if lag, known := s.sizes.lag[k.name]; known {
			s.metrics.Gauge(metrics.StoreLag, float64(lag), k.name)
		}
	}
	for name := range s.stores {
		if !now[name] {
			for _, m := range []metrics.Name{metrics.StoreUp, metrics.StorePosition, metrics.RefusedSessions, metrics.StoreLagTime, metrics.StoreLag} {
				s.metrics.Gauge(m, metrics.Gone(), name)
			}
		}
	}
	s.stores = now
}

func isUp(state connector.State) bool { return state == connector.Up || state == connector.CatchingUp }

// behind is how long a store has not had everything.
func (s *signals) behind(h connector.Health) time.Duration {
	switch {
	case h.State == connector.Up:
		return 0
	case h.BehindSince.IsZero():
		return time.Since(s.began)
	}
	return time.Since(h.BehindSince)
}

// setBeside sets what is known of what a daemon does beside keeping stores.
func (s *signals) setBeside(b beside) {
	now := map[string]bool{}
	if t := b.Transcripts; t != nil {
		now["transcripts"] = true
		s.setReader("transcripts", t.Files, t.Failing, t.Behind, t.Lines, t.Broken)
	}
	if f := b.Sources; f != nil {
		now["sources"] = true
		s.setReader("sources", f.Files, f.Failing, f.Behind, f.Lines, f.Broken)
	}
	for reader := range s.readers {
		if !now[reader] {
			for _, m := range []metrics.Name{metrics.IntakeFiles, metrics.IntakeQueue, metrics.IntakeFailed} {
				s.metrics.Gauge(m, metrics.Gone(), reader)
			}
		}
	}
	s.readers = now
	if b.API != nil {
		s.grow(metrics.Requests, b.API.Requests)
		s.grow(metrics.RequestsRefused, b.API.Refused)
		s.grow(metrics.RequestsFailed, b.API.Failed)
	}
	valid := 1.0
	if b.Config != nil && b.Config.Error != "" {
		valid = 0
	}
	s.metrics.Gauge(metrics.ConfigValid, valid)
}

func (s *signals) setReader(name string, files, failing int, behind, lines, broken int64) {
	s.metrics.Gauge(metrics.IntakeFiles, float64(files), name)
	s.metrics.Gauge(metrics.IntakeFailed, float64(failing), name)
	s.metrics.Gauge(metrics.IntakeQueue, float64(behind), name)
	s.grow(metrics.IntakeLines, lines, name)
	s.grow(metrics.IntakeBroken, broken, name)
}

// grow adds what a count has grown by since it was last seen: one that is less has begun anew,
// with a new configuration.
func (s *signals) grow(name metrics.Name, now int64, labels ...string) {
	key := string(name)
	for _, l := range labels {
		key += " " + l
	}
	if now < s.seen[key] {
		s.seen[key] = 0
	}
	s.metrics.Counter(name, float64(now-s.seen[key]), labels...)
	s.seen[key] = now
}

// Ready says whether all stores have what there is.
func (s *signals) Ready() api.Readiness {
	r := api.Readiness{Ready: true, Stores: []api.StoreReadiness{}}
	for _, k := range s.keeper.keeps() {
		h := k.replica.Health()
		r.Ready = r.Ready && h.State == connector.Up
		r.Stores = append(r.Stores, api.StoreReadiness{Name: k.name, Ready: h.State == connector.Up, State: string(h.State)})
	}
	return r
}
