package seal

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/actiongraph/actiongraph/errcode"
)

const (
	domain   = "actiongraph seal 1"
	saltSize = 16
	// leafSize is a leaf's line in a session's file.
	leafSize = 43 + 1
	headSize = len(domain) + 1 + 2*saltSize + 1
	readAt   = 256 << 10
)

type (
	sum  [sha256.Size]byte
	salt [saltSize]byte
)

func (s sum) String() string { return hex.EncodeToString(s[:]) }

// first is the head of a chain without a record.
func first(journal, session string, s salt) sum {
	return sha256.Sum256([]byte(domain + "\x00" + journal + "\x00" + session + "\x00" + string(s[:])))
}

// then is the head behind one more record.
func (s sum) then(leaf sum) sum {
	return sha256.Sum256(append(append(make([]byte, 0, 2*sha256.Size), s[:]...), leaf[:]...))
}

// records cuts content into records.
type records struct {
	in   *bufio.Reader
	hash hash.Hash
	salt salt
	end  int64 // of the last record
}

// recordsOf reads content from an offset at which a record begins.
func recordsOf(content io.ReaderAt, from, to int64, s salt) *records {
	return &records{in: bufio.NewReaderSize(io.NewSectionReader(content, from, to-from), readAt), hash: sha256.New(), salt: s, end: from}
}

// next returns the leaf of the next record; io.EOF says that there is no whole one.
func (r *records) next() (leaf sum, err error) {
	r.hash.Reset()
	r.hash.Write(r.salt[:])
	length, empty := int64(0), true
	for {
		part, err := r.in.ReadSlice('\n')
		r.hash.Write(part)
		length += int64(len(part))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			empty = false
		case err != nil:
			return leaf, err
		case len(part) > 1 || !empty:
			r.end += length
			r.hash.Sum(leaf[:0])
			return leaf, nil
		}
	}
}

// leaves is a session's file that is written.
type leaves struct {
	file *os.File
	out  *bufio.Writer
	salt salt
	name string // that the file gets in the end; "" where it has it
}

// newLeaves makes a session's file, in the place of one that may be there.
func newLeaves(path string) (*leaves, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "new.*.tmp") // no session's id has a dot
	if err != nil {
		return nil, err
	}
	l := &leaves{file: f, out: bufio.NewWriter(f), name: path}
	rand.Read(l.salt[:])
	fmt.Fprintf(l.out, "%s %x\n", domain, l.salt) // an error stays with the Writer
	return l, nil
}

// openLeaves opens a session's file to append to its first n leaves. What is behind them was never sealed.
func openLeaves(path string, n int64) (*leaves, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s, size, err := readSalt(f)
	at := int64(headSize) + n*leafSize
	if err == nil && size < at {
		err = fmt.Errorf("%s was cut: %w", path, errEdited)
	}
	if err == nil {
		err = f.Truncate(at)
	}
	if err == nil {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &leaves{file: f, out: bufio.NewWriter(f), salt: s}, nil
}

func (l *leaves) add(leaf sum) error {
	var line [leafSize]byte
	base64.RawStdEncoding.Encode(line[:], leaf[:])
	line[leafSize-1] = '\n'
	_, err := l.out.Write(line[:])
	return err
}

// close brings the file to the disk where keep says so; else it stays, or is removed, as it was.
func (l *leaves) close(keep bool) (err error) {
	if keep {
		err = errors.Join(l.out.Flush(), l.file.Sync())
	}
	err = errors.Join(err, l.file.Close())
	if l.name == "" {
		return err
	}
	if keep && err == nil {
		err = os.Rename(l.file.Name(), l.name)
	}
	if !keep || err != nil {
		os.Remove(l.file.Name())
	}
	return err
}

// errEdited is of a session's file of leaves that nobody here wrote so.
var errEdited = errcode.New(errcode.SealBroken, "it is not as it was written")

func readSalt(f *os.File) (s salt, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return s, 0, err
	}
	head := make([]byte, headSize)
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return s, 0, err
	}
	_, err = hex.Decode(s[:], head[len(domain)+1:headSize-1])
	if err != nil || string(head) != fmt.Sprintf("%s %x\n", domain, s) {
		return s, 0, fmt.Errorf("%s: %w", f.Name(), errEdited)
	}
	return s, info.Size(), nil
}

// readLeaves reads the salt and the first n leaves of a session's file. Where some were cut off or
// edited it returns those before and an error; without its salt, none.
func readLeaves(path string, n int64) (s salt, all []sum, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, nil, err
	}
	defer f.Close()
	s, size, err := readSalt(f)
	if err != nil {
		return s, nil, err
	}
	has := min(n, (size-int64(headSize))/leafSize)
	in := bufio.NewReaderSize(io.NewSectionReader(f, int64(headSize), has*leafSize), readAt)
	all = make([]sum, has)
	coding := base64.RawStdEncoding.Strict()
	var line [leafSize]byte
	for i := range all {
		if _, err := io.ReadFull(in, line[:]); err != nil {
			return s, all[:i], err
		}
		if got, err := coding.Decode(all[i][:], line[:leafSize-1]); err != nil || got != len(sum{}) || line[leafSize-1] != '\n' {
			return s, all[:i], fmt.Errorf("%s: line %d: %w", path, i+2, errEdited)
		}
	}
	if has < n {
		err = fmt.Errorf("%s was cut: %w", path, errEdited)
	}
	return s, all, err
}

func parseSum(text string) (s sum, err error) {
	if len(text) != hex.EncodedLen(len(s)) {
		return s, errNoEntry
	}
	_, err = hex.Decode(s[:], []byte(text))
	return s, err
}
