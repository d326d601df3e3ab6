package connector

import (
	"fmt"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
)

// anyOps makes up ops about a few names, so that what is put is put again, changed and
// removed.
func anyOps(rnd *rand.Rand, n int) []graph.Op {
	labels := []graph.Label{graph.LabelAction, graph.LabelAction, graph.LabelSession, graph.LabelAgent, graph.LabelTool, graph.LabelTag}
	ref := func() graph.Ref {
		return graph.Ref{Label: labels[rnd.IntN(len(labels))], Key: fmt.Sprint("k", rnd.IntN(8))}
	}
	values := []any{nil, "", "x", strings.Repeat("long", 99), "\x00\xff", int64(-1), int64(math.MaxInt64), 0.5, math.Inf(1), true, false, graph.Time(math.MinInt64)}
	ops := make([]graph.Op, n)
	for i := range ops {
		var props []graph.Prop
		for _, name := range []string{"status", "p", "q"} {
			if rnd.IntN(2) == 0 {
				props = append(props, graph.Prop{Name: name, Value: values[rnd.IntN(len(values))]})
			}
		}
		switch op := &ops[i]; rnd.IntN(10) {
		case 0:
			*op = graph.Op{Kind: graph.DelNode, Node: graph.Node{Ref: ref()}}
		case 1, 2:
			op.Kind, op.Edge.EdgeKey = graph.DelEdge, graph.EdgeKey{Type: graph.EdgeTypes()[rnd.IntN(3)], From: ref(), To: ref()}
		case 3, 4, 5:
			*op = graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: ref(), Type: graph.ActionTypes()[rnd.IntN(2)], Props: props}}
		default:
			*op = graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{
				EdgeKey: graph.EdgeKey{Type: graph.EdgeTypes()[rnd.IntN(3)], From: ref(), To: ref()}, Props: props}}
		}
	}
	return ops
}

// Dealt out to parts, in memory and through a file, two graphs differ exactly as they do
// whole: whatever is missing, added or changed.
func TestPartsDifferAsTheWhole(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	dir, differ, same := t.TempDir(), 0, 0
	for range 1500 {
		sum, n, limit := maphash.MakeSeed(), 1+rnd.IntN(9), []int{0, 200, 1 << 20}[rnd.IntN(3)]
		var sides [2]*parts
		var whole [2]*graph.Graph
		ops := anyOps(rnd, rnd.IntN(80))
		for i := range sides {
			sides[i] = &parts{dirs: []string{dir}, seed: sum, limit: limit, parts: make([]onePart, n)}
			whole[i] = graph.New()
			put(t, sides[i], anyOps(rnd, rnd.IntN(5)))
			sides[i].reset()
			mine := ops
			if rnd.IntN(2) == 0 {
				mine = append(mine[:len(mine):len(mine)], anyOps(rnd, rnd.IntN(4))...)
			}
			put(t, sides[i], mine)
			whole[i].Apply(mine...)
		}
		got, err := diff(t.Context(), sides[0], sides[1])
		if err != nil {
			t.Fatal(err)
		}
		want := graph.Diff(whole[0], whole[1])
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%d parts, %d bytes buffered:\n%v\nnot\n%v", n, limit, got, want)
		}
		if len(want) > 0 {
			differ++
		} else {
			same++
		}
		for _, p := range sides {
			if err := p.close(); err != nil {
				t.Error(err)
			}
		}
	}
	if differ < 100 || same < 100 {
		t.Errorf("%d pairs differ and %d do not: this test proves little", differ, same)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left behind, %v", left, err)
	}
}

func put(t *testing.T, p *parts, ops []graph.Op) {
	t.Helper()
	for i := range ops {
		if err := p.put(&ops[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// The edges of one Session, and those to one Tool, are in many parts.
func TestPartsAreEven(t *testing.T) {
	p := &parts{seed: maphash.MakeSeed(), limit: 1 << 30, parts: make([]onePart, 10)}
	for i := range 10000 {
		action := graph.Ref{Label: graph.LabelAction, Key: fmt.Sprint("action", i)}
		put(t, p, []graph.Op{
			{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: graph.HasAction, From: graph.Ref{Label: graph.LabelSession, Key: "s"}, To: action}}},
			{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: graph.UsedTool, From: action, To: graph.Ref{Label: graph.LabelTool, Key: "t"}}}},
		})
	}
	for i := range p.parts {
		if has := len(p.parts[i].buffer); has > p.buffered/5 {
			t.Errorf("part %d of 10 has %d of %d bytes", i, has, p.buffered)
		}
	}
}

// The temporary file is nobody else's, has no name, and is made where it can be.
func TestUnnamedFile(t *testing.T) {
	dir := t.TempDir()
	f, err := unnamedFile([]string{filepath.Join(dir, "missing"), dir})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 && runtime.GOOS != "windows" {
		t.Errorf("it has a name: %v", left)
	}
	if _, err := unnamedFile([]string{filepath.Join(dir, "missing")}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error %v", err)
	}
}

// What a store should not hold is said, not lost.
func TestOpOfUnknownValue(t *testing.T) {
	op := graph.Op{Kind: graph.PutNode, Node: graph.Node{Props: []graph.Prop{{Name: "p", Value: []int{1}}}}}
	if _, err := appendOp(nil, &op); err == nil || !strings.Contains(err.Error(), "property p is a []int") {
		t.Errorf("error %v", err)
	}
}

// A damaged file is an error, never a panic or a wait.
func FuzzOpReader(f *testing.F) {
	ops := anyOps(rand.New(rand.NewPCG(1, 1)), 30)
	var all []byte
	for i := range ops {
		b, err := appendOp(nil, &ops[i])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		all = append(all, b...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		for r := (opReader{s: string(b)}); len(r.s) > 0 && r.err == nil; {
			before := len(r.s)
			op := r.next()
			if len(r.s) >= before {
				t.Fatal("it does not go on")
			}
			if r.err != nil {
				break
			}
			again, err := appendOp(nil, &op)
			if err != nil {
				t.Fatal(err)
			}
			second := opReader{s: string(again)}
			if got := second.next(); second.err != nil || len(second.s) > 0 || fmt.Sprint(got) != fmt.Sprint(op) {
				t.Fatalf("%v, then %v, %v", op, got, second.err)
			}
		}
	})
}
