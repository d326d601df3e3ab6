package main

import (
	"bytes"
	"io"
	"sync/atomic"
)

const (
	firstRead  = 64 << 10 // what a pipe holds
	maxPayload = 64 << 20 // a payload is 2 MB when an agent wrote a file of 1 MB
)

// input is stdin: one JSON value, after which the runtime may close its end or leave
// it open for ever.
type input struct {
	sofar   atomic.Pointer[[]byte]
	taken   atomic.Bool
	settled atomic.Bool // what has been read ends between two values
}

// take reports whether the caller is the one to record this input: the first to
// ask, the reader or the watchdog.
func (in *input) take() bool { return in.taken.CompareAndSwap(false, true) }

// soFar returns what has been read.
func (in *input) soFar() []byte {
	if b := in.sofar.Load(); b != nil {
		return *b
	}
	return nil
}

// read reads r to the end of its first JSON object, or to its end where it does not
// begin with an object, and calls progress after each read. more says that r may
// hold more, which its writer is perhaps still writing. A payload that is longer
// than maxPayload is cut there.
func (in *input) read(r io.Reader, progress func()) (payload []byte, more bool) {
	var object objectScanner
	return in.readUntil(r, object.end, progress)
}

// readAll is read for any number of values: it ends with r.
func (in *input) readAll(r io.Reader, progress func()) (payload []byte, more bool) {
	var values valuesScanner
	return in.readUntil(r, func(piece []byte) int {
		in.settled.Store(values.settled(piece))
		return -1
	}, progress)
}

// readUntil reads r until end, which is given each piece that comes, returns where in it
// the payload ends.
func (in *input) readUntil(r io.Reader, end func(piece []byte) int, progress func()) (payload []byte, more bool) {
	buf := make([]byte, 0, firstRead)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		from := len(buf)
		buf = buf[:from+n]
		in.sofar.Store(&buf)
		end := end(buf[from:])
		progress()
		if end >= 0 {
			return buf[:from+end], err == nil && len(buf) == cap(buf)
		}
		if err != nil {
			return buf, false
		}
		if len(buf) == maxPayload {
			return buf, true
		}
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(2*cap(buf), maxPayload))
			copy(grown, buf)
			buf = grown
		}
	}
}

// objectScanner finds the end of a JSON object that comes in pieces, looking at each
// byte once: schema.ValueEnd on all there is after every read would cost the square
// of a 2 MB payload that comes through a pipe of 64 kB.
type objectScanner struct {
	depth    int
	inString bool
	escaped  bool
	arrays   bool // an array will do, too
	none     bool // what came first is not the start of an object
}

// end returns the index in b after the end of the object, or -1.
func (s *objectScanner) end(b []byte) int {
	if s.none {
		return -1
	}
	i := 0
	if s.depth == 0 {
		i = len(b) - len(bytes.TrimLeft(b, " \t\r\n"))
		if i < len(b) && b[i] != '{' && !(s.arrays && b[i] == '[') {
			s.none = true
			return -1
		}
	}
	for ; i < len(b); i++ {
		if s.inString {
			i = s.skipString(b, i)
			continue
		}
		switch b[i] {
		case '"':
			s.inString = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth--; s.depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// skipString returns the index of the quote that ends the string b[i] is in, or
// len(b) where the string goes on.
func (s *objectScanner) skipString(b []byte, i int) int {
	if s.escaped && i < len(b) {
		s.escaped = false
		i++
	}
	for {
		quote := bytes.IndexByte(b[i:], '"')
		end := i + quote
		if quote < 0 {
			end = len(b)
		}
		slashes := len(b[i:end]) - len(bytes.TrimRight(b[i:end], `\`))
		escaped := slashes%2 == 1
		switch {
		case quote < 0:
			s.escaped = escaped
			return end
		case !escaped:
			s.inString = false
			return end
		}
		i = end + 1
	}
}
