package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/actiongraph/actiongraph/internal/lines"
)

// gzipMagic is what compressed data begins with, whatever its file is called: RFC 1952.
const gzipMagic = "\x1f\x8b"

func isPacked(f *os.File) (bool, error) {
	var begin [len(gzipMagic)]byte
	_, err := f.ReadAt(begin[:], 0)
	return string(begin[:]) == gzipMagic, lines.IgnoreEOF(err)
}

// errWide is of a file in which each character takes two bytes, as PowerShell's > writes them.
var errWide = errors.New("it is UTF-16, and JSON is UTF-8: convert it, as iconv -f UTF-16 -t UTF-8 does")

// isWide is errWide of such a file: it begins with its byte order mark, or with a value whose
// bytes have zeros between them.
func isWide(f *os.File) error {
	var b [4]byte
	n, err := f.ReadAt(b[:], 0)
	if n < len(b) {
		return lines.IgnoreEOF(err)
	}
	value := func(c byte) bool { return c == '{' || c == '[' }
	switch mark := string(b[:2]); {
	case mark == "\xff\xfe", mark == "\xfe\xff", value(b[0]) && b[1] == 0 && b[2] != 0 && b[3] == 0, b[0] == 0 && value(b[1]) && b[2] == 0 && b[3] != 0:
		return errWide
	}
	return nil
}

const packedBuffer = 256 << 10

// lines reads on in a file; done gives back what that takes.
func (s *stream) lines(f *os.File, at lines.Position) (l *lines.Reader, done func(), err error) {
	if !s.packed {
		if l, err = lines.New(f, at); err != nil {
			return nil, nil, err
		}
		l.Use = &s.buffers
		return l, l.Close, nil
	}
	z, err := s.unpack(bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), packedBuffer))
	if err != nil {
		return nil, nil, err
	}
	l = lines.Stream(z)
	l.Use = &s.buffers
	for l.Count() < at.Lines {
		if _, err := l.Next(); err != nil {
			return nil, nil, err
		}
	}
	return l, l.Close, nil
}

// members reads what gzip packed, in one piece or in several that were put together.
type members struct {
	*gzip.Reader
	in   *bufio.Reader
	rest *bool // is set where something follows that is not packed
}

func (s *stream) unpack(in *bufio.Reader) (*members, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	s.rest = false
	return &members{Reader: z, in: in, rest: &s.rest}, nil
}

// Read ends where what is packed does: all of that is whole, whatever follows, as for gzip.
func (m *members) Read(p []byte) (n int, err error) {
	if n, err = m.Reader.Read(p); err != io.EOF || n > 0 {
		if err == io.EOF {
			err = nil // it says so again
		}
		return n, err
	}
	next, err := m.in.Peek(len(gzipMagic))
	switch {
	case string(next) == gzipMagic:
		if err := m.Reset(m.in); err != nil {
			return 0, noEOF(err)
		}
		m.Multistream(false)
		return 0, nil
	case err != nil && err != io.EOF:
		return 0, err
	case len(next) == 1 && next[0] == gzipMagic[0]:
		return 0, io.ErrUnexpectedEOF
	}
	for { // what is written to tapes and in blocks is filled up with zeros
		b, err := m.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != 0 {
			*m.rest = true
			return 0, io.EOF
		}
	}
}

// noEOF is of what began and did not end.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// noteRest reports what follows what is packed.
func (s *stream) noteRest() {
	if s.rest {
		s.problems = append(s.problems, Problem{Path: s.path, Error: "something that is not compressed follows the compressed data, all of which was read; it is left alone"})
	}
}

// pipeLines reads what is no file, and lets its head be read first.
func (s *stream) pipeLines(ctx context.Context, src io.Reader) (h head, l *lines.Reader, err error) {
	pipe := newLive(ctx, src)
	in := bufio.NewReaderSize(pipe, packedBuffer)
	begin, _ := in.Peek(len(gzipMagic))
	packed := string(begin) == gzipMagic
	if packed {
		if src, err = s.unpack(in); err != nil {
			return h, nil, err
		}
	} else {
		src = in
	}
	var seen bytes.Buffer
	if h, err = s.head(lines.Stream(io.TeeReader(src, &seen))); err != nil {
		return h, nil, err
	}
	pipe.patient = packed // what unpacks it does not go on after an error
	return h, lines.Stream(io.MultiReader(&seen, src)), nil
}

// rotatedEnd is what programs that rotate logs put behind a file's name: logrotate (with
// dateext, also by the hour) and Python's TimedRotatingFileHandler (.2026-03-01_13-05).
const rotatedEnd = `(\.gz|\.[0-9]{1,4}|[.-][0-9]{8}|[.-][0-9]{10}|[.-][0-9]{4}-[0-9]{2}-[0-9]{2}([_T-][0-9]{2}([-:]?[0-9]{2}){0,2})?|\.(old|bak|prev))`

// wantedName are the names of files that are looked into where a folder is given.
var wantedName = regexp.MustCompile(`(?i)\.(jsonl|ndjson|json)` + rotatedEnd + `*$`)

// rotated are the ends that programs which rotate logs give to a file's name.
var rotated = regexp.MustCompile(`(?i)` + rotatedEnd + `+$`)

// stem is the name of a file without what says how it is kept: it stays when a file is
// rotated or packed.
func stem(path string) string {
	name := rotated.ReplaceAllString(filepath.Base(path), "")
	for _, ext := range []string{".jsonl", ".ndjson", ".json"} {
		if n := len(name) - len(ext); n > 0 && strings.EqualFold(name[n:], ext) {
			return name[:n]
		}
	}
	return name
}
