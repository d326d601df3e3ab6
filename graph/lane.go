package graph

import (
	"math"
	"slices"
	"sort"
)

// chain holds the actions of one lane in their order. Blocks keep a late insert
// cheap however long the lane is: it moves at most one block.
type chain struct{ blocks [][]int32 }

const blockSize = 512

// before orders the actions of a lane: effective time, least source line, key.
func (s *Session) before(i, j int32) bool {
	a, b := s.actions.at(i), s.actions.at(j)
	if a.eff != b.eff {
		return a.eff < b.eff
	}
	if a.seq != b.seq {
		return a.seq < b.seq
	}
	return string(a.key[:]) < string(b.key[:])
}

// find returns the place of the first action that is not before i.
func (s *Session) find(c *chain, i int32) (block, at int) {
	// Appending is the common case: skip the search.
	if n := len(c.blocks); n > 0 {
		last := c.blocks[n-1]
		if s.before(last[len(last)-1], i) {
			return n - 1, len(last)
		}
	}
	block = sort.Search(len(c.blocks), func(b int) bool {
		last := c.blocks[b]
		return !s.before(last[len(last)-1], i)
	})
	if block == len(c.blocks) {
		return block, 0
	}
	at = sort.Search(len(c.blocks[block]), func(k int) bool { return !s.before(c.blocks[block][k], i) })
	return block, at
}

// insert puts i in its place and returns its neighbours, 0 where there is none.
func (s *Session) insert(c *chain, i int32) (prev, next int32) {
	block, at := s.find(c, i)
	if block == len(c.blocks) {
		c.blocks = append(c.blocks, make([]int32, 0, 8))
	}
	prev, next = c.neighbours(block, at-1, at)
	b := slices.Insert(c.blocks[block], at, i)
	c.blocks[block] = b
	if len(b) > blockSize {
		// A full last block that was appended to stays full: sessions mostly grow.
		cut := blockSize / 2
		if at == len(b)-1 {
			cut = blockSize
		}
		rest := append(make([]int32, 0, blockSize+1), b[cut:]...)
		c.blocks[block] = slices.Clip(b[:cut])
		c.blocks = slices.Insert(c.blocks, block+1, rest)
	}
	return prev, next
}

// remove takes i, whose order has not changed since it was inserted, out and
// returns the neighbours it had.
func (s *Session) remove(c *chain, i int32) (prev, next int32) {
	block, at := s.find(c, i)
	prev, next = c.neighbours(block, at-1, at+1)
	b := slices.Delete(c.blocks[block], at, at+1)
	if len(b) == 0 {
		c.blocks = slices.Delete(c.blocks, block, block+1)
	} else {
		c.blocks[block] = b
	}
	return prev, next
}

func (c *chain) neighbours(block, before, after int) (prev, next int32) {
	switch {
	case before >= 0:
		prev = c.blocks[block][before]
	case block > 0:
		b := c.blocks[block-1]
		prev = b[len(b)-1]
	}
	switch {
	case after < len(c.blocks[block]):
		next = c.blocks[block][after]
	case block+1 < len(c.blocks):
		next = c.blocks[block+1][0]
	}
	return prev, next
}

// between returns the actions whose effective time is at least t and less than end,
// in order.
func (s *Session) between(c *chain, t, end int64) []int32 {
	return s.span(c, when{t, math.MinInt64}, when{end - 1, math.MaxInt64})
}

// span returns the actions from one effective time and source line to another, those
// of both included, in order.
func (s *Session) span(c *chain, from, to when) []int32 {
	at := func(i int32) when { return when{s.actions.at(i).eff, s.actions.at(i).seq} }
	first := sort.Search(len(c.blocks), func(b int) bool {
		blk := c.blocks[b]
		return !at(blk[len(blk)-1]).less(from)
	})
	var out []int32
	for _, blk := range c.blocks[first:] {
		begin := sort.Search(len(blk), func(k int) bool { return !at(blk[k]).less(from) })
		end := sort.Search(len(blk), func(k int) bool { return to.less(at(blk[k])) })
		out = append(out, blk[begin:end]...)
		if end < len(blk) {
			break
		}
	}
	return out
}
