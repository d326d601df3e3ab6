package tail

import (
	"path/filepath"

	"github.com/fsnotify/fsnotify"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// startNotify starts the operating system's notifications, or says once why there are
// none.
func (w *forest) startNotify() (<-chan fsnotify.Event, <-chan error) {
	if w.NoNotify || !notifyIsCheap {
		return nil, nil
	}
	n, err := fsnotify.NewWatcher()
	if err != nil {
		w.refuse(err)
		return nil, nil
	}
	w.notify = n
	return n.Events, n.Errors
}

func (w *forest) stopNotify() {
	if w.notify != nil {
		w.notify.Close()
	}
}

func (w *forest) refuse(err error) {
	if !w.refused {
		w.refused = true
		w.Log.Warn().EmbedObject(logline.Why(failure.TailNoHints, err)).
			Msg("no file notifications for some folders; polling them")
	}
}

// watch has the operating system say what happens in the folder of a file, or in a
// folder. A folder that is not there is asked for again when something happens.
func (w *forest) watch(n *node) {
	path := n.path
	if !n.folder {
		path = filepath.Dir(path)
	}
	if w.notify == nil || w.watched[path] || len(w.watched) >= maxWatches || n.folder && !n.state.there {
		return
	}
	switch err := w.notify.Add(path); {
	case err == nil:
		w.watched[path] = true
	case n.state.there:
		w.refuse(err)
	}
}

// watchOpen gives back the notifications of folders in which nothing is open, and
// asks for those that are missing. The folders right below a named one keep theirs: that is where a
// session begins, or goes on after a month.
func (w *forest) watchOpen() {
	if w.notify == nil {
		return
	}
	needed := map[string]bool{}
	for _, n := range w.open {
		if n.folder {
			needed[n.path] = true
		} else {
			needed[filepath.Dir(n.path)] = true
		}
	}
	for path := range w.watched {
		n := w.nodes[path]
		shallow := n != nil && n.folder && n.depth <= 1 && n.state.there
		if !needed[path] && !shallow {
			w.notify.Remove(path) // one of a folder that is gone was removed with it
			delete(w.watched, path)
		}
	}
	for _, n := range w.open {
		w.watch(n)
	}
}
