package diff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/diff"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

const captures = "../internal/e2e/testdata/captures"

// memory is a Source of lines.
type memory map[string][][]byte

func (m memory) Lines(_ context.Context, session string, yield func([]byte) error) error {
	lines, ok := m[session]
	if !ok {
		return fmt.Errorf("session %s: %w", session, fs.ErrNotExist)
	}
	for _, line := range lines {
		if err := yield(line); err != nil {
			return err
		}
	}
	return nil
}

// eachCapture calls do with every recorded session of every capture, in memory.
func eachCapture(t *testing.T, do func(t *testing.T, all memory, session string)) {
	dirs := must(filepath.Glob(captures + "/*/hooks.jsonl"))(t)
	if len(dirs) < 30 {
		t.Fatalf("%d captures", len(dirs))
	}
	for _, path := range dirs {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			t.Parallel()
			j := newJournal(t)
			record(t, j, filepath.Dir(path))
			all := inMemory(t, j)
			for session := range all {
				if !schema.NoSession(session) {
					do(t, all, session)
				}
			}
		})
	}
}

func inMemory(t *testing.T, j *journal.Journal) memory {
	all := memory{}
	for _, f := range must(j.Files())(t) {
		err := history.Journal(j).Lines(t.Context(), f.Session, func(line []byte) error {
			all[f.Session] = append(all[f.Session], bytes.Clone(line))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// A session and a recording of the same events in another order, half of them twice and the
// second time later, do not differ at all.
func TestShuffledAndDoubled(t *testing.T) {
	eachCapture(t, func(t *testing.T, all memory, session string) {
		again := memory{}
		for s, lines := range all {
			again[s] = shuffledAndDoubled(t, lines)
		}
		a, b := open(t, all, session), open(t, again, session)
		got := compare(t, a, b, diff.Options{Full: true})
		if !got.Same || got.First != nil || got.AOnlyEvents+got.BOnlyEvents+got.DivergentNodes+got.DivergentRelations != 0 || got.SharedEvents == 0 {
			t.Errorf("session %s against itself: %.3000s", session, asJSON(t, got))
		}
		if d := cmp.Diff(got.A, got.B); d != "" {
			t.Errorf("totals:\n%s", d)
		}
	})
}

func shuffledAndDoubled(t *testing.T, lines [][]byte) (out [][]byte) {
	for _, line := range lines {
		out = append(out, line)
		if rand.IntN(2) == 0 {
			e := must(schema.Decode(line))(t)
			e.Timestamp = e.Timestamp.Add(time.Duration(1+rand.IntN(5)) * time.Minute)
			out = append(out, e.AppendJSON(nil))
		}
	}
	rand.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// A fork at an event shares what comes up to there with its parent, has nothing of its own,
// and is the parent as it was then.
func TestForkAgainstParent(t *testing.T) {
	eachCapture(t, func(t *testing.T, all memory, session string) {
		parent := open(t, all, session)
		var points []history.Point
		err := parent.Sorted(t.Context(), func(_ int, r *history.Record) error {
			if r.EventType != schema.Fork && r.EventType != schema.SourcePosition {
				points = append(points, history.Of(&r.Event))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range append(rand.Perm(len(points))[:min(2, len(points))], len(points)-1) {
			at := points[n]
			source := maps.Clone(all)
			source["fork"] = [][]byte{forkLine(session, at)}
			fork := open(t, source, "fork")
			got := compare(t, parent, fork, diff.Options{})
			if got.SharedEvents != n+1 || got.AOnlyEvents != len(points)-n-1 || got.BOnlyEvents != 0 {
				t.Errorf("fork of %s at %s, event %d of %d: %d shared, %d and %d", session, at, n+1, len(points), got.SharedEvents, got.AOnlyEvents, got.BOnlyEvents)
			}
			if n == len(points)-1 && (!got.Same || got.DivergentNodes+got.DivergentRelations != 0) {
				t.Errorf("fork of %s at its end: %.3000s", session, asJSON(t, got))
			}
			then := must(history.Open(t.Context(), source, session, at))(t)
			if got := compare(t, then, fork, diff.Options{}); !got.Same || got.AOnlyEvents+got.BOnlyEvents+got.DivergentNodes+got.DivergentRelations != 0 {
				t.Errorf("fork of %s at %s against the parent as it was then: %.3000s", session, at, asJSON(t, got))
			}
		}
	})
}

func forkLine(parent string, at history.Point) []byte {
	e := schema.Event{
		V: schema.Version, EventID: "fork/" + at.Event(), EventType: schema.Fork, SessionID: "fork", Origin: schema.OriginAPI, SourceSDK: "test",
		Timestamp: at.Time().Add(time.Hour), ParentSessionID: parent, ParentEventID: at.Event(),
	}
	return e.AppendJSON(nil)
}

// The diff of B and A is that of A and B from the other side, and the same each time.
func TestMirrored(t *testing.T) {
	type side struct {
		all     memory
		session string
	}
	var sides []side
	for _, name := range []string{"a_tools", "b_failures", "c_parallel", "c_parallel_ro", "d_agent_parallel", "d_agent_bg", "e_denied_default", "h_stay_529", "g_compact", "z_tui"} {
		j := newJournal(t)
		record(t, j, filepath.Join(captures, name))
		all := inMemory(t, j)
		for _, session := range slices.Sorted(maps.Keys(all)) {
			if !schema.NoSession(session) {
				sides = append(sides, side{all, session})
			}
		}
	}
	for i, x := range sides {
		y := sides[(i+1)%len(sides)]
		a, b := open(t, x.all, x.session), open(t, y.all, y.session)
		there, back := compare(t, a, b, diff.Options{Full: true}), compare(t, b, a, diff.Options{Full: true})
		if d := cmp.Diff(mirrored(t, there), generic(t, back)); d != "" {
			t.Errorf("%s and %s (-mirrored +other way round):\n%s", x.session, y.session, d)
		}
		if again := compare(t, a, b, diff.Options{Full: true}); asJSON(t, again) != asJSON(t, there) {
			t.Errorf("%s and %s: another diff each time", x.session, y.session)
		}
	}
}

func generic(t *testing.T, d *diff.Diff) (v any) {
	if err := json.Unmarshal([]byte(asJSON(t, d)), &v); err != nil {
		t.Fatal(err)
	}
	delete(v.(map[string]any), "first_divergence") // the first that is listed: of two that stand at one place, A's
	return v
}

// mirrored exchanges a and b in a diff's JSON.
func mirrored(t *testing.T, d *diff.Diff) any { return mirror(generic(t, d)) }

func mirror(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, member := range v {
			out[other(k)] = mirror(member)
		}
		return out
	case []any:
		list := slices.Clone(v)
		for i := range list {
			list[i] = mirror(list[i])
		}
		regroup(list)
		return list
	}
	return v
}

func other(name string) string {
	pairs := []string{"a", "b", "a_only_events", "b_only_events", "turn_a", "turn_b", "files_written_by_a_only", "files_written_by_b_only"}
	if i := slices.Index(pairs, name); i >= 0 {
		return pairs[i^1]
	}
	return name
}

// regroup exchanges the signs of what only one side has, and puts A's before B's.
func regroup(list []any) {
	sign := func(v any) string {
		switch v := v.(type) {
		case string:
			return v[:min(1, len(v))]
		case map[string]any:
			s, _ := v["change"].(string)
			return s
		}
		return ""
	}
	turned := map[string]string{"a_only": "b_only", "b_only": "a_only"}
	for i := range list {
		switch v := list[i].(type) {
		case map[string]any:
			if to := turned[sign(v)]; to != "" {
				v["change"] = to
			}
		case string:
			if s := sign(v); s == "-" {
				list[i] = "+" + v[1:]
			} else if s == "+" {
				list[i] = "-" + v[1:]
			}
		}
	}
	oneSided := map[string]int{"a_only": 1, "-": 1, "b_only": 2, "+": 2}
	for i := 0; i < len(list); i++ {
		start := i
		for i < len(list) && oneSided[sign(list[i])] > 0 {
			i++
		}
		slices.SortStableFunc(list[start:i], func(x, y any) int { return oneSided[sign(x)] - oneSided[sign(y)] })
	}
}
