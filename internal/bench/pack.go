package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
)

// packs measures what packing saves, and what it costs to read a journal that is packed.
func (b *bench) packs() error {
	home := filepath.Join(b.dir, "packed")
	if _, err := b.generator.generate(home, 10, 100_000/b.scale/10, firstSession()); err != nil {
		return err
	}
	j, err := packed.Open(home)
	if err != nil {
		return err
	}
	files, err := j.Files()
	if err != nil {
		return err
	}
	plain, size, err := readAll(j, files)
	if err != nil {
		return err
	}
	start := time.Now()
	for _, f := range files {
		if err := j.Pack(context.Background(), f.Session); err != nil {
			return err
		}
	}
	packing := time.Since(start)
	var stored int64
	if files, err = j.Files(); err != nil {
		return err
	}
	for _, f := range files {
		stored += f.Stored
	}
	reading, _, err := readAll(j, files)
	if err != nil {
		return err
	}
	share := float64(stored) / float64(size)
	rate := func(d time.Duration) float64 { return float64(size) / 1e6 / d.Seconds() }
	b.table.add(fmt.Sprintf("pack of 10 sessions, %.0f MB, checked and on the disk; to read them then", float64(size)/1e6), "≤ 15 % of the room",
		fmt.Sprintf("%.1f %%, %.0f MB/s; %.0f MB/s, not packed %.0f MB/s", 100*share, rate(packing), rate(reading), rate(plain)), share <= 0.15)
	return nil
}

// readAll reads every record of sessions.
func readAll(j *journal.Journal, files []journal.File) (took time.Duration, bytes int64, err error) {
	start := time.Now()
	for _, f := range files {
		c, err := j.Read(f.Session, journal.Position{})
		if err != nil {
			return 0, 0, err
		}
		for err == nil {
			_, err = c.Next()
		}
		bytes += c.Position().Offset
		c.Close()
		if err != io.EOF {
			return 0, 0, err
		}
	}
	return time.Since(start), bytes, nil
}
