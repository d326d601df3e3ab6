package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// A file is rewritten beside writers that know nothing of it and take no lock. Each state
// that a kill can leave says by itself what is to be done:
//
//	<s>.jsonl, <s>.jsonl.new               the new one was never in force: it is removed
//	<s>.jsonl = <s>.jsonl.old, one inode   the same: .old is removed
//	<s>.jsonl, <s>.jsonl.old               the new one is in force, and lines of the old one that
//	                                       came late may be missing from it: they are appended
//
// A writer that had the old file open when it was renamed away writes again where it sees that
// (Append). One of a version that does not look is read until the old file is quiet.
const (
	newSuffix = ".new"
	oldSuffix = ".old"
)

// quietAfter is how long a file that was renamed away must not have grown. A hook opens its
// file and writes to it within a millisecond.
const quietAfter = 150 * time.Millisecond

// Rewrite replaces each line of a session's file by what change returns for it: the same, or
// another without a newline; nil leaves it out. It returns how many differ; a file in which
// none does stays as it is. change sees torn lines, too, and must return the same for the same.
// A line that change returns is not to be longer than a journal's lines may be.
//
// Writers go on meanwhile, and lose nothing: what they write to the old file is carried over. A
// reader notices that the file was replaced (ErrReplaced). The caller holds the home's lock for
// who replaces files. What of the session is packed is rewritten first. On an error either the old file stands, or the new one with the old beside
// it: FinishRewrite completes that.
func (j *Journal) Rewrite(session string, change func(line []byte) []byte) (changed int, err error) {
	path, err := j.path(session)
	if err != nil {
		return 0, err
	}
	if err := j.FinishRewrite(session, change); err != nil {
		return 0, err
	}
	before, err := j.repack(session, change)
	if err != nil {
		return 0, wrap(err)
	}
	old, err := openToRewrite(path)
	if errors.Is(err, fs.ErrNotExist) && j.has(session) {
		return before, nil // all of it is packed
	}
	if err != nil {
		return before, wrap(err)
	}
	end, changed, err := writeNew(path+newSuffix, old, change)
	old.Close() // before the rename: Windows puts nothing in the place of a file that is open
	if err != nil || changed == 0 {
		return before, errors.Join(wrap(err), wrap(removeFile(path+newSuffix)))
	}
	if err := j.replace(path); err != nil {
		return before, wrap(err)
	}
	return before + changed, j.carryOver(session, path, end, change, nil)
}

// openToRewrite opens a session's file where a new one may be put in its place.
func openToRewrite(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file: put in its place the file that it leads to, to have it rewritten", path)
	}
	return os.Open(path)
}

