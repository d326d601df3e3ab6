package connector

import (
	"errors"
	"sync/atomic"
	"time"
)

const (
	// maxPart bounds one session's share of a transaction, in events: what they change is
	// in memory at once, texts included. Of 2,500, an import of 1 GB in one session writes an
	// eighth less to the disk, in as much CPU time, and peaks at 196 MB instead of 176.
	maxPart = 1000
	// maxSessions bounds the sessions of one transaction: each brings its nodes, its
	// edges and a batch, however few its events are.
	maxSessions = 500
	// leastEvents is what a transaction is not halved below: a store that has no time for
	// so few has none for anything.
	leastEvents = 15
	// fruitless is how often a Sync waits in vain for a store that took nothing yet: one
	// that hangs is not to be waited for as often as a transaction can be halved.
	fruitless = 3
)

// size is how many events a store has time for in one transaction, 0 for as many as it
// may have. What was not done within ApplyTimeout would not be the next time either, for
// ever; halved, it is some day. The writing goroutine changes it, the folding one reads it.
type size struct {
	most atomic.Int64
	less int // halvings in a row
}

// of is a bound as it is now.
func (s *size) of(bound int) int {
	if most := int(s.most.Load()); most > 0 {
		return min(most, bound)
	}
	return bound
}

// halve notes that a transaction took too long.
func (s *size) halve(events int) {
	if half := events / 2; half >= leastEvents {
		s.most.Store(int64(half))
		s.less++
	}
}

// took notes how long a transaction took: one of twice the size, where that was far from
// too long, is tried next. A small one tells nothing of large ones.
func (s *size) took(events int, d, limit time.Duration) {
	s.less = 0
	if most := s.most.Load(); most > 0 && int64(events) >= most/2 && d < limit/4 {
		s.most.Store(2 * most)
	}
}

// worthwhile reports whether a pass that failed, err, is worth another one at once: its
// transactions will be smaller.
func (s *size) worthwhile(err error) bool {
	var late *timeoutError
	return errors.As(err, &late) && late.doing == "finish" && s.less > 0 && s.less < fruitless
}

// full reports whether a part, or the transaction with it, is as large as it may be.
func (f *folding) full(p *part) bool {
	events, bytes := p.counts.Events, p.bytes
	if events >= f.size.of(maxPart) {
		return true
	}
	if f.tx != nil {
		events, bytes = events+f.tx.counts.Events, bytes+f.tx.bytes
	}
	return events >= f.size.of(f.MaxEvents) || bytes >= f.MaxBytes
}
