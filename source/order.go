package source

import (
	"io"
	"os"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// nearby is how far in front of a position a line of a dump is looked for that has a time.
const nearby = 1 << 20

// follow has s.order know the lines in front of the position. Who was not there reads them
// again: so the position need not say what of them matters later.
func (s *stream) follow(f *os.File) error {
	if !s.src.Format.OneSession() || s.order != nil && s.ordered == s.at.Offset {
		return nil
	}
	s.order, s.ordered = jsonl.NewOrder(s.src), s.at.Offset
	if s.at.Lines == 0 {
		return nil
	}
	if s.src.Format == jsonl.Audit && !s.packed && s.at.Offset > nearby { // of a dump the last time is all that matters
		if err := s.reread(f, s.at.Offset-nearby); err != nil || !s.order.Time().IsZero() {
			return err
		}
	}
	return s.reread(f, 0)
}

// reread shows s.order the lines from an offset, or the first one behind it, to the position.
func (s *stream) reread(f *os.File, from int64) error {
	l, done, err := s.lines(f, lines.Position{})
	if err != nil {
		return err
	}
	defer done()
	if from > 0 {
		l.GoTo(from, 1)
		if _, err := l.Next(); err != nil {
			return noEOF(err)
		}
	}
	for l.Offset() < s.at.Offset {
		line, err := l.Next()
		if err != nil {
			return noEOF(err)
		}
		if l.TooLong() {
			continue
		}
		for _, part := range parts(trim(line)) {
			s.order.Next(part)
		}
	}
	return nil
}

const (
	headBytes = 64 << 20 // of a file are looked at for the first line that has a time
	waitBytes = 4 << 20  // of a file are waited with for that line to come
)

// ahead is the first time of a file, as far as it was looked for.
type ahead struct {
	time time.Time
	at   lines.Position // up to where no line has one
}

// date gives a block of lines that have no time, nor have those before it, that of the first line behind it
// which has one: when they were does not depend on how much is read at a time.
func (s *stream) date(f *os.File, b *block) error {
	if f == nil || !b.said || !b.first.IsZero() {
		return nil
	}
	if s.ahead.time.IsZero() {
		if s.ahead.at.Offset < b.end.Offset {
			s.ahead.at = lines.Position{Offset: b.end.Offset, Lines: b.end.Lines}
		}
		if err := s.lookAhead(f); err != nil {
			return err
		}
	}
	b.first = s.ahead.time
	return nil
}

// lookAhead goes on to look for the first time.
func (s *stream) lookAhead(f *os.File) error {
	if s.ahead.at.Offset >= headBytes {
		return nil
	}
	l, done, err := s.lines(f, s.ahead.at)
	if err != nil {
		return err
	}
	defer done()
	order := jsonl.NewOrder(s.src)
	for order.Time().IsZero() && l.Offset() < headBytes {
		line, err := l.Next()
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
		if l.TooLong() {
			continue
		}
		for _, part := range parts(trim(line)) {
			if order.Next(part); !order.Time().IsZero() {
				break
			}
		}
	}
	s.ahead = ahead{order.Time(), lines.Position{Offset: l.Offset(), Lines: l.Count()}}
	return nil
}

// undated reports a file of which so little is there that nothing says yet when its first lines
// were. They wait until it was quiet for a while.
func (s *stream) undated(b *block, changed time.Time) bool {
	return b.before == 0 && b.said && b.first.IsZero() && s.ahead.at.Offset < waitBytes && time.Since(changed).Abs() < s.patient
}
