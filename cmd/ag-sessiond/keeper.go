package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/seal"
	"github.com/actiongraph/actiongraph/source"
	"github.com/actiongraph/actiongraph/transcript"
	"github.com/actiongraph/actiongraph/usage"
)

// runFlags are what the command line of run adds to the configuration.
type runFlags struct {
	trees         treesFlag
	noTranscripts bool
	sources       []string
	doors         doorFlags
}

// plan is what a daemon does beside the embedded store: what the configuration says, and
// the flags. What may be recorded is no part of it: who writes looks at the policy itself.
type plan struct {
	graphs      []planGraph
	transcripts followed
	sources     []source.Spec
	doors       doors
	metrics     string // the address where what is counted is told, "" is none
	prices      usage.Table
	packAfter   time.Duration // 0: no session is packed for its age
	retention   config.Retention
	seal        bool
}

// planGraph is a database with the password as it is now: a file or variable that holds it
// may change, too.
type planGraph struct {
	config.Graph
	secret string
}

func (a *app) plan(c config.Config, f runFlags) (p plan, err error) {
	p.packAfter = c.Retention.PackAge()
	if p.transcripts, err = a.transcripts(c, f.trees, f.noTranscripts); err != nil {
		return p, err
	}
	if p.doors, err = a.doors(c, f.doors); err != nil {
		return p, err
	}
	if p.sources, err = a.sources(c, f.sources); err != nil {
		return p, err
	}
	if p.prices, err = pricesOf(c, a.configPath()); err != nil {
		return p, err
	}
	p.retention, p.metrics = c.Retention, c.Metrics.Listen
	p.seal = c.Seal.Enabled
	graphs, err := a.allGraphs(c)
	if err != nil {
		return p, err
	}
	for _, g := range graphs {
		secret, err := g.Secret(a.env)
		if err != nil {
			return p, unavailable(err)
		}
		p.graphs = append(p.graphs, planGraph{g, secret})
	}
	return p, nil
}

// keeper keeps going what a plan says, and takes over another plan while it does: what is
// the same in both is not disturbed.
type keeper struct {
	app      *app
	journal  *journal.Journal
	log      zerolog.Logger
	failures *connector.Failures
	ctx      context.Context
	crew     *crew
	packer   *packer
	first    keptStore // the embedded store
	reader   connector.Reader
	signals  *signals

	mu          sync.Mutex // the report looks at what follows
	plan        plan
	taken       bool // plan is one
	graphs      []keptGraph
	transcripts *transcript.Follower
	sources     *source.Follower
	web         *listening
	metricsAt   string // the address where what is counted is told, "" is none
	config      configHealth

	stopTranscripts, stopSources, stopWeb, stopTelling, stopSeals func() // each waits for the end; nil: nothing goes
}

type keptGraph struct {
	keptStore
	planGraph
	stop func()
}

// keeps are the stores, the embedded one first.
func (k *keeper) keeps() kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := kept{k.first}
	for _, g := range k.graphs {
		all = append(all, g.keptStore)
	}
	return all
}

// beside is how the rest is.
func (k *keeper) beside() (b beside) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.transcripts != nil {
		h := k.transcripts.Health()
		b.Transcripts = &h
	}
	if k.sources != nil {
		h := k.sources.Health()
		b.Sources = &h
	}
	b.API = k.web.health()
	if k.metricsAt != "" {
		b.Metrics = &metricsHealth{k.metricsAt}
	}
	config := k.config
	b.Config = &config
	return b
}

// take takes a plan over. What may fail comes first, and leaves everything as it was.
func (k *keeper) take(next plan) error {
	fresh, err := k.openNew(next)
	var port net.Listener
	moved := k.plan.metrics != next.metrics
	if err == nil && moved && next.metrics != "" {
		if port, err = api.ListenTCP(next.metrics); err != nil {
			err = unavailable(errcode.With(errcode.DaemonAddress, fmt.Errorf("[metrics]: %w", err)))
		}
	}
	if err == nil && !(k.taken && k.plan.doors == next.doors) {
		err = k.answer(next)
	}
	if err != nil {
		for _, g := range fresh {
			g.store.Close()
		}
		if port != nil {
			port.Close()
		}
		return err
	}
	if moved {
		k.tell(port)
	}
	k.store(next, fresh)
	if !reflect.DeepEqual(k.plan.transcripts, next.transcripts) {
		k.followTranscripts(next.transcripts)
	}
	if !reflect.DeepEqual(k.plan.sources, next.sources) {
		k.followSources(next.sources)
	}
	k.packer.set(next.packAfter)
	k.signals.tally.SetPrices(&next.prices)
	k.keepSealing(next.seal)
	k.mu.Lock()
	k.plan, k.taken = next, true
	k.mu.Unlock()
	return nil
}

