package diff

import (
	"slices"
	"sort"
	"time"
)

// alignment pairs the nodes of two lists, which are siblings.
type alignment struct {
	a, b     []*node
	partnerA []int // of each of a its partner in b, -1 for none
	partnerB []int
	crossed  map[int]bool // of a: paired with what stands elsewhere
}

// span is a part of both lists: [a0, a1) and [b0, b1).
type span struct{ a0, a1, b0, b1 int }

func (s span) empty() bool { return s.a0 == s.a1 || s.b0 == s.b1 }

// mostAnchorings bounds how often a part of a part is looked at for anchors. Each look is
// linear, so that lists made to have one anchor in each part cost no more than others.
const mostAnchorings = 48

// align pairs what is equal first, from both ends and by what is there once in both lists
// (the anchors of a patience diff), then what was asked for in equal words, then what ran at
// once in another order, and in what is left between these what is most alike.
func align(a, b []*node) *alignment {
	al := &alignment{a: a, b: b, partnerA: slices.Repeat([]int{-1}, len(a)), partnerB: slices.Repeat([]int{-1}, len(b))}
	al.anchor(span{0, len(a), 0, len(b)}, mostAnchorings)
	chain := al.chain()
	al.reorder(chain)
	last := span{}
	for _, i := range append(chain, len(a)) {
		last.a1, last.b1 = i, len(b)
		if i < len(a) {
			last.b1 = al.partnerA[i]
		}
		al.alike(last)
		last.a0, last.b0 = last.a1+1, last.b1+1
	}
	return al
}

func (al *alignment) pair(i, j int) { al.partnerA[i], al.partnerB[j] = j, i }

// chain lists those of a that have a partner; the anchors' partners are in order.
func (al *alignment) chain() (list []int) {
	for i, j := range al.partnerA {
		if j >= 0 {
			list = append(list, i)
		}
	}
	return list
}

func exactly(n *node) hash  { return n.exact }
func askedFor(n *node) hash { return n.asked }

// anchor pairs a span's equal ends and what is in both lists once.
func (al *alignment) anchor(s span, left int) {
	for !s.empty() && al.a[s.a0].exact == al.b[s.b0].exact {
		al.pair(s.a0, s.b0)
		s.a0, s.b0 = s.a0+1, s.b0+1
	}
	for !s.empty() && al.a[s.a1-1].exact == al.b[s.b1-1].exact {
		s.a1, s.b1 = s.a1-1, s.b1-1
		al.pair(s.a1, s.b1)
	}
	if s.empty() || left == 0 {
		return
	}
	anchors := al.unique(s, exactly)
	if len(anchors) == 0 {
		anchors = al.unique(s, askedFor)
	}
	if len(anchors) == 0 {
		return
	}
	for _, at := range append(anchors, [2]int{s.a1, s.b1}) {
		al.anchor(span{s.a0, at[0], s.b0, at[1]}, left-1)
		if at[0] < s.a1 {
			al.pair(at[0], at[1])
		}
		s.a0, s.b0 = at[0]+1, at[1]+1
	}
}

// unique returns the longest run of pairs, in the order of both lists, of what is in each
// once.
func (al *alignment) unique(s span, key func(*node) hash) [][2]int {
	type count struct{ a, b, i, j int }
	counts := make(map[hash]count, s.a1-s.a0)
	for i := s.a0; i < s.a1; i++ {
		c := counts[key(al.a[i])]
		c.a, c.i = c.a+1, i
		counts[key(al.a[i])] = c
	}
	for j := s.b0; j < s.b1; j++ {
		if c, in := counts[key(al.b[j])]; in {
			c.b, c.j = c.b+1, j
			counts[key(al.b[j])] = c
		}
	}
	var pairs [][2]int
	for i := s.a0; i < s.a1; i++ {
		if c := counts[key(al.a[i])]; c.a == 1 && c.b == 1 {
			pairs = append(pairs, [2]int{c.i, c.j})
		}
	}
	return longest(pairs)
}

