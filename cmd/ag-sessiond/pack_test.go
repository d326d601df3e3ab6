package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/schema"
)

// The daemon packs what has ended and is old enough, once it is told how old that is.
func TestDaemonPacks(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	now := time.Now()
	event := func(session string, typ schema.Type, at time.Time) schema.Event {
		return schema.Event{V: schema.Version, EventID: session + string(typ), EventType: typ, SessionID: session, Timestamp: at, SourceSDK: "test", Origin: schema.OriginAPI}
	}
	if err := h.AddEvents([]schema.Event{event("open", schema.SessionStart, now), event("ended", schema.SessionStart, now), event("ended", schema.SessionEnd, now)}); err != nil {
		t.Fatal(err)
	}
	r, err := h.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	j, err := packed.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	p := &packer{journal: j, reader: r, log: zerolog.New(&log)}
	turns := func(after time.Duration, until func() bool) {
		t.Helper()
		p.set(after)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.run(ctx, time.Millisecond); close(done) }()
		for deadline := time.Now().Add(20 * time.Second); !until() && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		<-done
	}
	isPacked := func(session string) bool {
		f, err := j.Stat(session)
		if err != nil {
			t.Fatal(err)
		}
		return f.Packed == f.Size
	}
	begun := time.Now()
	turns(0, func() bool { return time.Since(begun) > 100*time.Millisecond })
	turns(time.Hour, func() bool { return time.Since(begun) > 200*time.Millisecond })
	if isPacked("ended") {
		t.Error("packed before it was told to, or too early")
	}
	turns(time.Nanosecond, func() bool { return isPacked("ended") })
	if !isPacked("ended") || isPacked("open") {
		t.Errorf("packed: the one that ended %v, the open one %v", isPacked("ended"), isPacked("open"))
	}
	if said := log.String(); strings.Count(said, "packed sessions") != 1 || strings.Contains(said, "error") {
		t.Errorf("it says %s", said)
	}
	// A Go caller does the same.
	if report, err := h.Pack(t.Context(), connector.PackOptions{}); err != nil || report.Packed != 1 || report.Open != 1 || len(report.Sessions) != 0 {
		t.Errorf("%+v %v", report, err)
	}
	if _, err := h.Pack(t.Context(), connector.PackOptions{Sessions: []string{"open", "none"}}); err == nil || !strings.Contains(err.Error(), "open has not ended") || !strings.Contains(err.Error(), "none is not in") {
		t.Errorf("%v", err)
	}
}
