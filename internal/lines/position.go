package lines

import (
	"bytes"
	"errors"
	"hash/crc32"
	"hash/fnv"
	"io"
)

// Position is a place in a file: behind a line that was read. The zero Position
// is the beginning.
type Position struct {
	Offset int64  // bytes
	Lines  int64  // before Offset
	Sum    uint64 // hash of the line that ends at Offset, without its newline
	First  uint64 // hash of the file's first line
	All    uint32 // sum over all lines before Offset; 0 where it is not known
}

// ErrNotRegular is of a folder, a pipe, a device.
var ErrNotRegular = errors.New("not a regular file")

// Matches reports whether p was taken from f as it is now: a line that hashes to Sum
// ends at Offset, and the first line hashes to First.
func (p Position) Matches(f io.ReaderAt) (bool, error) {
	if p.Offset <= 0 {
		return p == Position{}, nil
	}
	if ok, err := p.Ends(f); !ok || err != nil {
		return false, err
	}
	first, err := FirstHash(f, p.Offset)
	return first == p.First, IgnoreEOF(err)
}

// Ends reports whether a line that hashes to Sum ends at Offset, which is not 0: Matches
// for who knows that the file begins as it did.
func (p Position) Ends(f io.ReaderAt) (bool, error) {
	var end [1]byte
	if _, err := f.ReadAt(end[:], p.Offset-1); err != nil {
		return false, IgnoreEOF(err)
	}
	start, err := lineStart(f, p.Offset-int64(newline(end[0])))
	if err != nil {
		return false, IgnoreEOF(err)
	}
	sum, err := HashLine(f, start, p.Offset)
	return err == nil && sum == p.Sum, IgnoreEOF(err)
}

// castagnoli is what processors add up by themselves: to sum all lines costs nothing.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum adds a line to that of the lines before it.
func Sum(all uint32, line []byte) uint32 { return crc32.Update(all, castagnoli, line) }

// Holds reports whether f has before Offset what it had, where that is known: a file that
// was rewritten may begin and end as it did.
func (p Position) Holds(f io.ReaderAt) (bool, error) {
	l := &Reader{f: f, Max: MaxLine, first: BufferSize}
	var all uint32
	for l.n < p.Lines {
		line, err := l.Next()
		if err != nil {
			return false, IgnoreEOF(err)
		}
		all = Sum(all, line)
	}
	return p.All == 0 || p.All == max(all, 1), nil
}

func newline(b byte) int {
	if b == '\n' {
		return 1
	}
	return 0
}

// IgnoreEOF takes an end of file for no error: a file that is too short for its position is another file, no failure.
func IgnoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// Hash hashes a line as HashLine does.
func Hash(line []byte) uint64 {
	h := fnv.New64a()
	h.Write(line)
	return max(h.Sum64(), 1)
}

// HashLine hashes f[start:end] without the newline at its end. The hash is kept in
// journals: it is the same in every version. It is never 0.
func HashLine(f io.ReaderAt, start, end int64) (uint64, error) {
	h := fnv.New64a()
	buf := make([]byte, min(end-start, BufferSize))
	for at := start; at < end; {
		part := buf[:min(end-at, int64(len(buf)))]
		if _, err := f.ReadAt(part, at); err != nil {
			return 0, err
		}
		if at += int64(len(part)); at == end && part[len(part)-1] == '\n' {
			part = part[:len(part)-1]
		}
		h.Write(part)
	}
	return max(h.Sum64(), 1), nil
}

// FirstHash hashes the first line of f, which ends at limit at the latest.
func FirstHash(f io.ReaderAt, limit int64) (uint64, error) {
	buf := make([]byte, 4<<10)
	for at := int64(0); at < limit; {
		part := buf[:min(limit-at, int64(len(buf)))]
		if _, err := f.ReadAt(part, at); err != nil {
			return 0, err
		}
		if i := bytes.IndexByte(part, '\n'); i >= 0 {
			return HashLine(f, 0, at+int64(i)+1)
		}
		at += int64(len(part))
	}
	return HashLine(f, 0, limit)
}

// lineStart returns where the line begins that ends at end, before its newline.
func lineStart(f io.ReaderAt, end int64) (int64, error) {
	buf := make([]byte, 4<<10)
	for end > 0 {
		from := max(0, end-int64(len(buf)))
		part := buf[:end-from]
		if _, err := f.ReadAt(part, from); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}