// writeNew writes the lines of old as change has them, up to its last newline, and brings them
// to the disk. end is where that is in old.
func writeNew(path string, old *os.File, change func([]byte) []byte) (end int64, changed int, err error) {
	if err := removeFile(path); err != nil {
		return 0, 0, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if err := chmod(f); err != nil {
		return 0, 0, err
	}
	out := bufio.NewWriterSize(f, maxWrite)
	var framed []byte
	end, err = eachLine(old, 0, func(line []byte) error {
		to := change(line)
		if !bytes.Equal(to, line) {
			changed++
		}
		if to == nil {
			return nil
		}
		framed = frame(framed[:0], to)
		_, err := out.Write(framed)
		return err
	})
	if err == nil {
		changed += tornTail(old, end, change)
		err = errors.Join(out.Flush(), f.Sync())
	}
	if err != nil {
		if info, statErr := old.Stat(); statErr == nil {
			err = fmt.Errorf("%w (to rewrite %s takes %d more bytes for a while; the file is as it was)", err, old.Name(), info.Size())
		}
	}
	return end, changed, err
}

// tornTail is 1 where change would change what stands behind the last newline: a piece of a line
// whose writer was killed, which the new file does not have, or one that carryOver reads again.
func tornTail(old *os.File, end int64, change func([]byte) []byte) int {
	tail, err := io.ReadAll(io.NewSectionReader(old, end, MaxLine))
	if err != nil || len(tail) == 0 || bytes.Equal(change(tail), tail) {
		return 0
	}
	return 1
}

// replace puts the new file in force, and keeps the old one under its other name.
func (j *Journal) replace(path string) error {
	err := os.Link(path, path+oldSuffix)
	if err == nil {
		err = j.syncDir()
	}
	if err == nil {
		err = os.Rename(path+newSuffix, path)
	}
	if err != nil {
		return errors.Join(err, removeFile(path+oldSuffix), removeFile(path+newSuffix))
	}
	return j.syncDir()
}

// carryOver appends to the file of a session the lines that its old one got after from, until
// that is quiet, and removes the old one. Lines in have are in the new file already.
func (j *Journal) carryOver(session, path string, from int64, change func([]byte) []byte, have map[[sha256.Size]byte]bool) error {
	old, err := os.Open(path + oldSuffix)
	if err != nil {
		return wrap(err)
	}
	defer old.Close()
	for quietSince := time.Now(); time.Since(quietSince) < quietAfter; time.Sleep(5 * time.Millisecond) {
		var late []byte
		end, err := eachLine(old, from, func(line []byte) error {
			line = change(line)
			if line == nil || have[sha256.Sum256(line)] {
				return nil
			}
			late = frame(late, line)
			if len(late) < maxWrite {
				return nil
			}
			err := j.appendTo(session, late)
			late = late[:0]
			return err
		})
		if err == nil {
			err = j.appendTo(session, late)
		}
		if err != nil {
			return fmt.Errorf("journal: session %s: %w (nothing is lost: %s has the rest, and the next run appends it)", session, err, filepath.Base(path+oldSuffix))
		}
		if end > from {
			from, quietSince = end, time.Now()
		}
	}
	old.Close() // before it is removed: see Rewrite
	if err = syncPath(path); j.Forgotten(session) {
		err = removeFile(path)
	}
	if err == nil {
		err = removeFile(path + oldSuffix)
	}
	return errors.Join(wrap(err), j.syncDir())
}

// appendTo appends framed lines to a session's file, which is made where somebody took it away.
func (j *Journal) appendTo(session string, framed []byte) error {
	if len(framed) == 0 || j.Forgotten(session) {
		return nil
	}
	f, err := j.openAppend(session)
	if err != nil || f == nil {
		return err
	}
	return errors.Join(j.put(f, framed), f.Close())
}

// FinishRewrite completes or undoes what a Rewrite that was killed left of a session.
func (j *Journal) FinishRewrite(session string, change func(line []byte) []byte) error {
	path, err := j.path(session)
	if err != nil {
		return err
	}
	if err := removeFile(path + newSuffix); err != nil {
		return wrap(err)
	}
	old, err := os.Stat(path + oldSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return wrap(err)
	}
	now, err := os.Stat(path)
	switch {
	case err == nil && os.SameFile(old, now):
		return wrap(removeFile(path + oldSuffix))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return wrap(err)
	}
	have := map[[sha256.Size]byte]bool{}
	if err == nil {
		f, err := os.Open(path)
		if err != nil {
			return wrap(err)
		}
		_, err = eachLine(f, 0, func(line []byte) error {
			have[sha256.Sum256(line)] = true
			return nil
		})
		if err = errors.Join(err, f.Close()); err != nil {
			return wrap(err)
		}
	}
	return j.carryOver(session, path, 0, change, have)
}

// Rewriting lists the sessions of which a Rewrite that was killed left files.
func (j *Journal) Rewriting() (sessions []string, err error) {
	entries, err := readDir(j.dir())
	seen := map[string]bool{}
	for _, e := range entries {
		name, isNew := strings.CutSuffix(e.Name(), Suffix+newSuffix)
		name, isOld := strings.CutSuffix(name, Suffix+oldSuffix)
		if (isNew || isOld) && schema.ValidID(name) && !seen[name] {
			seen[name] = true
			sessions = append(sessions, name)
		}
	}
	return sessions, wrap(err)
}

// eachLine calls fn with each line of a file from an offset on that is not empty and has its
// newline, torn ones too, and returns where the last of these ends.
func eachLine(f *os.File, from int64, fn func(line []byte) error) (end int64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, from, 1<<62-from), maxBuffer)
	end = from
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF:
			return end, nil // a last line without a newline is not yet one
		case err != nil:
			return end, err
		}
		end += int64(len(line))
		if len(line) > 1 {
			if err := fn(line[: len(line)-1 : len(line)-1]); err != nil {
				return end, err
			}
		}
		line = line[:0]
	}
}
