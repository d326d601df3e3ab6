package source

import (
	"cmp"
	"io"
	"os"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

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
	if err := isWide(f); err != nil {
		return false, err
	}
	if s.text, err = s.document(f, info); err != nil {
		return false, err
	}
	if s.text != nil {
		return s.identifyDocument(info)
	}
	l, done := lines.Peek(f), func() {}
	if s.packed {
		if l, done, err = s.lines(f, lines.Position{}); err != nil {
			return false, err
		}
	}
	defer done()
	head, err := s.head(l)
	if err != nil {
		return false, err
	}
	if s.beside != nil {
		if err := s.beside(s.first); err != nil {
			return false, err
		}
	}
	records, err := s.records(s.first)
	if err != nil {
		return false, err
	}
	if err := s.settle(head, records); err != nil {
		return false, err
	}
	if rec := s.same(records); rec != nil && rec.size == info.Size() && rec.modTime == info.ModTime().UnixNano() {
		s.goOn(rec)
		s.size, s.modTime = rec.size, rec.modTime
		known = true
	} else if err := s.place(f, info, records); err != nil {
		return false, err
	}
	s.session(head, records)
	s.alike = len(records) > 0 && len(head.line) >= tellingLine
	return known, nil
}

// head is what a file begins with.
type head struct {
	line   []byte // the first one that is not blank
	format jsonl.Format
	asked  int // lines that were looked at and are not blank
}

// head reads the first lines, until one of them says what the file is.
func (s *stream) head(l *lines.Reader) (h head, err error) {
	for h.asked < detectLines && (l.Count() == 0 || l.Offset() < detectBytes) {
		line, err := l.Next()
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return h, err
		}
		if line = trim(line); len(line) == 0 && !l.TooLong() {
			continue
		}
		if h.asked++; h.asked == 1 {
			s.first = lines.Hash(line)
		}
		if l.TooLong() {
			if p, err := l.Position(0); err != nil {
				return h, err
			} else if h.asked == 1 {
				s.first = p.Sum
			}
			continue
		}
		if h.line == nil {
			h.line = slices.Clone(line)
		}
		if h.format = s.o.Format; h.format == "" {
			h.format, _ = jsonl.Detect(line)
		}
		if h.format != "" {
			break
		}
	}
	s.searched = h.asked == detectLines || l.Offset() >= detectBytes
	if h.asked == 0 {
		s.at = lines.Position{Offset: l.Offset()} // nothing but blank lines
		return h, errNotYet
	}
	return h, nil
}

// settle decides on the format.
func (s *stream) settle(h head, records []*record) error {
	format := h.format
	for _, rec := range records {
		format = cmp.Or(format, rec.format)
	}
	if format = cmp.Or(s.o.Format, format); format == "" || format == jsonl.Claude {
		return errForeign
	}
	if err := s.o.check(); err != nil {
		return err
	}
	s.src = jsonl.Source{Format: format, Path: s.path, Title: s.title(), Origin: schema.OriginAudit, Host: s.Host, User: s.User,
		Namespace: s.o.Namespace, KeepUnknown: s.o.KeepUnknown}
	if s.piped {
		s.src.Path = ""
	}
	if s.Journal != nil {
		s.src.HashKey = s.Journal.Key()
	}
	return nil
}

// title is what the session of a dump is called, and what its id begins with.
func (s *stream) title() string {
	if s.piped {
		return "stdin"
	}
	return stem(s.path)
}

// tellingLine is how long a first line is at least by which files are told apart: every
// record of a dump has its time.
const tellingLine = 40

// session says whose the lines of a file are that is one session. What was decided for this
// file, or for one that begins with the same line, stands, whatever it is called by now.
func (s *stream) session(h head, records []*record) {
	if !s.src.Format.OneSession() {
		return
	}
	if s.src.Session = s.noted.session; s.src.Session != "" {
		return
	}
	for _, rec := range records {
		if rec.format == s.src.Format && rec.session != "" && len(h.line) >= tellingLine {
			s.src.Session = rec.session
			return
		}
	}
	s.src.Session = jsonl.SessionID(s.title(), h.line)
}

// same returns what the journal says of this very file.
func (s *stream) same(records []*record) *record {
	for _, r := range records {
		if r.inode != 0 && r.inode == s.inode && r.dev == s.dev && r.format == s.src.Format {
			return r
		}
	}
	return nil
}

// place finds where to go on: behind what is known of this very file, if it has that
// still; else behind what is known of a file with the same content, as of one that this is a
// copy of, or that was packed.
func (s *stream) place(f *os.File, info os.FileInfo, records []*record) error {
	s.noted, s.at, s.broken, s.order, s.ahead = record{}, lines.Position{}, 0, nil, ahead{}
	if rec := s.same(records); rec != nil {
		if rec.Offset == 0 {
			s.goOn(rec)
			return nil
		}
		s.replaced = true
		if !s.packed {
			ok, err := rec.Ends(f)
			if ok && err == nil && (info.Size() <= rec.Offset || rec.broken > 0 || s.doubtful) {
				ok, err = rec.Holds(f) // it changed, and did not grow; or somebody may have repaired it
			}
			if err != nil {
				return err
			}
			if ok {
				s.goOn(rec)
				return nil
			}
		}
	}
	if s.same(records) == nil && s.copying(info, records) {
		return errCopying
	}
	if s.packed {
		return s.placePacked(f, records)
	}
	rec, err := s.longest(f, info.Size(), records)
	if rec != nil {
		s.goOn(rec)
	}
	return err
}

// copying reports whether a file may be a copy of one that is known, and not be all there yet.
func (s *stream) copying(info os.FileInfo, records []*record) bool {
	if s.patient == 0 || time.Since(info.ModTime()).Abs() > s.patient {
		return false
	}
	return slices.ContainsFunc(records, func(r *record) bool { return s.packed || r.Offset > info.Size() })
}

func (s *stream) goOn(rec *record) {
	s.chosen = rec
	s.noted, s.at, s.broken, s.replaced = *rec, rec.Position, rec.broken, false
}

// placePacked is place for what has to be unpacked to see where a line ends.
func (s *stream) placePacked(f *os.File, records []*record) error {
	l, done, err := s.lines(f, lines.Position{})
	if err != nil {
		return err
	}
	defer done()
	slices.SortStableFunc(records, func(a, b *record) int { return cmp.Compare(a.Lines, b.Lines) })
	var all uint32
	for _, rec := range records {
		if rec.format != s.src.Format || rec.Lines == 0 {
			continue
		}
		for l.Count() < rec.Lines {
			line, err := l.Next()
			if err == io.EOF || err == io.ErrUnexpectedEOF {
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
