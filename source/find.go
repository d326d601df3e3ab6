package source

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// found is a file to be read.
type found struct {
	path  string // real: absolute, without links
	info  fs.FileInfo
	named bool // somebody named it, whatever it is called
}

// find lists the files in folders, globs and among files, each once, the oldest first.
func find(ctx context.Context, paths []string) *search {
	s := &search{ctx: ctx, seen: map[string]bool{}}
	s.Walk = intake.Walk{Want: Wanted, File: func(real string, info fs.FileInfo) { s.file(real, info, false) }, Other: func(path, real string) {
		if path == real { // what a link leads to may be looked at where it is
			s.passed++
		}
	}}
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
	intake.Walk
	ctx    context.Context
	seen   map[string]bool // files
	files  []found
	passed int // files of folders that are not looked at: for their names
}

// path looks up what somebody named: a name that exists is no glob.
func (s *search) path(path string) {
	if _, err := os.Lstat(path); err != nil && isGlob(path) {
		matches, err := filepath.Glob(path)
		if err == nil && len(matches) == 0 {
			err = errors.New("no file has such a name")
		}
		if err != nil {
			s.Problem(path, err)
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
	real, info, err := intake.Real(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && isPipeName(path):
		if info, err = os.Stat(path); err == nil { // <(command): a link that leads to no path
			s.file(path, info, true)
			return
		}
		s.Problem(path, err)
	case err != nil:
		s.Problem(path, err)
	case info.IsDir():
		s.Dir(s.ctx, real)
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
		s.Problem(path, lines.ErrNotRegular)
	}
}

// Wanted reports whether a file of a folder is looked at, by its name.
func Wanted(path string) bool { return wantedName.MatchString(filepath.Base(path)) }
