package source

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	blockBytes  = 128 << 10 // of lines that are decoded in one go
	longLine    = 1 << 20   // a longer line is decoded where it was read to: it is not held twice
	blockMemory = 3 * blockBytes
	maxProblems = 20 // of one file; the rest is counted
)

// block is some whole lines that follow each other, and what became of them.
type block struct {
	text    []byte
	ends    []int        // of each line in text
	tooLong map[int]bool // lines that are not in text
	long    []byte       // the last line, in place of the one in text; it is the reader's
	before  int64        // lines in front of the block's first
	end     lines.Position
	bytes   int64     // that the lines take in the file
	at      time.Time // of what states no time
	done    chan struct{}

	// told is what the lines before tell of some, by their place in the block and in the line; first is the first
	// time that is known, which is that of those at the head of a file that have none.
	told  map[[2]int]jsonl.Before
	first time.Time
	said  bool // a line is not blank

	out      []redact.Line
	memory   []byte // of out
	facts    []schema.Event
	counts   counts
	problems []Problem
	failed   bool // with Options.Strict: the last problem ended it
	// spill, which may be nil, appends out to the journal and empties it: what a long line gives is
	// not held all at once. err is its error.
	spill func(*block) error
	err   error
	// lineOf, of a document, finds the line and column of one of its bytes.
	lineOf func(column int) (line, inLine int64)
}

// counts are what a block adds to a report.
type counts struct {
	lines, blank, broken, events int64
	kinds, skipped, unknown      map[string]int64
	types                        map[schema.Type]int64
	sessions                     map[string]bool
}

func newCounts() counts {
	return counts{kinds: map[string]int64{}, skipped: map[string]int64{}, unknown: map[string]int64{},
		types: map[schema.Type]int64{}, sessions: map[string]bool{}}
}

// reset makes a block ready for the lines behind a place.
func (b *block) reset(before int64) {
	clear(b.out)
	clear(b.facts[:cap(b.facts)])
	if cap(b.text) > 2*longLine {
		b.text = nil
	}
	*b = block{text: b.text[:0], ends: b.ends[:0], before: before, done: make(chan struct{}),
		out: b.out[:0], memory: b.memory[:0], facts: b.facts[:0], counts: newCounts()}
}

// fill takes lines from l until the block is full. The error is that of l: io.EOF where
// there is no whole line any more.
func (b *block) fill(l *lines.Reader, all *uint32, first uint64, order *jsonl.Order) (err error) {
	start := l.Offset()
	for len(b.text) < blockBytes && b.long == nil {
		var line []byte
		if line, err = l.Next(); err != nil {
			break
		}
		*all = lines.Sum(*all, line)
		b.tell(order, line, l)
		switch {
		case l.TooLong():
			if b.tooLong == nil {
				b.tooLong = map[int]bool{}
			}
			b.tooLong[len(b.ends)] = true
		case len(line) > longLine:
			b.long = line
		default:
			b.text = append(b.text, line...)
		}
		b.ends = append(b.ends, len(b.text))
	}
	if len(b.ends) == 0 {
		return err
	}
	var failed error
	if b.end, failed = l.Position(first); failed != nil {
		b.ends = b.ends[:0]
		return failed
	}
	b.end.All = max(*all, 1)
	b.bytes = l.Offset() - start
	return err
}

// tell notes what the lines before tell of the next one.
func (b *block) tell(order *jsonl.Order, line []byte, l *lines.Reader) {
	if order == nil || l.TooLong() {
		return
	}
	if line = trim(line); len(line) == 0 {
		return
	}
	b.said = true
	for begin, part := range parts(line) {
		if before := order.Next(part); before != (jsonl.Before{}) {
			if b.told == nil {
				b.told = map[[2]int]jsonl.Before{}
			}
			b.told[[2]int{len(b.ends), begin}] = before
		}
	}
	if b.first.IsZero() {
		b.first = order.Time()
	}
}

// line returns the i-th line.
func (b *block) line(i int) []byte {
	if b.long != nil && i == len(b.ends)-1 {
		return b.long
	}
	begin := 0
	if i > 0 {
		begin = b.ends[i-1]
	}
	return b.text[begin:b.ends[i]]
}

// decoded is how many bytes the lines take that were looked at, as of one whose lines end with
// a newline each.
func (b *block) decoded() int64 {
	n := int(b.counts.lines)
	if n == len(b.ends) {
		return b.bytes
	}
	return int64(b.ends[n-1] + n)
}

// decoding is what decodes blocks; each goroutine has its own.
type decoding struct {
	decoder  *jsonl.Decoder
	redactor *redact.Redactor
	path     string
	strict   bool
	count    bool // nothing is to be written
	begin    int  // where in its line is what is decoded
}

// decode makes events of the lines.
func (d *decoding) decode(b *block) {
	defer close(b.done)
	if b.memory == nil && !d.count {
		b.memory = make([]byte, 0, blockMemory)
	}
	for i := range b.ends {
		b.counts.lines++
		n := b.before + int64(i) + 1
		var err error
		if b.tooLong[i] {
			err = fmt.Errorf("longer than %d bytes", lines.MaxLine)
		} else {
			err = d.parts(b, trim(b.line(i)), n)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, errAppend) {
			b.err = err
			return
		}
		b.counts.broken++
		n, err = b.inDocument(n, err)
		if len(b.problems) < maxProblems {
			text, _ := d.redactor.Text(err.Error()) // it may quote the line
			b.problems = append(b.problems, Problem{Path: d.path, Line: n, Error: text})
		}
		if d.strict {
			b.failed = true
			return
		}
	}
}

