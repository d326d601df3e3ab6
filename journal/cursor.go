package journal

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"io/fs"
	"iter"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/schema"
)

// ErrReplaced says that a file is not the one a position was taken from: it
// shrank, was rewritten, replaced or removed. What was read of it is void, and the
// session is to be read again from the zero Position.
var ErrReplaced = errcode.New(errcode.JournalReplaced, "the journal file was replaced")

const (
	minBuffer = 4 << 10
	maxBuffer = 256 << 10 // a longer line makes it grow
)

// Cursor reads one session's file record by record. It is for one goroutine.
type Cursor struct {
	// Skipped, if not nil, is told where each line begins that is passed over and counted as
	// torn.
	Skipped func(offset int64)

	j       *Journal
	content *Content

	buf  []byte // buf[r:w] is read from the file and not yet returned
	r, w int
	seen int   // length of the part of buf[r:w] that has no newline
	full bool  // the last read filled the buffer
	off  int64 // of buf[r] in the content

	pos  Position // its Sum is settled only when somebody needs it
	last []byte   // the record that ends at pos, until its Sum is settled
	torn int

	skip hash.Hash64 // of the part of an over-long line that was dropped, else nil
}

// Read opens a session's file at a position that a Cursor returned, or at the zero
// Position. The error wraps ErrReplaced where the position does not match the file,
// and fs.ErrNotExist where there is none.
func (j *Journal) Read(session string, from Position) (*Cursor, error) {
	path, err := j.path(session)
	if err != nil {
		return nil, err
	}
	content, err := j.open(path)
	if err != nil {
		if from.Offset > 0 && errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("journal: %w: %w", ErrReplaced, err)
		}
		return nil, fmt.Errorf("journal: %w", err)
	}
	if from != (Position{}) {
		if err := verify(content, from); err != nil {
			content.Close()
			return nil, fmt.Errorf("journal: %s: %w", path, err)
		}
	}
	return &Cursor{j: j, content: content, off: from.Offset, pos: from}, nil
}

