package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// File is what the file system says about one session's file.
type File struct {
	Session string
	Size    int64 // bytes
	ModTime time.Time
}

// Files lists the sessions in the order of their ids: one readdir and a stat each,
// 24 ms for 5,000. What is no session's file is left out, and so is a file that
// was removed meanwhile.
func (j *Journal) Files() ([]File, error) {
	entries, err := os.ReadDir(j.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	files := make([]File, 0, len(entries))
	for _, entry := range entries {
		session, ok := strings.CutSuffix(entry.Name(), suffix)
		if !ok || !schema.ValidID(session) || entry.IsDir() {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		files = append(files, File{Session: session, Size: info.Size(), ModTime: info.ModTime()})
	}
	return files, nil
}

// Stat returns what Files says of one session. The error of a session without a
// file wraps fs.ErrNotExist.
func (j *Journal) Stat(session string) (File, error) {
	path, err := j.path(session)
	if err != nil {
		return File{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return File{}, fmt.Errorf("journal: %w", err)
	}
	return File{Session: session, Size: info.Size(), ModTime: info.ModTime()}, nil
}

// Sync brings what a session's file holds now to the disk. A store calls it before
// it learns of that content: no store may know what the journal could still lose.
// The first call for a session also syncs its directory entry, and the first of
// all the home's, with the id that stores key positions by.
func (j *Journal) Sync(session string) error {
	path, err := j.path(session)
	if err != nil {
		return err
	}
	j.mu.Lock()
	newFile, newHome := !j.synced[session], !j.synced[""]
	j.mu.Unlock()
	paths := []string{path}
	if newFile && canSyncDir {
		paths = append(paths, j.dir())
	}
	if newHome {
		paths = append(paths, filepath.Join(j.home, "id"), filepath.Join(j.home, "key"))
	}
	if newHome && canSyncDir {
		paths = append(paths, j.home)
	}
	for _, p := range paths {
		if err := syncPath(p); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.mu.Lock()
	j.synced[session], j.synced[""] = true, true
	j.mu.Unlock()
	return nil
}

func syncPath(path string) error {
	f, err := openSync(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
