package sqlite_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

var million = flag.Bool("million", false, "BenchmarkApply at 1,000,000 events too")

// BenchmarkApply writes a synthetic op stream, 8,000 events a transaction, and
// reports the cost per event, of all and of the last tenth, which must not be much
// more. The processor's time says more than the clock on a busy machine.
func BenchmarkApply(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if *million {
		sizes = append(sizes, 1_000_000)
	}
	for _, mix := range []struct {
		name     string
		sessions int
		run      int // events of one session in a row: all in an import, few when all are live
	}{{"one", 1, 1}, {"1000-imported", 1000, 0}, {"1000-live", 1000, 1}} {
		for _, events := range sizes {
			b.Run(fmt.Sprintf("sessions=%s/events=%d", mix.name, events), func(b *testing.B) {
				for range b.N {
					run := mix.run
					if run == 0 {
						run = events / mix.sessions
					}
					benchmarkApply(b, events, mix.sessions, run)
				}
			})
		}
	}
}

func benchmarkApply(b *testing.B, events, sessions, run int) {
	path := filepath.Join(b.TempDir(), "graph.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	f := newFeed(sessions)
	f.run = run
	var spent, cpu, cpuAtEnd time.Duration
	lastEvents := 0
	for done := 0; done < events; {
		n := min(8000, events-done)
		batches := f.take(n) // making the ops is not what is measured
		t, c := time.Now(), cpuTime()
		if err := s.Apply(context.Background(), batches); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(t)
		c = cpuTime() - c
		cpu += c
		if done += n; done > events-events/10 {
			cpuAtEnd += c
			lastEvents += n
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(events)/spent.Seconds(), "events/s")
	b.ReportMetric(float64(spent.Microseconds())/float64(events), "µs/event")
	b.ReportMetric(float64(cpu.Microseconds())/float64(events), "cpu-µs/event")
	b.ReportMetric(float64(cpuAtEnd.Microseconds())/float64(lastEvents), "cpu-µs/event-at-end")
	b.ReportMetric(peakMB(), "peak-MB")
	if dir := os.Getenv("KEEP_BENCH_STORE"); dir != "" {
		s.Maintain(context.Background())
		s.Close()
		os.Rename(path, filepath.Join(dir, fmt.Sprintf("bench-%d-%d-%d.db", events, sessions, run)))
	}
}

// peakMB is the process's peak resident size, where the system tells it.
func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}

// feed makes ops like those of a fold: an event is one or two actions or the end of
// one, with its edges; every eighth touches a file; one in twenty is put into the
// middle of its lane.
type feed struct {
	rnd      *rand.Rand
	texts    []string
	sessions []*feedSession
	next     int
	run      int // events of one session in a row
}

type feedSession struct {
	id           string
	pos          schema.Position
	n            int64
	last, before string
	open         string // the ToolCall that waits for its result
	start        int64
}

func newFeed(sessions int) *feed {
	f := &feed{rnd: rand.New(rand.NewPCG(1, 2)), run: 1}
	words := make([]string, 20000)
	for i := range words {
		w := make([]byte, 3+f.rnd.IntN(8))
		for j := range w {
			w[j] = byte('a' + f.rnd.IntN(26))
		}
		words[i] = string(w)
	}
	for range 4000 {
		var t strings.Builder
		for n := f.rnd.ExpFloat64() * 200; float64(t.Len()) < n; {
			r := f.rnd.Float64()
			t.WriteString(words[int(float64(len(words))*r*r*r)])
			t.WriteByte(' ')
		}
		f.texts = append(f.texts, t.String())
	}
	for i := range sessions {
		f.sessions = append(f.sessions, &feedSession{
			id: fmt.Sprintf("%08x-0000-4000-8000-%012x", i*2654435761, i), start: 1_700_000_000_000_000_000 + int64(i)*3_600_000_000_000})
	}
	return f
}

// take makes the batches of n events, session after session and round again.
func (f *feed) take(n int) (batches []graph.Batch) {
	per := make([]int, len(f.sessions))
	for range n {
		per[f.next/f.run%len(f.sessions)]++
		f.next++
	}
	for i, k := range per {
		if k == 0 {
			continue
		}
		s := f.sessions[i]
		var ops []graph.Op
		for range k {
			ops = f.event(s, ops)
		}
		from := s.pos
		s.pos = schema.Position{Offset: s.pos.Offset + int64(k)*900, Sum: f.rnd.Uint64(), First: uint64(i) + 1}
		batches = append(batches, graph.Batch{Journal: "j", Session: s.id, From: from, To: s.pos, Ops: graph.Coalesce(ops)})
	}
	return batches
}

func (f *feed) text() string { return f.texts[f.rnd.IntN(len(f.texts))] }

func (f *feed) event(s *feedSession, ops []graph.Op) []graph.Op {
	s.n++
	now := graph.Time(s.start + s.n*1_000_000_000)
	self := graph.Ref{Label: graph.LabelSession, Key: s.id}
	key := schema.NewID(s.id, fmt.Sprint(s.n))
	ref := graph.Ref{Label: graph.LabelAction, Key: key}
	put := func(r graph.Ref, t graph.ActionType, props ...graph.Prop) {
		ops = append(ops, graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Type: t, Props: props}})
	}
	edge := func(t graph.EdgeType, from, to graph.Ref) {
		ops = append(ops, graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to}}})
	}
	common := []graph.Prop{{Name: "name", Value: "Bash " + s.id[:8]}, {Name: "timestamp", Value: now}, {Name: "prompt_id", Value: s.id},
		{Name: "turn", Value: s.n / 20}, {Name: "status", Value: "completed"}}
	tool := []string{"Bash", "Read", "Edit", "Grep", "mcp__memory__search"}[s.n%5]
	toolUse := fmt.Sprintf("toolu_%024d", s.n-s.n%2)
	switch {
	case s.n%20 == 1:
		put(ref, graph.UserMessage, append(common, graph.Prop{Name: "text", Value: f.text()}, graph.Prop{Name: "role", Value: "user"})...)
		s.open = ""
	case s.open == "":
		toolRef := graph.Ref{Label: graph.LabelTool, Key: tool}
		put(ref, graph.ToolCall, append(common, graph.Prop{Name: "tool_name", Value: tool}, graph.Prop{Name: "tool_use_id", Value: toolUse},
			graph.Prop{Name: "started_at", Value: now}, graph.Prop{Name: "command", Value: "go test ./" + s.id[:8]},
			graph.Prop{Name: "properties", Value: `{"tool_input":{"description":"` + f.text() + `"}}`})...)
		put(toolRef, "", graph.Prop{Name: "name", Value: tool}, graph.Prop{Name: "is_mcp", Value: strings.HasPrefix(tool, "mcp__")})
		edge(graph.UsedTool, ref, toolRef)
		s.open = key
	default:
		call := graph.Ref{Label: graph.LabelAction, Key: s.open}
		put(call, graph.ToolCall, graph.Prop{Name: "status", Value: "completed"}, graph.Prop{Name: "ended_at", Value: now},
			graph.Prop{Name: "duration_ms", Value: float64(s.n%97) * 1.5})
		put(ref, graph.ToolResult, append(common, graph.Prop{Name: "tool_name", Value: tool}, graph.Prop{Name: "tool_use_id", Value: toolUse},
			graph.Prop{Name: "parent_action_id", Value: s.open}, graph.Prop{Name: "exit_code", Value: int64(0)}, graph.Prop{Name: "text", Value: f.text()})...)
		edge(graph.ParentOf, call, ref)
		if s.n%8 == 0 {
			path := fmt.Sprintf("/src/%s/%d.go", s.id[:8], s.n%50)
			file := graph.Ref{Label: graph.LabelFile, Key: graph.FileKey("host", path)}
			put(file, "", graph.Prop{Name: "path", Value: path}, graph.Prop{Name: "host", Value: "host"})
			edge(graph.Read, call, file)
		}
		s.open = ""
	}
	put(self, "", graph.Prop{Name: "last_event_at", Value: now}, graph.Prop{Name: "action_count", Value: s.n})
	if s.n == 1 {
		put(self, "", graph.Prop{Name: "started_at", Value: now}, graph.Prop{Name: "status", Value: "active"}, graph.Prop{Name: "title", Value: f.text()})
	}
	edge(graph.HasAction, self, ref)
	return f.link(s, ops, ref)
}

// link appends the action to its lane, or puts it before the last one.
func (f *feed) link(s *feedSession, ops []graph.Op, ref graph.Ref) []graph.Op {
	follow := func(k graph.OpKind, from, to string) {
		ops = append(ops, graph.Op{Kind: k, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: graph.FollowedBy,
			From: graph.Ref{Label: graph.LabelAction, Key: from}, To: graph.Ref{Label: graph.LabelAction, Key: to}}}})
	}
	if s.before != "" && s.n%20 == 7 {
		follow(graph.DelEdge, s.before, s.last)
		follow(graph.PutEdge, s.before, ref.Key)
		follow(graph.PutEdge, ref.Key, s.last)
		s.before = ref.Key
		return ops
	}
	if s.last != "" {
		follow(graph.PutEdge, s.last, ref.Key)
	}
	s.before, s.last = s.last, ref.Key
	return ops
}
