package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/intake"
)

// errStrict is wrapped by the error of the bad line that ended an import.
var errStrict = errcode.New(errcode.EventInvalid, "stopped at a bad line, as asked")

// maxSessions is how many sessions a FileReport names.
const maxSessions = 3

// Import reads files, folders and globs; "-" is stdin. A file or line that cannot be read
// does not stop the others: the error wraps ErrPartial then. Any other error, with
// Options.Strict a bad line's, ended the import early. progress may be nil.
//
// What is in the journal already is left alone: a file goes on where it was read to, also
// under another name, as a copy, or packed. What stops an import, or a kill, loses
// nothing, and the next one goes on.
func (r *Reader) Import(ctx context.Context, paths []string, stdin io.Reader, o Options, progress func(Progress)) (Report, error) {
	start := time.Now()
	im := &importing{Reader: r, o: o, progress: progress, counts: newCounts(), files: map[[2]uint64]bool{}, alike: map[uint64]*alike{}}
	im.report = Report{PerFile: []FileReport{}, Problems: []Problem{}, Foreign: []string{}}
	err := o.check()
	if err == nil {
		err = im.run(ctx, paths, stdin)
	}
	c := &im.counts
	im.report.Sessions, im.report.Lines, im.report.Events = len(c.sessions), c.lines, c.events
	im.report.Blank, im.report.Broken = c.blank, c.broken
	if r.Journal != nil {
		for session := range c.sessions {
			if r.Journal.Forgotten(session) {
				im.report.Forgotten++
			}
		}
		im.report.Sessions -= im.report.Forgotten
	}
	im.report.Kinds, im.report.Skipped, im.report.Unknown, im.report.Types = c.kinds, c.skipped, c.unknown, c.types
	im.report.Duration = time.Since(start)
	slices.SortFunc(im.report.PerFile, func(a, b FileReport) int { return cmp.Compare(a.Path, b.Path) })
	return im.report, cmp.Or(err, im.report.err())
}

// err sums up what could not be read.
func (r *Report) err() error {
	files := make([][]Problem, len(r.PerFile))
	for i, f := range r.PerFile {
		files[i] = f.Problems
	}
	return intake.Partial(r.Failed, r.Broken, r.Problems, files...)
}

// importing is one Import.
type importing struct {
	*Reader
	o        Options
	progress func(Progress)

	mu     sync.Mutex // of what follows
	counts counts
	report Report
	done   Progress
	files  map[[2]uint64]bool // that were read: two paths may lead to one
	alike  map[uint64]*alike
}

// alike is of files that begin with the same line: one of them is read at a time, as one
// may be a copy of the other.
type alike struct {
	reading   sync.Mutex
	users     int
	positions positions
}

// fewAlike is how many files that begin alike have their positions read anew for each: most
// begin as no other does, and what is kept of each would add up.
const fewAlike = 16

// readers is how many files are read at a time. Each waits for the disk twice, which is
// most of what a small one takes.
const readers = 8