// inDocument says where in a document it is what its columns, as of one line, say.
func (b *block) inDocument(n int64, err error) (int64, error) {
	var at *jsonl.LineError
	if b.lineOf == nil || !errors.As(err, &at) || at.Column <= 0 {
		return n, err
	}
	n, column := b.lineOf(at.Column)
	return n, &jsonl.LineError{Column: int(column), Item: at.Item, Field: at.Field, Err: at.Err}
}

// byteOrderMark is what some programs begin a file of UTF-8 with.
const byteOrderMark = "\xef\xbb\xbf"

// trim takes off what is around a line and not of it. A program that goes on writing where
// it was in a file that was cut to nothing leaves zeros in front of its next line.
// Files that were put together have a byte order mark in front of each part.
func trim(line []byte) []byte {
	line = bytes.TrimPrefix(bytes.TrimLeft(line, "\x00"), []byte(byteOrderMark))
	return bytes.TrimSpace(bytes.Trim(line, "\x00"))
}

// parts adds the events of one line, or of what zeros divide: after a power cut there are some where
// the last line, or a part of it, was not on the disk yet, and the next line follows them. JSON
// has none.
func (d *decoding) parts(b *block, line []byte, n int64) error {
	d.begin = 0
	if b.lineOf != nil || bytes.IndexByte(line, 0) < 0 {
		return d.line(b, line, n)
	}
	var wrong error
	for begin, part := range parts(line) {
		d.begin = begin
		err := d.line(b, part, n)
		var at *jsonl.LineError
		if errors.As(err, &at) && at.Column > 0 {
			at.Column += begin
		}
		if err != nil && wrong == nil {
			wrong = err
		}
		if errors.Is(err, errAppend) {
			return err
		}
	}
	return wrong
}

// parts yields what zeros divide in a line, and where that begins.
func parts(line []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for begin, end := 0, 0; begin < len(line); begin = end + 1 {
			if end = len(line); bytes.IndexByte(line[begin:], 0) >= 0 {
				end = begin + bytes.IndexByte(line[begin:], 0)
			}
			if part := trim(line[begin:end]); len(part) > 0 && !yield(begin, part) {
				return
			}
		}
	}
}

// line adds the events of one line.
func (d *decoding) line(b *block, line []byte, n int64) error {
	if len(line) == 0 {
		b.counts.blank++
		return nil
	}
	what, err := d.events(b, line, n)
	if err != nil {
		return err
	}
	kind := what.Kind
	switch {
	case what.Unknown:
		kind = unknownName(kind, d.redactor)
		b.counts.unknown[kind]++
	case what.Skipped:
		b.counts.skipped[kind]++
	}
	b.counts.kinds[kind]++
	return nil
}

// pieceEvents is how many events of a long line are held at a time.
const pieceEvents = 1 << 10

// events asks the adapter. One line that it cannot stand must not keep the rest out.
func (d *decoding) events(b *block, line []byte, n int64) (what jsonl.Line, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the adapter panicked: %v (report it)", v)
		}
	}()
	if d.decoder.Before = b.told[[2]int{int(n-b.before) - 1, d.begin}]; d.decoder.Before.Time.IsZero() {
		d.decoder.Before.Time = b.first
	}
	if len(line) > longLine {
		return d.decoder.Pieces(line, n, b.at, pieceEvents, func(events []schema.Event) error {
			for i := range events {
				d.event(b, &events[i])
			}
			if b.spill == nil {
				return nil
			}
			return b.spill(b)
		})
	}
	events, what, err := d.decoder.Append(b.facts[:0], line, n, b.at)
	if err != nil {
		return what, err
	}
	b.facts = events
	for i := range events {
		d.event(b, &events[i])
	}
	return what, nil
}

func (d *decoding) event(b *block, e *schema.Event) {
	b.counts.events++
	b.counts.types[e.EventType]++
	if d.count {
		b.counts.sessions[schema.SafeID(e.SessionID)] = true
		return
	}
	var line redact.Line
	line, b.memory = d.redactor.AppendEvent(b.memory, *e)
	if _, out := line.LeftOut(); !out {
		b.counts.sessions[line.Session()] = true
	}
	b.out = append(b.out, line)
}

// otherKinds is what kinds that are more than are counted, and what cannot be a name, are
// counted as.
const otherKinds = "other kinds"

// unknownName is what a kind that this version does not know is called in reports and
// logs. It comes from the file, as a secret may.
func unknownName(kind string, r *redact.Redactor) string {
	if kind == "" {
		return "no kind"
	}
	for _, c := range []byte(kind) {
		if c|0x20 < 'a' && (c < '0' || c > '9') && c != '.' && c != '-' && c != '/' || c|0x20 > 'z' && c != '_' {
			return otherKinds
		}
	}
	if text, _ := r.Text(kind); len(kind) > 64 || text != kind {
		return otherKinds
	}
	return kind
}

// add sums up.
func (c *counts) add(o counts) {
	c.lines, c.blank, c.broken, c.events = c.lines+o.lines, c.blank+o.blank, c.broken+o.broken, c.events+o.events
	for kind, n := range o.unknown {
		if _, known := c.unknown[kind]; !known && len(c.unknown) >= intake.MaxUnknown {
			o.kinds[otherKinds] += n
			o.kinds[kind] -= n
			kind = otherKinds
		}
		c.unknown[kind] += n
	}
	for kind, n := range o.kinds {
		if n > 0 {
			c.kinds[kind] += n
		}
	}
	for kind, n := range o.skipped {
		c.skipped[kind] += n
	}
	for typ, n := range o.types {
		c.types[typ] += n
	}
	for s := range o.sessions {
		c.sessions[s] = true
	}
}
