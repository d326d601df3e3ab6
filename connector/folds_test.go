package connector

import (
	"fmt"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func TestFoldsAreBounded(t *testing.T) {
	var f folds
	at := schema.Position{Offset: 10, Sum: 1, First: 1}
	for i := range 10 {
		f.put(fmt.Sprint(i), &fold{at: at, events: 10}, 35)
		time.Sleep(time.Millisecond)
	}
	if len(f.kept) != 3 || f.events != 30 || f.kept["9"] == nil || f.kept["7"] == nil {
		t.Errorf("kept %v, %d events, want the last 3", f.kept, f.events)
	}
	// One that is too large alone is kept: its session lives.
	f.put("large", &fold{at: at, events: 1000}, 35)
	if len(f.kept) != 1 || f.take("large", at) == nil || f.events != 0 {
		t.Errorf("kept %v, %d events", f.kept, f.events)
	}
	f.put("a", &fold{at: at, events: 1}, 35)
	f.put("b", &fold{at: at, events: 1}, 35)
	f.kept["a"].used = time.Now().Add(-time.Hour)
	f.dropIdle(time.Now().Add(-time.Minute))
	if f.kept["a"] != nil || f.kept["b"] == nil || f.events != 1 {
		t.Errorf("after an hour: %v, %d events", f.kept, f.events)
	}
	if f.take("b", schema.Position{Offset: 11}) != nil || f.take("b", at) != nil {
		t.Error("a state at another position was used")
	}
}
