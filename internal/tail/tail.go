// Package tail tells which files changed: those of one flat directory (Dir), or in any
// number of trees (Tree).
//
// A poll is the truth and the operating system's notification a hint that makes it
// faster: notifications are lost when a queue overflows, do not exist on some file
// systems, and need a resource (an inotify instance) that may be used up. The poll
// is made so that an idle directory costs next to nothing however many files it
// holds: only files that changed lately are looked at every second, the directory
// is read when it changed and every ten seconds, and all other files are looked at
// once a minute, in slices of equal size.
package tail

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// Dir watches one directory, not its subdirectories. Zero durations take the
// defaults.
type Dir struct {
	Path   string
	Suffix string // only files that end so, reported without it
	// Name, where it is set, decides instead of Suffix which files are watched, and says what
	// each is reported as: several may be one.
	Name func(file string) (name string, ok bool)
	Log  zerolog.Logger

	Poll    time.Duration // how often open files are looked at: 1 s
	Readdir time.Duration // how often the directory is read: 10 s
	Sweep   time.Duration // within which every file is looked at once: 1 min
	// Open is how long after its last change a file counts as open: 15 min. Of more
	// than 128 such files, as an import leaves them, the latest count. What happens to
	// a file that is not open is found by a notification, or by the sweep.
	Open time.Duration
	// Settle is how long changes are gathered before they are reported, so that a
	// burst of appends is one report: 20 ms.
	Settle time.Duration
	// NoNotify leaves everything to the poll.
	NoNotify bool
}

func (d *Dir) setDefaults() {
	if d.Name == nil {
		d.Name = func(file string) (string, bool) { return strings.CutSuffix(file, d.Suffix) }
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&d.Poll, time.Second}, {&d.Readdir, 10 * time.Second}, {&d.Sweep, time.Minute},
		{&d.Open, 15 * time.Minute}, {&d.Settle, 20 * time.Millisecond},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
}

// Run sends the names of files that appeared, changed, were replaced or vanished
// on out until ctx ends, and returns ctx's error. The first report names every
// file there is, so that what changed before the watch began is not missed. A
// report may name a file that did not change; no change of a file that stays goes
// unreported. While
// the receiver is busy changes are gathered, each file at most once: a slow
// receiver costs no memory and delays nobody.
func (d *Dir) Run(ctx context.Context, out chan<- []string) error {
	w := *d
	w.setDefaults()
	return (&watch{Dir: w, known: map[string]*file{}, pending: map[string]bool{}}).run(ctx, out)
}

// watch is one Run.
type watch struct {
	Dir
	known    map[string]*file
	order    []*file // known, in the order of the sweep
	next     int     // where the sweep goes on
	open     []*file // what is looked at with every poll
	pending  map[string]bool
	dir      os.FileInfo // of the directory when it was last read
	lastRead time.Time
	unread   bool // the directory cannot be read, and that has been said
	stats    int  // how many files were looked at, for tests
}

// file is what is known of one file.
type file struct {
	name string
	info os.FileInfo // when it was last looked at; nil once it vanished
	open bool        // it is in watch.open
}

// maxOpen bounds what a poll costs: 128 stats are half a millisecond.
const maxOpen = 128

func (w *watch) run(ctx context.Context, out chan<- []string) error {
	events, errs, stop := w.notifications()
	defer stop()
	now := time.Now()
	w.readdir(now)
	w.chooseOpen(now)
	tick := time.NewTicker(w.Poll)
	defer tick.Stop()
	settle := time.NewTimer(0)
	defer settle.Stop()
	for settled := false; ; {
		var send chan<- []string
		var report []string
		if settled && len(w.pending) > 0 {
			send, report = out, w.report()
		}
		had := len(w.pending)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case send <- report:
			clear(w.pending)
			settled, had = false, 0
		case <-settle.C:
			settled = true
		case now := <-tick.C:
			w.poll(now)
		case e, ok := <-events:
			if !ok {
				events, errs = nil, nil
			}
			w.hint(e.Name)
		case err := <-errs:
			// An overflow: some hints are gone, any file may have changed.
			w.Log.Warn().EmbedObject(logline.Why(failure.TailHintsLost, err)).
				Msg("file notifications were lost; looking at every file")
			w.readdir(time.Now())
			w.look(w.order)
		}
		if had == 0 && len(w.pending) > 0 {
			settle.Reset(w.Settle)
		}
	}
}

