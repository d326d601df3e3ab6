// Package storetest is the suite that every kind of event store passes.
package storetest

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Run runs the suite. fresh gives the URL of a store that is not there yet.
func Run(t *testing.T, fresh func(t testing.TB) (url string)) {
	suite := &suite{fresh}
	t.Run("Empty", suite.empty)
	t.Run("Order", suite.order)
	t.Run("Again", suite.again)
	t.Run("ManySessions", suite.manySessions)
	t.Run("BrokenOff", suite.brokenOff)
	t.Run("Corrupted", suite.corrupted)
	t.Run("NoSession", suite.noSession)
	t.Run("Nested", suite.nested)
	t.Run("Canceled", suite.canceled)
	t.Run("Concurrent", suite.concurrent)
	t.Run("Bytes", suite.bytes)
	t.Run("Long", suite.long)
}

type suite struct{ fresh func(testing.TB) string }

// create makes a store that is closed when the test ends.
func (s *suite) create(t testing.TB) (url string, store eventstore.Store) {
	t.Helper()
	url = s.fresh(t)
	return url, Create(t, url)
}

// Create opens the store at a URL until the test ends.
func Create(t testing.TB, url string) eventstore.Store {
	t.Helper()
	store, err := eventstore.Create(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// Line is an event of a session, as a journal has it.
func Line(session string, e schema.Event) []byte {
	e.V, e.SessionID, e.SourceSDK, e.Origin = schema.Version, session, "storetest", schema.OriginAPI
	if e.EventType == "" {
		e.EventType = schema.Message
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = time.Unix(1_800_000_000, 0)
	}
	return redact.New(redact.Options{}).Event(e).Bytes()
}

// Numbered is event n of a session.
func Numbered(session string, n int) []byte {
	at := time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC).Add(time.Duration(n) * time.Second)
	return Line(session, schema.Event{EventID: schema.NewID("storetest", session, time.Duration(n).String()), Timestamp: at, Content: "number"})
}

// Seq are lines as Append takes them.
func Seq(lines ...[]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	}
}

// Append appends lines and wants so many of them to be new.
func Append(t rapid.TB, store eventstore.Store, session string, want int, lines ...[]byte) {
	t.Helper()
	added, err := store.Append(context.Background(), session, Seq(lines...))
	if err != nil || added != want {
		t.Fatalf("%d lines added, error %v; want %d", added, err, want)
	}
}

// Lines are those of a session.
func Lines(t rapid.TB, store eventstore.Store, session string) (lines []string) {
	t.Helper()
	err := store.Lines(context.Background(), session, func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// holds wants a session to have these lines, by both ways to read it.
func holds(t rapid.TB, store eventstore.Store, session string, want ...[]byte) {
	t.Helper()
	var texts []string
	for _, line := range want {
		texts = append(texts, string(line))
	}
	if diff := cmp.Diff(texts, Lines(t, store, session)); diff != "" {
		t.Fatalf("lines -want +got:\n%s", diff)
	}
	var recorded []string
	last := int64(0)
	for r, err := range store.Records(context.Background(), session) {
		if err != nil || r.Err != nil {
			t.Fatal(err, r.Err)
		}
		if r.Number <= last || r.In == "" {
			t.Fatalf("a record at %q after one at %d", r.Place(), last)
		}
		last = r.Number
		recorded = append(recorded, string(r.Line))
	}
	if diff := cmp.Diff(texts, recorded); diff != "" {
		t.Fatalf("records -want +got:\n%s", diff)
	}
}

func (s *suite) empty(t *testing.T) {
	ctx, url := context.Background(), s.fresh(t)
	if _, err := eventstore.Open(ctx, url); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a store that is not there: %v", err)
	}
	if _, err := eventstore.Open(ctx, url); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("to ask for it has made it: %v", err)
	}
	store := Create(t, url)
	if sessions, err := store.Sessions(ctx); err != nil || len(sessions) > 0 {
		t.Fatal(sessions, err)
	}
	missing(t, store, "nonesuch")
	Append(t, store, "nothing", 0)
	missing(t, store, "nothing")
}

func missing(t testing.TB, store eventstore.Store, session string) {
	t.Helper()
	err := store.Lines(context.Background(), session, func([]byte) error { return errors.New("a line") })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("lines of a session that is not there: %v", err)
	}
	for _, err = range store.Records(context.Background(), session) {
		break
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("records of a session that is not there: %v", err)
	}
}

// order: lines come back in the order in which they came in, whatever their times are, after
// the store was closed, too.
func (s *suite) order(t *testing.T) {
	url, store := s.create(t)
	lines := [][]byte{Numbered("a", 5), Numbered("a", 1), Numbered("a", 9), Numbered("a", 3)}
	Append(t, store, "a", 4, lines...)
	holds(t, store, "a", lines...)
	again, err := eventstore.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	holds(t, again, "a", lines...)
	sessions, err := again.Sessions(context.Background())
	first, _ := schema.Decode(lines[1])
	last, _ := schema.Decode(lines[2])
	micro := func(a, b time.Time) bool { return a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond)) }
	want := []eventstore.Session{{ID: "a", Events: 4, First: first.Timestamp, Last: last.Timestamp}}
	if diff := cmp.Diff(want, sessions, cmp.Comparer(micro)); diff != "" || err != nil {
		t.Fatalf("%v, -want +got:\n%s", err, diff)
	}
}

// again: what is there is not added again. Two records with one id are two records, and one
// that stands twice is one.
func (s *suite) again(t *testing.T) {
	_, store := s.create(t)
	one, two := Numbered("a", 1), Numbered("a", 2)
	e, err := schema.Decode(one)
	if err != nil {
		t.Fatal(err)
	}
	e.Content = "the same id, another text"
	other := Line("a", e)
	Append(t, store, "a", 2, one, other, one)
	Append(t, store, "a", 0, one, other)
	Append(t, store, "a", 1, two, one)
	Append(t, store, "a", 0, two, one, other)
	Append(t, store, "a", 1, one, other, two, Numbered("a", 3))
	holds(t, store, "a", one, other, two, Numbered("a", 3))
	if sessions, err := store.Sessions(context.Background()); err != nil || len(sessions) != 1 || sessions[0].Events != 4 {
		t.Fatal(sessions, err)
	}
}

// manySessions: an event belongs to its session alone.
func (s *suite) manySessions(t *testing.T) {
	_, store := s.create(t)
	var want []string
	for _, id := range []string{"b", "B", "a-1", "a_1", "0", "unknown", "z"} {
		Append(t, store, id, 2, Numbered(id, 1), Numbered(id, 2))
		want = append(want, id)
	}
	for _, id := range want {
		holds(t, store, id, Numbered(id, 1), Numbered(id, 2))
	}
	slices.Sort(want)
	sessions, err := store.Sessions(context.Background())
	var got []string
	for _, s := range sessions {
		got = append(got, s.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%v, -want +got:\n%s", err, diff)
	}
}