// Records gives each record of a session's file, from the first to the last that is there
// now, without its newline: valid until the next. An error is the last that it gives, and
// wraps fs.ErrNotExist where there is no file.
func (j *Journal) Records(session string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		cursor, err := j.Read(session, Position{})
		if err != nil {
			yield(nil, err)
			return
		}
		defer cursor.Close()
		for {
			line, err := cursor.Next()
			if err == io.EOF || !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Close closes the file. What Position and Torn say stays as it is.
func (c *Cursor) Close() error {
	c.settle()
	if len(c.buf) == maxBuffer {
		c.j.cursors.Put((*[maxBuffer]byte)(c.buf))
	}
	c.buf, c.r, c.w, c.seen = nil, 0, 0, 0
	return c.content.Close()
}

// Next returns the next record, without its newline. The line aliases the read
// buffer: it is valid until the next call of Next.
//
// io.EOF means "not yet": a later call returns what was appended meanwhile. A last
// line without a newline is not returned, its writer may still be writing. A line
// that is no record is counted (Torn) and passed over. An error that wraps
// ErrReplaced says that the file this Cursor has open is no longer the session's.
func (c *Cursor) Next() ([]byte, error) {
	for {
		i := bytes.IndexByte(c.buf[c.r+c.seen:c.w], '\n')
		if i < 0 {
			c.seen = c.w - c.r
			if err := c.fill(); err != nil {
				return nil, err
			}
			continue
		}
		if line := c.take(c.seen + i); line != nil {
			return line, nil
		}
	}
}

// Position returns the place after the last line that Next returned or counted as
// torn: what Read goes on from.
func (c *Cursor) Position() Position {
	c.settle()
	return c.pos
}

// Torn returns how many lines this Cursor passed over because they are no records:
// mostly what writers left that were killed in the middle of a write. A line that
// Next returns and schema.Decode refuses is the caller's to count.
func (c *Cursor) Torn() int { return c.torn }

// take consumes the n bytes up to a newline, and that newline. It returns nil
// where they are no record.
func (c *Cursor) take(n int) []byte {
	line := c.buf[c.r : c.r+n : c.r+n]
	begin := c.off
	c.r += n + 1
	c.off += int64(n) + 1
	c.seen = 0
	if n == 0 && c.skip == nil {
		return nil // the newline in front of a record
	}
	c.pos.Offset, c.last = c.off, line
	if c.skip != nil {
		c.skip.Write(line)
		c.pos.Sum, c.last, c.skip = nonZero(c.skip.Sum64()), nil, nil
		line = nil
	}
	if c.pos.First == 0 {
		c.settle()
		c.pos.First = c.pos.Sum
	}
	if !complete(line) {
		if c.torn++; c.Skipped != nil {
			c.Skipped(begin)
		}
		return nil
	}
	return line
}

// complete reports whether a line is one JSON object with nothing before or after
// it. It counts brackets and steps over strings, at a fraction of the cost of
// parsing: no piece of a record that was cut short passes, whatever else may be
// wrong with a line is for schema.Decode to find.
func complete(line []byte) bool {
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	end, ok := schema.ValueEnd(line)
	return ok && end == len(line)
}

// fill reads more of the file into the buffer.
func (c *Cursor) fill() error {
	c.settle() // the last record's bytes are about to go
	if c.w-c.r >= c.j.maxLine {
		c.drop()
	}
	c.r, c.w = 0, copy(c.buf, c.buf[c.r:c.w])
	if c.w == len(c.buf) || (c.full && len(c.buf) < maxBuffer) {
		c.grow()
	}
	n, err := c.content.ReadAt(c.buf[c.w:], c.off+int64(c.w))
	c.w += n
	c.full = c.w == len(c.buf)
	switch {
	case n > 0:
		return nil
	case err == io.EOF:
		return c.atEnd()
	}
	return fmt.Errorf("journal: %w", err)
}

// grow makes room: at first for all there is to read, within limits, so that
// opening 5,000 short files does not cost 5,000 large buffers.
func (c *Cursor) grow() {
	size := 2 * len(c.buf)
	if size == 0 {
		size = int(min(max(c.content.Size()-c.off+1, minBuffer), maxBuffer))
	}
	var buf []byte
	if 2*size > maxBuffer && size <= maxBuffer { // one for the next Cursor, too
		if old, _ := c.j.cursors.Get().(*[maxBuffer]byte); old != nil {
			buf = old[:]
		}
		size = maxBuffer
	}
	if buf == nil {
		buf = make([]byte, size)
	}
	copy(buf, c.buf[:c.w])
	c.buf = buf
}

// drop gives up the part of an over-long line that is in the buffer.
func (c *Cursor) drop() {
	if c.skip == nil {
		c.skip = fnv.New64a()
	}
	c.skip.Write(c.buf[c.r:c.w])
	c.off += int64(c.w - c.r)
	c.r, c.w, c.seen = 0, 0, 0
}

// atEnd returns io.EOF, or that there is nothing to wait for: after a rename the
// open file never grows again. Where the session was packed meanwhile the Cursor goes on in
// the files that are there now.
func (c *Cursor) atEnd() error {
	now, err := look(c.content.path)
	if err == nil && len(now.order()) == 0 {
		err = fmt.Errorf("%w: %w", ErrReplaced, notThere(c.content.path))
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if c.content.as(now, c.off+int64(c.w)) {
		return io.EOF
	}
	if !now.pieced() && !c.content.layers.pieced() {
		return fmt.Errorf("journal: %s: %w", c.content.path, ErrReplaced)
	}
	return c.reopen()
}

// reopen goes on behind the last line that was returned, in the files that are there now.
func (c *Cursor) reopen() error {
	next, err := c.j.open(c.content.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrReplaced, err)
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if c.pos != (Position{}) {
		if err := verify(next, c.pos); err != nil {
			next.Close()
			return fmt.Errorf("journal: %s: %w", c.content.path, err)
		}
	}
	c.content.Close()
	c.content, c.off, c.skip = next, c.pos.Offset, nil
	c.r, c.w, c.seen, c.full = 0, 0, 0, false
	return nil
}

// settle computes the hash that the position lacks. Only the ends of batches and
// of buffers need one; hashing every record would be most of the cost of reading.
func (c *Cursor) settle() {
	if c.last != nil {
		c.pos.Sum, c.last = sum(c.last), nil
	}
}