// notifications starts the operating system's, or says once why there are none.
func (w *watch) notifications() (<-chan fsnotify.Event, <-chan error, func()) {
	if w.NoNotify || !notifyIsCheap {
		return nil, nil, func() {}
	}
	n, err := fsnotify.NewWatcher()
	if err == nil {
		if err = n.Add(w.Path); err == nil {
			return n.Events, n.Errors, func() { n.Close() }
		}
		n.Close()
	}
	w.Log.Warn().EmbedObject(logline.Why(failure.TailNoHints, err)).
		Msg("no file notifications; polling only")
	return nil, nil, func() {}
}

func (w *watch) report() []string {
	names := make([]string, 0, len(w.pending))
	for name := range w.pending {
		name, _ = w.Name(name)
		names = append(names, name)
	}
	return names
}

// hint looks at one file that a notification named.
func (w *watch) hint(path string) {
	name := filepath.Base(path)
	if _, ok := w.Name(name); path == "" || !ok {
		return
	}
	f := w.known[name]
	if f == nil {
		f = w.add(name)
	}
	w.look([]*file{f})
}

func (w *watch) poll(now time.Time) {
	due := now.Sub(w.lastRead) >= w.Readdir
	if d, err := os.Stat(w.Path); err != nil || due || changed(w.dir, d) {
		w.readdir(now)
	}
	if due {
		w.chooseOpen(now)
	}
	w.look(w.open)
	w.look(w.slice())
}

// chooseOpen finds the files that changed last.
func (w *watch) chooseOpen(now time.Time) {
	for _, f := range w.open {
		f.open = false
	}
	w.open = w.open[:0]
	var recent []*file
	for _, f := range w.order {
		if f.info != nil && now.Sub(f.info.ModTime()) < w.Open {
			recent = append(recent, f)
		}
	}
	slices.SortFunc(recent, func(a, b *file) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	for _, f := range recent[:min(len(recent), maxOpen)] {
		w.setOpen(f)
	}
}

func (w *watch) setOpen(f *file) {
	if !f.open && len(w.open) < maxOpen {
		f.open = true
		w.open = append(w.open, f)
	}
}

// slice returns the files whose turn in the sweep it is.
func (w *watch) slice() []*file {
	if w.next >= len(w.order) {
		w.next = 0
		w.compact()
	}
	n := (len(w.order)*int(w.Poll/time.Microsecond) + int(w.Sweep/time.Microsecond) - 1) / int(w.Sweep/time.Microsecond)
	from := w.next
	w.next = min(from+n, len(w.order))
	return w.order[from:w.next]
}

// compact forgets the files that vanished.
func (w *watch) compact() {
	kept := w.order[:0]
	for _, f := range w.order {
		if f.info != nil {
			kept = append(kept, f)
		} else {
			delete(w.known, f.name)
		}
	}
	clear(w.order[len(kept):])
	w.order = kept
}

// readdir finds new files. One that vanished is found when it is looked at.
func (w *watch) readdir(now time.Time) {
	w.lastRead = now
	dir, err := os.Open(w.Path)
	if err == nil {
		defer dir.Close()
		// The directory's time is taken before its names: a file that appears in
		// between makes it read once more instead of being missed.
		w.dir, _ = dir.Stat()
		var names []string
		if names, err = dir.Readdirnames(-1); err == nil {
			w.unread = false
			for _, name := range names {
				if _, ok := w.Name(name); !ok {
					continue
				}
				f := w.known[name]
				if f == nil {
					f = w.add(name)
				}
				if f.info == nil { // new, or back again
					w.look([]*file{f})
				}
			}
			return
		}
	}
	if !w.unread {
		w.unread = true
		w.Log.Warn().EmbedObject(logline.Why(failure.TailUnreadable, err)).
			Msg("the watched directory cannot be read; trying again")
	}
}

func (w *watch) add(name string) *file {
	f := &file{name: name}
	w.known[name] = f
	w.order = append(w.order, f)
	return f
}

// look stats files and notes those that changed.
func (w *watch) look(files []*file) {
	w.stats += len(files)
	for _, f := range files {
		info, err := os.Stat(filepath.Join(w.Path, f.name))
		if err != nil {
			info = nil
		}
		if changed(f.info, info) {
			w.pending[f.name] = true
			if f.info != nil {
				w.setOpen(f) // it was there before: it goes on
			}
		}
		f.info = info
	}
}

// changed compares what was known with what is. A replaced file can have the size
// and time of the old one: the identity of the file decides.
func changed(old, now os.FileInfo) bool {
	if old == nil || now == nil {
		return old != now
	}
	return old.Size() != now.Size() || !old.ModTime().Equal(now.ModTime()) || !os.SameFile(old, now)
}
