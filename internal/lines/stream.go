package lines

import (
	"bytes"
	"hash/fnv"
	"io"
)

// Stream reads the lines of what cannot be read twice: a pipe, or what is unpacked while it
// is read. Offsets are those of what comes out of src. Position is that of the last
// line, and to be asked for before the next one.
func Stream(src io.Reader) *Reader {
	return &Reader{src: src, Max: MaxLine, first: BufferSize}
}

// growStream makes room for more of the line that fills the buffer. How long it is
// nobody knows yet.
func (l *Reader) growStream() error {
	if int64(l.w) > l.Max {
		return l.passOver()
	}
	buf := make([]byte, min(2*int64(len(l.buf)), l.Max+1))
	l.w = copy(buf, l.buf[:l.w])
	if l.own == nil {
		l.own = l.buf
	}
	l.buf = buf
	return nil
}

// passOver reads to the end of a line that is too long.
func (l *Reader) passOver() error {
	h := fnv.New64a()
	end := l.off + int64(l.w)
	h.Write(l.buf[:l.w])
	if l.own != nil {
		l.buf, l.own = l.own, nil
	}
	for {
		n, err := io.ReadAtLeast(l.src, l.buf, 1)
		i := bytes.IndexByte(l.buf[:n], '\n')
		if i < 0 {
			h.Write(l.buf[:n])
			end += int64(n)
			if err != nil {
				l.r, l.w, l.seen = 0, 0, 0
				return err
			}
			continue
		}
		h.Write(l.buf[:i])
		l.tooLong, l.sum = true, max(h.Sum64(), 1)
		l.last, l.off = l.off, end+int64(i)+1
		l.n++
		l.r, l.w, l.seen = 0, copy(l.buf, l.buf[i+1:n]), 0 // the next line's
		return nil
	}
}
