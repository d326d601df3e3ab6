package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// stream is one file, from one reading of it to the next: what it is, whose its lines
// are, and up to where they are in the journal.
type stream struct {
	*Reader
	o          Options
	path       string
	dev, inode uint64
	packed     bool // with gzip
	piped      bool // nothing says what it was when it ended: it has no position
	replaced   bool // no position suits the file, and it is not new
	lined      bool // its first line is a JSON value
	whole      bool // it is one JSON value over many lines

	first   uint64       // hash of its first line; 0 until that is whole
	src     jsonl.Source // with no Format until that is known
	at      lines.Position
	noted   record              // the last position in the journal; the zero record is none
	fresh   map[string]struct{} // sessions that got facts since then
	size    int64               // of the file when it was read to its end; 0: it was not
	modTime int64

	bytes    int64 // that were read
	counts   counts
	problems []Problem
	progress func(bytes, lines int64)
}

// noteBytes is after how much of a file its position is written: what a kill makes read
// again.
const noteBytes = 64 << 20

// Errors of a file whose lines are not read.
var (
	errForeign = errors.New("no format that is known")
	errNotYet  = errors.New("its first line is not whole yet")
)

// errAppend is wrapped by what the journal did not take: no other file fares better.
var errAppend = errors.New("write the journal")

func (s *stream) writes() bool { return s.Journal != nil && !s.o.DryRun }

// detectLines and detectBytes are how much of a file is looked at to find what it is.
const (
	detectLines = 64
	detectBytes = 1 << 20
)

// identify finds out what a file is, whose it is, and where to go on in it. known says that
// nothing in it can be new.
func (s *stream) identify(f *os.File, info os.FileInfo) (known bool, err error) {
	s.dev, s.inode = idOf(info)
	if s.packed, err = isPacked(f); err != nil {
		return false, err
	}
	l, done, err := s.lines(f, lines.Position{})
	if err != nil {
		return false, err
	}
	defer done()
	head, err := s.head(l)
	if err != nil {
		return false, err
	}
	records, err := s.records(s.first)
	if err != nil {
		return false, err
	}
	if err := s.settle(head, records); err != nil {
		return false, err
	}
	if rec := s.same(records); rec != nil && rec.size == info.Size() && rec.modTime == info.ModTime().UnixNano() {
		s.noted, s.at = *rec, rec.Position
		s.size, s.modTime = rec.size, rec.modTime
		return true, nil
	}
	return false, s.place(f, info, records)
}

// head is what a file begins with.
type head struct {
	line   []byte // the first one, as far as it is needed for a name
	format jsonl.Format
	asked  int // lines that were looked at
	long   bool
}

// head reads the first line, and others until one of them says what the file is.
func (s *stream) head(l *lines.Reader) (h head, err error) {
	for h.asked < detectLines && (h.asked == 0 || l.Offset() < detectBytes) {
		line, err := l.Next()
		if isEnd(err) || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return h, err
		}
		if h.asked++; h.asked == 1 {
			p, err := l.Position(0)
			if err != nil {
				return h, err
			}
			s.first = p.Sum
			h.line = slices.Clone(trim(line, 1))
			end, ok := schema.ValueEnd(h.line)
			s.lined = ok && end == len(h.line)
		}
		if s.o.Format != "" || h.format != "" {
			break
		}
		if line = trim(line, l.Count()); len(line) > 0 && !l.TooLong() {
			h.format, _ = jsonl.Detect(line)
		}
		if h.format != "" {
			break
		}
	}
	if h.asked == 0 {
		return h, errNotYet
	}
	return h, nil
}

// settle decides on the format and the session. What was decided for a file with this first
// line stands, whatever the file is called by now.
func (s *stream) settle(h head, records []record) error {
	format := s.o.Format
	for _, rec := range records {
		if format == "" {
			format = rec.format
		}
	}
	if format == "" {
		format = h.format
	}
	if format == "" || format == jsonl.Claude {
		return errForeign
	}
	s.src = jsonl.Source{Format: format, Path: s.path, Title: stem(s.path), Origin: schema.OriginAudit, Host: s.Host, User: s.User,
		Namespace: s.o.Namespace, KeepUnknown: s.o.KeepUnknown}
	if s.Journal != nil {
		s.src.HashKey = s.Journal.Key()
	}
	if !format.OneSession() {
		return nil
	}
	for _, rec := range records {
		if rec.format == format && rec.session != "" {
			s.src.Session = rec.session
			return nil
		}
	}
	s.src.Session = jsonl.SessionID(stem(s.path), h.line)
	return nil
}

// same returns what the journal says of this very file.
func (s *stream) same(records []record) *record {
	for i := range records {
		if r := &records[i]; r.inode != 0 && r.inode == s.inode && r.dev == s.dev && r.format == s.src.Format {
			return r
		}
	}
	return nil
}

