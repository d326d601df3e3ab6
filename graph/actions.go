package graph

import (
	"encoding/binary"

	"github.com/actiongraph/actiongraph/schema"
)

// action is the folded state of one Action node. It is small, because a session may have
// a million, and has no pointers.
type action struct {
	key schema.Key
	own int64 // the least time any of its facts carries; 0 is none yet
	eff int64 // max(own, parent's eff + 1): never before its cause
	seq int64 // the least source line of its facts, 0 if they have none

	parent, child, next, prev int32 // parent, first child, siblings: see attach
	lane                      int32
	turn                      int32
	more                      int32 // what a tool call, or a model call with usage, has beside this
	regs                      registers
	handle                    handle // among changes, from 1

	typ    uint8 // index into ActionTypes
	status uint8 // index into statuses
	flags  flags
}

type flags uint8

const (
	isLinked   flags = 1 << iota // in its lane's chain
	inLane                       // its parent is its lane's subagent_start
	isUnplaced                   // parent_unknown is set
	isThought                    // a message that is no answer
	inFile                       // a model call: a transcript states its usage
	isFinal                      // and a fact says why the answer ended: its figures are the last
	isLoose                      // only records of one event tell of it, and none of them what it ends: see told
	isHeld                       // its parent holds it back: its own time is not after the parent's
)

func (a *action) has(f flags) bool { return a.flags&f != 0 }

func (a *action) set(f flags, on bool) {
	if a.flags &^= f; on {
		a.flags |= f
	}
}

// call is what an action has that is a tool call.
type call struct {
	started int64 // when it was asked for
	ended   int64
	took    int64  // the derived duration that is shown, ns
	hash    uint64 // of the input
	input   uint64 // lane, tool and input
	tool    int32
	inputOf int32 // the tool that the input was given to

	evidence   evidence
	permission uint16 // permission requests among its children
	startRank  uint8
	endRank    uint8
	file       bool // its READ or WROTE edge is there
	waiting    bool // in its lane's list of calls without an end
	never      bool // never_ran is set
	spawns     bool // a subagent names it as the call that spawned it
}

// actionList is the folded actions of a session, by number; 0 is none.
type actionList struct {
	blocks[action]
	free  []int32
	slots []int32 // numbers by the hash of their key; 0 is empty, freed one that was taken
	used  int     // slots that are not empty
}

const freed = -1

// add returns the number of a new action, which has nothing but its key.
func (l *actionList) add(key schema.Key) (i int32) {
	if k := len(l.free); k > 0 {
		i, l.free = l.free[k-1], l.free[:k-1]
	} else {
		i = l.blocks.add()
	}
	*l.at(i) = action{key: key}
	l.enter(i)
	return i
}

// find returns the number of the action with a key, 0 where there is none.
func (l *actionList) find(key schema.Key) int32 {
	if len(l.slots) == 0 {
		return 0
	}
	for at := l.slot(key); l.slots[at] != 0; at = (at + 1) % len(l.slots) {
		if i := l.slots[at]; i != freed && l.at(i).key == key {
			return i
		}
	}
	return 0
}

// drop frees the number of an action.
func (l *actionList) drop(i int32) {
	a := l.at(i)
	for at := l.slot(a.key); ; at = (at + 1) % len(l.slots) {
		if l.slots[at] == i {
			l.slots[at] = freed
			break
		}
	}
	*a = action{}
	l.free = append(l.free, i)
}

// enter makes an action be found.
func (l *actionList) enter(i int32) {
	if 4*(l.used+1) > 3*len(l.slots) {
		l.grow()
		return // with i
	}
	at := l.slot(l.at(i).key)
	for l.slots[at] != 0 {
		at = (at + 1) % len(l.slots)
	}
	l.slots[at] = i
	l.used++
}

func (l *actionList) grow() {
	l.slots, l.used = make([]int32, max(16, 2*(int(l.n)-len(l.free)))), 0
	for i := int32(1); i <= l.n; i++ {
		if l.at(i).key != (schema.Key{}) {
			l.enter(i)
		}
	}
}

// slot is where a key belongs. Keys are hashes.
func (l *actionList) slot(key schema.Key) int {
	return int(binary.LittleEndian.Uint64(key[:]) % uint64(len(l.slots)))
}
