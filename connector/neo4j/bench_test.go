package neo4j_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
	"github.com/actiongraph/actiongraph/schema"
)

// BenchmarkApply writes folded recordings into a warm database, some 1,500 events a
// transaction. What is timed is Apply alone; the JVM takes part of the same cores.
func BenchmarkApply(b *testing.B) {
	url := os.Getenv("AG_TEST_BOLT_URL")
	if url == "" {
		url = neo4jtest.Start(b, neo4jtest.Options{HeapMB: 2048, PagesMB: 1024, Optimize: true}).URL
	}
	s := empty(b, neo4j.Options{URL: url})
	r := newRecordings(b)
	r.feed(b, s, 20_000) // a cold JVM is up to four times as slow
	for b.Loop() {
		took, actions, edges, events := r.feed(b, s, 20_000)
		b.ReportMetric(float64(actions)/took.Seconds(), "actions/s")
		b.ReportMetric(float64(edges)/float64(actions), "edges/action")
		b.ReportMetric(float64(events)/took.Seconds(), "events/s")
	}
	b.ReportMetric(0, "ns/op")
}

// recordings are captured sessions, played again and again under new names.
type recordings struct {
	sessions [][]*schema.Event
	next     int
}

func newRecordings(t testing.TB) *recordings {
	t.Helper()
	files, err := filepath.Glob("../../graph/testdata/captures/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures: ", err)
	}
	r := &recordings{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var events []*schema.Event
		for line := range bytes.Lines(raw) {
			e, err := schema.Decode(line)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, &e)
		}
		r.sessions = append(r.sessions, events)
	}
	return r
}

// batch folds the next recording under a name of its own.
func (r *recordings) batch() (b graph.Batch, events int) {
	recorded := r.sessions[r.next%len(r.sessions)]
	r.next++
	id := fmt.Sprintf("%08d-0000-4000-8000-000000000000", r.next)
	b = graph.Batch{Journal: "0123456789abcdef", Session: id, To: schema.Position{Offset: int64(len(recorded)), Sum: 1, First: 1}}
	fold := graph.NewSession(id, b.Journal)
	for _, e := range recorded {
		again := *e
		again.SessionID = id
		fold.Apply(&again)
	}
	b.Ops = fold.Take()
	return b, len(recorded)
}

// feed writes so many actions.
func (r *recordings) feed(t testing.TB, s *neo4j.Store, want int) (took time.Duration, actions, edges, events int) {
	t.Helper()
	for actions < want {
		var batches []graph.Batch
		for n := 0; n < 1500; {
			b, k := r.batch()
			n += k
			events += k
			batches = append(batches, b)
			for _, op := range b.Ops {
				if op.Kind == graph.PutNode && op.Node.Label == graph.LabelAction {
					actions++
				} else if op.Kind == graph.PutEdge {
					edges++
				}
			}
		}
		start := time.Now()
		if err := s.Apply(context.Background(), batches); err != nil {
			t.Fatal(err)
		}
		took += time.Since(start)
	}
	return took, actions, edges, events
}
