package connector_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// padding returns text that makes a payload as large as captured ones are: median
// 459 bytes, p95 800, p99 1.7 kB, now and then 64 kB.
func padding(rnd *rand.Rand) string {
	n := 220 * math.Exp(0.45*rnd.NormFloat64())
	switch p := rnd.Float64(); {
	case p > 0.9998:
		n = 64 << 10
	case p > 0.985:
		n = 1700
	}
	const words = "the quick brown fox jumps over a lazy dog while internal/graph/session.go compiles and every test passes "
	i := rnd.IntN(len(words))
	return strings.Repeat(words[i:]+words[:i], int(n)/len(words)+1)[:int(n)]
}

// generate writes a journal of so many events, most of them tool calls and results.
func generate(b *testing.B, events, sessions int) *journal.Journal {
	b.Helper()
	j, rnd := newJournal(b), rand.New(rand.NewPCG(1, 2))
	long := time.Now().Add(-time.Hour) // written back long ago, as a history is
	for s := range sessions {
		a := newAgent(rnd, fmt.Sprintf("session-%04d", s))
		lines := make([][]byte, events/sessions)
		for i := range lines {
			line := a.next()
			pad := schema.AppendString(nil, padding(rnd))
			lines[i] = append(line[:len(line)-1], fmt.Sprintf(`,"extra":{"cwd":"/home/me/project","permission_mode":"default","pad":%s}}`, pad)...)
		}
		record(b, j, a.session, lines...)
		if err := os.Chtimes(file(j, a.session), long, long); err != nil {
			b.Fatal(err)
		}
	}
	return j
}

// BenchmarkWholePath folds a journal into a store: events/s, and what an event
// costs beside the same in the memory store, which is all but the store's part.
func BenchmarkWholePath(b *testing.B) {
	for _, size := range []struct{ events, sessions int }{{10_000, 100}, {100_000, 1000}, {100_000, 1}} {
		j := generate(b, size.events, size.sessions)
		var inMemory float64
		run := func(name string, open func(b *testing.B) connector.Store) {
			b.Run(fmt.Sprintf("%dk_in_%d/%s", size.events/1000, size.sessions, name), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					store := open(b)
					b.StartTimer()
					report, err := replica(j, store).Sync(b.Context(), nil)
					if err != nil || report.Events != size.events {
						b.Fatalf("%+v, %v", report, err)
					}
				}
				perEvent := b.Elapsed().Seconds() / float64(b.N*size.events)
				b.ReportMetric(1/perEvent, "events/s")
				if name == "memory" {
					inMemory = perEvent
				} else if inMemory > 0 {
					b.ReportMetric(perEvent/inMemory, "×memory")
				}
			})
		}
		run("none", func(*testing.B) connector.Store { return discard{newMemory()} })
		run("memory", func(*testing.B) connector.Store { return newMemory() })
		run("sqlite", func(b *testing.B) connector.Store { return openSQLite(b, b.TempDir()) })
	}
}
