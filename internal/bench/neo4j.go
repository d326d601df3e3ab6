package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

const (
	// warmUp is how many events a server gets before it is measured: a JVM compiles
	// what is used often, and the first ten thousand take up to four times as long.
	warmUp      = 20_000
	neo4jTarget = 4000 // actions a second
)

// database is a real Neo4j, and what the benchmarks ask it.
type database struct {
	url    string
	server *neo4jtest.Server // nil: somebody else's
	driver neo4j.DriverWithContext
}

// database starts a Neo4j with the memory that a person would give one, or takes the
// one at $AG_BENCH_BOLT_URL.
func (b *bench) database() (*database, error) {
	d := &database{url: os.Getenv("AG_BENCH_BOLT_URL")}
	if d.url == "" {
		dir := filepath.Join(b.dir, "neo4j")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		server, err := neo4jtest.Launch(neo4jtest.Options{DataDir: dir, HeapMB: 2048, PagesMB: 1024, Optimize: true})
		if err != nil {
			return nil, err
		}
		d.server, d.url = server, server.URL
	}
	var err error
	if d.driver, err = neo4j.NewDriverWithContext(d.url, neo4j.NoAuth()); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *database) close() {
	d.driver.Close(context.Background())
	if d.server != nil {
		if err := d.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
}

// number runs a statement and returns its only value.
func (d *database) number(stmt string, params map[string]any) (int64, error) {
	ctx := context.Background()
	session := d.driver.NewSession(ctx, neo4j.SessionConfig{})
	defer session.Close(ctx)
	result, err := session.Run(ctx, stmt, params)
	if err != nil {
		return 0, err
	}
	record, err := result.Single(ctx)
	if err != nil {
		return 0, err
	}
	n, _ := record.Values[0].(int64)
	return n, nil
}

func (d *database) actions() (int64, error) {
	return d.number("MATCH (a:Action) RETURN count(a)", nil)
}

// rate is what a sync wrote.
type rate struct {
	actions int64
	events  int
	usage   usage
}

func (r rate) perSecond() float64 { return float64(r.actions) / r.usage.Wall.Seconds() }

// fill generates a journal of n events, syncs it into the database and removes it.
func (b *bench) fill(d *database, name string, n int) (rate, error) {
	home := filepath.Join(b.dir, name)
	made, err := b.generator.generate(home, n/eventsPerSession, eventsPerSession, firstSession())
	if err != nil {
		return rate{}, err
	}
	r, err := b.syncInto(d, home, made.events)
	return r, errors.Join(err, os.RemoveAll(home))
}

func (b *bench) syncInto(d *database, home string, events int) (rate, error) {
	before, err := d.actions()
	if err != nil {
		return rate{}, err
	}
	u, err := spawnOne(b.sessiond, "sync", "--home", home, "--graph", d.url)
	if err != nil {
		return rate{}, err
	}
	after, err := d.actions()
	return rate{after - before, events, u}, err
}

// neo4j measures journal → Neo4j.
func (b *bench) neo4j() error {
	total := 100_000 / b.scale
	name := fmt.Sprintf("journal → Neo4j, %d events", total)
	d, err := b.database()
	if err != nil {
		b.table.skip(name, fmt.Sprintf("≥ %d actions/s", neo4jTarget), err.Error())
		return nil
	}
	defer d.close()
	if err := d.empty(); err != nil {
		return err
	}
	if _, err := b.fill(d, "neo4j-warm", warmUp); err != nil {
		return err
	}
	r, err := b.fill(d, "neo4j-rate", total)
	if err != nil {
		return err
	}
	b.table.add(name, fmt.Sprintf("≥ %d actions/s", neo4jTarget), r.String(), r.perSecond() >= neo4jTarget)
	b.rss(name+", sync, peak RSS", 120, r.usage.MaxRSS)
	return b.daemon(d, total)
}

func (r rate) String() string {
	return fmt.Sprintf("%.0f actions/s (%d in %s; our CPU %.0f µs an action)", r.perSecond(), r.actions,
		r.usage.Wall.Round(time.Millisecond), float64(r.usage.CPU.Microseconds())/float64(r.actions))
}

// empty removes all data, constraints and indexes: those of one program must not slow
// the other.
func (d *database) empty() error {
	for n := int64(1); n > 0; {
		var err error
		if n, err = d.number("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*)", nil); err != nil {
			return err
		}
	}
	// An index that a constraint brought goes with it; the two lookup indexes are Neo4j's.
	for _, show := range []string{"SHOW CONSTRAINTS YIELD name RETURN 'DROP CONSTRAINT `' + name + '`'",
		"SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN 'DROP INDEX `' + name + '`'"} {
		drops, err := d.strings(show)
		if err != nil {
			return err
		}
		for _, drop := range drops {
			if _, err := d.strings(drop); err != nil {
				return err
			}
		}
	}
	return nil
}

// strings runs a statement and returns the first value of each record.
func (d *database) strings(stmt string) (out []string, err error) {
	ctx := context.Background()
	session := d.driver.NewSession(ctx, neo4j.SessionConfig{})
	defer session.Close(ctx)
	result, err := session.Run(ctx, stmt, nil)
	if err != nil {
		return nil, err
	}
	records, err := result.Collect(ctx)
	for _, r := range records {
		s, _ := r.Values[0].(string)
		out = append(out, s)
	}
	return out, err
}
