package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Pack packs all that a session holds, unless ctx ends before. What it holds stays, byte for byte, and so do positions
// and the time at which it was last written to. Writers may append meanwhile; but to pack a
// session that goes on costs its whole length each time. The error of a session of which
// nothing is left to be packed wraps ErrPacked.
//
// Who calls it holds a lock against others that replace files of the journal. One that is
// killed leaves files of which the content follows without doubt (layers.order); the next
// Pack of the session, or CompletePacks, completes it.
func (j *Journal) Pack(ctx context.Context, session string) error {
	p, err := j.packer(ctx, session)
	if err == nil {
		err = p.complete()
	}
	if err == nil {
		err = p.pack()
	}
	if j.Forgotten(session) {
		err = nil // there is nothing to be packed any more
	}
	return wrap(err)
}

// ErrPacked says that all of a session is packed.
var ErrPacked = errors.New("all of it is packed")

// repack is Rewrite of the packed part of a session, where there is one.
func (j *Journal) repack(session string, change func(line []byte) []byte) (changed int, err error) {
	path, err := j.path(session)
	if err != nil {
		return 0, err
	}
	now, err := look(path)
	if _, tmpErr := os.Lstat(named(path, tmpSuffix)); err != nil || !now.pieced() && tmpErr != nil {
		return 0, err
	}
	p, err := j.packer(context.Background(), session)
	if err == nil {
		err = p.complete()
	}
	if err != nil {
		return 0, err
	}
	if now, err = look(path); err != nil || now[packed] == nil {
		return 0, err
	}
	err = p.write(packed, func(line []byte) []byte {
		to := change(line)
		if !bytes.Equal(to, line) {
			changed++
		}
		return to
	})
	if err != nil || changed == 0 {
		return 0, errors.Join(err, removeFile(named(path, tmpSuffix)))
	}
	return changed, p.take()
}

// CompletePacks completes what Pack left that was killed, or a Rewrite of what is packed, and says of how many
// sessions. It needs the lock that Pack needs.
func (j *Journal) CompletePacks(ctx context.Context) (n int, err error) {
	entries, err := readDir(j.dir())
	var sessions []string
	for _, e := range entries {
		for _, suffix := range []string{tmpSuffix, packingSuffix, renewedSuffix} {
			if s, ok := strings.CutSuffix(e.Name(), suffix); ok && schema.ValidID(s) {
				sessions = append(sessions, s)
			}
		}
	}
	for _, session := range slices.Compact(sessions) { // in the order of their names
		p, failed := j.packer(ctx, session)
		if failed == nil {
			failed = p.complete()
		}
		if failed == nil {
			n++
		}
		err = errors.Join(err, wrap(failed))
	}
	return n, err
}

// packer packs one session.
type packer struct {
	ctx     context.Context
	j       *Journal
	session string
	path    string // of its plain file
}

func (j *Journal) packer(ctx context.Context, session string) (*packer, error) {
	path, err := j.path(session)
	if err == nil && j.codec == nil {
		err = fmt.Errorf("session %s: %w", session, errNoCodec)
	}
	if err == nil && schema.NoSession(session) {
		err = fmt.Errorf("%q is no session", session)
	}
	return &packer{ctx: ctx, j: j, session: session, path: path}, err
}

func (p *packer) name(kind int) string { return named(p.path, kindSuffixes()[kind]) }

// pack packs a session of which no other pack is under way.
//
// The work is done before anything is renamed: a disk that is full changes nothing.
func (p *packer) pack() error {
	now, err := look(p.path)
	if err != nil {
		return err
	}
	if len(now.order()) == 0 {
		return notThere(p.path)
	}
	if now[plain] == nil || now[plain].Size() == 0 {
		return fmt.Errorf("session %s: %w", p.session, ErrPacked)
	}
	if info, err := os.Lstat(p.path); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is a link: only a file is packed", p.path))
	}
	if _, err := os.Lstat(p.path + oldSuffix); err == nil {
		return fmt.Errorf("session %s: %s%s is what a rewriting left that was killed: ag-sessiond secrets scrub completes it", p.session, p.path, oldSuffix)
	}
	if err := p.write(plain, nil); err != nil {
		return err
	}
	// What a reader passed on as synced (Sync) must not be unsynced under another name.
	if err := syncPath(p.path); err != nil {
		return errors.Join(err, removeFile(named(p.path, tmpSuffix)))
	}
	if err := os.Rename(p.path, p.name(packing)); err != nil {
		return errors.Join(err, removeFile(named(p.path, tmpSuffix)))
	}
	return p.take()
}

// complete brings a session to where no pack is under way.
func (p *packer) complete() error {
	now, err := look(p.path)
	if err != nil {
		return err
	}
	if err := removeFile(named(p.path, tmpSuffix)); err != nil {
		return err
	}
	switch {
	case now[renewed] != nil:
		return p.settle()
	case now[packing] == nil:
		return nil
	}
	if err := p.write(packing, nil); err != nil {
		return err
	}
	return p.take()
}

// edited reads lines, framed, as change has them.
type edited struct {
	lines  *bufio.Reader
	change func([]byte) []byte
	framed []byte
	out    []byte // of framed, what is not read yet
	err    error
}

