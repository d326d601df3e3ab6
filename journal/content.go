package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Codec packs sessions and reads them: this package links only the standard library.
// Package journal/packed has one.
type Codec interface {
	// Open opens what Pack wrote, size bytes of f. It returns what Pack had read, and how long
	// that is.
	Open(f io.ReaderAt, size int64) (content io.ReaderAt, length int64, err error)
	// Pack writes what it reads from a session, packed.
	Pack(w io.Writer, from io.Reader) error
}

// OpenWith is Open for those who read sessions that are packed, too. Hooks, which only append,
// need not. A home of a later format is refused, as CheckHome does.
func OpenWith(home string, codec Codec) (*Journal, error) {
	if err := CheckHome(home); err != nil {
		return nil, err
	}
	j, err := Open(home)
	if err == nil {
		j.codec = codec
	}
	return j, err
}

// errNoCodec is what a journal says of a packed session that was opened without a Codec.
var errNoCodec = errors.New("the session is packed, and this program reads only what is not: use ag-sessiond, or unpack it with zstd -d")

// Content is all that a session holds, as one piece: what was packed, and behind it what was
// written since.
type Content struct {
	path   string
	layers layers
	pieces []piece // one at least
}

// piece is a file of a session.
type piece struct {
	kind     int
	file     *os.File
	in       io.ReaderAt // file, or what is packed in it
	from, to int64       // where it is in the content; the last one may have grown
}

// Content opens what a session holds. The error of a session without a file wraps
// fs.ErrNotExist.
func (j *Journal) Content(session string) (*Content, error) {
	path, err := j.path(session)
	if err != nil {
		return nil, err
	}
	c, err := j.open(path)
	return c, wrap(err)
}

// open opens the files of a session as they are at one moment.
func (j *Journal) open(path string) (*Content, error) {
	for range patience {
		before, err := look(path)
		if err != nil {
			return nil, err
		}
		c := &Content{path: path, layers: before}
		err = c.open(j)
		if after, lookErr := look(path); lookErr == nil && after.same(before) && err == nil {
			return c, nil
		} else if lookErr == nil && after.same(before) || lookErr != nil {
			return nil, errors.Join(err, lookErr, c.Close())
		}
		c.Close()
	}
	return nil, errBusy(path)
}

func (c *Content) open(j *Journal) error {
	order := c.layers.order()
	if len(order) == 0 {
		return notThere(c.path)
	}
	at := int64(0)
	for _, kind := range order {
		name := named(c.path, kindSuffixes()[kind])
		f, err := openRegular(name)
		if err != nil {
			return err
		}
		c.pieces = append(c.pieces, piece{kind: kind, file: f})
		info, err := f.Stat()
		if err != nil {
			return err
		}
		c.layers[kind] = info
		in, size := io.ReaderAt(f), info.Size()
		if kind == packed || kind == renewed {
			if in, size, err = j.unpack(f, size); err != nil {
				return err
			}
		}
		c.pieces[len(c.pieces)-1] = piece{kind, f, in, at, at + size}
		at += size
	}
	return nil
}

func (j *Journal) unpack(f *os.File, size int64) (io.ReaderAt, int64, error) {
	if j.codec == nil {
		return nil, 0, fmt.Errorf("%s: %w", f.Name(), errNoCodec)
	}
	in, length, err := j.codec.Open(f, size)
	if err != nil {
		err = damaged(f.Name(), err)
	}
	return in, length, err
}

func damaged(name string, err error) error {
	return fmt.Errorf("%s is damaged: %w: restore it from a backup; what stores have of the session stays, as long as they are kept", name, err)
}

// Close closes the files.
func (c *Content) Close() error {
	var errs []error
	for _, p := range c.pieces {
		errs = append(errs, p.file.Close())
	}
	return errors.Join(errs...)
}

// Size is how long the content was when it was opened.
func (c *Content) Size() int64 { return c.pieces[len(c.pieces)-1].to }

// ReadAt reads, and goes on into what was appended since the content was opened. It is for any
// number of goroutines.
func (c *Content) ReadAt(b []byte, off int64) (n int, err error) {
	for i, p := range c.pieces {
		part, last := b[n:], i == len(c.pieces)-1
		at := off + int64(n)
		if !last {
			if at >= p.to {
				continue
			}
			part = part[:min(int64(len(part)), p.to-at)]
		}
		m, err := p.in.ReadAt(part, at-p.from)
		n += m
		switch {
		case n == len(b):
			return n, nil
		case m == len(part): // and on in the next
		case err == io.EOF && !last:
			return n, fmt.Errorf("%s: %w", p.file.Name(), shrunk(err))
		case err != io.EOF && (p.kind == packed || p.kind == renewed):
			return n, damaged(p.file.Name(), err)
		default:
			return n, err
		}
	}
	return n, io.EOF
}

// as reports whether the session's files are those that are open here, and the last of them has
// what is before size.
func (c *Content) as(now layers, size int64) bool {
	last := c.pieces[len(c.pieces)-1]
	return c.layers.same(now) && (last.in != io.ReaderAt(last.file) || now[last.kind].Size() >= size-last.from)
}
