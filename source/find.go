package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/internal/lines"
)

// found is a file to be read.
type found struct {
	path  string // real: absolute, without links
	info  fs.FileInfo
	named bool // somebody named it, whatever it is called
}

// find lists the files in folders, globs and among files, each once, the oldest first.
func find(ctx context.Context, paths []string) search {
	s := search{ctx: ctx, dirs: map[string]bool{}, seen: map[string]bool{}}
	for _, path := range paths {
		if path != stdinPath {
			s.path(path)
		}
	}
	slices.SortStableFunc(s.files, func(a, b found) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), cmp.Compare(a.path, b.path))
	})
	return s
}

const stdinPath = "-"

// search is one find.
type search struct {
	ctx      context.Context
	dirs     map[string]bool // that were read
	seen     map[string]bool // files
	files    []found
	problems []Problem
	passed   int // files of folders that are not looked at: for their names
}

func (s *search) problem(path string, err error) {
	var system *fs.PathError
	if errors.As(err, &system) {
		err = system.Err // the path is in the problem
	}
	s.problems = append(s.problems, Problem{Path: path, Error: err.Error()})
}

// path looks up what somebody named: a name that exists is no glob.
func (s *search) path(path string) {
	if _, err := os.Lstat(path); err != nil && isGlob(path) {
		matches, err := filepath.Glob(path)
		if err == nil && len(matches) == 0 {
			err = errors.New("no file has such a name")
		}
		if err != nil {
			s.problem(path, err)
		}
		for _, m := range matches {
			s.name(m)
		}
		return
	}
	s.name(path)
}

func isGlob(path string) bool { return strings.ContainsAny(path, "*?[") }

func (s *search) name(path string) {
	real, err := filepath.Abs(path)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(real)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && isPipeName(path):
		if info, err = os.Stat(path); err == nil { // <(command): a link that leads to no path
			s.file(path, info, true)
			return
		}
		s.problem(path, err)
	case err != nil:
		s.problem(path, err)
	case info.IsDir():
		s.dir(real, nil)
	default:
		s.file(real, info, true)
	}
}

// isPipeName reports whether a path is that of an open file of this process.
func isPipeName(path string) bool {
	return strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/") || path == "/dev/stdin"
}

func (s *search) file(path string, info fs.FileInfo, named bool) {
	switch {
	case s.seen[path]:
	case info.Mode().IsRegular() || named && info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0:
		s.seen[path] = true
		s.files = append(s.files, found{path: path, info: info, named: named})
	default:
		s.problem(path, lines.ErrNotRegular)
	}
}

// dir reads a folder; within are those that it is in, by the way that led to it.
func (s *search) dir(path string, within []string) {
	if s.dirs[path] || s.ctx.Err() != nil {
		return
	}
	s.dirs[path] = true
	entries, err := os.ReadDir(path)
	if err != nil {
		s.problem(path, err)
	}
	if isHome(entries) {
		return // its journal is read by who imports a home
	}
	within = append(within, path)
	for _, entry := range entries {
		name := filepath.Join(path, entry.Name())
		switch {
		case entry.IsDir():
			s.dir(name, within)
		case entry.Type()&fs.ModeSymlink != 0:
			s.link(name, within)
		case entry.Type().IsRegular() && !wantedName.MatchString(entry.Name()):
			s.passed++
		case entry.Type().IsRegular():
			info, err := entry.Info()
			if err == nil {
				s.file(name, info, false)
			} else if !errors.Is(err, fs.ErrNotExist) { // it went away meanwhile
				s.problem(name, err)
			}
		}
	}
}

// Wanted reports whether a file of a folder is looked at, by its name.
func Wanted(path string) bool { return wantedName.MatchString(filepath.Base(path)) }

// isHome reports whether these are what is in a home of actiongraph.
func isHome(entries []fs.DirEntry) bool {
	found := 0
	for _, entry := range entries {
		switch entry.Name() {
		case "id", "key":
			found++
		case "journal":
			if entry.IsDir() {
				found++
			}
		}
	}
	return found == 3
}

// link follows a link to a folder or file. One that leads nowhere is left alone.
func (s *search) link(path string, within []string) {
	real, err := filepath.EvalSymlinks(path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(real)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		s.problem(path, err)
	case info.IsDir() && slices.Contains(within, real):
		s.problem(path, fmt.Errorf("the link leads back to %s, which it is in", real))
	case info.IsDir():
		s.dir(real, within)
	case info.Mode().IsRegular() && wantedName.MatchString(path):
		s.file(real, info, false)
	}
}
