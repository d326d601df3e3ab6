package journal

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
)

// sum is the hash of one record in a Position: FNV-1a, 64 bits. Stores keep it, so
// it must be the same in every process and version. It is never 0, which in a
// Position means that there is no record.
func sum(record []byte) uint64 {
	h := fnv.New64a()
	h.Write(record)
	return nonZero(h.Sum64())
}

func nonZero(n uint64) uint64 {
	if n == 0 {
		return 1
	}
	return n
}

// verify reports, by an error that wraps ErrReplaced, that p was not taken from
// this file as it is now.
func verify(f io.ReaderAt, p Position) error {
	if p.Offset < 2 {
		return fmt.Errorf("%w: no record ends at %d", ErrReplaced, p.Offset)
	}
	start, err := lineStart(f, p.Offset-1)
	if err == nil {
		err = match(f, start, p.Offset-1, p.Sum)
	}
	if err != nil {
		return err
	}
	start, end, err := firstLine(f, p.Offset)
	if err == nil {
		err = match(f, start, end, p.First)
	}
	return err
}

// match reports, by an error, that f[start:end] is not the line with this hash.
func match(f io.ReaderAt, start, end int64, want uint64) error {
	h := fnv.New64a()
	if _, err := io.Copy(h, io.NewSectionReader(f, start, end-start)); err != nil {
		return err
	}
	newline := make([]byte, 1)
	if _, err := f.ReadAt(newline, end); err != nil {
		return shrunk(err)
	}
	if newline[0] != '\n' || nonZero(h.Sum64()) != want {
		return fmt.Errorf("%w: another record at byte %d", ErrReplaced, start)
	}
	return nil
}

// shrunk says what an end of file before a position means.
func shrunk(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%w: it shrank", ErrReplaced)
	}
	return err
}

// lineStart returns where the line begins that ends at end.
func lineStart(f io.ReaderAt, end int64) (int64, error) {
	buf := make([]byte, minBuffer)
	for end > 0 {
		from := max(0, end-int64(len(buf)))
		part := buf[:end-from]
		if _, err := f.ReadAt(part, from); err != nil {
			return 0, shrunk(err)
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}

// firstLine returns the bounds of the first line that is not empty; end is limit
// where it does not end before.
func firstLine(f io.ReaderAt, limit int64) (start, end int64, err error) {
	buf := make([]byte, minBuffer)
	begun := false
	for at := int64(0); at < limit; {
		part := buf[:min(int64(len(buf)), limit-at)]
		if _, err := f.ReadAt(part, at); err != nil {
			return 0, 0, shrunk(err)
		}
		i := 0
		for !begun && i < len(part) && part[i] == '\n' {
			i++
		}
		if !begun && i < len(part) {
			start, begun = at+int64(i), true
		}
		if begun {
			if n := bytes.IndexByte(part[i:], '\n'); n >= 0 {
				return start, at + int64(i+n), nil
			}
		}
		at += int64(len(part))
	}
	return start, limit, nil
}
