package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/redact"
)

// stream is one file, from one reading of it to the next: what it is, whose its lines
// are, and up to where they are in the journal.
type stream struct {
	*Reader
	o          Options
	path       string
	dev, inode uint64
	packed     bool // with gzip
	rest       bool // something follows what is packed
	piped      bool // nothing says what it was when it ended: it has no position
	alike      bool // a file is known that begins with the same line, and that tells files apart
	doubtful   bool // what was read of it may have been written anew
	replaced   bool // no position suits the file, and it is not new
	followed   bool // it is read as it grows: that it was begun is noted, whatever its format
	searched   bool // so much of it was looked at that its format is known, or will not be
	whole      bool // it is one JSON value over many lines:
	doc        document
	told       *told  // what documents said before; may be nil
	lead, text []byte // of that value what is in front of it, and it, until it is read

	first   uint64       // hash of its first line that is not blank; 0 until that is whole
	src     jsonl.Source // with no Format until that is known
	at      lines.Position
	noted   record              // the last position in the journal; the zero record is none
	fresh   map[string]struct{} // sessions that got facts since then
	size    int64               // of the file when it was read to its end; 0: it was not
	modTime int64
	broken  int64 // lines before at

	order   *jsonl.Order // of the lines before ordered; nil until lines are read
	ordered int64        // an offset
	ahead   ahead

	live      []*record  // of files that begin alike, up to where they are read and no position says yet
	chosen    *record    // where it goes on
	positions *positions // of files that begin alike, where several are read one after the other; may be nil

	// patient is how long a file that may be a copy of one that is known has to be at
	// rest before it is looked at; beside has said what is known of files that begin alike.
	patient time.Duration
	beside  func(first uint64) error

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
	errCopying = errors.New("it may be being copied, or only begun")
)

// errAppend is wrapped by what the journal did not take: no other file fares better.
var errAppend = errors.New("write the journal")

func (s *stream) writes() bool { return s.Journal != nil && !s.o.DryRun }

// name notes what the session of a file is called before anything of it is in the journal:
// whatever the file is called when it is read on, its session stays that. Of a file that is
// followed it also says that it was begun: what it is rotated to after a kill is read on.
func (s *stream) name() error {
	if !s.writes() || s.piped || s.first == 0 || s.src.Session == "" && !s.followed || s.noted != (record{}) {
		return nil
	}
	return s.append(s.record(lines.Position{First: s.first}))
}

func (s *stream) record(at lines.Position) record {
	return record{Position: at, path: s.path, dev: s.dev, inode: s.inode, modTime: s.modTime, size: s.size, format: s.src.Format, session: s.src.Session, broken: s.broken}
}

// append brings a position into the journal. Of a file that tells of nothing but sessions that were
// forgotten there is none: it would name it, and nothing of it is recorded.
func (s *stream) append(rec record) error {
	if s.forgotten(rec) {
		s.noted = rec
		return nil
	}
	e := rec.event(s.Host)
	if err := s.Journal.Append(s.Redactor.Event(e)); err != nil {
		return fmt.Errorf("%w: %w", errAppend, err)
	}
	s.noted = rec
	return nil
}

func (s *stream) forgotten(rec record) bool {
	if rec.session != "" {
		return s.Journal.Forgotten(rec.session)
	}
	for session := range s.counts.sessions {
		if !s.Journal.Forgotten(session) {
			return false
		}
	}
	return len(s.counts.sessions) > 0
}

// put appends what a block gave so far.
func (s *stream) put(b *block) error {
	if !s.writes() || len(b.out) == 0 {
		return nil
	}
	out := b.out
	if s.whole {
		out = s.told.without(out)
	}
	bySession(out)
	if err := s.Journal.Append(out...); err != nil {
		return fmt.Errorf("%w: %w", errAppend, err)
	}
	if s.whole {
		s.told.add(out)
	}
	if s.fresh == nil {
		s.fresh = map[string]struct{}{}
	}
	for session := range b.counts.sessions {
		s.fresh[session] = struct{}{}
	}
	clear(b.out)
	b.out, b.memory = b.out[:0], b.memory[:0]
	return nil
}

// commit appends what a block gave: what was read to its end is in the journal then.
func (s *stream) commit(b *block) error {
	if b.err != nil {
		return b.err
	}
	if err := s.put(b); err != nil {
		return err
	}
	s.counts.add(b.counts)
	if room := maxProblems - len(s.problems); room > 0 {
		s.problems = append(s.problems, b.problems[:min(room, len(b.problems))]...)
	}
	if b.failed {
		s.bytes += b.decoded()
		return fmt.Errorf("%w: %s", errStrict, b.problems[len(b.problems)-1])
	}
	s.at, s.bytes, s.broken = b.end, s.bytes+b.bytes, s.broken+b.counts.broken
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
	if err := s.Journal.SyncAll(slices.Collect(maps.Keys(s.fresh))); err != nil {
		return fmt.Errorf("%w: %w", errAppend, err)
	}
	clear(s.fresh)
	return s.append(rec)
}

// read takes in what is new and whole in a file, about limit bytes of it; more says that
// there is more.
func (s *stream) read(ctx context.Context, f *os.File, info os.FileInfo, limit int64) (more bool, err error) {
	if s.whole {
		if s.text == nil {
			return false, nil
		}
		return false, s.readDocument(info)
	}
	s.size, s.modTime = 0, info.ModTime().UnixNano()
	if err := s.name(); err != nil {
		return false, err
	}
	l, done, err := s.lines(f, s.at)
	if err != nil {
		return false, err
	}
	defer done()
	if err := s.follow(f); err != nil {
		return false, err
	}
	l.Ahead(info.Size() - l.Offset())
	more, err = s.run(ctx, f, l, limit, info.ModTime())
	if err == nil && !more {
		s.size = info.Size()
		s.noteRest()
	}
	return more, err
}

// pipe reads to the end of what is no file, and takes in what came whenever it stands still.
func (s *stream) pipe(ctx context.Context, l *lines.Reader) error {
	if s.src.Format.OneSession() {
		s.order = jsonl.NewOrder(s.src)
	}
	for {
		if _, err := s.run(ctx, nil, l, 1<<62, time.Time{}); !errors.Is(err, errIdle) {
			return err
		}
	}
}
