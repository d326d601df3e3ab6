package transcript

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// group is the files of one session of which something is new, or may be.
type group struct {
	files  []planned
	newest time.Time
	size   int64 // of what is new in the files
}

type planned struct {
	File
	from Position
}

// plan decides what has to be read, oldest session first: a store numbers sessions in
// the order it gets them, and its newest numbers are what a search looks at first.
func (im *importing) plan(files []File) ([]group, error) {
	known := knowledge{Reader: im.Reader, found: map[string]map[string]Position{}, grown: im.changed}
	if err := known.read(); err != nil {
		return nil, err
	}
	im.Reader.kin.remember(known.index)
	groups := map[string]*group{}
	for _, f := range files {
		if !im.named(&f, known.index) {
			continue
		}
		im.report.Files++
		im.seen[f.Path] = false
		known.index[f.Path].remind(&f)
		from, unchanged, err := known.of(f)
		if err != nil {
			im.failed(f, err)
			continue
		}
		if unchanged {
			im.report.Unchanged++
			if im.Journal != nil && known.journals[f.Session] == 0 && im.Journal.Forgotten(f.Session) {
				im.forgotten[f.Session] = true
			}
			continue
		}
		g := groups[f.Session]
		if g == nil {
			g = &group{}
			groups[f.Session] = g
		}
		g.files = append(g.files, planned{f, from})
	}
	var plan []group
	for _, g := range groups {
		if im.older(g) {
			im.report.Older += len(g.files)
			for _, f := range g.files {
				im.seen[f.Path] = true
			}
			continue
		}
		for _, f := range g.files {
			g.size += max(0, f.Size-f.from.Offset)
			if f.ModTime.After(g.newest) {
				g.newest = f.ModTime
			}
		}
		im.done.TotalBytes += g.size
		slices.SortFunc(g.files, func(a, b planned) int { return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Path, b.Path)) })
		plan = append(plan, *g)
	}
	slices.SortFunc(plan, func(a, b group) int {
		return cmp.Or(a.newest.Compare(b.newest), cmp.Compare(a.files[0].Path, b.files[0].Path))
	})
	return plan, nil
}

// named finds the session of a file whose path does not say it, and reports whether
// there is one: another file that ends in .jsonl is none of ours.
func (im *importing) named(f *File, index map[string]entry) bool {
	if f.Session != "" {
		return true
	}
	if e, ok := index[f.Path]; ok {
		f.Session = e.session
		return true
	}
	session, err := identify(f.Path)
	switch f.Session = session; {
	case session != "":
		return true
	case err == nil:
		im.report.Foreign = append(im.report.Foreign, f.Path)
		return false
	}
	im.report.Files++
	im.failed(*f, err)
	return false
}

func (im *importing) failed(f File, err error) {
	report := FileReport{Path: f.Path, Session: f.Session, Agent: f.Agent, failed: true}
	report.Problems = []Problem{intake.NewProblem(f.Path, err)}
	im.add(&report)
}

// older reports whether nothing in a session's files is as new as Since.
func (im *importing) older(g *group) bool {
	if im.Since.IsZero() {
		return false
	}
	for _, f := range g.files {
		if f.ModTime.Before(im.Since) {
			continue
		}
		// A tree that was copied is all new by its files' times.
		if last := lastTime(f.Path, f.Size); last.IsZero() || !last.Before(im.Since) {
			return false
		}
	}
	return true
}

// lastTime is the time of the last line of a file that has one; zero where none of the
// last ones has.
func lastTime(path string, size int64) (last time.Time) {
	f, _, err := lines.Open(path)
	if err != nil {
		return last
	}
	defer f.Close()
	tail := make([]byte, min(size, lines.BufferSize))
	n, _ := f.ReadAt(tail, size-int64(len(tail)))
	for line := range bytes.Lines(tail[:n]) {
		if at, err := time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp")); err == nil && at.After(last) {
			last = at
		}
	}
	return last
}

// knowledge is up to where files are in the journal.
type knowledge struct {
	*Reader
	index    map[string]entry
	journals map[string]int64               // how long each session's is
	grown    map[string]entry               // of files as they were, whose journals are longer by now
	found    map[string]map[string]Position // by session, of those that had to be read
}

func (k *knowledge) read() error {
	if k.Journal == nil {
		return nil
	}
	k.index = readIndex(k.Journal.Home(), k.Host)
	files, err := k.Journal.Files()
	if err != nil {
		return err
	}
	k.journals = make(map[string]int64, len(files))
	for _, f := range files {
		k.journals[f.Session] = f.Size
	}
	return nil
}

// of says up to where a file was read, and whether it is as it was then.
func (k *knowledge) of(f File) (from Position, unchanged bool, err error) {
	if k.Journal != nil && k.journals[f.Session] == 0 && k.Journal.StaysOut(f.Session) {
		return Position{}, true, nil // nothing of it would be written
	}
	e, indexed := k.index[f.Path]
	if indexed && k.journals[e.session] == e.end {
		return e.Position, e.unchanged(f), nil
	}
	// A journal that is longer may have grown, or may be another one: put back from a
	// backup, or begun anew by a hook.
	if k.journals[f.Session] == 0 {
		return Position{}, false, nil
	}
	found, ok := k.found[f.Session]
	if !ok {
		if found, err = positions(k.Journal, f.Session, k.Host); err != nil {
			return Position{}, false, err
		}
		k.found[f.Session] = found
	}
	from = found[f.Path]
	if unchanged = indexed && from == e.Position && e.unchanged(f); unchanged {
		e.end = k.journals[e.session]
		k.grown[f.Path] = e
	}
	return from, unchanged, nil
}
