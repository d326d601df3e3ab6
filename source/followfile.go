package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// followed is a file that is read as it grows.
type followed struct {
	*stream
	id    fileID
	spec  *watched
	aside bool            // nobody named it: a named one may have been rotated to it
	paths map[string]bool // that lead to it

	file     *os.File // nil: it is closed
	known    bool     // what it is: stream is valid
	ignored  bool     // it is none of ours, until it is another one
	named    bool     // Found was called, with
	namedAs  jsonl.Format
	queued   bool
	grew     time.Time // when there was last something new
	notedAt  time.Time // when its position was last written
	orphaned time.Time // when it lost its last name

	suspect bool      // it was written to, and did not grow: what was read may be another
	again   recheck   // when all of it may be looked at again
	refused fileState // as which it is no document that can be read
	waiting bool      // its end is missing, and that was said

	around uint64 // what is at the file's beginning and in front of the position: see sum
	looked int64  // up to where no line ends behind the position
	zeros  int64  // how large the file was when there were but zeros behind the position; 0: it never was

	due  time.Time // when it is to be read again, though nothing changed
	wait time.Duration
	info fs.FileInfo // when it was last looked at
}

// begin makes what is known of a file that is new here; nil where nobody asked for it.
func (s *following) begin(path string, id fileID) *followed {
	w, aside := s.list.find(path)
	if w == nil {
		return nil
	}
	f := &followed{id: id, spec: w, aside: aside, paths: map[string]bool{}, grew: time.Now()}
	f.stream = s.stream(path, f.spec.Options)
	return f
}

func (s *following) stream(path string, o Options) *stream {
	o.Strict = false // who follows goes on
	return &stream{Reader: s.Reader, o: o, path: path, followed: true, told: &s.told, counts: newCounts()}
}

func (f *followed) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

// unnoted reports whether more of the file is in the journal than its position there says.
func (f *followed) unnoted() bool {
	return f.known && !f.ignored && f.at.Lines > 0 && f.at != f.stream.noted.Position
}

func (f *followed) behind() int64 {
	if f.ignored || f.info == nil || f.packed || f.refused == stateOf(f.info) || f.zeros == f.info.Size() {
		return 0
	}
	return max(0, f.info.Size()-f.at.Offset)
}

// read takes in a piece of what is new in a file.
func (s *following) read(ctx context.Context, f *followed) {
	f.due = time.Time{}
	err := s.open(f)
	if err == nil && !s.whole(f) {
		return
	}
	if err == nil {
		err = s.identify(f)
	}
	if err == nil && !f.ignored {
		err = s.slice(ctx, f)
	}
	f.noteZeros()
	if f.id.inode == 0 || len(f.paths) > 0 && (len(s.queue) > maxOpen || f.info != nil && time.Since(f.info.ModTime()) > openFor) {
		f.close() // only its path tells whether it is this one still; there are too many; it is old
	}
	var bad *badDocument
	if f.waiting && !errors.Is(err, errUnfinished) {
		f.waiting = false
		s.health.Waits(f.path, false)
	}
	switch {
	case err == nil:
		s.recovered(f)
	case errors.As(err, &bad):
		s.refuse(f, bad)
	case errors.Is(err, errUnfinished):
		s.waits(f)
	case ctx.Err() != nil, errors.Is(err, errNotYet):
	case errors.Is(err, fs.ErrNotExist): // if it comes back that is told
	case errors.Is(err, errCopying):
		f.due = time.Now().Add(s.patience())
	case errors.Is(err, errForeign):
		s.ignore(f, true)
	default:
		s.failed(f, err)
	}
}

// noteZeros notes whether what is behind the position is zeros, as where a file was allocated before it is
// filled, or was not on the disk when the power went: nobody waits for them. Both ends tell.
func (f *followed) noteZeros() {
	f.zeros = 0
	if f.file == nil || f.info == nil || f.packed {
		return
	}
	from, size := f.at.Offset, f.info.Size()
	buf := make([]byte, min(int64(sumBytes), max(0, size-from)))
	for _, at := range []int64{from, size - int64(len(buf))} {
		if n, err := f.file.ReadAt(buf, at); n < len(buf) || err != nil && err != io.EOF || len(bytes.Trim(buf, "\x00")) > 0 {
			return
		}
	}
	f.zeros = size
}

// open opens a file that is not open, if its path still leads to it.
func (s *following) open(f *followed) (err error) {
	if f.file == nil {
		info, err := os.Stat(f.path)
		if err == nil && !info.Mode().IsRegular() { // to open a pipe would wait for who writes it
			err = fs.ErrNotExist
		}
		if err != nil {
			return err
		}
		file, err := os.Open(f.path)
		if err != nil {
			return err
		}
		if info, err = file.Stat(); err != nil || identity(f.path, info) != f.id {
			file.Close()
			return errors.Join(err, fs.ErrNotExist) // it is another one by now: that is told, too
		}
		f.file = file
	}
	f.info, err = f.file.Stat()
	return err
}

// identify finds out what a file is, unless it is what it was: longer, maybe.
func (s *following) identify(f *followed) error {
	if f.ignored && f.behindIgnored() {
		return nil
	}
	if f.known {
		if same, err := s.asItWas(f); same || err != nil {
			return err
		}
		if err := s.renew(f); err != nil {
			return err
		}
	} else if f.refused == stateOf(f.info) || !s.mayLook(f) {
		return errNotYet
	}
	f.ignored = false
	began := time.Now()
	known, err := s.identifyAlike(f)
	if f.doc.many {
		f.again.took(time.Since(began), s.patience()/2, known)
	}
	f.suspect = false
	if err == nil {
		f.around, err = sumAround(f.file, f.at.Offset)
	}
	if err != nil {
		return err
	}
	f.known = true
	for path := range f.paths {
		s.follows(path, f)
	}
	if f.aside && s.before(f) {
		s.ignore(f, false)
		return nil
	}
	if f.replaced {
		s.Log.Info().EmbedObject(logline.Why(failure.SourceReplaced, nil)).Str("path", f.path).Msg("a file is not what it was; reading it from its beginning")
	}
	s.found(f, f.src.Format)
	return nil
}

