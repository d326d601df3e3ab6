package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
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
	// ScrubLock is held by the one scrub of secrets of a home, which holds JournalLock only while it
	// replaces files: to wait for stores takes minutes where agents never pause, and a forget
	// does not wait for that.
	ScrubLock = "scrub.lock"
)

// ErrLocked is wrapped by LockHome when another process holds the lock.
var ErrLocked = errcode.New(errcode.HomeLocked, "locked")

// Lock is held until Unlock, or until the process ends, however it ends: the
// kernel releases it, so a crash leaves nothing behind that somebody has to remove.
type Lock struct {
	file *os.File
}

// Holder is who holds a lock, as the lock file says: for people to read. What
// decides is the kernel's lock.
type Holder struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Command string    `json:"command,omitempty"` // the program and its verb
}

// String is the holder in words.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	text := fmt.Sprintf("process %d since %s", h.PID, h.Since.Local().Format(time.DateTime))
	if h.Command != "" {
		text += " (" + h.Command + ")"
	}
	return text
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
		err = fmt.Errorf("%s is %w by %s", path, ErrLocked, readHolder(f))
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
	holder, held, err := HeldBy(home, name)
	if held {
		by = holder.String()
	}
	return by, held, err
}

// HeldBy is Held for programs. A holder that the lock file does not name, which a full
// disk may have kept from saying who it is, is the zero Holder.
func HeldBy(home, name string) (by Holder, held bool, err error) {
	f, err := os.Open(filepath.Join(home, name))
	if errors.Is(err, fs.ErrNotExist) {
		return by, false, nil
	}
	if err != nil {
		return by, false, fmt.Errorf("lock: %w", err)
	}
	defer f.Close()
	if err = lockFileShared(f); errors.Is(err, ErrLocked) {
		return readHolder(f), true, nil
	}
	return by, false, err
}

// Unlock releases the lock. The file stays.
func (l *Lock) Unlock() error { return l.file.Close() }

func writeHolder(f *os.File) error {
	b, err := json.Marshal(Holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second), Command: command(os.Args)})
	if err != nil {
		return err
	}
	// A full disk must not keep anybody from locking: the content is a courtesy.
	if f.Truncate(0) == nil {
		f.WriteAt(append(b, '\n'), 0)
	}
	return nil
}

// command is a process's program and verb. No more of its arguments: one may be a URL
// with a password in it.
func command(args []string) string {
	if len(args) == 0 {
		return ""
	}
	what := filepath.Base(args[0])
	if len(args) > 1 && regexp.MustCompile(`^[a-z][a-z-]{0,30}$`).MatchString(args[1]) {
		what += " " + args[1]
	}
	return what[:min(len(what), 200)]
}

// readHolder reads who holds a lock: the zero Holder where the file does not say it. An empty
// file is waited for, 0.1 s: who has just taken the lock has yet to write, and whoever
// started a daemon would not know it for the one that it started.
func readHolder(f *os.File) (h Holder) {
	b, n := make([]byte, 1024), 0
	for range 20 {
		if n, _ = f.ReadAt(b, 0); n > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if json.Unmarshal(b[:n], &h) != nil || h.PID <= 0 {
		return Holder{}
	}
	return h
}
