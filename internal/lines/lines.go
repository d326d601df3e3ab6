// Package lines reads files of lines that other programs are writing: lines that are whole,
// long ones in bounded memory, and places in a file that tell whether it is still the
// one they were taken from.
package lines

import (
	"bytes"
	"io"
	"os"
	"sync"

	"github.com/actiongraph/actiongraph/schema"
)

// MaxLine is the longest line, in bytes, that is read: it bounds the memory that a
// file of garbage can take.
const MaxLine = 128 << 20

const (
	BufferSize = 256 << 10 // a longer line gets a buffer of its own, for as long as it is needed
	peekSize   = 16 << 10  // the first buffer of who may not read far
)

// Buffers are buffers of BufferSize that nobody uses: memory that is new costs more than
// to read a file into it.
type Buffers struct{ pool sync.Pool }

// Get returns nil where there is none.
func (b *Buffers) Get() []byte {
	if b == nil {
		return nil
	}
	buf, _ := b.pool.Get().(*[BufferSize]byte)
	if buf == nil {
		return nil
	}
	return buf[:]
}

func (b *Buffers) Put(buf []byte) {
	if b != nil && cap(buf) == BufferSize {
		b.pool.Put((*[BufferSize]byte)(buf[:BufferSize]))
	}
}

// Reader reads a file line by line. It holds one buffer, and the longest line for as long
// as that is needed.
type Reader struct {
	// Max is the longest line that is read: MaxLine.
	Max int64
	// Use, which may be nil, is where buffers come from and go to.
	Use *Buffers

	f   io.ReaderAt
	src io.Reader // in place of f: what cannot be read twice
	buf []byte    // buf[r:w] is read from the file and not yet returned
	own []byte    // the buffer of BufferSize, while buf is longer
	r, w,
	seen int // length of the part of buf[r:w] that has no newline
	off     int64  // of buf[r] in the file
	n       int64  // lines before off
	last    int64  // where line n begins
	tooLong bool   // of the line that Next returned
	first   int64  // how large the first buffer is
	sum     uint64 // of a stream's line that was too long
	line    []byte // of a stream: that Next returned
}

// Peek reads the first lines of f.
func Peek(f io.ReaderAt) *Reader { return &Reader{f: f, Max: MaxLine, first: peekSize} }

// New reads on at a position that was taken from f.
func New(f io.ReaderAt, from Position) (*Reader, error) {
	l := &Reader{f: f, off: from.Offset, n: from.Lines, Max: MaxLine, first: BufferSize}
	if from.Offset == 0 {
		return l, nil
	}
	// A last line without its newline was read; that newline is no line of its own.
	var around [3]byte
	n, err := f.ReadAt(around[:], from.Offset-1)
	switch {
	case n == 0 && err != io.EOF:
		return nil, err
	case n < 2 || around[0] == '\n':
	case around[1] == '\n':
		l.off++
	case n == 3 && string(around[1:]) == "\r\n":
		l.off += 2
	}
	return l, nil
}

// Offset is behind the last line that Next returned, in bytes.
func (l *Reader) Offset() int64 { return l.off }

// Count is how many lines are before Offset: the number of the last one.
func (l *Reader) Count() int64 { return l.n }

// TooLong reports whether the line that Next returned was longer than Max.
func (l *Reader) TooLong() bool { return l.tooLong }

// Room is how large the first buffer is.
func (l *Reader) Room() int64 { return l.first }

// Ahead says how many bytes there are about to read: most files are shorter than
// a buffer.
func (l *Reader) Ahead(n int64) { l.first = min(max(n+1, 512), BufferSize) }

// Close gives the buffer to who reads next: no line is valid any more.
func (l *Reader) Close() {
	if l.own != nil {
		l.buf = l.own
	}
	l.Use.Put(l.buf)
	l.buf, l.own, l.r, l.w, l.seen = nil, nil, 0, 0, 0
}

// GoTo goes on at an offset, with n lines before it. What is in the buffer is not read
// again.
func (l *Reader) GoTo(off, n int64) {
	if begin := l.off - int64(l.r); begin <= off && off <= begin+int64(l.w) {
		l.r = int(off - begin)
	} else {
		l.r, l.w = 0, 0
	}
	l.off, l.n, l.seen = off, n, 0
}

