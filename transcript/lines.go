package transcript

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
	bufferSize = 256 << 10 // a longer line gets a buffer of its own, for as long as it is needed
	peekSize   = 16 << 10  // the first buffer of who may not read far
)

// buffers are buffers of bufferSize that nobody uses: memory that is new costs more than
// to read a file into it.
type buffers struct{ pool sync.Pool }

// get returns nil where there is none.
func (b *buffers) get() []byte {
	if b == nil {
		return nil
	}
	buf, _ := b.pool.Get().(*[bufferSize]byte)
	if buf == nil {
		return nil
	}
	return buf[:]
}

func (b *buffers) put(buf []byte) {
	if b != nil && cap(buf) == bufferSize {
		b.pool.Put((*[bufferSize]byte)(buf[:bufferSize]))
	}
}

// lines reads a file line by line. It holds one buffer, and the longest line for as long
// as that is needed.
type lines struct {
	f   io.ReaderAt
	buf []byte // buf[r:w] is read from the file and not yet returned
	own []byte // the buffer of bufferSize, while buf is longer
	use *buffers
	r, w,
	seen int // length of the part of buf[r:w] that has no newline
	off     int64 // of buf[r] in the file
	n       int64 // lines before off
	last    int64 // where line n begins
	tooLong bool  // of the line that next returned
	max     int64 // MaxLine; tests make it less
	first   int64 // how large the first buffer is
}

// peek reads the first lines of f.
func peek(f io.ReaderAt) *lines { return &lines{f: f, max: MaxLine, first: peekSize} }

// newLines reads on at a position that was taken from f.
func newLines(f io.ReaderAt, from Position) (*lines, error) {
	l := &lines{f: f, off: from.Offset, n: from.Lines, max: MaxLine, first: bufferSize}
	if from.Offset == 0 {
		return l, nil
	}
	// A last line without its newline was read; that newline is no line of its own.
	var around [2]byte
	n, err := f.ReadAt(around[:], from.Offset-1)
	if n == 2 && around[0] != '\n' && around[1] == '\n' {
		l.off++
	} else if n < 2 && err != io.EOF {
		return nil, err
	}
	return l, nil
}

// ahead says how many bytes there are about to read: most transcripts are shorter than
// a buffer.
func (l *lines) ahead(n int64) { l.first = min(max(n+1, 512), bufferSize) }

// close gives the buffer to who reads next: no line is valid any more.
func (l *lines) close() {
	if l.own != nil {
		l.buf = l.own
	}
	l.use.put(l.buf)
	l.buf, l.own, l.r, l.w, l.seen = nil, nil, 0, 0, 0
}

// goTo goes on at an offset, with n lines before it. What is in the buffer is not read
// again.
func (l *lines) goTo(off, n int64) {
	if begin := l.off - int64(l.r); begin <= off && off <= begin+int64(l.w) {
		l.r = int(off - begin)
	} else {
		l.r, l.w = 0, 0
	}
	l.off, l.n, l.seen = off, n, 0
}

// next returns the next whole line without its newline; it is valid until the next
// call. io.EOF means that there is none yet. A line that is too long is empty.
func (l *lines) next() ([]byte, error) {
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

func (l *lines) take(n, newline int) []byte {
	line := l.buf[l.r : l.r+n : l.r+n]
	l.r += n + newline
	l.last = l.off
	l.off += int64(n + newline)
	l.n++
	l.seen = 0
	return line
}

// fill reads more of the file; n is how much.
func (l *lines) fill() (n int, err error) {
	switch {
	case l.buf == nil:
		if l.buf = l.use.get(); l.buf == nil {
			l.buf = make([]byte, l.first)
		}
	case l.r == l.w && l.own != nil:
		l.buf, l.own, l.r, l.w = l.own, nil, 0, 0 // the buffer of a long line goes
	case l.r > 0:
		l.r, l.w = 0, copy(l.buf, l.buf[l.r:l.w])
	}
	if l.w == len(l.buf) {
		if err := l.grow(); err != nil || l.tooLong {
			return 0, err
		}
	}
	n, err = l.f.ReadAt(l.buf[l.w:], l.off+int64(l.w))
	l.w += n
	if n > 0 {
		err = nil
	}
	return n, err
}

// grow makes room for the line that fills the buffer, exactly: to double it would
// take three times the line for a moment.
func (l *lines) grow() error {
	if len(l.buf) < bufferSize {
		buf := l.use.get()
		if buf == nil {
			buf = make([]byte, bufferSize)
		}
		l.w = copy(buf, l.buf[:l.w])
		l.buf = buf
		return nil
	}
	end, newline, err := l.lineEnd(l.off + int64(l.w))
	if err != nil {
		return err
	}
	size := end - l.off
	if size <= l.max {
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
func (l *lines) lineEnd(at int64) (end int64, newline bool, err error) {
	buf := make([]byte, bufferSize)
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

// position is the place behind the last line that next returned.
func (l *lines) position(first uint64) (p Position, err error) {
	p = Position{Offset: l.off, Lines: l.n, First: first}
	if l.n == 0 {
		return Position{}, nil
	}
	p.Sum, err = hashLine(l.f, l.last, l.off)
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

// openFile opens a transcript to be read, and does not wait for a named pipe.
func openFile(path string) (*os.File, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &os.PathError{Op: "read", Path: path, Err: errNotRegular}
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
