package seal_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/seal"
)

// away is a store that is not there for a while.
type away struct {
	*storetest.Memory
	until atomic.Int64 // so many questions
}

func (a *away) SealHead(ctx context.Context, journal string) (schema.SealHead, error) {
	if a.until.Add(-1) >= 0 {
		return schema.SealHead{}, errors.New("not there")
	}
	return a.Memory.SealHead(ctx, journal)
}

// TestFollower: sessions are sealed as they change; a store that is not there delays no other and gets the
// end of the log when it is back, though nothing changes any more; what changed last is sealed at the end.
func TestFollower(t *testing.T) {
	h := newHome(t)
	late := &away{Memory: storetest.NewMemory()}
	late.until.Store(20)
	f := &seal.Follower{Journal: h.journal, Log: zerolog.Nop(), Every: time.Millisecond,
		Stores: func() map[string]connector.Witness { return map[string]connector.Witness{"a": late, "memory": h.store} }}
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan []string), make(chan struct{})
	go func() { defer close(done); f.Run(ctx, changes) }()
	tell := func(sessions ...string) {
		select {
		case changes <- sessions:
		case <-time.After(time.Minute):
			t.Fatal("the follower takes nothing")
		}
	}
	h.record("a", 3)
	tell("a")
	h.record("b", 2)
	tell("b", "never-there")
	await(t, "all is sealed and everywhere", func() bool {
		head, _ := h.store.SealHead(ctx, h.journal.ID())
		other, err := late.SealHead(ctx, h.journal.ID())
		return err == nil && head.Number > 0 && head == other && seal.Begun(h.dir) && h.verify().Records == 5
	})
	h.record("a", 1)
	tell("a")
	cancel()
	<-done
	if p := h.proved(2, 6); p.Copies[0].Entry != p.Last.Number {
		t.Errorf("the store has entry %d, the log ends with %d", p.Copies[0].Entry, p.Last.Number)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute until %s", what)
		}
	}
}

// TestRewrittenMeanwhile: what another process rewrites just now is sealed when that is done.
func TestRewrittenMeanwhile(t *testing.T) {
	h := newHome(t)
	h.record("a", 3)
	h.seal()
	rewriting, err := connector.LockHome(h.dir, connector.JournalLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.Rewriting(ctx, h.journal, "scrub", h.at, "a"); err != nil {
		t.Fatal(err)
	}
	h.record("a", 1)
	text := h.read(h.path("a"))
	h.remove(h.path("a"))
	if p := h.verify(); p.Proved || p.Breaks[0].Kind != seal.SessionMissing || p.Breaks[0].Session != "a" {
		t.Errorf("without its file: %+v", p.Breaks)
	}
	h.write(h.path("a"), text)
	if r := h.seal("a"); len(r.Later) != 1 || r.Sessions != 0 {
		t.Errorf("while it is rewritten: %+v", r)
	}
	if err := rewriting.Unlock(); err != nil {
		t.Fatal(err)
	}
	if r := h.seal("a"); len(r.Later) != 0 || r.Records != 4 {
		t.Errorf("afterwards: %+v", r)
	}
	h.proved(1, 4)
}
