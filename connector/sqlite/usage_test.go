package sqlite

import (
	"errors"
	"maps"
	"math/rand/v2"
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

// TestUsageIsMerged: what a batch changes goes into the bytes of what was there as it would
// into sums that are read, added up and written.
func TestUsageIsMerged(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	stored := usageSums{}
	var bytes []byte
	for range 300 {
		changed := usageSums{}
		for range r.IntN(6) {
			k := usageKey{quarter: int64(r.IntN(4)), agent: string(rune('a' + r.IntN(4))), stated: r.IntN(2) == 0}
			s := usageSum{graph.UsageCounts{Calls: int64(r.IntN(3)), Input: int64(r.IntN(9))}, int64(r.IntN(9))}
			if was, ok := stored[k]; ok && r.IntN(2) == 0 {
				changed.take(k, was) // its calls are deleted
				continue
			}
			changed.add(k, s)
		}
		var err error
		if bytes, err = changed.mergeInto(nil, bytes); err != nil {
			t.Fatal(err)
		}
		for k, s := range changed {
			stored.add(k, s)
		}
		maps.DeleteFunc(stored, func(_ usageKey, s usageSum) bool { return s.Calls == 0 })
		if want := stored.encode(); string(bytes) != string(want) {
			t.Fatalf("merged it is %x, added up %x", bytes, want)
		}
	}
	if len(stored) == 0 {
		t.Fatal("nothing is left: the test says nothing")
	}
	if _, err := stored.mergeInto(nil, []byte{0x80}); !errors.Is(err, errUsage) {
		t.Errorf("of damaged sums it says %v", err)
	}
}
