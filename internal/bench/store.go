package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// firstSession is when the generated sessions begin.
func firstSession() time.Time { return time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC) }

const eventsPerSession = 100

// sync folds a home's journal into its store, in a process of its own.
func (b *bench) sync(home string) (usage, error) {
	return spawnOne(b.sessiond, "sync", "--home", home)
}

// throughput measures journal → SQLite from an empty store, of many sessions and of
// one.
func (b *bench) throughput() error {
	total := 100_000 / b.scale
	for _, c := range []struct {
		name           string
		sessions, size int
	}{
		{fmt.Sprintf("journal → SQLite, %d events in %d sessions", total, total/eventsPerSession), total / eventsPerSession, eventsPerSession},
		{fmt.Sprintf("journal → SQLite, %d events in one session", total), 1, total},
	} {
		home := filepath.Join(b.dir, "throughput")
		made, err := b.generator.generate(home, c.sessions, c.size, firstSession())
		if err != nil {
			return err
		}
		u, err := b.sync(home)
		if err != nil {
			return err
		}
		rate := float64(made.events) / u.Wall.Seconds()
		b.table.add(c.name, "≥ 20,000 events/s", fmt.Sprintf("%.0f events/s (%.0f MB/s, %d B and %.0f µs of CPU an event)",
			rate, float64(made.bytes)/1e6/u.Wall.Seconds(), made.bytes/int64(made.events),
			float64(u.CPU.Microseconds())/float64(made.events)), rate >= 20_000)
		b.rss(c.name+", peak RSS", 200, u.MaxRSS)
		if err := os.RemoveAll(home); err != nil {
			return err
		}
	}
	return nil
}

// million measures whether the millionth event costs what the first ones cost, and
// how long a person waits for an answer from such a store.
func (b *bench) million() error {
	small, err := b.perEvent("small", 10_000)
	if err != nil {
		return err
	}
	total := 1_000_000 / b.scale
	large, err := b.perEvent("large", total)
	if err != nil {
		return err
	}
	times := float64(large.perEvent) / float64(small.perEvent)
	b.table.add(fmt.Sprintf("cost an event, %d against 10000", total), "≤ 1.25 ×",
		fmt.Sprintf("%.2f × (%.1f µs, %.1f µs)", times, float64(large.perEvent)/1e3, float64(small.perEvent)/1e3), times <= 1.25)
	b.rss(fmt.Sprintf("journal → SQLite, %d events, peak RSS", total), 200, large.rss)
	return b.questions(large.home, total)
}

type cost struct {
	home     string
	perEvent time.Duration
	rss      int64
}

// perEvent folds a journal of n events into an empty store. What a sync of nothing
// takes, process start and opening the store, is no event's cost.
func (b *bench) perEvent(name string, n int) (cost, error) {
	c := cost{home: filepath.Join(b.dir, name)}
	empty, err := b.sync(filepath.Join(b.dir, name+"-empty"))
	if err != nil {
		return c, err
	}
	made, err := b.generator.generate(c.home, n/eventsPerSession, eventsPerSession, firstSession())
	if err != nil {
		return c, err
	}
	u, err := b.sync(c.home)
	if err != nil {
		return c, err
	}
	c.perEvent = (u.Wall - empty.Wall) / time.Duration(made.events)
	c.rss = u.MaxRSS
	return c, nil
}

// questions measures the reading verbs on a store that is up to date.
func (b *bench) questions(home string, events int) error {
	common, seldom := b.generator.values.word(7), b.generator.values.words[7][vocabulary/2]
	for _, q := range []struct {
		name string
		args []string
	}{
		{"sessions", []string{"sessions"}},
		{"show latest", []string{"show", "latest"}},
		{"search, a common word", []string{"search", common}},
		{"search, a rare word", []string{"search", seldom}},
	} {
		args := append([]string{b.sessiond}, q.args...)
		all, err := spawn(spawnSpec{Runs: 20, Commands: []command{{Args: append(args, "--home", home)}}})
		if err != nil {
			return err
		}
		p50 := quantile(all[0], 0.5)
		b.table.add(fmt.Sprintf("%s, %d events", q.name, events), "≤ 100 ms",
			fmt.Sprintf("p50 %s, most %s, CPU %s", ms(p50), ms(quantile(all[0], 1)), ms(all[0][0].CPU)), p50 <= 100*time.Millisecond)
	}
	return nil
}