func (im *importing) run(ctx context.Context, paths []string, stdin io.Reader) error {
	search := find(ctx, paths)
	files := search.files
	im.report.Problems, im.report.PassedOver = append(im.report.Problems, search.Problems...), search.passed
	for _, f := range files {
		im.done.TotalBytes += f.info.Size()
	}
	if stdin != nil && slices.Contains(paths, stdinPath) {
		im.report.Files++
		if err := im.pipe(ctx, stdinPath, stdin); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan found)
	var reading sync.WaitGroup
	for range min(readers, len(files)) {
		reading.Go(func() {
			for f := range work {
				if err := im.file(ctx, f); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, f := range files {
		if im.twice(f.info) {
			continue
		}
		select {
		case work <- f:
		case <-ctx.Done():
		}
	}
	close(work)
	reading.Wait()
	return context.Cause(ctx)
}

// twice reports whether a file was among those before, and counts it if not.
func (im *importing) twice(info fs.FileInfo) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	if dev, inode := idOf(info); inode != 0 {
		if im.files[[2]uint64{dev, inode}] {
			return true
		}
		im.files[[2]uint64{dev, inode}] = true
	}
	im.report.Files++
	return false
}

// alone waits until no other file is read that begins with a line, and returns what lets
// the next one go on.
func (im *importing) alone(s *stream, first uint64) (done func()) {
	im.mu.Lock()
	a := im.alike[first]
	if a == nil {
		a = &alike{}
		im.alike[first] = a
	}
	a.users++
	im.mu.Unlock()
	a.reading.Lock()
	s.positions = &a.positions
	return func() {
		a.reading.Unlock()
		im.mu.Lock()
		defer im.mu.Unlock()
		if a.users--; a.users == 0 && len(a.positions.found) < fewAlike {
			delete(im.alike, first)
		}
	}
}

func (im *importing) stream(path string) *stream {
	s := &stream{Reader: im.Reader, o: im.o, path: path, counts: newCounts()}
	s.progress = im.advance
	return s
}

func (im *importing) advance(bytes, lines int64) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done.Bytes += bytes
	im.done.Lines += lines
	if im.progress != nil {
		im.progress(im.done)
	}
}

// file reads one file. The error is one that ends the import.
func (im *importing) file(ctx context.Context, found found) error {
	s := im.stream(found.path)
	f, err := os.Open(found.path)
	if err != nil {
		return im.ended(s, nil, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return im.ended(s, nil, err)
	}
	if !info.Mode().IsRegular() {
		return im.pipe(ctx, found.path, f)
	}
	defer func() { im.advance(info.Size()-s.bytes, 0) }() // what was read before, or is packed
	done := func() {}
	defer func() { done() }()
	s.beside = func(first uint64) error {
		done = im.alone(s, first)
		return nil
	}
	known, err := s.identify(f, info)
	switch {
	case err != nil:
		return im.ended(s, info, err)
	case known:
		im.mu.Lock()
		defer im.mu.Unlock()
		im.report.Unchanged++
		return nil
	}
	_, err = s.read(ctx, f, info, 1<<62)
	if noted := s.note(); noted != nil && !errors.Is(err, errAppend) {
		err = errors.Join(err, noted)
	}
	return im.ended(s, info, err)
}

// pipe reads what is no file: stdin, or what another program writes.
func (im *importing) pipe(ctx context.Context, path string, src io.Reader) error {
	s := im.stream(path)
	s.piped = true
	head, l, err := s.pipeLines(ctx, src)
	var records []*record
	if err == nil {
		records, err = s.records(s.first)
	}
	if err == nil {
		err = s.settle(head, records)
	}
	if err == nil {
		s.session(head, records)
		err = s.pipe(ctx, l)
		s.noteRest()
	}
	return im.ended(s, nil, err)
}

// ended reports what became of a file; info is nil of a pipe. The error is one that ends
// the import.
func (im *importing) ended(s *stream, info fs.FileInfo, err error) error {
	r := FileReport{Path: s.path, Format: s.src.Format, Sessions: s.sessions(), Bytes: s.bytes, Lines: s.counts.lines,
		Events: s.counts.events, Broken: s.counts.broken, Restart: s.replaced, Problems: s.problems}
	if info != nil && !s.packed && !s.whole && err == nil {
		r.Waiting = max(0, info.Size()-s.at.Offset)
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.counts.add(s.counts)
	var bad *badDocument
	fatal := errors.Is(err, errAppend) || errors.Is(err, errStrict) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case errors.Is(err, errForeign):
		im.report.Foreign = append(im.report.Foreign, s.path)
		return nil
	case errors.Is(err, errNotYet):
		if info != nil && info.Size() > detectBytes {
			im.report.Foreign = append(im.report.Foreign, s.path)
			return nil
		}
		if info != nil {
			r.Waiting = max(0, info.Size()-s.at.Offset)
		}
		err = nil
	case errors.As(err, &bad):
		r.Problems = append(r.Problems, Problem{Path: s.path, Line: bad.line, Error: bad.err.Error()})
		im.report.Failed++
		err = nil
	case err != nil && !fatal:
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the compressed data is cut short")
		}
		r.Problems = append(r.Problems, intake.NewProblem(s.path, err))
		im.report.Failed++
		err = nil
	}
	if s.counts.lines > 0 {
		im.report.Read++
	} else if info != nil && r.Waiting == 0 && len(r.Problems) == 0 && err == nil {
		im.report.Unchanged++ // it was touched, or is empty
		return nil
	}
	im.report.Bytes += r.Bytes
	im.report.Waiting += r.Waiting
	im.report.PerFile = append(im.report.PerFile, r)
	return err
}

func (s *stream) sessions() []string {
	names := slices.AppendSeq([]string{}, maps.Keys(s.counts.sessions)) // JSON lists are never null
	slices.Sort(names)
	return names[:min(len(names), maxSessions)]
}
