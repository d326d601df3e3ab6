package connector

import (
	"fmt"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

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
