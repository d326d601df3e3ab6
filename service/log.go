package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// LogFile is where the daemon of a service logs, below the home, and LogFile+OldLog what
// was there before.
const (
	LogFile = "ag-sessiond.log"
	OldLog  = ".1"
)

// maxLog is the size, in bytes, at which a log begins anew: both files together stay below
// twice that and one line. A daemon logs some 400 bytes a start and at most a line a minute
// of an outage: years.
const maxLog = 4 << 20

// Log is a file of lines that does not grow for ever. It is safe for concurrent use.
type Log struct {
	path string
	max  int64

	mu     sync.Mutex
	file   *os.File // nil: not open now
	size   int64
	closed bool
}

// OpenLog opens or makes the log at path, for this user alone. Its folder is there.
func OpenLog(path string) (*Log, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	l := &Log{path: path, max: maxLog}
	return l, l.open()
}

func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the log: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm() != 0o600 {
		err = f.Chmod(0o600) // of a file that somebody made before
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("the log: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends whole lines. A file that was removed or renamed meanwhile is made anew.
func (l *Log) Write(lines []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, fs.ErrClosed
	}
	var err error
	if l.file == nil { // it could not be opened when the last one was full
		err = l.open()
	} else {
		err = l.turn(int64(len(lines)))
	}
	if err != nil {
		return 0, err
	}
	n, err := l.file.Write(lines)
	l.size += int64(n)
	return n, err
}

// turn begins a new file where this one is full, or is not there any more.
func (l *Log) turn(more int64) error {
	mine, err := l.file.Stat()
	if err != nil || !mine.Mode().IsRegular() { // /dev/stderr
		return err
	}
	now, err := os.Stat(l.path)
	there := err == nil && os.SameFile(mine, now)
	full := l.size > 0 && l.size+more > l.max
	if there && !full {
		return nil
	}
	l.file.Close() // first: Windows renames no file that is open
	l.file = nil
	if there {
		// Where that fails, as on Windows while somebody reads it, it goes on in the same
		// file: rather a long log than none.
		os.Rename(l.path, l.path+OldLog)
	}
	return l.open()
}

// Close ends the log.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// TailLog calls line with the last n lines of a log, those of its old file included, and
// with follow with each that is appended, until ctx ends or line fails. n < 0 is all. A log
// that is not there is fs.ErrNotExist, and with follow is waited for.
func TailLog(ctx context.Context, path string, n int, follow bool, line func([]byte) error) error {
	t := tailing{path: path}
	defer t.close()
	if err := t.open(); err != nil {
		return err
	}
	old, noOld := t.old()
	if noOld != nil && (t.file == nil && !follow || !errors.Is(noOld, fs.ErrNotExist)) {
		return noOld
	}
	now, err := t.more()
	if err != nil {
		return err
	}
	before := append(linesOf(old), linesOf(now)...)
	if n >= 0 {
		before = before[max(0, len(before)-n):]
	}
	for _, l := range before {
		if err := line(l); err != nil {
			return err
		}
	}
	for follow {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
		fresh, err := t.more()
		if err != nil {
			return err
		}
		for _, l := range linesOf(fresh) {
			if err := line(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// linesOf are the lines of text, without their newlines.
func linesOf(text []byte) (lines [][]byte) {
	for l := range bytes.Lines(text) {
		if l = bytes.TrimRight(l, "\r\n"); len(l) > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

// tailing reads a log as it grows, from one file into the next.
type tailing struct {
	path string
	file *os.File
	part []byte // a line without its end
}

// open opens the file, if it is there and not open.
func (t *tailing) open() error {
	if t.file != nil {
		return nil
	}
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		t.file = f
	}
	return err
}

// old reads the file of before; nothing where that is, by now, the one that is open.
func (t *tailing) old() ([]byte, error) {
	f, err := os.Open(t.path + OldLog)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && t.file != nil {
		if mine, err := t.file.Stat(); err == nil && os.SameFile(info, mine) {
			return nil, nil
		}
	}
	return io.ReadAll(f)
}

// more returns the whole lines that were appended since.
func (t *tailing) more() (lines []byte, err error) {
	for {
		if err := t.open(); err != nil || t.file == nil {
			return lines, err
		}
		if err := t.rewind(); err != nil {
			return lines, err
		}
		// Before it is read: what is appended after another file took its place is none.
		turned := t.turned()
		text, err := io.ReadAll(t.file)
		if err != nil {
			return lines, err
		}
		t.part = append(t.part, text...)
		end := bytes.LastIndexByte(t.part, '\n') + 1
		lines, t.part = append(lines, t.part[:end]...), bytes.Clone(t.part[end:])
		if !turned {
			return lines, nil
		}
		t.close()
	}
}

// rewind begins anew with a file that somebody emptied.
func (t *tailing) rewind() error {
	at, err := t.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	info, err := t.file.Stat()
	if err == nil && info.Size() < at {
		t.part = nil
		_, err = t.file.Seek(0, io.SeekStart)
	}
	return err
}

func (t *tailing) turned() bool {
	mine, err := t.file.Stat()
	now, err2 := os.Stat(t.path)
	return err == nil && err2 == nil && !os.SameFile(mine, now)
}

func (t *tailing) close() {
	if t.file != nil {
		t.file.Close()
		t.file, t.part = nil, nil
	}
}
