package graph

import (
	"cmp"
	"slices"
	"time"
)

// sameFact is how far apart two hook calls with one payload may be received and
// still be one fact: two registrations of one hook.
const sameFact = int64(500 * time.Millisecond)

// span is one fact: the times, each at most sameFact after the one before, at which
// it was received.
type span struct {
	first, last int64
	times       []int64 // all, sorted; nil where it is one
}

// receive adds the time of a hook's fact without a key to spans, which are sorted and apart,
// and returns the first that changed. Of records that differ in their time alone, which one event
// has that was sent again, the first time stands, in whichever order they come.
func (s *Session) receive(spans []span, f *fact) (_ []span, from int) {
	old := s.receivedBefore(f)
	switch {
	case old == 0:
		return addSpan(spans, f.at)
	case old <= f.at:
		return spans, len(spans)
	}
	spans, from = removeTime(spans, old)
	spans, k := addSpan(spans, f.at)
	return spans, min(from, k)
}

// receivedBefore returns the least time of the records that were folded before f and differ from
// it in their time alone, 0 if there is none.
func (s *Session) receivedBefore(f *fact) int64 {
	if !f.asked {
		f.before, f.asked = s.received[f.sum], true
		if f.before == 0 || f.at < f.before {
			s.received[f.sum] = f.at
		}
	}
	return f.before
}

// addSpan adds a receive time, and returns the first span that changed.
func addSpan(spans []span, t int64) (_ []span, k int) {
	k, _ = slices.BinarySearchFunc(spans, t, func(sp span, t int64) int { return cmp.Compare(sp.last+sameFact, t) })
	if k == len(spans) || t < spans[k].first-sameFact {
		return slices.Insert(spans, k, span{first: t, last: t}), k
	}
	times := spans[k].all()
	n, _ := slices.BinarySearch(times, t)
	times = slices.Insert(times, n, t)
	if k+1 < len(spans) && spans[k+1].first-times[len(times)-1] <= sameFact {
		times = append(times, spans[k+1].all()...)
		spans = slices.Delete(spans, k+1, k+2)
	}
	spans[k] = spanOf(times)
	return spans, k
}

// removeTime takes out a receive time that is there, and returns the first span that changed.
func removeTime(spans []span, t int64) (_ []span, k int) {
	k, _ = slices.BinarySearchFunc(spans, t, func(sp span, t int64) int { return cmp.Compare(sp.last, t) })
	times := spans[k].all()
	n, _ := slices.BinarySearch(times, t)
	times = slices.Delete(times, n, n+1)
	var apart []span
	for from, i := 0, 1; i <= len(times); i++ {
		if i == len(times) || times[i]-times[i-1] > sameFact {
			apart = append(apart, spanOf(slices.Clone(times[from:i])))
			from = i
		}
	}
	return slices.Replace(spans, k, k+1, apart...), k
}

func spanOf(times []int64) span {
	sp := span{first: times[0], last: times[len(times)-1]}
	if len(times) > 1 {
		sp.times = times
	}
	return sp
}

func (sp span) all() []int64 {
	if sp.times == nil {
		return []int64{sp.first}
	}
	return sp.times
}
