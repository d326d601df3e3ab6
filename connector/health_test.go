package connector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/schema"
)

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s for %s", what)
		}
	}
}

// moody is a store whose every answer is an error until it has none.
type moody struct {
	*memory
	mu  sync.Mutex
	err error
}

func (m *moody) set(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *moody) Positions(ctx context.Context, journal string) (map[string]schema.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	return m.memory.Positions(ctx, journal)
}

// reasoned is an error whose text changes from try to try while its reason stays.
type reasoned struct{ reason string }

func (e reasoned) Error() string  { return fmt.Sprintf("%s, at %v", e.reason, time.Now()) }
func (e reasoned) Reason() string { return e.reason }

func TestHealth(t *testing.T) {
	j, store := newJournal(t), &moody{memory: newMemory()}
	a := newAgent(newRand(t), "a")
	record(t, j, "a", a.lines(7)...)
	r := replica(j, store)
	if h := r.Health(); h.State != connector.Connecting || r.StorePositions() != nil {
		t.Errorf("before it runs: %+v, %v", h, r.StorePositions())
	}
	began := time.Now().Add(-time.Millisecond)
	store.set(errors.New("connection refused"))
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	waitFor(t, "down", func() bool { return r.Health().State == connector.Down })
	down := r.Health()
	if down.LastError != "read the store's positions: connection refused" || down.Since.Before(began) || down.LastErrorAt.Before(began) ||
		down.Position != 0 || !down.AppliedAt.IsZero() || r.StorePositions() != nil {
		t.Errorf("down: %+v, %v", down, r.StorePositions())
	}
	store.set(nil)
	waitFor(t, "up", func() bool { return r.Health().State == connector.Up })
	size := must(j.Stat("a"))(t).Size
	up := r.Health()
	if up.Position != size || up.Rate != 7.0/60 || up.AppliedAt.Before(began) || !up.Since.After(down.Since) ||
		up.LastError != down.LastError || up.LastErrorAt.Before(down.LastErrorAt) {
		t.Errorf("up: %+v; the file has %d bytes", up, size)
	}
	record(t, j, "a", a.next())
	waitFor(t, "one more", func() bool { return r.Health().Position == must(j.Stat("a"))(t).Size })
	if h := r.Health(); h.State != connector.Up || h.Since != up.Since || h.Rate <= up.Rate {
		t.Errorf("one event more makes %+v of %+v", h, up)
	}
}

// A store that hangs before it says what it holds is down, not merely slow, and the
// others do not wait for it.
func TestStoreThatNeverAnswers(t *testing.T) {
	j, healthy := newJournal(t), newMemory()
	hung, r := replica(j, mute{newMemory()}), replica(j, healthy)
	hung.AnswerTimeout = 30 * time.Millisecond
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), hung, r) })
	record(t, j, "a", newAgent(newRand(t), "a").lines(5)...)
	await(t, j, healthy, 5*time.Second)
	waitFor(t, "down", func() bool { return hung.Health().State == connector.Down })
	if got := hung.Health().LastError; !strings.HasPrefix(got, "the store did not answer within 30ms") {
		t.Errorf("last error: %s", got)
	}
	if h := r.Health(); h.LastError != "" {
		t.Errorf("the other one failed, too: %+v", h)
	}
}

// mute is a store that never says what it holds.
type mute struct{ *memory }