func (e *edited) Read(b []byte) (int, error) {
	for len(e.out) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		var line []byte
		if line, e.err = e.lines.ReadBytes('\n'); e.err != nil && e.err != io.EOF {
			return 0, e.err
		}
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) == 0 {
			continue
		}
		if to := e.change(line); to != nil {
			e.framed = frame(e.framed[:0], to)
			e.out = e.framed
		}
	}
	n := copy(b, e.out)
	e.out = e.out[n:]
	return n, nil
}

// write makes the file of a pack, whole and on the disk, under a name that nobody reads yet: of
// what the session holds up to its last file of a kind.
func (p *packer) write(last int, change func([]byte) []byte) (err error) {
	c, err := p.j.open(p.path)
	if err != nil {
		return err
	}
	defer c.Close()
	n := slices.IndexFunc(c.pieces, func(p piece) bool { return p.kind == last }) + 1
	if n == 0 {
		return fmt.Errorf("%s is gone: is another program at it?", p.name(last))
	}
	var at time.Time
	for _, piece := range c.pieces[:n] {
		if t := c.layers[piece.kind].ModTime(); t.After(at) {
			at = t
		}
	}
	size := c.pieces[n-1].to
	in := io.Reader(&stoppable{p.ctx, io.NewSectionReader(c, 0, size)})
	if change != nil {
		in, size = &edited{lines: bufio.NewReaderSize(in, maxBuffer), change: change}, -1
	}
	name := named(p.path, tmpSuffix)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, removeFile(name))
		}
	}()
	if err := errors.Join(chmod(f), p.j.codec.Pack(f, in)); err != nil {
		if p.ctx.Err() == nil {
			err = fmt.Errorf("%w (what was there goes only when what is packed is on the disk: it needs room for both; the session is as it was)", err)
		}
		return fmt.Errorf("pack session %s: %w", p.session, err)
	}
	if err := p.check(f, c, size); err != nil {
		return err
	}
	return errors.Join(os.Chtimes(name, at, at), f.Sync())
}

// check reads what was packed and compares it with what it was made of, size bytes of c; -1 is
// something else, which only has to be readable.
func (p *packer) check(f *os.File, c *Content, size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	in, length, err := p.j.unpack(f, info.Size())
	if err != nil || size >= 0 && length != size {
		return errors.Join(err, fmt.Errorf("%s: %d bytes are packed of %d", f.Name(), length, size))
	}
	a, b := make([]byte, maxBuffer), make([]byte, maxBuffer)
	for at := int64(0); at < length && p.ctx.Err() == nil; at += int64(len(a)) {
		n := min(int64(len(a)), length-at)
		if _, err := in.ReadAt(a[:n], at); err != nil && !(err == io.EOF && at+n == length) {
			return damaged(f.Name(), err)
		}
		if size < 0 {
			continue
		}
		if _, err := c.ReadAt(b[:n], at); err != nil && err != io.EOF {
			return err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return fmt.Errorf("%s: what is packed differs from what it was made of behind byte %d", f.Name(), at)
		}
	}
	return p.ctx.Err()
}

// stoppable reads until ctx ends: a long session takes longer than a daemon has to stop.
type stoppable struct {
	ctx context.Context
	in  io.Reader
}

func (s *stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.in.Read(b)
}

// take puts the file that write made in the place of all that it holds.
func (p *packer) take() error {
	if err := os.Rename(named(p.path, tmpSuffix), p.name(renewed)); err != nil {
		return err
	}
	return p.settle()
}

// settle leaves of a session whose pack is whole that and what was written since. It is
// on the disk before what it was made of goes.
func (p *packer) settle() error {
	if p.j.Forgotten(p.session) { // while it was packed: Forget may not have seen this file
		return p.j.removeSession(p.session)
	}
	if err := p.j.syncDir(); err != nil {
		return err
	}
	if err := p.keepLate(); err != nil {
		return err
	}
	if err := removeFile(p.name(packing)); err != nil {
		return err
	}
	err := os.Rename(p.name(renewed), p.name(packed))
	if p.j.Forgotten(p.session) { // Forget may have looked for this name before
		return p.j.removeSession(p.session)
	}
	return err
}

// keepLate appends what was written to the file that was put aside after its content was
// packed: by who had it open, and need not have looked what became of it (appending.lost).
func (p *packer) keepLate() error {
	aside, err := os.Open(p.name(packing))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer aside.Close()
	c, err := p.j.open(p.path)
	if err != nil {
		return err
	}
	defer c.Close()
	before := int64(0) // what was packed before
	if info := c.layers[packed]; info != nil {
		if before, err = p.j.length(p.name(packed), info); err != nil {
			return err
		}
	}
	from := c.pieces[0].to - before
	info, err := aside.Stat()
	if err != nil || info.Size() <= from {
		return err
	}
	// A line that was packed in part stands there torn, and here whole.
	if from, err = lineStart(aside, from); err != nil {
		return err
	}
	late := make([]byte, info.Size()-from)
	if _, err := aside.ReadAt(late, from); err != nil && err != io.EOF {
		return err
	}
	return p.append(late)
}

// append appends lines to the file that writers append to now, as they do.
func (p *packer) append(lines []byte) error {
	f, err := p.j.openAppend(p.session)
	if err != nil || f == nil {
		return err
	}
	if lines[0] != '\n' {
		lines = append([]byte{'\n'}, lines...)
	}
	if lines[len(lines)-1] != '\n' {
		lines = append(lines, '\n')
	}
	return errors.Join(p.j.put(f, lines), f.Sync(), f.Close(), p.j.syncDir())
}