// Next returns the next whole line without its newline; it is valid until the next
// call. io.EOF means that there is none yet. A line that is too long is empty.
func (l *Reader) Next() ([]byte, error) {
	l.tooLong = false
	for {
		if i := bytes.IndexByte(l.buf[l.r+l.seen:l.w], '\n'); i >= 0 {
			return l.take(l.seen+i, 1), nil
		}
		l.seen = l.w - l.r
		n, err := l.fill()
		if l.tooLong {
			return nil, err
		}
		if n > 0 {
			continue
		}
		if err == io.EOF && oneObject(l.buf[l.r:l.w]) {
			return l.take(l.seen, 0), nil
		}
		return nil, err
	}
}

func (l *Reader) take(n, newline int) []byte {
	line := l.buf[l.r : l.r+n : l.r+n]
	l.line = line
	l.r += n + newline
	l.last = l.off
	l.off += int64(n + newline)
	l.n++
	l.seen = 0
	return line
}

// fill reads more of the file; n is how much.
func (l *Reader) fill() (n int, err error) {
	switch {
	case l.buf == nil:
		if l.buf = l.Use.Get(); l.buf == nil {
			l.buf = make([]byte, l.first)
		}
	case l.own != nil && l.w-l.r < len(l.own):
		l.w = copy(l.own, l.buf[l.r:l.w])
		l.buf, l.own, l.r = l.own, nil, 0 // the buffer of a long line goes
	case l.r > 0:
		l.r, l.w = 0, copy(l.buf, l.buf[l.r:l.w])
	}
	if l.w == len(l.buf) {
		if err := l.grow(); err != nil || l.tooLong {
			return 0, err
		}
	}
	if l.src != nil {
		n, err = io.ReadAtLeast(l.src, l.buf[l.w:], 1)
	} else {
		n, err = l.f.ReadAt(l.buf[l.w:], l.off+int64(l.w))
	}
	l.w += n
	if n > 0 {
		err = nil
	}
	return n, err
}

// grow makes room for the line that fills the buffer, exactly: to double it would
// take three times the line for a moment.
func (l *Reader) grow() error {
	if len(l.buf) < BufferSize {
		buf := l.Use.Get()
		if buf == nil {
			buf = make([]byte, BufferSize)
		}
		l.w = copy(buf, l.buf[:l.w])
		l.buf = buf
		return nil
	}
	if l.src != nil {
		return l.growStream()
	}
	end, newline, err := l.lineEnd(l.off + int64(l.w))
	if err != nil {
		return err
	}
	size := end - l.off
	if size <= l.Max {
		buf := make([]byte, size+1)
		l.w = copy(buf, l.buf[:l.w])
		if l.own == nil {
			l.own = l.buf
		}
		l.buf = buf
		return nil
	}
	if !newline {
		return io.EOF // it may go on
	}
	l.tooLong = true
	l.last, l.off = l.off, end+1
	l.n++
	l.r, l.w, l.seen = 0, 0, 0
	return nil
}

// lineEnd finds the next newline from at on, or the end of the file.
func (l *Reader) lineEnd(at int64) (end int64, newline bool, err error) {
	buf := make([]byte, BufferSize)
	for {
		n, err := l.f.ReadAt(buf, at)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			return at + int64(i), true, nil
		}
		at += int64(n)
		if err == io.EOF {
			return at, false, nil
		}
		if err != nil {
			return at, false, err
		}
	}
}

// Position is the place behind the last line that Next returned.
func (l *Reader) Position(first uint64) (p Position, err error) {
	p = Position{Offset: l.off, Lines: l.n, First: first}
	if l.n == 0 {
		return Position{}, nil
	}
	switch {
	case l.src == nil:
		p.Sum, err = HashLine(l.f, l.last, l.off)
	case l.tooLong:
		p.Sum = l.sum
	default:
		p.Sum = Hash(l.line)
	}
	return p, err
}

// oneObject reports whether b is one JSON object with nothing behind it. No piece of
// a longer line is one.
func oneObject(b []byte) bool {
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	end, ok := schema.ValueEnd(b)
	return ok && len(bytes.TrimSpace(b[end:])) == 0
}

// Open opens a file to be read, and does not wait for a named pipe.
func Open(path string) (*os.File, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &os.PathError{Op: "read", Path: path, Err: ErrNotRegular}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
