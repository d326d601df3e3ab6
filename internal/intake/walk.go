package intake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Walk finds the files below folders, each folder once. Links are followed, homes of
// actiongraph are left alone: their journals are named after sessions, too.
type Walk struct {
	// Want says by its name which file is one.
	Want func(path string) bool
	// File gets those, by their real paths, Other all others: path is what they were found
	// by, real where that leads to.
	File  func(real string, info fs.FileInfo)
	Other func(path, real string)
	// Problems are the folders and files that could not be read, and links that lead in a
	// circle.
	Problems []Problem

	dirs map[string]bool // that were read
}

// Problem notes what is wrong with a path.
func (w *Walk) Problem(path string, err error) {
	w.Problems = append(w.Problems, NewProblem(path, err))
}

// Dir goes through a folder, by its real path, until ctx ends.
func (w *Walk) Dir(ctx context.Context, path string) {
	if w.dirs == nil {
		w.dirs = map[string]bool{}
	}
	w.dir(ctx, path, nil)
}

// dir reads a folder; within are those that it is in, by the way that led to it.
func (w *Walk) dir(ctx context.Context, path string, within []string) {
	if w.dirs[path] || ctx.Err() != nil {
		return
	}
	w.dirs[path] = true
	entries, err := os.ReadDir(path)
	if err != nil {
		w.Problem(path, err)
	}
	if IsHome(entries) {
		return
	}
	within = append(within, path)
	for _, entry := range entries {
		name := filepath.Join(path, entry.Name())
		switch {
		case entry.IsDir():
			w.dir(ctx, name, within)
		case entry.Type()&fs.ModeSymlink != 0:
			w.link(ctx, name, within)
		case entry.Type().IsRegular() && w.Want(name):
			info, err := entry.Info()
			if err == nil {
				w.File(name, info)
			} else if !errors.Is(err, fs.ErrNotExist) { // it went away meanwhile
				w.Problem(name, err)
			}
		case entry.Type().IsRegular():
			w.Other(name, name)
		}
	}
}

// link follows a link to a folder or file. One that leads nowhere is left alone.
func (w *Walk) link(ctx context.Context, path string, within []string) {
	real, info, err := Real(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		w.Problem(path, err)
	case info.IsDir() && slices.Contains(within, real):
		w.Problem(path, fmt.Errorf("the link leads back to %s, which it is in", real))
	case info.IsDir():
		w.dir(ctx, real, within)
	case info.Mode().IsRegular() && w.Want(path):
		w.File(real, info)
	case info.Mode().IsRegular():
		w.Other(path, real)
	}
}

// Real returns where a path leads, absolute and without links, and what is there.
func Real(path string) (real string, info fs.FileInfo, err error) {
	if real, err = filepath.Abs(path); err != nil {
		return real, nil, err
	}
	if real, err = filepath.EvalSymlinks(real); err != nil {
		return real, nil, err
	}
	info, err = os.Stat(real)
	return real, info, err
}

// IsHome reports whether these are what is in a home of actiongraph.
func IsHome(entries []fs.DirEntry) bool {
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
