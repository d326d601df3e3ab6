package tail

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// Tree watches files in places that are named while it runs, any number of them and
// at any depth. As with Dir a poll is the truth and the notification a hint: what
// changed or was named lately is looked at every second, everything else in turns, so
// many a second that it costs the same however large the trees are. A new file is found by the
// time of its folder, which is read only when that changed. Nothing is ever opened
// but folders. Zero durations take the defaults.
type Tree struct {
	// Want says which files of a folder matter, Enter which folders in it do. Both get
	// whole paths.
	Want, Enter func(path string) bool
	Log         zerolog.Logger

	Poll time.Duration // how often open files and folders are looked at: 1 s
	// Sweep is within which everything is looked at once: 1 min. Of more than 15,000
	// files and folders it takes longer, since 250 a second is the most.
	Sweep time.Duration
	// Open is how long after its last change, or after it was last named, something is
	// open: 15 min, and the latest 256.
	Open time.Duration
	// Absent is how long a place is looked for that is not there: 1 h after it was last
	// named.
	Absent time.Duration
	// Settle is how long changes are gathered before they are reported: 20 ms.
	Settle time.Duration
	// NoNotify leaves everything to the poll.
	NoNotify bool
}

// Place is something to watch: a file, whatever its name, or a folder with all that
// is wanted below it. It need not exist yet.
type Place struct {
	Path   string
	Folder bool
}

const (
	maxLooks    = 250  // a second, of what is not open: an eighth of a percent of a core
	maxTreeOpen = 256  // a second, a millisecond
	maxWatches  = 1000 // of the operating system's notifications: its default limit is 8,192 for all programs
	rushLooks   = 5000 // a second, after hints were lost
	// chooseEvery is how often it is decided anew what is open.
	chooseEvery = 10 * time.Second
	// hot is how long after a change a file is looked at every quickPoll, where there are
	// no notifications.
	hot       = time.Minute
	quickPoll = 200 * time.Millisecond
)

func (t *Tree) setDefaults() {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Poll, time.Second}, {&t.Sweep, time.Minute}, {&t.Open, 15 * time.Minute},
		{&t.Absent, time.Hour}, {&t.Settle, 20 * time.Millisecond},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
}

// Run watches the places that it receives and sends the paths of files that appeared,
// changed, were replaced or vanished on out until ctx ends; it returns ctx's error. A file
// that exists when its place is first named is reported. To name a place again has it
// looked at at once. A report may name a file that did not change; no change of a file
// that stays goes unreported. While the receiver is busy changes are gathered, each file
// at most once.
func (t *Tree) Run(ctx context.Context, places <-chan []Place, out chan<- []string) error {
	w := *t
	w.setDefaults()
	f := &forest{Tree: w, nodes: map[string]*node{}, pending: map[string]bool{}, watched: map[string]bool{}}
	return f.run(ctx, places, out)
}

// forest is one Run of a Tree.
type forest struct {
	Tree
	nodes   map[string]*node
	order   []*node // nodes, in the order of the sweep
	next    int     // where the sweep goes on
	rush    int     // how many are to be looked at before the sweep is slow again
	open    []*node
	pending map[string]bool
	chosen  time.Time // when open was

	notify  *fsnotify.Watcher // nil: none
	watched map[string]bool   // folders that it was given
	refused bool              // it did not take one, and that has been said

	stats, reads int // files looked at and folders read, for tests
}

func (w *forest) run(ctx context.Context, places <-chan []Place, out chan<- []string) error {
	events, errs := w.startNotify()
	defer w.stopNotify()
	tick := time.NewTicker(w.Poll)
	defer tick.Stop()
	quick := time.NewTicker(min(quickPoll, w.Poll))
	defer quick.Stop()
	if w.notify != nil {
		quick.Stop()
	}
	settle := time.NewTimer(w.Settle)
	settle.Stop()
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
		case named := <-places:
			w.name(named, time.Now())
		case now := <-tick.C:
			w.poll(now)
		case now := <-quick.C:
			w.lookHot(now)
		case e, ok := <-events:
			if !ok {
				events, errs = nil, nil
				break
			}
			w.hint(e)
		case err := <-errs:
			w.Log.Warn().EmbedObject(logline.Why(failure.TailHintsLost, err)).
				Msg("file notifications were lost; looking at every file")
			w.rush = len(w.order)
		}
		if had == 0 && len(w.pending) > 0 {
			settle.Reset(w.Settle)
		}
	}
}

func (w *forest) report() []string {
	paths := make([]string, 0, len(w.pending))
	for path := range w.pending {
		paths = append(paths, path)
	}
	return paths
}

// name adds places, and looks at them whether they are new or not.
func (w *forest) name(places []Place, now time.Time) {
	for _, p := range places {
		n := w.nodes[p.Path]
		if n == nil {
			n = w.add(p.Path, p.Folder, 0)
		}
		n.named = true
		w.touch(n, now)
		w.look(n, now)
	}
}

// hint looks at what a notification named: something known, or something new in a
// known folder.
func (w *forest) hint(e fsnotify.Event) {
	if e.Op == fsnotify.Chmod {
		return
	}
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		delete(w.watched, e.Name) // of a folder: its notifications ended with it
	}
	now := time.Now()
	if n := w.nodes[e.Name]; n != nil {
		w.look(n, now)
		return
	}
	if folder := w.nodes[filepath.Dir(e.Name)]; folder != nil && folder.folder && e.Has(fsnotify.Create) {
		w.enter(folder, filepath.Base(e.Name), now)
	}
}

func (w *forest) poll(now time.Time) {
	if now.Sub(w.chosen) >= chooseEvery {
		w.choose(now)
	}
	// Looking at a folder may open what is in it: that was looked at just now.
	for _, n := range w.open[:len(w.open):len(w.open)] {
		w.look(n, now)
	}
	for _, n := range w.slice(now) {
		w.look(n, now)
	}
}

// lookHot looks at what changed within the last minute.
func (w *forest) lookHot(now time.Time) {
	for _, n := range w.open[:len(w.open):len(w.open)] {
		if now.UnixNano()-n.touched < int64(hot) {
			w.look(n, now)
		}
	}
}

// slice returns what is next in the sweep.
func (w *forest) slice(now time.Time) []*node {
	if w.next >= len(w.order) {
		w.next = 0
		w.compact(now)
	}
	n := (len(w.order)*int(w.Poll/time.Microsecond) + int(w.Sweep/time.Microsecond) - 1) / int(w.Sweep/time.Microsecond)
	n = min(n, int(maxLooks*w.Poll/time.Second)+1)
	if w.rush > 0 {
		n = max(n, int(rushLooks*w.Poll/time.Second))
		w.rush -= n
	}
	from := w.next
	w.next = min(from+n, len(w.order))
	return w.order[from:w.next:w.next]
}
