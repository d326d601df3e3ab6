package config

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxEntries = 1000 // of folders, that are read for one glob of a folder to exclude
	maxFound   = 2000 // of folders that are remembered: hooks read them at every event
	maxLinks   = 40   // in one path, as Linux has it
)

// links looks for the folders that a folder to exclude means by symbolic links.
type links struct {
	found []string
	left  map[int]int // how many entries may still be read for a glob, by how many parts follow
}

// linkedFolders returns where a whole path, which may have globs, leads by the symbolic links
// that there are now: also where its end does not exist yet. What follows a ** is not looked up.
func linkedFolders(whole string) []string {
	volume := filepath.ToSlash(filepath.VolumeName(filepath.FromSlash(whole)))
	parts := strings.FieldsFunc(path.Clean("/"+whole[len(volume):]), func(c rune) bool { return c == '/' })
	l := links{left: map[int]int{}}
	l.follow(filepath.FromSlash(volume+"/"), parts, false)
	slices.Sort(l.found)
	return slices.Compact(l.found)
}

// follow looks for what parts mean below dir, which is real. linked says that a link led
// there, so that what is written does not match it.
func (l *links) follow(dir string, parts []string, linked bool) {
	for len(parts) > 0 && !strings.ContainsAny(parts[0], "*?[") {
		next := filepath.Join(dir, parts[0])
		real := resolved(next, new(int))
		dir, parts, linked = real, parts[1:], linked || real != next
	}
	if linked {
		folder := append([]string{strings.TrimSuffix(noGlob(filepath.ToSlash(dir)), "/")}, parts...)
		l.found = append(l.found, strings.Join(folder, "/"))
	}
	if len(parts) == 0 || parts[0] == "**" {
		return
	}
	for _, e := range l.entries(dir, len(parts)) {
		if ok, _ := path.Match(parts[0], e.Name()); !ok && e.Name() != parts[0] {
			continue
		}
		below := filepath.Join(dir, e.Name())
		if e.Type()&os.ModeSymlink != 0 {
			l.follow(resolved(below, new(int)), parts[1:], true)
		} else if e.IsDir() && len(parts) > 1 {
			l.follow(below, parts[1:], false)
		}
	}
}

// entries reads a folder, as far as may still be read for this glob.
func (l *links) entries(dir string, glob int) []os.DirEntry {
	if _, ok := l.left[glob]; !ok {
		l.left[glob] = maxEntries
	}
	if l.left[glob] == 0 {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	entries, _ := f.ReadDir(l.left[glob])
	l.left[glob] -= len(entries)
	return entries
}

// resolved returns where a path leads, as far as it exists: a disk may be away, a folder not
// made yet. passed counts the links.
func resolved(path string, passed *int) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	dir := filepath.Dir(path)
	if dir == path || *passed > maxLinks {
		return path
	}
	path = filepath.Join(resolved(dir, passed), filepath.Base(path))
	to, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(path), to)
	}
	*passed++
	return resolved(to, passed)
}

// noGlob is a glob that means one path alone: where a link leads nobody wrote as a glob.
func noGlob(path string) string {
	return strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(path)
}

// withFound returns the folders that are compiled now, and of those that were before what
// links led to: a link that is away for a moment does not mean that its folder may be recorded.
func withFound(now, before []string) []string {
	all := slices.Clone(now)
	for _, folder := range before {
		if !slices.Contains(all, folder) {
			all = append(all, folder)
		}
	}
	if slices.Equal(slices.Sorted(slices.Values(all)), slices.Sorted(slices.Values(before))) {
		return before
	}
	if len(all) > maxFound {
		return now
	}
	return all
}
