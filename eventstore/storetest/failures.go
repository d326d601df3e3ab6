package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/schema"
)

// numbered are the first n events of a session; more than one statement, or one append of a
// journal, takes.
func numbered(session string, n int) (lines [][]byte) {
	for i := range n {
		lines = append(lines, Numbered(session, i))
	}
	return lines
}

const many = 1200

// brokenOff: where the lines end with an error, that is what Append returns, and to append them
// again gives all of them in their order. A store with transactions has none of them before.
func (s *suite) brokenOff(t *testing.T) {
	url, store := s.create(t)
	lines := numbered("a", many)
	broken := errors.New("broken off")
	Append(t, store, "a", 1, lines[0])
	_, err := store.Append(context.Background(), "a", func(yield func([]byte, error) bool) {
		for _, line := range lines[:many-100] {
			if !yield(line, nil) {
				return
			}
		}
		yield(nil, broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("%v, want %v", err, broken)
	}
	if kind, _, _ := eventstore.KindOf(url); kind != eventstore.File {
		holds(t, store, "a", lines[0])
	}
	if _, err := store.Append(context.Background(), "a", Seq(lines...)); err != nil {
		t.Fatal(err)
	}
	holds(t, store, "a", lines...)
	if sessions, err := store.Sessions(context.Background()); err != nil || sessions[0].Events != many {
		t.Fatal(sessions, err)
	}
}

// corrupted: what is no event of the session is refused, and says why.
func (s *suite) corrupted(t *testing.T) {
	_, store := s.create(t)
	good := Numbered("a", 1)
	Append(t, store, "a", 1, good)
	for name, line := range map[string][]byte{
		"empty":           {},
		"torn":            good[:len(good)/2],
		"balanced":        []byte(`{"v":1,"session_id":"a",}`),
		"a list":          []byte(`[]`),
		"another session": Numbered("b", 1),
		"no id":           Line("a", schema.Event{}),
		"newer":           bytes.Replace(Numbered("a", 2), []byte(`"v":1`), []byte(`"v":99`), 1),
		"no UTF-8":        bytes.Replace(Numbered("a", 2), []byte("number"), []byte("\xff\xfe"), 1),
		"half a letter":   bytes.Replace(Numbered("a", 2), []byte("number"), []byte("\xc3"), 1),
		"a raw surrogate": bytes.Replace(Numbered("a", 2), []byte("number"), []byte("\xed\xa0\x80"), 1),
		"a raw NUL":       bytes.Replace(Numbered("a", 2), []byte("number"), []byte("\x00"), 1),
		"two lines":       append(append(slices.Clone(good), '\n'), good...),
		"pretty":          bytes.Replace(Numbered("a", 2), []byte(`,`), []byte(",\n"), 1),
	} {
		added, err := store.Append(context.Background(), "a", Seq(good, line, Numbered("a", 3)))
		if !errors.Is(err, eventstore.ErrCorrupted) || added != 0 {
			t.Errorf("%s: %d added, %v", name, added, err)
		}
		holds(t, store, "a", good)
	}
}

// noSession: positions and probes, which a journal keeps beside sessions, are none, and no id
// becomes a path or a statement.
func (s *suite) noSession(t *testing.T) {
	_, store := s.create(t)
	for _, id := range []string{"", "../a", "a/b", "a'; DROP TABLE events; --", schema.PositionsID(7), schema.ProbeID(7)} {
		if added, err := store.Append(context.Background(), id, Seq(Numbered(id, 1))); err == nil || added != 0 {
			t.Errorf("%q: %d added, %v", id, added, err)
		}
		if err := store.Lines(context.Background(), id, func([]byte) error { return nil }); err == nil {
			t.Errorf("%q has lines", id)
		}
	}
	if sessions, err := store.Sessions(context.Background()); err != nil || len(sessions) > 0 {
		t.Fatal(sessions, err)
	}
}

// nested: who gets a line may ask for others, and an error of his ends the reading.
func (s *suite) nested(t *testing.T) {
	_, store := s.create(t)
	Append(t, store, "a", 3, numbered("a", 3)...)
	Append(t, store, "b", 2, numbered("b", 2)...)
	enough, seen := errors.New("enough"), 0
	err := store.Lines(context.Background(), "a", func(line []byte) error {
		before := slices.Clone(line)
		holds(t, store, "b", numbered("b", 2)...)
		if !bytes.Equal(line, before) {
			t.Error("the line changed while it was in use")
		}
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 2 {
		t.Fatal(seen, err)
	}
	for range store.Records(context.Background(), "a") {
		break // which leaves nothing open that the next would wait for
	}
	Append(t, store, "a", 1, Numbered("a", 9))
}

// canceled: who is interrupted gets that as the error, and what was there stays.
func (s *suite) canceled(t *testing.T) {
	url, store := s.create(t)
	lines := numbered("a", many)
	Append(t, store, "a", 1, lines[0])
	ctx, cancel := context.WithCancel(context.Background())
	_, err := store.Append(ctx, "a", func(yield func([]byte, error) bool) {
		for i, line := range lines {
			if i == many/2 {
				cancel()
			}
			if !yield(line, nil) {
				return
			}
		}
	})
	if err == nil || ctx.Err() == nil {
		t.Fatalf("appended all the same: %v", err)
	}
	if err := store.Lines(ctx, "a", func([]byte) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Fatalf("read all the same: %v", err)
	}
	if kind, _, _ := eventstore.KindOf(url); kind != eventstore.File {
		holds(t, store, "a", lines[0])
	}
	if _, err := store.Append(context.Background(), "a", Seq(lines...)); err != nil {
		t.Fatal(err)
	}
	holds(t, store, "a", lines...)
}

// concurrent: writers that append the same sessions at once, each from a store of its own that
// it makes if need be, lose nothing. A journal may have a record twice then.
func (s *suite) concurrent(t *testing.T) {
	url := s.fresh(t)
	const writers, sessions, events = 4, 3, 200
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			store, err := eventstore.Create(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer store.Close()
			for i := range sessions {
				id := fmt.Sprint("s", (w+i)%sessions)
				lines := append(numbered(id, events), Numbered(id, events+w))
				if _, err := store.Append(context.Background(), id, Seq(lines...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	store := Create(t, url)
	kind, _, _ := eventstore.KindOf(url)
	for i := range sessions {
		id := fmt.Sprint("s", i)
		got := Lines(t, store, id)
		if kind == eventstore.File {
			slices.Sort(got)
			got = slices.Compact(got)
		}
		want := map[string]bool{}
		for _, line := range numbered(id, events+writers) {
			want[string(line)] = true
		}
		for _, line := range got {
			delete(want, line)
		}
		if len(got) != events+writers || len(want) > 0 {
			t.Errorf("%s: %d lines, want %d; %d are missing", id, len(got), events+writers, len(want))
		}
	}
}
