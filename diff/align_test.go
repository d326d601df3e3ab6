package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// calls makes one call a name, each a second long and a second after the one before; what is
// behind = is what it gave.
func calls(names ...string) (list []*node) {
	none := &neutral{places: strings.NewReplacer()}
	for i, name := range names {
		input, result, _ := strings.Cut(name, "=")
		n := &node{kind: kindCall, tool: "Bash", at: epoch.Add(time.Duration(2*i) * time.Second)}
		n.end = n.at.Add(time.Second)
		n.add(none, "input.command", input, false)
		n.add(none, "result", result, false)
		n.finish(1)
		list = append(list, n)
	}
	return list
}

// Whatever the lists, partners are one to one, of one kind, and in order, and what is equal
// at the beginning of both is paired.
func TestAlignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c=1", "c=2", "d=x", "d=y", "long one two three", "long one two four"}), 0, 12)
		a, b := calls(names.Draw(t, "a")...), calls(names.Draw(t, "b")...)
		al := align(a, b)
		last, paired := -1, 0
		for i, j := range al.partnerA {
			if j < 0 {
				continue
			}
			paired++
			if al.partnerB[j] != i || j <= last {
				t.Fatalf("partners %v and %v", al.partnerA, al.partnerB)
			}
			if likeness(a[i], b[j]) == 0 {
				t.Fatalf("%d and %d have nothing in common", i, j)
			}
			last = j
		}
		if n := len(al.partnerB) - count(al.partnerB, -1); n != paired {
			t.Fatalf("%d partners of a, %d of b", paired, n)
		}
		ends := 0
		for ends < min(len(a), len(b)) && a[ends].exact == b[ends].exact {
			if al.partnerA[ends] != ends {
				t.Fatalf("the equal beginning is not paired: %v", al.partnerA)
			}
			ends++
		}
	})
}

func count(list []int, v int) (n int) {
	for _, x := range list {
		if x == v {
			n++
		}
	}
	return n
}

func TestAlignmentOf(t *testing.T) {
	for _, c := range []struct {
		a, b []string
		want []int
	}{
		{[]string{"x", "y", "z"}, []string{"x", "z"}, []int{0, -1, 1}},
		{[]string{"x", "y=1", "z"}, []string{"x", "y=2", "z"}, []int{0, 1, 2}},                // another result
		{[]string{"x", "make a b c d", "z"}, []string{"make a b c e", "q"}, []int{-1, 0, -1}}, // another input
		{[]string{"x", "y", "z"}, []string{"z", "y", "x"}, []int{-1, -1, 0}},                  // the order is not chance
		{[]string{"x", "x", "x", "y", "x"}, []string{"x", "x", "y", "x"}, []int{0, 1, -1, 2, 3}},
		{[]string{"go test=1", "edit", "go test=2"}, []string{"go test=1", "edit", "edit", "go test=3"}, []int{0, 1, 3}},
		{nil, []string{"x"}, []int{}},
	} {
		if al := align(calls(c.a...), calls(c.b...)); !slices.Equal(al.partnerA, c.want) {
			t.Errorf("%q and %q: %v, want %v", c.a, c.b, al.partnerA, c.want)
		}
	}
}

// What ran at once is paired in any order, unless it changed places with what did not.
func TestAtOnce(t *testing.T) {
	at := func(list []*node, seconds ...int) []*node {
		for i, s := range seconds {
			list[i].at = epoch.Add(time.Duration(s) * time.Second)
			list[i].end = list[i].at.Add(5 * time.Second)
		}
		return list
	}
	a, b := at(calls("x", "y", "z"), 0, 1, 2), at(calls("z", "x", "y"), 0, 1, 2)
	if al := align(a, b); !slices.Equal(al.partnerA, []int{1, 2, 0}) {
		t.Errorf("three at once: %v", al.partnerA)
	}
	b = at(calls("z", "x", "y"), 0, 10, 11)
	if al := align(a, b); !slices.Equal(al.partnerA, []int{1, 2, -1}) {
		t.Errorf("one before the others: %v", al.partnerA)
	}
}

// Long lists of the worst kinds take a moment, and are paired all the same.
func TestLongLists(t *testing.T) {
	const n = 4_000
	name := func(f func(i int) string) (names []string) {
		for i := range n {
			names = append(names, f(i))
		}
		return names
	}
	distinct := name(func(i int) string { return fmt.Sprintf("run%d now%d", i, i) })
	reversed := slices.Clone(distinct)
	slices.Reverse(reversed)
	shuffled := slices.Clone(distinct)
	rand.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, c := range []struct {
		name  string
		a, b  []string
		least int
	}{
		{"equal", name(func(int) string { return "x" }), name(func(int) string { return "x" })[:n-1], n - 1},
		{"out of step", name(func(i int) string { return fmt.Sprint(i % 2) }), name(func(i int) string { return fmt.Sprint((i + 1) % 2) }), n - 1},
		{"different", distinct, name(func(i int) string { return fmt.Sprintf("other%d what%d", i, i) }), 0},
		{"reversed", distinct, reversed, 1},
		{"shuffled", distinct, shuffled, 90}, // a random order of n has an increasing run of about 2 sqrt n
		{"other results", name(func(i int) string { return fmt.Sprintf("cmd%d=1", i) }), name(func(i int) string { return fmt.Sprintf("cmd%d=2", i) }), n},
		{"one word alike", name(func(i int) string { return fmt.Sprintf("cmd=a%d", i) }), name(func(i int) string { return "cmd=b" }), n / 2},
	} {
		al := align(calls(c.a...), calls(c.b...))
		if got := len(c.a) - count(al.partnerA, -1); got < c.least {
			t.Errorf("%s: %d pairs, at least %d", c.name, got, c.least)
		}
	}
}
