package tail

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// node is a file or folder that a Tree watches. There can be many thousands: it holds
// what tells a change, and no os.FileInfo.
type node struct {
	path   string
	depth  int // below a named place, which has 0
	folder bool
	named  bool
	open   bool // it is in forest.open
	unread bool // a folder that could not be read, and that has been said
	state  state
	// touched is when it last changed or was named, in Unix nanoseconds: what is open
	// is what was touched lately.
	touched int64
}

// state is what a look at a file or folder gives. The zero state is that it is not
// there.
type state struct {
	there  bool
	failed bool // it may be there, and cannot be looked at
	size   int64
	mtime  int64 // Unix nanoseconds
	id     uint64
}

// racy is how long after a folder's time its content is read again: the clock of a
// file system ticks, and a file that appears after the reading and within the same
// tick does not move the folder's time.
const racy = 2 * time.Second

func (w *forest) add(path string, folder bool, depth int) *node {
	n := &node{path: path, folder: folder, depth: depth}
	w.nodes[path] = n
	w.order = append(w.order, n)
	return n
}

// look compares a node with what is there now.
func (w *forest) look(n *node, now time.Time) {
	w.stats++
	info, err := os.Stat(n.path)
	s := stateOf(n, info, err)
	if s == n.state && !n.unread {
		return
	}
	was := n.state
	n.state = s
	if n.folder && s.there {
		w.read(n, now)
	} else if !n.folder {
		w.pending[n.path] = true
	}
	switch {
	case s == was: // a folder that cannot be read
	case was != state{}:
		w.touch(n, now) // it was there before: it goes on
	case s.there:
		w.touch(n, time.Unix(0, s.mtime))
	}
	if n.folder && (n.open || n.depth <= 1) {
		w.watch(n)
	}
}

func stateOf(n *node, info os.FileInfo, err error) state {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state{}
	case err != nil:
		return state{failed: true}
	case n.folder && !info.IsDir() || !n.folder && !info.Mode().IsRegular():
		return state{}
	}
	s := state{there: true, mtime: info.ModTime().UnixNano(), id: FileID(info)}
	if !n.folder {
		s.size = info.Size()
	}
	return s
}

// touch notes that something happened to a node: it is open from now on.
func (w *forest) touch(n *node, at time.Time) {
	n.touched = max(n.touched, at.UnixNano())
	if !n.open && len(w.open) < maxTreeOpen && time.Since(at) < w.Open {
		n.open = true
		w.open = append(w.open, n)
		w.watch(n)
	}
}

// read finds what is new in a folder. What vanished is found when it is looked at.
func (w *forest) read(n *node, now time.Time) {
	w.reads++
	if d := now.UnixNano() - n.state.mtime; -int64(racy) < d && d < int64(racy) {
		n.state.mtime = 0 // which makes the next look read it again
	}
	dir, err := os.Open(n.path)
	if err == nil {
		var entries []os.DirEntry
		entries, err = dir.ReadDir(-1)
		dir.Close()
		for _, e := range entries {
			w.found(n, e.Name(), e.Type(), now)
		}
	}
	if err != nil && !n.unread && !errors.Is(err, fs.ErrNotExist) {
		w.Log.Warn().EmbedObject(logline.Why(failure.TailUnreadable, err)).Str("path", n.path).
			Msg("a watched folder cannot be read; trying again")
	}
	n.unread = err != nil
}

// enter looks at one new name of a folder, that a notification gave.
func (w *forest) enter(n *node, name string, now time.Time) {
	if info, err := os.Lstat(filepath.Join(n.path, name)); err == nil {
		w.found(n, name, info.Mode().Type(), now)
	}
}

// found takes up one name of a folder, if it is wanted. A link to a folder is the folder
// that it leads to, so that a circle of links ends at what is known already.
func (w *forest) found(n *node, name string, kind fs.FileMode, now time.Time) {
	path := filepath.Join(n.path, name)
	known := w.nodes[path]
	if known == nil {
		real := path
		if kind&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil {
				return // it leads nowhere
			}
			if kind = info.Mode().Type(); kind.IsDir() {
				if real, err = filepath.EvalSymlinks(path); err != nil {
					return
				}
			}
		}
		if !(kind.IsDir() && w.Enter(path) || kind.IsRegular() && w.Want(path)) {
			return
		}
		if known = w.nodes[real]; known == nil {
			known = w.add(real, kind.IsDir(), n.depth+1)
		}
	}
	if !known.state.there { // new, or back again
		w.look(known, now)
	}
}

// choose finds what was touched last.
func (w *forest) choose(now time.Time) {
	w.chosen = now
	for _, n := range w.open {
		n.open = false
	}
	w.open = w.open[:0]
	var recent []*node
	for _, n := range w.order {
		if now.UnixNano()-n.touched < int64(w.Open) {
			recent = append(recent, n)
		}
	}
	slices.SortFunc(recent, func(a, b *node) int { return cmp.Compare(b.touched, a.touched) })
	for _, n := range recent[:min(len(recent), maxTreeOpen)] {
		n.open = true
		w.open = append(w.open, n)
	}
	w.watchOpen()
}

// compact forgets what is not there any more: a named place only when it was not named
// for long.
func (w *forest) compact(now time.Time) {
	kept := w.order[:0]
	for _, n := range w.order {
		gone := n.state == state{} && !n.open
		if gone && (!n.named || now.UnixNano()-n.touched > int64(w.Absent)) {
			delete(w.nodes, n.path)
			continue
		}
		kept = append(kept, n)
	}
	clear(w.order[len(kept):])
	w.order = kept
}
