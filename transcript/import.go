package transcript

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/schema"
)

// Options are what Import takes beside a Reader's fields.
type Options struct {
	// DryRun counts and writes nothing.
	DryRun bool
	// Since leaves out sessions of which nothing is as new as that: neither a file's
	// time nor the time of its last line. A session is taken whole or not at all, and also where its
	// file alone tells lines that are copied in one that is taken.
	Since time.Time
	// Other, which may be nil, says which files of a folder that are not named like
	// transcripts are to be in Report.Foreign.
	Other func(path string) bool
	// Workers is how many sessions are read at a time: GOMAXPROCS where it is 0.
	Workers int
}

// Report says what Import did.
type Report struct {
	Files     int `json:"files"`     // that were found
	Unchanged int `json:"unchanged"` // of them: they were read before
	Older     int `json:"older"`     // of them: left out by Since
	Read      int `json:"read"`      // of them: something was new
	Failed    int `json:"failed"`    // of them: could not be read to the end
	Sessions  int `json:"sessions"`  // of the files with something new
	Forgotten int `json:"forgotten"` // sessions of which nothing is recorded: they were forgotten

	Bytes   int64 `json:"bytes"` // read
	Lines   int64 `json:"lines"`
	Events  int64 `json:"events"` // appended, or in a dry run found
	Blank   int64 `json:"blank"`  // lines
	Broken  int64 `json:"broken"` // lines
	Waiting int64 `json:"waiting"`
	Copied  int64 `json:"copied"` // lines that the file of another session tells

	Kinds   map[string]int64      `json:"kinds"`         // lines by their type
	Types   map[schema.Type]int64 `json:"event_types"`   // events by theirs
	Unknown map[string]int64      `json:"unknown_kinds"` // lines of types that this version does not know

	Problems []Problem     `json:"problems"` // folders, links and the cache
	Foreign  []string      `json:"foreign"`  // files that were found and are no transcripts
	PerFile  []FileReport  `json:"per_file"` // of the files that were read or failed, by path
	Duration time.Duration `json:"duration_ns"`
}

// ErrPartial says that some files or lines could not be read; the report names them.
var ErrPartial = intake.ErrPartial

// err sums up what could not be read.
func (r *Report) err() error {
	files := make([][]Problem, len(r.PerFile))
	for i, f := range r.PerFile {
		files[i] = f.Problems
	}
	return intake.Partial(r.Failed, r.Broken, r.Problems, files...)
}

// Progress is how far an Import is.
type Progress struct {
	Bytes, TotalBytes int64 // of files with something new
	Lines             int64
	// Large is how many sessions of more than LargeSession bytes are being read now: a
	// store that took in what there is of them would begin again with each piece.
	Large int
}

// LargeSession is how many bytes of files make a session large.
const LargeSession = 16 << 20

// Import reads the transcripts of trees and files into the journal. What is there
// already is left alone; what stops an import, or a kill, loses nothing and the next
// one goes on. progress may be nil.
//
// A file or line that cannot be read does not stop the others: the error wraps
// ErrPartial then. Any other error ended the import early.
func (r *Reader) Import(ctx context.Context, paths []string, o Options, progress func(Progress)) (Report, error) {
	start := time.Now()
	im := &importing{Reader: r, Options: o, progress: progress, changed: map[string]entry{}, sessions: map[string]bool{}, forgotten: map[string]bool{},
		seen: map[string]bool{}}
	im.report = Report{
		Kinds: map[string]int64{}, Types: map[schema.Type]int64{}, Unknown: map[string]int64{},
		Problems: []Problem{}, PerFile: []FileReport{}, Foreign: []string{},
	}
	err := im.run(ctx, paths)
	im.report.Duration = time.Since(start)
	slices.Sort(im.report.Foreign)
	slices.SortFunc(im.report.PerFile, func(a, b FileReport) int { return cmp.Compare(a.Path, b.Path) })
	return im.report, cmp.Or(err, im.report.err())
}

// importing is one Import.
type importing struct {
	*Reader
	Options
	progress func(Progress)
	reader   *Reader // in a dry run without a journal

	mu       sync.Mutex // of what follows
	report   Report
	done     Progress
	changed  map[string]entry
	sessions map[string]bool
	// forgotten are sessions whose files were passed over for that.
	forgotten map[string]bool
	owed      []string        // files that alone tell lines of those that were read
	seen      map[string]bool // files that were found: whether Since left them out
}

