package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/schema"
)

// File is a transcript on disk: what its path says, and the file system.
type File struct {
	Path    string // real: absolute, without links
	Session string // "" where its lines have to say it
	Agent   string // "" is the main thread
	Size    int64
	ModTime time.Time

	inode    uint64 // 0 where there is none
	replaced bool   // it was another file when it was read
	again    bool   // what is beside it could not be read then
	skipped  skipped
	begins   begins // by the index
}

// metaPath is the runtime's own record of a subagent, beside its transcript.
func (f File) metaPath() string {
	if f.Agent == "" {
		return ""
	}
	return strings.TrimSuffix(f.Path, suffix) + ".meta.json"
}

const suffix = ".jsonl"

// Stat describes the file at path as a transcript, whatever it is called.
func Stat(path string) (File, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return File{}, err
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "read", Path: path, Err: lines.ErrNotRegular}
	}
	if err != nil {
		return File{}, err
	}
	return describe(path, info), nil
}

// describe says what the path says.
func describe(path string, info fs.FileInfo) File {
	f := File{Path: path, Size: info.Size(), ModTime: info.ModTime(), inode: tail.FileID(info)}
	name := strings.TrimSuffix(filepath.Base(path), suffix)
	agent, isAgent := strings.CutPrefix(name, "agent-")
	switch {
	case isAgent && schema.ValidID(agent):
		f.Agent, f.Session = agent, parentSession(path)
	case isUUID(name):
		f.Session = name
	}
	return f
}

// parentSession is the session in whose folder subagents/ an agent's file is.
func parentSession(path string) string {
	dir := filepath.Dir(path)
	for dir != filepath.Dir(dir) {
		up := filepath.Dir(dir)
		if filepath.Base(dir) == "subagents" && isUUID(filepath.Base(up)) {
			return filepath.Base(up)
		}
		dir = up
	}
	return ""
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		switch hyphen := i == 8 || i == 13 || i == 18 || i == 23; {
		case hyphen && s[i] != '-', !hyphen && (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// Problem is what could not be read: a file or folder, or one line of a file.
type Problem struct {
	Path  string `json:"path"`
	Line  int64  `json:"line,omitempty"`
	Error string `json:"error"`
}

func (p Problem) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Error)
	}
	return p.Path + ": " + p.Error
}

// Find lists the transcripts in trees and among files, each once. Session is "" where
// only the lines of a file can say it, and whether it is a transcript at all. Problems
// are the folders and files that could not be read, and links that lead in a circle.
func Find(ctx context.Context, paths []string) ([]File, []Problem) {
	files, _, problems := find(ctx, paths, nil)
	return files, problems
}

// find is Find; others are the files of folders that are not named like transcripts and
// that other, which may be nil, wants.
func find(ctx context.Context, paths []string, other func(string) bool) (files []File, others []string, problems []Problem) {
	s := search{ctx: ctx, other: other, dirs: map[string]bool{}, seen: map[string]bool{}}
	for _, path := range paths {
		real, err := filepath.Abs(path)
		if err == nil {
			real, err = filepath.EvalSymlinks(real)
		}
		var info fs.FileInfo
		if err == nil {
			info, err = os.Stat(real)
		}
		switch {
		case err != nil:
			s.problem(path, err)
		case info.IsDir():
			s.dir(real, nil)
		case info.Mode().IsRegular():
			s.file(real, info)
		default:
			s.problem(path, lines.ErrNotRegular)
		}
	}
	return s.files, s.others, s.problems
}

// search is one Find.
type search struct {
	ctx      context.Context
	dirs     map[string]bool // that were read
	seen     map[string]bool // files
	other    func(path string) bool
	files    []File
	others   []string
	problems []Problem
}

func (s *search) problem(path string, err error) {
	var system *fs.PathError
	if errors.As(err, &system) {
		err = system.Err // the path is in the problem
	}
	s.problems = append(s.problems, Problem{Path: path, Error: err.Error()})
}

func (s *search) file(path string, info fs.FileInfo) {
	if s.seen[path] {
		return
	}
	s.seen[path] = true
	s.files = append(s.files, describe(path, info))
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
		return // the files of a journal are named after sessions, too
	}
	within = append(within, path)
	for _, entry := range entries {
		name := filepath.Join(path, entry.Name())
		switch {
		case entry.IsDir():
			s.dir(name, within)
		case entry.Type()&fs.ModeSymlink != 0:
			s.link(name, within)
		case entry.Type().IsRegular() && strings.HasSuffix(name, suffix):
			info, err := entry.Info()
			if err == nil {
				s.file(name, info)
			} else if !errors.Is(err, fs.ErrNotExist) { // it went away meanwhile
				s.problem(name, err)
			}
		case entry.Type().IsRegular():
			s.foreign(name, name)
		}
	}
}

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

// link follows a link to a folder or transcript. One that leads nowhere is left alone.
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
	case info.IsDir():
		for _, dir := range within {
			if dir == real {
				s.problem(path, fmt.Errorf("the link leads back to %s, which it is in", real))
				return
			}
		}
		s.dir(real, within)
	case info.Mode().IsRegular() && strings.HasSuffix(path, suffix):
		s.file(real, info)
	case info.Mode().IsRegular():
		s.foreign(path, real)
	}
}

// foreign takes down a file that is not named like a transcript.
func (s *search) foreign(path, real string) {
	if s.other != nil && s.other(path) && !s.seen[real] {
		s.seen[real] = true
		s.others = append(s.others, real)
	}
}

// identifyBytes is how much of a file is looked at to see whether it is a transcript.
const identifyBytes = 256 << 10

// identify says whose lines a file has whose name does not say it: "" where they name
// no session, and it is no transcript.
func identify(path string) (session string, err error) {
	f, _, err := lines.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	l := lines.Peek(f)
	for err == nil && l.Offset() < identifyBytes {
		var line []byte
		if line, err = l.Next(); err != nil {
			break
		}
		if bytes.Contains(line, []byte(`"sessionId"`)) {
			if id := schema.FieldString(line, "sessionId"); id != "" {
				return schema.SafeID(id), nil
			}
		}
	}
	return "", lines.IgnoreEOF(err)
}
