package transcript

import (
	"bytes"
	"io"

	"github.com/actiongraph/actiongraph/internal/lines"
)

// beforeBytes is how much before a position is gone through again.
const beforeBytes = 256 << 10

// before shows the lines before the position to a Transcript that begins there.
func (p *reading) before() error {
	end := p.lines.Offset()
	from := max(0, end-beforeBytes)
	buf := make([]byte, end-from)
	if _, err := io.ReadFull(io.NewSectionReader(p.f, from, end-from), buf); err != nil {
		return lines.IgnoreEOF(err) // it was cut since: the next look finds out
	}
	if from > 0 {
		_, buf, _ = bytes.Cut(buf, []byte("\n"))
	}
	n := p.lines.Count()
	for range bytes.Lines(buf) {
		n--
	}
	for line := range bytes.Lines(buf) {
		n++
		p.events.Before(line, n)
	}
	return nil
}
