package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/seal"
)

// seals measures what it costs to seal a journal, and to verify that; and to seal one more event, of a
// short session and of a long one: that is to be the same.
func (b *bench) seals() error {
	home := filepath.Join(b.dir, "sealed")
	if _, err := b.generator.generate(home, 10, 100_000/b.scale/10, firstSession()); err != nil {
		return err
	}
	j, err := packed.Open(home)
	if err != nil {
		return err
	}
	sealer := seal.Sealer{Journal: j}
	start := time.Now()
	report, err := sealer.Seal(context.Background(), start)
	if err != nil {
		return err
	}
	sealing := time.Since(start)
	start = time.Now()
	proof, err := seal.Verify(context.Background(), j, seal.Question{})
	if err == nil && (!proof.Proved || proof.Bytes != report.Bytes) {
		err = fmt.Errorf("not proved: %v", proof.Breaks)
	}
	if err != nil {
		return err
	}
	mb := float64(report.Bytes) / 1e6
	rate := func(d time.Duration) float64 { return mb / d.Seconds() }
	b.table.add(fmt.Sprintf("seal of 10 sessions, %.0f MB, on the disk; verify --seal", mb), "≥ 100 MB/s",
		fmt.Sprintf("%.0f MB/s; %.0f MB/s", rate(sealing), rate(time.Since(start))), rate(sealing) >= 100)
	long, err := j.Files()
	if err != nil {
		return err
	}
	inLong, longErr := sealEach(&sealer, long[0].Session)
	inShort, shortErr := sealEach(&sealer, "short")
	b.table.add(fmt.Sprintf("seal of one more event, on the disk, p50: of a session of 1, of one of %d", report.Records/10), "the same (≤ 1.5 ×)",
		fmt.Sprintf("%s, %s", ms(inShort), ms(inLong)), float64(inLong) <= 1.5*float64(inShort))
	return errors.Join(longErr, shortErr)
}

// sealEach seals a session after each of some events, and returns the median of how long that takes.
func sealEach(sealer *seal.Sealer, session string) (time.Duration, error) {
	j := sealer.Journal
	var took []time.Duration
	for i := range 101 {
		if err := appendOne(j, session, i); err != nil {
			return 0, err
		}
		start := time.Now()
		if _, err := sealer.Seal(context.Background(), start, session); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func appendOne(j *journal.Journal, session string, i int) error {
	return j.Append(j.Redactor("").Event(schema.Event{SessionID: session, EventID: fmt.Sprintf("bench/message/%d", i), EventType: schema.Message,
		Timestamp: time.Now(), Origin: schema.OriginAPI, Role: "user", Content: "one more"}))
}
