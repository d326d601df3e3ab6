package history

import (
	"bytes"
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// window is how many bytes of records Sorted holds at a time: one that was recorded out of
// order, as a transcript that is imported behind its hooks, is read once for each of them.
const window = 64 << 20

// place is where a record is in the logical order, and in its file.
type place struct {
	Point
	line int    // its number in the segment, from 0
	size int    // in bytes
	sum  uint64 // of its bytes
}

// Sorted passes the events of the history to yield in their logical order, ancestors first:
// of an event that has several records the first, as the fold has it. The record is valid
// until yield returns.
func (l *Log) Sorted(ctx context.Context, yield func(segment int, r *Record) error) error {
	return l.sorted(ctx, func(a, b place) bool { return a.event == b.event }, yield)
}

// All is Sorted with every record that differs: all that a fold takes, in an order that does
// not depend on who wrote them first.
func (l *Log) All(ctx context.Context, yield func(segment int, r *Record) error) error {
	return l.sorted(ctx, func(a, b place) bool { return a.event == b.event && a.size == b.size && a.sum == b.sum }, yield)
}

// sorted passes the records to yield of which one stands for all that are the same.
func (l *Log) sorted(ctx context.Context, same func(a, b place) bool, yield func(segment int, r *Record) error) error {
	for i, s := range l.Segments {
		places, err := l.places(ctx, s, same)
		if err != nil {
			return err
		}
		for len(places) > 0 {
			n, held := 0, 0
			for n < len(places) && (n == 0 || held+places[n].size <= window) {
				held += places[n].size
				n++
			}
			lines, err := l.lines(ctx, s, places[:n])
			if err != nil {
				return err
			}
			if err := l.yield(ctx, i, s.Session, lines, yield); err != nil {
				return err
			}
			places = places[n:]
		}
	}
	return nil
}

// places returns where the records of a segment are, sorted, of those that are the same the
// first.
func (l *Log) places(ctx context.Context, s Segment, same func(a, b place) bool) ([]place, error) {
	var out []place
	line := -1
	decoder := schema.Decoder{Alias: true}
	err := l.source.Lines(ctx, s.Session, func(b []byte) error {
		line++
		e, err := decoder.Record(b, s.Session)
		if err == nil && s.Until.Includes(&e) {
			sum := fnv.New64a()
			sum.Write(b)
			out = append(out, place{Of(&e), line, len(b), sum.Sum64()})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Of records with one id the least stands, whichever was recorded first.
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(strings.Compare(a.event, b.event), a.compare(b.Point), cmp.Compare(a.sum, b.sum))
	})
	out = slices.CompactFunc(out, same)
	slices.SortFunc(out, func(a, b place) int { return cmp.Or(a.compare(b.Point), cmp.Compare(a.sum, b.sum)) })
	return out, nil
}

// lines returns the records at these places, in their order.
func (l *Log) lines(ctx context.Context, s Segment, at []place) ([][]byte, error) {
	rank := make(map[int]int, len(at)) // by line
	for i, p := range at {
		rank[p.line] = i
	}
	out := make([][]byte, len(at))
	line := -1
	err := l.source.Lines(ctx, s.Session, func(b []byte) error {
		line++
		if i, ok := rank[line]; ok {
			out[i] = bytes.Clone(b)
		}
		return nil
	})
	return out, err
}

func (l *Log) yield(ctx context.Context, segment int, session string, lines [][]byte, yield func(int, *Record) error) error {
	decoder := schema.Decoder{Alias: true}
	var r Record
	for _, line := range lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if r.Event, err = decoder.Record(line, session); err != nil {
			continue // it is not the file that was sorted: somebody replaced it
		}
		r.Line = line
		if err := yield(segment, &r); err != nil {
			return err
		}
	}
	return nil
}
