package connector

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

func TestFoldsAreBounded(t *testing.T) {
	var f folds
	at := schema.Position{Offset: 10, Sum: 1, First: 1}
	const limit = 3 * (10 + keptSession)
	for i := range 10 {
		f.put(fmt.Sprint(i), &fold{at: at, events: 10}, limit, limit)
	}
	if len(f.kept) != 3 || f.cost != limit || f.order.Len() != 3 || f.kept["9"] == nil || f.kept["7"] == nil {
		t.Errorf("kept %v, cost %d, want the last 3", f.kept, f.cost)
	}
	// What was used again is not the oldest any more.
	f.put("7", f.take("7", at), limit, limit)
	f.put("10", &fold{at: at, events: 10}, limit, limit)
	if f.kept["7"] == nil || f.kept["8"] != nil {
		t.Errorf("kept %v, want 7 and not 8", f.kept)
	}
	// One that is too large alone is kept: its session lives.
	f.put("large", &fold{at: at, events: 1000}, limit, limit)
	if len(f.kept) != 1 || f.take("large", at) == nil || f.cost != 0 || f.order.Len() != 0 {
		t.Errorf("kept %v, cost %d", f.kept, f.cost)
	}
	f.put("a", &fold{at: at, events: 1}, limit, limit)
	f.put("b", &fold{at: at, events: 1}, limit, limit)
	f.kept["a"].used = time.Now().Add(-time.Hour)
	f.dropIdle(time.Now().Add(-time.Minute))
	if f.kept["a"] != nil || f.kept["b"] == nil || f.cost != 1+keptSession {
		t.Errorf("after an hour: %v, cost %d", f.kept, f.cost)
	}
	if f.take("b", schema.Position{Offset: 11}) != nil || f.take("b", at) != nil {
		t.Error("a state at another position was used")
	}
}

// Tiny sessions cost more than their events: 15,000 of two events each, all kept, took
// 100 MB a store.
func TestFoldsOfTinySessionsAreBounded(t *testing.T) {
	const limit = 20_000
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var f folds
	for i := range 15_000 {
		session := fmt.Sprintf("session-%05d", i)
		state := graph.NewSession(session, "journal")
		for n := range 2 {
			state.Apply(&schema.Event{V: schema.Version, EventID: fmt.Sprint("hook/message/", i, "/", n), EventType: schema.Message,
				SessionID: session, Timestamp: time.Unix(int64(n), 0), Role: schema.RoleUser, Content: "do it", Origin: schema.OriginHook})
		}
		f.put(session, &fold{session: state, at: schema.Position{Offset: 1}, events: 2}, limit, limit)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(f.kept) > limit/keptSession {
		t.Errorf("%d are kept", len(f.kept))
	}
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if t.Logf("%d kept in %d KB, %d B each", len(f.kept), held/1000, held/int64(len(f.kept))); held > 12<<20 {
		t.Errorf("they take %d MB, want 12 as with long sessions", held>>20)
	}
	runtime.KeepAlive(&f)
}

// TestFoldsKeepWhatGrows: a session that is longer than all that is kept, and goes on in
// turns with others, is folded once and not with every line of theirs.
func TestFoldsKeepWhatGrows(t *testing.T) {
	const limit, live = 1000, 50_000
	f := &folds{}
	at, made := schema.Position{}, map[string]int{}
	touch := func(id string, events int) {
		state := f.take(id, at)
		if state == nil {
			made[id]++
			state = &fold{session: graph.NewSession(id, ""), events: events}
		}
		at = schema.Position{Offset: at.Offset + 1} // of each, as if all grew alike
		for _, s := range f.kept {
			s.at = at
		}
		state.at = at
		f.put(id, state, limit, live)
	}
	for i := range 100 {
		touch("long", 20_000)
		touch("short", 10)
		touch("longer", 25_000)
		touch(fmt.Sprint("once ", i), 10)
	}
	for _, id := range []string{"long", "longer", "short"} {
		if made[id] > growing+1 {
			t.Errorf("%s was folded from its beginning %d times in 100 rounds", id, made[id])
		}
	}
	if f.cost > live {
		t.Errorf("%d events are kept, at most %d may be", f.cost, live)
	}
	for i := range 100 { // what is caught up with is dropped at once
		touch(fmt.Sprint("many ", i), 900)
	}
	if len(f.kept) > 10 {
		t.Errorf("%d states are kept", len(f.kept))
	}
}