// before reports whether a file that somebody's file may have been rotated to was there
// before anybody asked for that one. It was not if it is newer than one that was begun: then it
// came and went while nobody followed.
func (s *following) before(f *followed) bool {
	at := f.info.ModTime()
	begun, known := s.begun[f.spec]
	if f.stream.noted == (record{}) && !f.alike {
		return at.Before(s.started) && (!known || at.Before(begun))
	}
	if !known || at.Before(begun) {
		s.begun[f.spec] = at
		for _, other := range s.files {
			if other.spec == f.spec && other.ignored && other.known && !other.info.ModTime().Before(at) {
				other.ignored, other.known = false, false
				s.put(other)
			}
		}
	}
	return false
}

// renew forgets what is known of a file that was cut or rewritten in its place. Up to where
// it had been read is written first: a copy of it may have more.
func (s *following) renew(f *followed) error {
	if f.unnoted() {
		f.size = 0
		if err := f.note(); err != nil {
			return err
		}
	}
	s.apart(f)
	f.stream, f.known, f.named = s.stream(f.path, f.spec.Options), false, false
	f.doubtful = f.suspect
	return nil
}

func (s *following) patience() time.Duration {
	if s.quick {
		return 50 * time.Millisecond
	}
	return 2 * quiet
}

// slice reads.
func (s *following) slice(ctx context.Context, f *followed) error {
	limit := int64(sliceBytes)
	if f.packed {
		limit = 1 << 62 // there is no way into the middle
	}
	if f.size == f.info.Size() && f.modTime == f.info.ModTime().UnixNano() {
		return nil
	}
	before := f.at
	more, err := f.stream.read(ctx, f.file, f.info, limit)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // it is still being packed
	}
	if f.at != before {
		f.grew = time.Now()
		if sum, failed := sumAround(f.file, f.at.Offset); failed == nil {
			f.around = sum
		}
	}
	s.count(f.stream)
	f.counts, f.problems, f.bytes = newCounts(), nil, 0
	if more && err == nil {
		s.put(f)
	}
	return err
}

const (
	sumBytes  = 4 << 10 // of each end of what was read
	wholeFrom = 1 << 20 // bytes of a line that is not whole are looked at anew with each piece that comes, up to here
)

// sumAround hashes what a file begins with and what is in front of an offset: what was cut
// and written anew between two looks has something else there.
func sumAround(f *os.File, off int64) (uint64, error) {
	n := min(off, sumBytes)
	begin, err := lines.HashLine(f, 0, n)
	if err != nil {
		return 0, lines.IgnoreEOF(err)
	}
	end, err := lines.HashLine(f, off-n, off)
	return begin*31 + end, lines.IgnoreEOF(err)
}

// whole reports whether a line may be whole behind the position. A long one that comes in
// many pieces is not to be read from its beginning with each of them.
func (s *following) whole(f *followed) bool {
	size := f.info.Size()
	if f.packed || f.ignored || size-f.at.Offset < wholeFrom || size < f.looked {
		f.looked = 0
		return true
	}
	buf := make([]byte, packedBuffer)
	for at := max(f.looked, f.at.Offset); at < size; at += int64(len(buf)) {
		n, err := f.file.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil || bytes.IndexByte(buf[:n], '\n') >= 0 {
			f.looked = 0
			return true
		}
	}
	f.looked = size
	if wait := s.patience() - time.Since(f.info.ModTime()); wait > 0 { // it goes on; or it is a last line without its end
		f.due = time.Now().Add(wait)
		return false
	}
	return true
}

// ignore leaves a file alone until it is another one.
func (s *following) ignore(f *followed, tell bool) {
	f.ignored, f.size = true, f.info.Size()
	f.close()
	for path := range f.paths {
		s.health.Left(path)
	}
	if tell {
		s.found(f, "")
	}
}

// behindIgnored reports whether a file that is ignored is the one it was, as far as one can see.
func (f *followed) behindIgnored() bool {
	return f.info.Size() == f.size || f.info.Size() > f.size && (f.searched || f.known)
}

// found says once what a file is.
func (s *following) found(f *followed, format jsonl.Format) {
	if f.named && (format == "" || format == f.namedAs) {
		return
	}
	f.named, f.namedAs = true, format
	if format == "" {
		s.tell(wrong(failure.SourceForeign, f.path, 0, "it is of no format that is known"),
			"a file is of no format that is known; it is not read (name its format in the configuration if it has one)")
	} else {
		s.Log.Info().Str("path", f.path).Str("format", string(format)).Msg("following a file")
	}
	if s.Found != nil {
		s.Found(f.path, format)
	}
}

// failed has a file read again, later each time. It says so once.
func (s *following) failed(f *followed, err error) {
	if f.wait == 0 {
		s.tell(wrong(failure.SourceUnreadable, f.path, 0, intake.NewProblem(f.path, err).Error), "a file cannot be read; trying again")
	}
	f.wait = min(max(2*f.wait, quiet), time.Minute)
	f.due = time.Now().Add(f.wait)
	s.health.Failed(f.path, errors.New(intake.NewProblem(f.path, err).String()))
}

func (s *following) recovered(f *followed) {
	if f.wait == 0 {
		return
	}
	f.wait = 0
	s.health.Recovered(f.path)
	s.Log.Info().Str("path", f.path).Msg("the file can be read again")
}
