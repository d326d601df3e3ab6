package source

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/tail"
)

// watched is what one Spec names: a file with what it is rotated to, a folder, or a glob.
type watched struct {
	Spec
	base  string   // the folder that has all of it
	parts []string // of a glob, below base
}

// watchedOf prepares a Spec. Its base is real, as tail.Tree reports real paths.
func watchedOf(spec Spec) watched {
	w := watched{Spec: spec}
	w.Path = filepath.Clean(w.Path)
	if _, err := os.Lstat(w.Path); err != nil && isGlob(w.Path) {
		base := w.Path
		for isGlob(base) {
			w.parts = append([]string{filepath.Base(base)}, w.parts...)
			base = filepath.Dir(base)
		}
		w.base = realPath(base)
		return w
	}
	if info, err := os.Stat(w.Path); err == nil && info.IsDir() {
		w.Path = realPath(w.Path)
		w.base = w.Path
		return w
	}
	w.base = realPath(filepath.Dir(w.Path))
	w.Path = filepath.Join(w.base, filepath.Base(w.Path)) // a link stays one: where it leads may change
	return w
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// wants reports whether a file is of the Spec; aside says that it is not the one that was
// named, but one that it may have been rotated to.
func (w *watched) wants(path string) (ok, aside bool) {
	name := filepath.Base(path)
	switch {
	case w.parts != nil:
		below, inside := under(w.base, path)
		if !inside || len(below) != len(w.parts) || !matchAll(w.parts[:len(below)-1], below) {
			return false, false
		}
		if match(w.parts[len(below)-1], name) {
			return true, false
		}
		was := rotated.ReplaceAllString(name, "")
		return was != name && match(w.parts[len(below)-1], was), true
	case path == w.Path:
		return true, false
	case filepath.Dir(path) == filepath.Dir(w.Path) && w.base != w.Path:
		return isRotated(name, filepath.Base(w.Path)), true
	}
	_, inside := under(w.Path, path)
	return inside && wantedName.MatchString(name), false
}

// isRotated reports whether a name is what a program that rotates logs makes of another.
func isRotated(name, of string) bool {
	end, ok := strings.CutPrefix(name, of)
	return ok && end != "" && rotated.FindString(end) == end
}

// enters reports whether something of the Spec may be in a folder.
func (w *watched) enters(dir string) bool {
	if w.parts != nil {
		below, inside := under(w.base, dir)
		return inside && len(below) < len(w.parts) && matchAll(w.parts, below)
	}
	_, inside := under(w.Path, dir)
	return inside || dir == w.Path
}

// under splits what is below a folder.
func under(dir, path string) (below []string, ok bool) {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
	if !ok {
		return nil, false
	}
	return strings.Split(rest, string(filepath.Separator)), true
}

func match(pattern, name string) bool {
	ok, err := filepath.Match(pattern, name)
	return ok && err == nil
}

func matchAll(patterns, names []string) bool {
	for i, p := range patterns[:min(len(patterns), len(names))] {
		if !match(p, names[i]) {
			return false
		}
	}
	return true
}

// watchlist is all that a Follower follows. tail.Tree asks it from its own goroutine.
type watchlist struct {
	specs []watched
	homes []string // Specs that are in a home, and are not followed

	mu    sync.Mutex
	links map[string]string // real folders, by which path they were found
}

func newWatchlist(specs []Spec) *watchlist {
	l := &watchlist{links: map[string]string{}}
	for _, s := range specs {
		if w := watchedOf(s); inHome(w.base) {
			l.homes = append(l.homes, s.Path)
		} else {
			l.specs = append(l.specs, w)
		}
	}
	return l
}

// pipes are the Specs that name what is neither a file nor a folder. A file may take its place.
func (l *watchlist) pipes() (paths []string) {
	for i := range l.specs {
		if info, err := os.Stat(l.specs[i].Path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			paths = append(paths, l.specs[i].Path)
		}
	}
	return paths
}

func (l *watchlist) places() (places []tail.Place) {
	for i := range l.specs {
		places = append(places, tail.Place{Path: l.specs[i].base, Folder: true})
	}
	return places
}

// find returns the Spec of a file; nil where nobody asked for it.
func (l *watchlist) find(path string) (w *watched, aside bool) {
	path = l.named(path)
	for i := range l.specs {
		ok, isAside := l.specs[i].wants(path)
		switch {
		case ok && !isAside:
			return &l.specs[i], false
		case ok && w == nil:
			w, aside = &l.specs[i], true
		}
	}
	return w, aside
}

func (l *watchlist) wants(path string) bool {
	w, _ := l.find(path)
	return w != nil
}

// enters looks into folders, but never into a home of actiongraph: a daemon that followed its
// own journal would have more to read with all that it reads.
func (l *watchlist) enters(path string) bool {
	named := l.named(path)
	for i := range l.specs {
		if !l.specs[i].enters(named) {
			continue
		}
		if entries, err := os.ReadDir(path); err == nil && intake.IsHome(entries) {
			return false
		}
		if real := realPath(path); real != path {
			l.mu.Lock()
			l.links[real] = named
			l.mu.Unlock()
		}
		return true
	}
	return false
}

// named is a path as the Specs name it: what is in a folder that a link leads to is found
// by its real path.
func (l *watchlist) named(path string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for real, link := range l.links {
		if rest, ok := strings.CutPrefix(path, real+string(filepath.Separator)); ok {
			return filepath.Join(link, rest)
		}
	}
	return path
}

// inHome reports whether a folder is in a home of actiongraph, or is one.
func inHome(dir string) bool {
	for {
		if entries, err := os.ReadDir(dir); err == nil && intake.IsHome(entries) {
			return true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false
		}
		dir = up
	}
}