// place finds where to go on: behind what is known of this very file, if it has that
// still; else behind what is known of a file with the same content, as of one that this is a
// copy of, or that was packed.
func (s *stream) place(f *os.File, info os.FileInfo, records []record) error {
	s.noted, s.at = record{}, lines.Position{}
	if rec := s.same(records); rec != nil {
		s.replaced = true
		if !s.packed {
			ok, err := rec.Matches(f)
			if ok && err == nil && info.Size() <= rec.Offset {
				ok, err = rec.Holds(f) // it changed, and did not grow
			}
			if err != nil {
				return err
			}
			if ok {
				s.goOn(*rec)
				return nil
			}
		}
	}
	if s.packed {
		return s.placePacked(f, records)
	}
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(b.Offset, a.Offset) })
	for _, rec := range records {
		if rec.format != s.src.Format || rec.Offset > info.Size() || rec.Offset == 0 {
			continue
		}
		ok, err := rec.Matches(f)
		if ok && err == nil {
			ok, err = rec.Holds(f)
		}
		if err != nil {
			return err
		}
		if ok {
			s.goOn(rec)
			return nil
		}
	}
	return nil
}

func (s *stream) goOn(rec record) { s.noted, s.at, s.replaced = rec, rec.Position, false }

// placePacked is place for what has to be unpacked to see where a line ends.
func (s *stream) placePacked(f *os.File, records []record) error {
	l, done, err := s.lines(f, lines.Position{})
	if err != nil {
		return err
	}
	defer done()
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.Lines, b.Lines) })
	var all uint32
	for _, rec := range records {
		if rec.format != s.src.Format || rec.Lines == 0 {
			continue
		}
		for l.Count() < rec.Lines {
			line, err := l.Next()
			if isEnd(err) || err == io.ErrUnexpectedEOF {
				return nil
			}
			if err != nil {
				return err
			}
			all = lines.Sum(all, line)
		}
		if max(all, 1) == rec.All {
			s.goOn(rec)
		}
	}
	return nil
}

// name notes what the session of a file is called before anything of it is in the journal:
// whatever the file is called when it is read on, its session stays that.
func (s *stream) name() error {
	if !s.writes() || s.piped || s.src.Session == "" || s.noted != (record{}) {
		return nil
	}
	return s.append(s.record(lines.Position{First: s.first}))
}

func (s *stream) record(at lines.Position) record {
	return record{Position: at, path: s.path, dev: s.dev, inode: s.inode, modTime: s.modTime, size: s.size, format: s.src.Format, session: s.src.Session}
}

func (s *stream) append(rec record) error {
	e := rec.event(s.Host)
	if err := s.Journal.Append(s.Redactor.Event(e)); err != nil {
		return fmt.Errorf("%w: %w", errAppend, err)
	}
	s.noted = rec
	return nil
}

// commit appends what a block gave: what was read to its end is in the journal then.
func (s *stream) commit(b *block) error {
	if s.writes() && len(b.out) > 0 {
		bySession(b.out)
		if err := s.Journal.Append(b.out...); err != nil {
			return fmt.Errorf("%w: %w", errAppend, err)
		}
		if s.fresh == nil {
			s.fresh = map[string]struct{}{}
		}
		for session := range b.counts.sessions {
			s.fresh[session] = struct{}{}
		}
	}
	s.counts.add(b.counts)
	if room := maxProblems - len(s.problems); room > 0 {
		s.problems = append(s.problems, b.problems[:min(room, len(b.problems))]...)
	}
	if b.failed {
		return fmt.Errorf("%w: %s", errStrict, b.problems[len(b.problems)-1])
	}
	s.at, s.bytes = b.end, s.bytes+b.bytes
	if s.progress != nil {
		s.progress(b.bytes, b.counts.lines)
	}
	if s.at.Offset-s.noted.Offset < noteBytes {
		return nil
	}
	s.size = 0
	return s.note()
}

// bySession puts together what goes into one file: to open it takes longer than to write.
func bySession(out []redact.Line) {
	for i := 1; i < len(out); i++ {
		if out[i].Session() != out[0].Session() {
			slices.SortStableFunc(out, func(a, b redact.Line) int { return cmp.Compare(a.Session(), b.Session()) })
			return
		}
	}
}

// syncers is how many files are synced at once: a file system commits them together.
const syncers = 8

// note appends the position, once what it covers is on the disk: they are in
// different files, and a power cut must not leave the position alone.
func (s *stream) note() error {
	if !s.writes() || s.piped || s.first == 0 || s.src.Format == "" {
		return nil
	}
	rec := s.record(s.at)
	if rec == s.noted {
		return nil
	}
	errs := make(chan error, len(s.fresh))
	tickets := make(chan struct{}, syncers)
	var syncing sync.WaitGroup
	for session := range s.fresh {
		tickets <- struct{}{}
		syncing.Go(func() {
			errs <- s.Journal.Sync(session)
			<-tickets
		})
	}
	syncing.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("%w: %w", errAppend, err)
		}
	}
	clear(s.fresh)
	return s.append(rec)
}

// read takes in what is new and whole in a file, about limit bytes of it; more says that
// there is more.
func (s *stream) read(ctx context.Context, f *os.File, info os.FileInfo, limit int64) (more bool, err error) {
	s.size, s.modTime = 0, info.ModTime().UnixNano()
	if err := s.name(); err != nil {
		return false, err
	}
	l, done, err := s.lines(f, s.at)
	if err != nil {
		return false, err
	}
	defer done()
	l.Ahead(info.Size() - l.Offset())
	more, err = s.run(ctx, l, limit, info.ModTime())
	if err == nil && !more {
		s.size = info.Size()
	}
	return more, err
}

// pipe reads to the end of what is no file.
func (s *stream) pipe(ctx context.Context, l *lines.Reader, now time.Time) error {
	_, err := s.run(ctx, l, 1<<62, now)
	return err
}
