package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/journal"
)

// Where a count took seconds, as the first one does on a machine that catches up, a store
// that comes up is reported at once all the same, without a lag of before.
func TestReportAfterASlowCount(t *testing.T) {
	home := t.TempDir()
	record(t, home, 3, 0)
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(filepath.Join(home, storeFile), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	replica := &connector.Replica{Journal: j, Store: store, Log: zerolog.Nop()}
	all := kept{{name: embedded, store: store, replica: replica}}
	r := reporter{stores: func() kept { return all }, journal: j, path: filepath.Join(home, reportFile),
		results: make(chan counted, 1), log: zerolog.Nop(), others: func() beside { return beside{} }}
	said := func() storeHealth {
		t.Helper()
		r.look(t.Context())
		report, err := readReport(home)
		if err != nil || len(report.Stores) != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
		return report.Stores[0]
	}
	if h := said(); h.State != connector.Connecting || h.Lag != nil {
		t.Errorf("before it answers: %+v", h)
	}
	r.take(counted{[]*connector.EventLag{{Events: 99}}, 7 * time.Second})
	if wait := time.Until(r.next); wait > reportWait {
		t.Errorf("after a count of 7 s the next is in %v", wait)
	}
	if _, err := replica.Sync(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if h := said(); h.State != connector.CatchingUp || h.Lag != nil || h.Position == 0 {
		t.Errorf("at once: %+v", h)
	}
	r.next = time.Now()
	if h := said(); h.Lag == nil || h.Lag.Bytes != 0 {
		t.Errorf("counted: %+v", h)
	}
}

func TestLagWait(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0: 0, time.Millisecond: 500 * time.Millisecond, 20 * time.Millisecond: 10 * time.Second, 4 * time.Second: 10 * time.Second,
	} {
		t.Run(fmt.Sprint(took), func(t *testing.T) {
			if got := lagWait(took); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}
