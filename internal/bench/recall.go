package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	recallWithin = 50 * time.Millisecond
	recallRuns   = 20
)

// recall measures `recall` in a namespace of a million actions: within a process whose
// caches are warm, and from spawn to exit. Of its words web_search is in 300,000 calls,
// timeout in 100,000, weather in 3,000 and tokyo in 30.
func (b *bench) recall() error {
	home := filepath.Join(b.dir, "recall")
	calls := 1_000_000 / b.scale
	if _, err := spawnOne(b.sessiond, "add", "action", "tool_name=first", "--home", home); err != nil { // makes the home
		return err
	}
	if _, err := b.sync(home); err != nil {
		return err
	}
	s, err := sqlite.Open(filepath.Join(home, sqlite.FileName), sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := writeCalls(s, calls); err != nil {
		return err
	}
	if err := s.Maintain(context.Background()); err != nil {
		return err
	}
	for _, q := range []graph.SearchQuery{
		{Words: "web_search weather"}, {Words: "web_search tokyo"}, {Words: "error timeout"}, {Words: "timeout"},
		{Words: "timeout", Failed: true}, {Failed: true}, {Tool: "web_search"},
	} {
		q.Recall, q.Limit = true, 10
		var took []time.Duration
		for range recallRuns {
			start := time.Now()
			if _, err := s.Search(context.Background(), q); err != nil {
				return err
			}
			took = append(took, time.Since(start))
		}
		args := append([]string{b.sessiond, "recall", "--home", home, "--json"}, strings.Fields(q.Words)...)
		if q.Failed {
			args = append(args, "--failed")
		}
		if q.Tool != "" {
			args = append(args, "--tool", q.Tool)
		}
		spawned, err := spawn(spawnSpec{Runs: recallRuns, Commands: []command{{Args: args}}})
		if err != nil {
			return err
		}
		slices.Sort(took)
		p50 := took[len(took)/2]
		b.table.add(fmt.Sprintf("recall %s, %d actions, warm", strings.Join(args[5:], " "), calls), "≤ 50 ms",
			fmt.Sprintf("p50 %s (spawn to exit %s)", ms(p50), ms(quantile(spawned[0], 0.5))), p50 <= recallWithin)
	}
	return nil
}

// writeCalls writes what a fold of grains gives, without the journal: what is measured
// reads the store alone.
func writeCalls(s *sqlite.Store, calls int) error {
	r := rand.New(rand.NewPCG(6, 1000))
	from := schema.Position{}
	for n := 0; n < calls; {
		var ops []graph.Op
		for range min(4000, calls-n) {
			ops = append(ops, callOps(r, n)...)
			n++
		}
		to := schema.Position{Offset: from.Offset + 1, Sum: 1, First: 1}
		if err := s.Apply(context.Background(), []graph.Batch{{Journal: "bench", Session: "ns-bench", From: from, To: to, Ops: ops}}); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// callOps are a call and its result: five to thirty words of a skewed vocabulary.
func callOps(r *rand.Rand, n int) []graph.Op {
	tool, status := []string{"web_search", "database_query", "fetch_data", "transform_data", "code_exec"}[min(r.IntN(10)*2/5, 4)], "completed"
	if n%10 < 3 {
		tool = "web_search"
	}
	var words []string
	for range 5 + r.IntN(25) {
		x := r.Float64()
		words = append(words, fmt.Sprintf("w%d", int(20000*x*x*x)))
	}
	if r.IntN(10) == 0 {
		words, status = append(words, "connection timeout after 5000ms"), "failed"
	}
	if n%300 == 0 {
		words = append(words, "weather")
	}
	if n%30_000 == 0 {
		words = append(words, "tokyo")
	}
	call := graph.Ref{Label: graph.LabelAction, Key: graph.ToolCallID("ns-bench", fmt.Sprint(n))}
	result := graph.Ref{Label: graph.LabelAction, Key: graph.ToolResultID("ns-bench", fmt.Sprint(n))}
	at := graph.Prop{Name: "timestamp", Value: graph.Time(firstSession().Add(time.Duration(n) * time.Second).UnixNano())}
	name := graph.Prop{Name: "tool_name", Value: tool}
	return []graph.Op{
		{Kind: graph.PutNode, Node: graph.Node{Ref: call, Type: graph.ToolCall, Props: []graph.Prop{name, at, {Name: "status", Value: status},
			{Name: "duration_ms", Value: r.ExpFloat64() * 300}, {Name: "properties", Value: `{"tool_input":{"query":"` + words[0] + `"}}`}}}},
		{Kind: graph.PutNode, Node: graph.Node{Ref: result, Type: graph.ToolResult, Props: []graph.Prop{name, at,
			{Name: "text", Value: strings.Join(words, " ")}}}},
		{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: graph.ParentOf, From: call, To: result}}},
	}
}
