package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The lock files of a home.
const (
	// RunLock is held by the one daemon of a home.
	RunLock = "run.lock"
	// GraphLock is held by the one writer of the embedded store.
	GraphLock = "graph.lock"
	// JournalLock is held by who replaces files of the journal: packs or scrubs sessions. Writers of
	// events need none.
	JournalLock = "journal.lock"
)

// ErrLocked is wrapped by LockHome when another process holds the lock.
var ErrLocked = errors.New("locked")

// Lock is held until Unlock, or until the process ends, however it ends: the
// kernel releases it, so a crash leaves nothing behind that somebody has to remove.
type Lock struct {
	file *os.File
}

// Holder is who holds a lock, as the lock file says: for people to read. What
// decides is the kernel's lock.
type Holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// LockHome takes the lock <home>/<name>, waiting at most so long (0: not at all).
// If another process has it, or another Lock of this process, the error wraps
// ErrLocked and says who and since when.
//
// The file is never removed: a process that opened it just before the removal would
// hold a lock that nobody else sees.
func LockHome(home, name string, wait time.Duration) (*Lock, error) {
	path := filepath.Join(home, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(2 * time.Millisecond) {
		err = lockFile(f)
		if !errors.Is(err, ErrLocked) || !time.Now().Before(deadline) {
			break
		}
	}
	if errors.Is(err, ErrLocked) {
		err = fmt.Errorf("%s is %w by %s", path, ErrLocked, describeHolder(f))
	} else if err == nil {
		err = writeHolder(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Lock{file: f}, nil
}

// Held reports whether a process holds the lock <home>/<name>, and which, in words.
// It leaves the lock file as it is, and any number of processes may ask at once: each
// takes the lock shared for a moment, which only its holder refuses.
func Held(home, name string) (by string, held bool, err error) {
	f, err := os.Open(filepath.Join(home, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("lock: %w", err)
	}
	defer f.Close()
	if err = lockFileShared(f); errors.Is(err, ErrLocked) {
		return describeHolder(f), true, nil
	}
	return "", false, err
}

// Unlock releases the lock. The file stays.
func (l *Lock) Unlock() error { return l.file.Close() }

func writeHolder(f *os.File) error {
	b, err := json.Marshal(Holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	// A full disk must not keep anybody from locking: the content is a courtesy.
	if f.Truncate(0) == nil {
		f.WriteAt(append(b, '\n'), 0)
	}
	return nil
}

func describeHolder(f *os.File) string {
	var h Holder
	b := make([]byte, 512)
	n, _ := f.ReadAt(b, 0)
	if json.Unmarshal(b[:n], &h) != nil || h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d since %s", h.PID, h.Since.Local().Format(time.DateTime))
}
