package transcript

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/intake"
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
	path, info, err := intake.Real(path)
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
type Problem = intake.Problem

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
	seen := map[string]bool{}
	file := func(path string, info fs.FileInfo) {
		if !seen[path] {
			seen[path] = true
			files = append(files, describe(path, info))
		}
	}
	w := intake.Walk{Want: wanted, File: file, Other: func(path, real string) {
		if other != nil && other(path) && !seen[real] {
			seen[real] = true
			others = append(others, real)
		}
	}}
	for _, path := range paths {
		real, info, err := intake.Real(path)
		switch {
		case err != nil:
			w.Problem(path, err)
		case info.IsDir():
			w.Dir(ctx, real)
		case info.Mode().IsRegular():
			file(real, info)
		default:
			w.Problem(path, lines.ErrNotRegular)
		}
	}
	return files, others, w.Problems
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
