package graph

import "github.com/actiongraph/actiongraph/schema"

// A property of an entity is a register. Several facts may set it; the least of
// them by (rank of its source, time, bytes) stands, whichever came first. That is a
// minimum, so the order of arrival cannot matter; and it is kept without the
// values, which is what keeps a folded session small: a fact that loses now would
// have lost in any order, a fact that wins brings its value with it.
//
// Two records of one event are two such facts: where they differ, the lesser stands
// property by property, and what only one of them says counts. To take back a whole
// record when a lesser one comes would need the texts of the others.
//
// Where the latest fact stands (a session's title and model, an agent's last message,
// a tag, the status of a task), the sign of its time is turned round.
//
// Properties that always come together are one class: they are won and lost as one.

// stamp orders the facts that set one register.
type stamp struct {
	time int64
	sum  uint64
	rank uint8
}

func (a stamp) less(b stamp) bool {
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	if a.time != b.time {
		return a.time < b.time
	}
	return a.sum < b.sum
}

// class is one bit: a group of properties of one entity.
type class uint32

// hold is what one fact holds of an entity.
type hold struct {
	time    int64
	sum     uint64
	classes class
	next    registers
}

// rankOf is where a hold keeps its rank among the classes.
const rankBits = 24

func newHold(st stamp, c class, next registers) hold {
	return hold{st.time, st.sum, c | class(st.rank)<<rankBits, next}
}

func (h *hold) stamp() stamp { return stamp{h.time, h.sum, uint8(h.classes >> rankBits)} }

func (h *hold) held() class { return h.classes & (1<<rankBits - 1) }

// registers says which fact holds which class of an entity: the number of the first of
// its holds, 0 where there is none.
type registers int32

// holds are those of all entities of a session.
type holds struct {
	blocks[hold]
	free registers
}

func (l *holds) at(r registers) *hold { return l.blocks.at(int32(r)) }

// take gives the classes that a fact stamped st wins of an entity, and those of them that
// another fact held until now.
func (l *holds) take(of *registers, st stamp, want class) (won, taken class) {
	same := registers(0)
	for link := of; *link != 0; {
		h := l.at(*link)
		if both := h.classes & want; both != 0 {
			if st.less(h.stamp()) {
				h.classes &^= both
				taken |= both
			} else {
				want &^= both
			}
		}
		if h.stamp() == st {
			same = *link
		}
		if h.held() == 0 {
			gone := *link
			*link = h.next
			h.next, l.free = l.free, gone
			continue
		}
		link = &h.next
	}
	switch {
	case want == 0:
	case same != 0 && l.at(same).held() != 0:
		l.at(same).classes |= want
	default:
		*of = l.add(newHold(st, want, *of))
	}
	return want, taken
}

func (l *holds) add(h hold) (r registers) {
	if r = l.free; r != 0 {
		l.free = l.at(r).next
	} else {
		r = registers(l.blocks.add())
	}
	*l.at(r) = h
	return r
}

// drop frees the holds of an entity.
func (l *holds) drop(of *registers) {
	for *of != 0 {
		h := l.at(*of)
		h.next, l.free, *of = l.free, *of, h.next
	}
}

// held reports whether any fact holds c of an entity.
func (l *holds) held(of registers, c class) bool {
	for ; of != 0; of = l.at(of).next {
		if l.at(of).classes&c != 0 {
			return true
		}
	}
	return false
}

// fnv is FNV-1a, 64 bits: stable across processes, unlike hash/maphash, which the
// comparison of a store with a later fold needs.
type fnv uint64

const fnvOffset fnv = 14695981039346656037

func (h fnv) str(s string) fnv { return mix(h, s) }

func mix[T string | []byte](h fnv, s T) fnv {
	for i := 0; i < len(s); i++ {
		h = (h ^ fnv(s[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211 // so that ("a","b") and ("ab","") differ
}

func (h fnv) num(n int64) fnv {
	for i := 0; i < 64; i += 8 {
		h = (h ^ fnv(byte(n>>i))) * 1099511628211
	}
	return h
}

// long hashes a text by its length, ends and middle: texts reach megabytes, and two
// records of one fact that differ only elsewhere do not occur (Event.InputHash
// covers the whole input).
func (h fnv) long(s string) fnv { return mixLong(h, s) }

func (h fnv) longBytes(s []byte) fnv { return mixLong(h, s) }

func mixLong[T string | []byte](h fnv, s T) fnv {
	if len(s) > 1536 {
		mid := len(s) / 2
		return mix(mix(mix(h.num(int64(len(s))), s[:512]), s[mid:mid+512]), s[len(s)-512:])
	}
	return mix(h, s)
}

// contentSum hashes what an event says, without its id and time: two hook calls with
// the same payload have the same sum.
func contentSum(e *schema.Event) uint64 {
	h := fnvOffset.str(string(e.EventType)).str(e.HookEventName).str(e.AgentID).str(e.AgentType).
		str(e.InputHash).str(e.PromptID).str(e.ToolName).str(e.ToolUseID).longBytes(e.ToolInput).
		longBytes(e.Result).str(e.ErrorType).long(e.ErrorMessage).str(e.Role).long(e.Content).
		str(e.Model).str(e.Status).str(e.Reason).str(e.Title).str(e.TaskID).str(e.MessageID).
		str(e.AgentName).str(e.FromAgent).str(e.ToAgent).str(e.WorkingDirectory).longBytes(e.Extra)
	if e.IsError {
		h = h.str("error")
	}
	if e.DurationMS != nil {
		h = h.num(int64(*e.DurationMS * 1000))
	}
	return uint64(h)
}

// recordSum breaks the tie of two records of one fact with the same time: it covers
// what contentSum leaves out.
func recordSum(e *schema.Event, content uint64) uint64 {
	h := fnv(content).str(e.EventID).longBytes(e.Metadata).num(e.Seq).str(e.Host).str(e.UserID).
		str(e.CausedBy).str(e.FrameID).str(e.Actor).str(e.ParentTaskID).str(string(e.Origin)).
		str(e.SourceSDK).str(e.PromptHash).str(e.ParentSessionID).str(e.ParentEventID).str(e.ParentAgentName)
	for _, tag := range e.Tags {
		h = h.str(tag)
	}
	for _, id := range e.RelatedTo {
		h = h.str(id)
	}
	// A subagent that is a fork of its parent repeats the parent's lines in its own file:
	// they are the main thread's.
	h &^= 1 << 63
	if e.AgentID != "" {
		h |= 1 << 63
	}
	return uint64(h)
}
