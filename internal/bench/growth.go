package main

import (
	"fmt"
	"slices"
	"time"
)

// growth measures whether a full database takes new actions as fast as an empty one, and
// how long a person waits for an answer from it.
func (b *bench) growth() error {
	total := int64(1_000_000 / b.scale)
	name, reach := fmt.Sprintf("journal → Neo4j, at %d actions against at 10000", total), "≥ 0.8 ×"
	d, err := b.database()
	if err != nil {
		b.table.skip(name, reach, err.Error())
		return nil
	}
	defer d.close()
	if err := d.empty(); err != nil {
		return err
	}
	if _, err := b.fill(d, "growth-warm", warmUp); err != nil {
		return err
	}
	if err := d.empty(); err != nil {
		return err
	}
	small, err := b.rateAt(d, "growth-small", 10_000)
	if err != nil {
		return err
	}
	large, err := b.rateAt(d, "growth-large", total)
	if err != nil {
		return err
	}
	times := large / small
	b.table.add(name, reach, fmt.Sprintf("%.2f × (%.0f and %.0f actions/s)", times, large, small), times >= 0.8)
	return b.graphQuestions(d, total)
}

// rateAt fills the database up to some actions, and returns the median rate of three
// syncs of 10,000 events more.
func (b *bench) rateAt(d *database, name string, actions int64) (float64, error) {
	// The events of a home are in one journal, and a daemon asks for its positions first:
	// what is filled up comes from others.
	for part := 0; ; part++ {
		n, err := d.actions()
		if err != nil {
			return 0, err
		}
		if n >= actions {
			break
		}
		step := max(min(int(actions-n), 100_000), eventsPerSession)
		r, err := b.fill(d, fmt.Sprintf("%s-%d", name, part), step)
		if err != nil {
			return 0, err
		}
		fmt.Printf("at %d actions: %s\n", n+r.actions, r)
	}
	var rates []float64
	for i := range 3 {
		r, err := b.fill(d, fmt.Sprintf("%s-rate-%d", name, i), 10_000)
		if err != nil {
			return 0, err
		}
		rates = append(rates, r.perSecond())
	}
	return median(rates), nil
}

// median is that of an odd number of values.
func median(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }

// graphQuestions measures the reading verbs on a graph database, process and connection
// included.
func (b *bench) graphQuestions(d *database, actions int64) error {
	common, seldom := b.generator.values.word(7), b.generator.values.words[7][vocabulary/2]
	for _, q := range [][]string{
		{"sessions"}, {"show", "latest"}, {"summary", "latest"}, {"tools"}, {"search", common}, {"search", seldom},
	} {
		args := append([]string{b.sessiond}, q...)
		all, err := spawn(spawnSpec{Runs: 10, Commands: []command{{Args: append(args, "--graph", d.url)}}})
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s --graph, %d actions in Neo4j", q[0], actions)
		if q[0] == "search" {
			name = fmt.Sprintf("search %s --graph, %d actions in Neo4j", map[bool]string{true: "a common word", false: "a rare word"}[q[1] == common], actions)
		}
		p50 := quantile(all[0], 0.5)
		b.table.add(name, "≤ 1 s", fmt.Sprintf("p50 %s, most %s", ms(p50), ms(quantile(all[0], 1))), p50 <= time.Second)
	}
	return nil
}