func (im *importing) run(ctx context.Context, paths []string) error {
	im.reader = im.Reader
	if im.DryRun {
		im.reader = &Reader{Redactor: im.Redactor, Host: im.Host, User: im.User}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for ; len(paths) > 0 && ctx.Err() == nil; paths = im.tellers() {
		files, others, problems := find(ctx, paths, im.Other)
		im.report.Problems = append(im.report.Problems, problems...)
		im.report.Foreign = append(im.report.Foreign, others...)
		plan, err := im.plan(files)
		if err != nil {
			return err
		}
		im.work(ctx, plan, stop)
		im.Since = time.Time{} // what tells lines of these files is as new as they are
	}
	im.report.Sessions, im.report.Forgotten = len(im.sessions), len(im.forgotten)
	if im.writes() {
		for path, e := range im.changed { // no earlier: a session's files are in one journal
			e.seal(im.Journal)
			im.changed[path] = e
		}
		if err := writeIndex(im.Journal, im.Host, im.changed); err != nil {
			im.report.Problems = append(im.report.Problems, Problem{Path: IndexFile, Error: err.Error()})
		}
	}
	return context.Cause(ctx)
}

// tellers are the files that were not asked for, or are older, and alone tell lines of
// those that were read.
func (im *importing) tellers() (paths []string) {
	for _, path := range im.owed {
		older, seen := im.seen[path]
		switch {
		case seen && !older:
			continue
		case older:
			im.report.Files--
			im.report.Older--
		}
		im.seen[path] = false
		paths = append(paths, path)
	}
	im.owed = nil
	return paths
}

// work reads what is planned.
func (im *importing) work(ctx context.Context, plan []group, stop context.CancelCauseFunc) {
	work := make(chan group)
	var wg sync.WaitGroup
	for range cmp.Or(im.Workers, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for g := range work {
				if err := im.group(ctx, g); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, g := range plan {
		select {
		case work <- g:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(work)
	wg.Wait()
}

func (im *importing) writes() bool { return im.Journal != nil && !im.DryRun }

// group reads the files of one session, one after the other: what is appended for a
// session stays together, its main thread before its agents.
func (im *importing) group(ctx context.Context, g group) error {
	if g.size > LargeSession {
		im.advance(0, 0, 1)
		defer im.advance(0, 0, -1)
	}
	for _, f := range g.files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.from.Offset == 0 {
			im.reader.settle(ctx, f.File)
		}
		report, at, err := im.reader.Read(ctx, f.File, f.from, func(bytes, lines int64) { im.advance(bytes, lines, 0) })
		if report.info != nil {
			report.entry = newEntry(f.File, at, &report)
		}
		im.add(&report)
		if err != nil {
			return err
		}
	}
	return nil
}

func (im *importing) advance(bytes, lines int64, large int) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done.Large += large
	im.done.Bytes += bytes
	im.done.Lines += lines
	if im.progress != nil {
		im.progress(im.done)
	}
}

// add adds what was done with one file to the whole.
func (im *importing) add(f *FileReport) {
	im.mu.Lock()
	defer im.mu.Unlock()
	r := &im.report
	if f.foreign {
		r.Files--
		r.Foreign = append(r.Foreign, f.Path)
		return
	}
	if f.failed {
		r.Failed++
	}
	switch {
	case f.Lines > 0:
		r.Read++
		im.sessions[f.Session] = true
	case !f.failed:
		r.Unchanged++
	}
	r.Bytes += f.Bytes
	r.Lines += f.Lines
	r.Events += f.Events
	r.Blank += f.Blank
	r.Broken += f.Broken
	r.Waiting += f.Waiting
	r.Copied += f.Copied
	im.owed = append(im.owed, f.tellers...)
	for kind, n := range f.kinds {
		name := kind
		if f.unknown[kind] > 0 && r.Unknown[kind] == 0 && len(r.Unknown) >= intake.MaxUnknown {
			name = otherTypes
		}
		if r.Kinds[name] += n; f.unknown[kind] > 0 {
			r.Unknown[name] += n
		}
	}
	for typ, n := range f.types {
		r.Types[typ] += n
	}
	f.kinds, f.unknown, f.types = nil, nil, nil
	if f.info != nil {
		im.changed[f.Path], f.info = f.entry, nil
	}
	if f.Lines > 0 || f.failed || len(f.Problems) > 0 {
		r.PerFile = append(r.PerFile, *f)
	}
}
