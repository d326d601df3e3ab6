package graph

import (
	"math"
	"slices"
	"sort"
)

// The prompts of the main thread are numbered as a lane is ordered: by time, source line
// and key, so that prompts of one instant have numbers of their own. Every other action
// is in the turn of the last prompt that is not later, in time and line, than it is.

// turnStart is a prompt of the main thread, where it was when it was numbered.
type turnStart struct {
	when
	i int32
}

func (w when) less(o when) bool {
	return w.own < o.own || w.own == o.own && w.seq < o.seq
}

// isPrompt reports an action that begins a turn.
func (s *Session) isPrompt(i int32) bool {
	return s.actions.at(i).lane == 0 && actionTypes[s.actions.at(i).typ] == UserMessage
}

// promptsBefore counts the prompts that are before the prompt i at w.
func (s *Session) promptsBefore(w when, i int32) int {
	return sort.Search(len(s.turns), func(k int) bool {
		t := s.turns[k]
		if t.when != w {
			return w.less(t.when)
		}
		return string(s.actions.at(t.i).key[:]) >= string(s.actions.at(i).key[:])
	})
}

// promptsUntil counts the prompts that are not later than w.
func (s *Session) promptsUntil(w when) int {
	return sort.Search(len(s.turns), func(k int) bool { return w.less(s.turns[k].when) })
}

// setTurns numbers i and, of a call, what takes its turn from it.
func (s *Session) setTurns(i int32) {
	s.setTurn(i)
	if actionTypes[s.actions.at(i).typ] != ToolCall {
		return
	}
	for k := s.actions.at(i).child; k != 0; k = s.actions.at(k).next {
		s.setTurn(k)
	}
}

// setTurn numbers i by the prompts of the main thread before it. Subagents' actions
// have no turn: a background agent runs through several.
func (s *Session) setTurn(i int32) {
	a := s.actions.at(i)
	turn := int32(0)
	if a.lane == 0 && a.has(isLinked) {
		turn = int32(s.turnOf(i))
	}
	if turn == a.turn {
		return
	}
	a.turn = turn
	if turn == 0 {
		s.put(i, Prop{"turn", nil})
	} else {
		s.put(i, Prop{"turn", int64(turn)})
	}
}

// turnOf returns the number of the turn that i, in the main thread, is in. What belongs
// to a call is in its call's.
func (s *Session) turnOf(i int32) int {
	a := s.actions.at(i)
	switch actionTypes[a.typ] {
	case UserMessage:
		return s.promptsBefore(when{a.own, a.seq}, i) + 1
	case ToolResult, PermissionRequest, StructuredOutput:
		if a.parent != 0 && s.actions.at(a.parent).lane == 0 {
			a = s.actions.at(a.parent)
		}
	}
	return s.promptsUntil(when{a.own, a.seq})
}

// moveTurn replaces the place of the prompt i (time 0: none) by another and numbers what
// lies between them again. What is before both, or after both, keeps its number: a prompt
// that comes last changes nobody's.
func (s *Session) moveTurn(i int32, from, to when) {
	if from == to {
		return
	}
	if from.own != 0 {
		k := s.promptsBefore(from, i)
		s.turns = slices.Delete(s.turns, k, k+1)
	}
	if to.own != 0 {
		s.turns = slices.Insert(s.turns, s.promptsBefore(to, i), turnStart{to, i})
	}
	first, last := from, to
	if last.less(first) {
		first, last = last, first
	}
	if first.own == 0 {
		first, last = last, when{math.MaxInt64, math.MaxInt64}
	}
	for _, k := range s.span(&s.lanes[0].chain, first, last) {
		s.setTurns(k)
	}
}