func (mute) Positions(ctx context.Context, _ string) (map[string]schema.Position, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// An outage is said once, and again when it is another one; what changes in the text
// of an error from try to try is not another one.
func TestOutageSaysEachChangeOnce(t *testing.T) {
	j, store := newJournal(t), &moody{memory: newMemory()}
	record(t, j, "a", newAgent(newRand(t), "a").next())
	var log syncBuffer
	r := replica(j, store)
	r.Log = connector.NewLogger(&log, "replica", false)
	store.set(errors.New("dial tcp 127.0.0.1:40001: connection refused"))
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	lines := func() int { return strings.Count(log.String(), "\n") }
	// failed waits for some tries that fail with what the store says now.
	failed := func() {
		t.Helper()
		for range 3 {
			last := r.Health().LastErrorAt
			waitFor(t, "another try", func() bool { return r.Health().LastErrorAt.After(last) })
		}
	}
	for i, step := range []struct {
		err  error
		want string // of the line that it adds, "" for none
	}{
		{errors.New("dial tcp 127.0.0.1:40001: connection refused"), `"reason":"store.failed"`},
		{errors.New("dial tcp 127.0.0.1:51234: connection refused"), ""},
		{reasoned{"wrong_password"}, `"reason":"wrong_password"`},
		{reasoned{"full"}, `"reason":"full"`},
		{context.DeadlineExceeded, `"reason":"store.timeout"`},
		{reasoned{"full"}, `"reason":"full"`},
		{nil, "up to date again"},
		{reasoned{"full"}, ""}, // it is up: nobody asks
	} {
		before := lines()
		store.set(step.err)
		if step.err != nil && i < 6 {
			failed()
		}
		if step.want == "" {
			if lines() != before {
				t.Fatalf("step %d adds a line:\n%s", i, log.String())
			}
			continue
		}
		waitFor(t, step.want, func() bool { return lines() > before || i == 0 })
		all := bytes.Split([]byte(strings.TrimSpace(log.String())), []byte("\n"))
		if last := string(all[len(all)-1]); !strings.Contains(last, step.want) || i > 0 && lines() != before+1 {
			t.Fatalf("step %d: want one more line with %s:\n%s", i, step.want, log.String())
		}
	}
}

func TestBehindPositions(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	record(t, j, "done", newAgent(rnd, "done").lines(4)...)
	record(t, j, "part", newAgent(rnd, "part").lines(3)...)
	store := newMemory()
	sync1(t, replica(j, store))
	positions := must(store.Positions(t.Context(), j.ID()))(t)
	record(t, j, "part", newAgent(rnd, "part").lines(5)...)
	record(t, j, "new", newAgent(rnd, "new").lines(2)...)
	f := must(os.OpenFile(file(j, "new"), os.O_APPEND|os.O_WRONLY, 0))(t)
	fmt.Fprint(f, "\n{\"v\":1,\"torn") // not yet an event
	f.Close()
	lag := must(connector.BehindPositions(t.Context(), j, positions))(t)
	want := must(connector.Behind(t.Context(), j, store))(t)
	if lag.Lag != want || lag.Sessions != 2 || lag.Bytes == 0 || lag.Events != 7 || lag.Estimated {
		t.Errorf("%+v, want 7 events in 2 sessions, and %+v", lag, want)
	}
	// A file that is another one counts whole.
	if err := os.Remove(file(j, "done")); err != nil {
		t.Fatal(err)
	}
	record(t, j, "done", newAgent(newRand(t), "done").lines(9)...)
	if lag = must(connector.BehindPositions(t.Context(), j, positions))(t); lag.Events != 16 {
		t.Errorf("with a replaced file: %+v, want 16 events", lag)
	}
	if lag = must(connector.BehindPositions(t.Context(), j, nil))(t); lag.Events != 9+8+2 || lag.Sessions != 3 {
		t.Errorf("of a store that holds nothing: %+v", lag)
	}
}

// What a store missed for days is reckoned, not read every second.
func TestBehindPositionsEstimates(t *testing.T) {
	j, a := newJournal(t), newAgent(newRand(t), "a")
	line := a.next()
	padded := append(bytes.TrimSuffix(bytes.Clone(line), []byte("}")), []byte(`,"content":"`+strings.Repeat("x", 100_000)+`"}`)...)
	var lines [][]byte
	for range 200 {
		lines = append(lines, padded)
	}
	record(t, j, "a", lines...)
	lag := must(connector.BehindPositions(t.Context(), j, nil))(t)
	if !lag.Estimated || lag.Events < 195 || lag.Events > 205 {
		t.Errorf("%+v, want about 200 events, estimated", lag)
	}
}
