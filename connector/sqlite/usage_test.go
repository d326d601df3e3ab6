package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// callOf puts a model call.
func callOf(key string, props ...graph.Prop) graph.Op {
	return graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: key}, Type: graph.LLMCall, Props: props}}
}

// TestUsageIsChecked: sums that somebody changed are reported, and damaged ones, rather
// than added up.
func TestUsageIsChecked(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := graph.Prop{Name: "timestamp", Value: graph.Time(1)}
	later := graph.Prop{Name: "timestamp", Value: graph.Time(10 * time.Hour)} // in a row of its own
	ops := []graph.Op{callOf("a", at, graph.Prop{Name: "input_tokens", Value: int64(5)}), callOf("b", at), callOf("c", later)}
	if err := s.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", To: schema.Position{Offset: 1}, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		change  string
		changes int
		err     string
	}{
		{"UPDATE usage SET sums = sums", 0, ""},
		{"UPDATE usage SET sums = x'01'", 0, "sums of usage are damaged: move the file away"},
		{"DELETE FROM usage", 1, ""},
	} {
		if err := s.conn.do(t.Context(), tc.change); err != nil {
			t.Fatal(err)
		}
		changes, err := s.Check(t.Context(), "s")
		if len(changes) != tc.changes || (tc.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, %v", tc.change, changes, err)
		}
		if _, err := s.Usage(t.Context(), graph.UsageFilter{}); (err != nil) != (tc.err != "") {
			t.Errorf("%s: usage: %v", tc.change, err)
		}
	}
}

// FuzzUsage: what was written is read back, and nothing makes the reader panic or read
// on for ever.
func FuzzUsage(f *testing.F) {
	u := usageSums{{quarter: -3, agent: "a1", model: "größer", speed: "fast", over: 200_000, stated: true}: {graph.UsageCounts{Calls: 1, Input: 1 << 62}, -7}, {}: {}}
	f.Add(u.encode())
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		read := usageSums{}
		if eachUsage(b, map[string]string{}, read.add) != nil {
			return
		}
		again := usageSums{}
		if err := eachUsage(read.encode(), map[string]string{}, again.add); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(read, again, cmp.AllowUnexported(usageKey{}, usageSum{}), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	})
}
