package graph

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Claude Code's PermissionRequest names no tool call. It asks for one call of its
// lane with the same tool and input; in the order of time each request claims the
// earliest call that no other claimed. With a host that answers at once the request
// may arrive after the result (facts/agent-hooks-observed.md §1.3).

// lateRequest is how much older than a request the result of its call may be.
const lateRequest = int64(2 * time.Second)

// claimable is the calls that the requests of one lane for one tool and input may
// claim. A command may be asked for ten thousand times, so requests settle: those
// before settled keep their calls until something before them changes.
type claimable struct {
	calls   []int32 // in the order of time
	settled int
	// Calls before spent are claimed by settled requests, or ended too long before any
	// other; taken are those from there on that settled requests claimed.
	spent int
	taken map[int32]bool
}

// unsettled is how many requests stay open at least: facts of parallel calls overtake
// each other.
const unsettled = 32

func (c *claimable) unsettle() { c.settled, c.spent, c.taken = 0, 0, nil }

// inputKey tells calls apart by lane, tool and input.
func inputKey(lane int32, tool string, hash uint64) uint64 {
	return uint64(fnvOffset.num(int64(lane)).str(tool).num(int64(hash)))
}

// asked is when the call was made, as far as facts tell.
func (s *Session) asked(i int32) int64 {
	if c := s.callOf(i); c.startRank != 0 {
		return c.started
	}
	return s.actions.at(i).own
}

// extent is what decides which requests a call may answer.
type extent struct{ asked, ended int64 }

func (s *Session) extent(i int32) extent { return extent{s.asked(i), s.callOf(i).ended} }

// changed returns the time of the earliest request that may claim another call when
// was becomes now.
func (was extent) changed(now extent) int64 {
	t := int64(math.MaxInt64)
	if was.asked != now.asked {
		t = min(was.asked, now.asked)
	}
	if was.ended != now.ended {
		for _, e := range []int64{was.ended, now.ended} {
			if e != 0 {
				t = min(t, e+lateRequest)
			}
		}
	}
	return t
}

// shareInput keeps i, whose extent was another, in the list of calls that have its
// input, and lets requests for that input look at it again.
func (s *Session) shareInput(i int32, was extent) {
	if s.inputs == nil {
		return // nobody asks for permission
	}
	c := s.callOf(i)
	in := inputKey(s.actions.at(i).lane, s.tools[c.tool], c.hash)
	if c.input == in {
		if now := s.extent(i); now != was {
			s.moveClaimable(i, was.changed(now), was.asked != now.asked)
		}
		return
	}
	if c.input != 0 {
		old := s.inputs[c.input]
		s.inputs[c.input] = slices.DeleteFunc(old, func(k int32) bool { return k == i })
		if g := s.asking[c.input]; g != nil {
			g.calls.remove(i)
			s.reclaim(g, was.asked)
		}
	}
	c.input = in
	s.inputs[in] = append(s.inputs[in], i)
	if g := s.asking[in]; g != nil {
		s.insertClaimable(&g.calls, i)
		s.reclaim(g, s.asked(i))
	}
}

// shareInputs begins to keep the calls by their inputs, with the first request: many a
// session has none, and a million calls.
func (s *Session) shareInputs() {
	s.inputs = map[uint64][]int32{}
	for i := int32(1); i <= s.actions.n; i++ {
		if c := s.callOf(i); c.startRank != 0 || c.ended != 0 {
			c.input = inputKey(s.actions.at(i).lane, s.tools[c.tool], c.hash)
			s.inputs[c.input] = append(s.inputs[c.input], i)
		}
	}
}

// openClaims begins to keep the calls of an input in order, for requests.
func (s *Session) openClaims(g *claimGroup, in uint64) {
	if s.inputs == nil {
		s.shareInputs()
	}
	s.asking[in] = g
	g.calls.calls = slices.Clone(s.inputs[in])
	slices.SortFunc(g.calls.calls, s.compareAsked)
}

func (s *Session) compareAsked(x, y int32) int {
	a, b := s.actions.at(x), s.actions.at(y)
	return cmp.Or(cmp.Compare(s.asked(x), s.asked(y)), slices.Compare(a.key[:], b.key[:]))
}

func (s *Session) moveClaimable(i int32, from int64, moved bool) {
	g := s.asking[s.callOf(i).input]
	if g == nil {
		return
	}
	if moved {
		g.calls.remove(i)
		s.insertClaimable(&g.calls, i)
	}
	s.reclaim(g, from)
}

func (c *claimable) remove(i int32) {
	for k, j := range slices.Backward(c.calls) {
		if j == i {
			c.calls = slices.Delete(c.calls, k, k+1)
			if k < c.spent {
				c.unsettle()
			}
			return
		}
	}
}

func (s *Session) insertClaimable(c *claimable, i int32) {
	k, _ := slices.BinarySearchFunc(c.calls, i, s.compareAsked)
	c.calls = slices.Insert(c.calls, k, i)
	if k < c.spent {
		c.unsettle()
	}
}

// reclaim lets the requests of g from a time on claim again.
func (s *Session) reclaim(g *claimGroup, from int64) {
	n := len(g.nodes)
	if n == 0 || s.actions.at(g.nodes[n-1]).own < from {
		return
	}
	if k := g.calls.settled; k > 0 && s.actions.at(g.nodes[k-1]).own >= from {
		g.calls.unsettle()
	}
	s.claimCalls(g)
}

// claimCalls gives the requests of a group that are not settled their calls.
func (s *Session) claimCalls(g *claimGroup) {
	c := &g.calls
	claimed := map[int32]bool{}
	for _, i := range g.nodes[min(c.settled, len(g.nodes)):] {
		call := s.earliest(c, s.actions.at(i).own, claimed)
		claimed[call] = true
		s.claimCall(i, call)
	}
	if len(g.nodes)-c.settled > 2*unsettled {
		s.settleClaims(g)
	}
}

// earliest returns the first call that nobody claimed, that was asked for before a
// request at time t, and whose result is not too old for it; 0 if there is none.
func (s *Session) earliest(c *claimable, t int64, claimed map[int32]bool) int32 {
	for _, i := range c.calls[c.spent:] {
		if s.asked(i) > t {
			break
		}
		if ended := s.callOf(i).ended; !claimed[i] && !c.taken[i] && (ended == 0 || ended >= t-lateRequest) {
			return i
		}
	}
	return 0
}

// settleClaims settles all but the last requests of a group.
func (s *Session) settleClaims(g *claimGroup) {
	c := &g.calls
	if c.taken == nil {
		c.taken = map[int32]bool{}
	}
	for ; len(g.nodes)-c.settled > unsettled; c.settled++ {
		if call := s.actions.at(g.nodes[c.settled]).parent; call != 0 {
			c.taken[call] = true
		}
	}
	next := s.actions.at(g.nodes[c.settled]).own
	for ; c.spent < len(c.calls); c.spent++ {
		i := c.calls[c.spent]
		ended := s.callOf(i).ended
		tooOld := ended != 0 && ended < next-lateRequest
		if !c.taken[i] && !tooOld {
			break
		}
		delete(c.taken, i)
	}
}

func (s *Session) claimCall(i, call int32) {
	old := s.actions.at(i).parent
	if old != call {
		s.setParent(i, call)
		if old != 0 {
			s.callOf(old).permission--
			s.settleCall(old)
		}
		if call != 0 {
			s.callOf(call).permission++
			s.settleCall(call)
		}
	}
	s.setUnplaced(i, call == 0)
	s.childStatus(i)
}
