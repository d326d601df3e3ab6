package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/actiongraph/actiongraph/internal/postgrestest"
	"github.com/actiongraph/actiongraph/journal"
)

// migrations measures `ag-sessiond migrate` in each direction: a home, a SQLite file, a
// PostgreSQL that syncs nothing, another home.
func (b *bench) migrations() error {
	total := 100_000 / b.scale
	home := filepath.Join(b.dir, "migrated")
	made, err := b.generator.generate(home, 10, total/10, firstSession())
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	if _, err := journal.Open(home); err != nil { // which gives it an id
		return err
	}
	archive, again := filepath.Join(b.dir, "events.db"), filepath.Join(b.dir, "migrated-again")
	defer os.Remove(archive)
	defer os.RemoveAll(again)
	type leg struct{ what, from, to string }
	legs := []leg{
		{"a home → SQLite", "file://" + home, "sqlite:///" + archive},
		{"SQLite → a home", "sqlite:///" + archive, "file://" + again},
	}
	server, err := postgrestest.Launch()
	if err != nil {
		b.table.skip("migrate SQLite → PostgreSQL", reachMigrate, err.Error())
	} else {
		defer server.Stop()
		legs = append(legs, leg{"SQLite → PostgreSQL", "sqlite:///" + archive, server.URL}, leg{"PostgreSQL → the same home, where all is known", server.URL, "file://" + again})
	}
	for _, l := range legs {
		u, err := spawnOne(b.sessiond, "migrate", "--home", home, "--from", l.from, "--to", l.to)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("migrate %s, %d events in 10 sessions", l.what, total)
		rate := float64(made.events) / u.Wall.Seconds()
		b.table.add(name, reachMigrate, fmt.Sprintf("%.0f events/s (%.0f MB/s, CPU %.0f µs an event)", rate, float64(made.bytes)/1e6/u.Wall.Seconds(),
			float64(u.CPU.Microseconds())/float64(made.events)), rate >= 10_000)
		b.rss(name+", peak RSS", 200, u.MaxRSS)
	}
	return nil
}

const reachMigrate = "≥ 10,000 events/s"
