// Package packed opens a journal of which sessions may be packed, and packs them: as seekable
// Zstandard (github.com/facebook/zstd, contrib/seekable_format), which zstd -d unpacks, too.
// It is apart from package journal because ag-hook, which only appends, links nothing but the
// standard library.
package packed

import (
	"errors"
	"fmt"
	"io"
	"sync"

	seekable "github.com/SaveTheRbtz/zstd-seekable-format-go/pkg"
	"github.com/klauspost/compress/zstd"

	"github.com/actiongraph/actiongraph/journal"
)

// frame is how much of a session is packed at a time: what has to be unpacked to read
// anything in it. Larger ones
// gain little: 57 MB of real lines came to 9.9 % in frames of 256 KiB, 8.7 % of 1 MiB, 8.2 % of 4 MiB, and 8.0 %
// in one; the better and slower level of zstd gives 8.2 % at two thirds of the speed.
const frame = 1 << 20

// Open opens the journal of home, as journal.Open does, and reads in it what is packed, too. A
// home that a newer version of this program has used is refused: journal.ErrNewerHome.
func Open(home string) (*journal.Journal, error) {
	return journal.OpenWith(home, &codec{sync.OnceValues(newDecoder), sync.OnceValues(newEncoder)})
}

// Adopt is Open for whoever changes the home, or may: it is marked as one of this version's
// format.
func Adopt(home string) (*journal.Journal, error) {
	j, err := Open(home)
	if err == nil {
		j.Adopt()
	}
	return j, err
}

// codec is for any number of goroutines. Both are made when they are needed, which they are not
// by most verbs in most homes.
type codec struct {
	decoder func() (*zstd.Decoder, error)
	encoder func() (*zstd.Encoder, error)
}

func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(frame))
}

// newDecoder makes one that takes what Pack writes: what claims to be more is damaged.
func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(frame), zstd.WithDecoderLowmem(true))
}

// Pack writes frames and the table of where they are.
func (c *codec) Pack(w io.Writer, from io.Reader) error {
	enc, err := c.encoder()
	if err != nil {
		return err
	}
	out, err := seekable.NewWriter(w, enc)
	if err != nil {
		return err
	}
	buf := make([]byte, frame)
	for {
		n, err := io.ReadFull(from, buf)
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return out.Close()
		}
		if err != nil {
			return err
		}
	}
}

// Open reads the table at the end of what Pack wrote.
func (c *codec) Open(f io.ReaderAt, size int64) (io.ReaderAt, int64, error) {
	dec, err := c.decoder()
	if err != nil {
		return nil, 0, err
	}
	r, err := seekable.NewReader(io.NewSectionReader(f, 0, size), dec)
	if err != nil {
		return nil, 0, err
	}
	t, err := r.SeekTable()
	if err != nil {
		return nil, 0, err
	}
	// To read a frame makes room for what the table says of it, which may be 4 GB.
	at := uint64(0)
	for i := range t.NumFrames() {
		e, ok := t.EntryByID(i)
		if !ok || e.CompressedOffset != at || e.DecompressedSize > frame {
			return nil, 0, fmt.Errorf("frame %d of its table cannot be", i)
		}
		at += uint64(e.CompressedSize)
	}
	if at > uint64(size) {
		return nil, 0, errors.New("its table tells of more than there is")
	}
	return r, int64(t.Size()), nil
}
