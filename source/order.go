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

// undated reports a file of which so little is there that nothing says yet when its first lines
// were. They wait until it was quiet for a while.
func (s *stream) undated(b *block, end error, changed time.Time) bool {
	return end == io.EOF && b.before == 0 && b.said && b.first.IsZero() && time.Since(changed).Abs() < s.patient
}