// longest is the longest subsequence of pairs, which are sorted by their first, in which the
// second ones increase.
func longest(pairs [][2]int) [][2]int {
	var tails []int // of the runs of each length the pair with the least end
	before := make([]int, len(pairs))
	for k, p := range pairs {
		n := sort.Search(len(tails), func(n int) bool { return pairs[tails[n]][1] >= p[1] })
		if before[k] = -1; n > 0 {
			before[k] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, k)
		} else {
			tails[n] = k
		}
	}
	out := make([][2]int, len(tails))
	if len(tails) == 0 {
		return nil
	}
	for k, n := tails[len(tails)-1], len(tails)-1; n >= 0; k, n = before[k], n-1 {
		out[n] = pairs[k]
	}
	return out
}

// reorder pairs equal nodes that are in another order in both lists, where all that they
// changed places with ran at the same time: then the order is chance.
func (al *alignment) reorder(chain []int) {
	left := map[hash][]int{}
	for j, i := range al.partnerB {
		if i < 0 {
			left[al.b[j].exact] = append(left[al.b[j].exact], j)
		}
	}
	groupA, groupB := concurrent(al.a), concurrent(al.b)
	var found [][2]int // not paired before all are known: the chain is in order
	for i, n := range al.a {
		if al.partnerA[i] >= 0 {
			continue
		}
		list := left[n.exact]
		for k, j := range list {
			p := sort.Search(len(chain), func(k int) bool { return chain[k] > i })
			q := sort.Search(len(chain), func(k int) bool { return al.partnerA[chain[k]] > j })
			if p == q { // nothing is between them
				break
			}
			first, last := chain[min(p, q)], chain[max(p, q)-1]
			if groupA[first] == groupA[i] && groupA[last] == groupA[i] &&
				groupB[al.partnerA[first]] == groupB[j] && groupB[al.partnerA[last]] == groupB[j] {
				found = append(found, [2]int{i, j})
				left[n.exact] = slices.Delete(list, k, k+1)
				break
			}
			if k == mostAnchorings {
				break
			}
		}
	}
	al.crossed = make(map[int]bool, len(found))
	for _, p := range found {
		al.pair(p[0], p[1])
		al.crossed[p[0]] = true
	}
}

// concurrent numbers the groups of siblings of which each began before another had ended.
func concurrent(list []*node) []int {
	groups := make([]int, len(list))
	var end time.Time
	for i, n := range list {
		if i > 0 {
			groups[i] = groups[i-1]
			if !n.at.Before(end) {
				groups[i]++
			}
		}
		if n.end.After(end) {
			end = n.end
		}
	}
	return groups
}

// mostCells bounds the comparisons between two anchors: of longer gaps only what is near
// the diagonal is compared.
const mostCells = 1 << 21

// alike pairs the rest of a span so that the sum of their likenesses is greatest.
func (al *alignment) alike(s span) {
	var a, b []int
	for i := s.a0; i < s.a1; i++ {
		if al.partnerA[i] < 0 {
			a = append(a, i)
		}
	}
	for j := s.b0; j < s.b1; j++ {
		if al.partnerB[j] < 0 {
			b = append(b, j)
		}
	}
	if len(a) == 0 || len(b) == 0 {
		return
	}
	t := newTrellis(len(a), len(b))
	t.fill(func(i, j int) float32 { return likeness(al.a[a[i]], al.b[b[j]]) })
	t.walk(func(i, j int) { al.pair(a[i], b[j]) })
}

// leastAlike is how much the inputs of two calls of one tool have in common, at least, for
// one to be the other changed.
const leastAlike = 0.25

// likeness is 0 of two nodes that are never a pair.
func likeness(x, y *node) float32 {
	switch {
	case x.kind != y.kind || x.tool != y.tool || x.kind == kindTurn && (x.turn == 0) != (y.turn == 0):
		return 0
	case x.exact == y.exact:
		return 4
	case x.asked == y.asked:
		return 3
	}
	like := x.words.like(&y.words)
	if x.kind == kindCall && like < leastAlike {
		return 0
	}
	return 0.5 + float32(like)
}
