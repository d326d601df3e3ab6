package live_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/live"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

// What an event of a running session costs from its file to what is told, of a short session
// and of one of which as many actions are held as there may be.
func BenchmarkEvent(b *testing.B) {
	for _, before := range []int{10, live.Kept} {
		b.Run(fmt.Sprint(before), func(b *testing.B) {
			j := must(journal.Open(filepath.Join(b.TempDir(), "home")))(b)
			at, r := time.Now(), j.Redactor("")
			put := func(i int) {
				e := schema.Event{V: schema.Version, SessionID: "s", Origin: schema.OriginHook, EventID: fmt.Sprint("e", i), EventType: schema.ToolStart,
					ToolName: "Bash", ToolUseID: fmt.Sprint("u", i), Timestamp: at.Add(time.Duration(i) * time.Millisecond),
					ToolInput: json.RawMessage(fmt.Sprintf(`{"command":"make %d"}`, i))}
				if err := j.Append(r.Event(e)); err != nil {
					b.Fatal(err)
				}
			}
			for i := range before {
				put(i)
			}
			w := &live.Watcher{Journal: j, Now: time.Now, Prices: &usage.Table{}}
			w.Begin()
			w.Look(b.Context(), "s")
			n := before
			for b.Loop() {
				put(n)
				n++
				if c := w.Look(b.Context(), "s"); len(c) != 1 {
					b.Fatal(c)
				}
			}
		})
	}
}
