package connector

import (
	"container/list"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// fold is the state of one session's fold at a position of its file.
type fold struct {
	session    *graph.Session
	at         schema.Position
	events     int
	used       time.Time
	complained bool          // about a line of this file
	place      *list.Element // in folds.order, while it is kept
}

// keptSession is what a state that is kept costs beside its events, in events: with its
// maps, a session of two takes as much memory as 20 more of a long one.
const keptSession = 20

func (f *fold) cost() int { return f.events + keptSession }

// growing is how often a session went on before its state is worth more room than
// others': what was caught up with once is not asked for again.
const growing = 3

// folds keeps the states of the sessions that live. One that is not kept is made
// again by folding the file from its beginning, which costs time but is always
// right.
type folds struct {
	kept  map[string]*fold
	order list.List      // of the ids of what is kept, least recently used first
	cost  int            // of all kept: what their memory is proportional to
	went  map[string]int // how often each session went on from where it was, since idle ones were dropped
}

// take removes and returns the state of a session at a position, or nil. Taken,
// it is its user's alone: whoever fails half way leaves no wrong state behind. A
// state at another position is one whose ops did not reach the store.
func (f *folds) take(session string, at schema.Position) *fold {
	if at != (schema.Position{}) {
		if f.went == nil {
			f.went = map[string]int{}
		}
		f.went[session]++
	}
	state := f.kept[session]
	if state == nil {
		return nil
	}
	f.drop(session)
	if state.at != at || at == (schema.Position{}) {
		return nil
	}
	return state
}

// put keeps a state, and drops those least recently used that are then too many: more
// than limit, or, of those that grow all the time, than live. Two long sessions that grow
// in turns would each be folded from its beginning with every line of the other.
func (f *folds) put(session string, state *fold, limit, live int) {
	if f.kept == nil {
		f.kept = map[string]*fold{}
	}
	f.drop(session)
	state.used, state.place = time.Now(), f.order.PushBack(session)
	f.kept[session] = state
	f.cost += state.cost()
	for e := f.order.Front(); e != nil && f.cost > limit && len(f.kept) > 1; {
		next, id := e.Next(), e.Value.(string)
		if f.went[id] < growing {
			f.drop(id)
		}
		e = next
	}
	for f.cost > live && len(f.kept) > 1 {
		f.drop(f.order.Front().Value.(string))
	}
}

// dropIdle drops the states that were not used since.
func (f *folds) dropIdle(since time.Time) {
	for session, state := range f.kept {
		if state.used.Before(since) {
			f.drop(session)
		}
	}
	for session := range f.went {
		if f.kept[session] == nil {
			delete(f.went, session)
		}
	}
}

func (f *folds) drop(session string) {
	if state := f.kept[session]; state != nil {
		f.cost -= state.cost()
		f.order.Remove(state.place)
		delete(f.kept, session)
	}
}