// openNew opens the databases of a plan that are not kept yet. None is waited for: one that
// is down is its replica's to wait for.
func (k *keeper) openNew(next plan) (fresh []keptGraph, err error) {
	for _, g := range next.graphs {
		if slices.ContainsFunc(k.graphs, func(old keptGraph) bool { return old.planGraph == g }) {
			continue
		}
		store, err := k.app.open(k.ctx, g.Graph, false, of(k.log, "connector.neo4j").With().Str("store", g.Name).Logger())
		if err != nil {
			return fresh, err
		}
		fresh = append(fresh, keptGraph{keptStore: keptStore{name: g.Name, url: g.URL, database: g.Database, store: store}, planGraph: g})
	}
	return fresh, nil
}

// store ends what keeps databases that are gone from the plan, and begins with the new ones,
// from where each is.
func (k *keeper) store(next plan, fresh []keptGraph) {
	var all []keptGraph
	for _, g := range k.graphs {
		if slices.Contains(next.graphs, g.planGraph) {
			all = append(all, g)
			continue
		}
		g.stop()
		g.keptStore.store.Close() // nothing is in it that the journal has not
	}
	for _, g := range fresh {
		g.replica = &connector.Replica{Journal: k.journal, Store: g.keptStore.store, Name: g.name, Log: of(k.log, "connector"), MaxBytes: graphBytes,
			Metrics: k.signals.metrics, Failures: k.failures}
		g.stop = k.crew.add(g.replica)
		all = append(all, g)
	}
	if len(all) > 0 && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	k.mu.Lock()
	k.graphs = all
	k.mu.Unlock()
}

func (k *keeper) followTranscripts(f followed) {
	if k.stopTranscripts != nil {
		k.stopTranscripts()
		k.stopTranscripts = nil
	}
	follower := f.follower(k.journal, of(k.log, "transcript"))
	if follower != nil {
		follower.Failed = k.failures.Record
		k.stopTranscripts = k.crew.add(follower)
	}
	k.mu.Lock()
	k.transcripts = follower
	k.mu.Unlock()
}

func (k *keeper) followSources(specs []source.Spec) {
	if k.stopSources != nil {
		k.stopSources()
		k.stopSources = nil
	}
	follower := sourceFollower(k.journal, specs, of(k.log, "source"))
	if follower != nil {
		follower.Failed = k.failures.Record
		k.stopSources = k.crew.add(follower)
	}
	k.mu.Lock()
	k.sources = follower
	k.mu.Unlock()
}

// answer opens the doors of a plan, in place of those of before: both may be the same
// socket. Where that fails those of before are opened again.
func (k *keeper) answer(next plan) error {
	before := k.stopWeb != nil
	if before {
		k.stopWeb()
		k.stopWeb = nil
	}
	web, err := next.doors.open(k.journal, k.log)
	if err != nil && before {
		var again error
		if web, again = k.plan.doors.open(k.journal, k.log); again != nil {
			k.log.Error().EmbedObject(logline.Why(failure.APIStopped, again)).Msg("requests are no longer answered")
		}
	}
	if web != nil {
		ctx, cancel := context.WithCancel(k.ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			web.serve(ctx, k)
		}()
		k.stopWeb = func() { cancel(); <-done }
	}
	k.mu.Lock()
	k.web = web
	k.mu.Unlock()
	return err
}

// tell answers on a listener what is counted, in place of the one before; nil is none.
func (k *keeper) tell(l net.Listener) {
	if k.stopTelling != nil {
		k.stopTelling()
		k.stopTelling = nil
	}
	at := ""
	if l != nil {
		at = l.Addr().String()
		k.log.Info().Str("address", at).Msg("telling what is counted")
		ctx, cancel := context.WithCancel(k.ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			server := &api.Server{Signals: k.signals, Log: of(k.log, "api")}
			if err := server.ServeSignals(ctx, l); err != nil {
				k.log.Error().EmbedObject(logline.Why(failure.APIStopped, err)).Msg("what is counted is no longer told")
			}
		}()
		k.stopTelling = func() { cancel(); <-done }
	}
	k.mu.Lock()
	k.metricsAt = at
	k.mu.Unlock()
}

// keepSealing begins, or ends, to seal what is recorded.
func (k *keeper) keepSealing(on bool) {
	switch {
	case on && k.stopSeals == nil:
		k.stopSeals = k.crew.add(&seal.Follower{Journal: k.journal, Log: k.log, Stores: func() map[string]connector.Witness { return k.keeps().witnesses() }})
	case !on && k.stopSeals != nil:
		k.stopSeals()
		k.stopSeals = nil
	}
}

// end waits for what ended with the keeper's context, and closes the databases.
func (k *keeper) end() {
	if k.stopWeb != nil {
		k.stopWeb()
	}
	if k.stopTelling != nil {
		k.stopTelling()
	}
	for _, g := range k.graphs {
		g.stop()
		g.keptStore.store.Close()
	}
}
