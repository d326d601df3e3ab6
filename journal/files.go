package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// File is what the file system says about one session.
type File struct {
	Session string
	Size    int64     // bytes of what it holds
	ModTime time.Time // when it was last written to
	Stored  int64     // bytes that its files take
	Packed  int64     // bytes of Size that are packed
}

// Files lists the sessions in the order of their ids: one readdir and a stat each,
// 24 ms for 5,000, and what is at the end of those files that are packed. What is no session's
// file is left out, as one of positions or of a probe (schema.NoSession) is, and so is a file
// that was removed meanwhile. A link is what it points at. Of a packed file that cannot be read
// the size is that of the file: reading it says why.
func (j *Journal) Files() ([]File, error) {
	dir := j.dir()
	entries, err := readDir(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	files := make([]File, 0, len(entries))
	for i := 0; i < len(entries); {
		first := i
		session, ok := SessionOf(entries[first].Name())
		for i++; ok && i < len(entries) && strings.HasPrefix(entries[i].Name(), session+"."); i++ {
		}
		if !ok || schema.NoSession(session) {
			continue
		}
		file, err := j.listed(session, entries[first:i])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}

// listed describes the session that these files of the directory are of.
func (j *Journal) listed(session string, entries []fs.DirEntry) (File, error) {
	var l layers
	for _, entry := range entries {
		_, kind, ok := kindOf(entry.Name())
		if !ok || entry.IsDir() {
			continue
		}
		info, err := entryInfo(j.dir(), entry)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return File{}, err
		}
		if err == nil && !regular(info) {
			continue
		}
		l[kind] = info
		if err != nil || kind != plain && len(entries) > 1 { // it is being packed, perhaps
			path, err := j.path(session)
			if err == nil {
				l, err = look(path)
			}
			if err != nil {
				return File{}, err
			}
			break
		}
	}
	if len(l.order()) == 0 {
		return File{}, fs.ErrNotExist
	}
	file, _ := j.describe(session, l)
	return file, nil
}

// describe says what a session's files come to. On an error Size is what they take.
func (j *Journal) describe(session string, l layers) (File, error) {
	f := File{Session: session, ModTime: l.modTime(), Stored: l.bytes()}
	for _, kind := range l.order() {
		size := l[kind].Size()
		if kind == packed || kind == renewed {
			var err error
			if size, err = j.length(filepath.Join(j.dir(), session+kindSuffixes()[kind]), l[kind]); err != nil {
				f.Size, f.Packed = f.Stored, 0
				return f, err
			}
			f.Packed += size
		}
		f.Size += size
	}
	return f, nil
}

// packedFile is what was learnt of a packed file.
type packedFile struct {
	info   fs.FileInfo
	length int64 // of what is packed in it
}

// length returns how long that is which is packed in a file. What is known of a file is not
// read again.
func (j *Journal) length(path string, info fs.FileInfo) (int64, error) {
	j.mu.Lock()
	known := j.packed[path]
	j.mu.Unlock()
	if known.info != nil && os.SameFile(known.info, info) && known.info.Size() == info.Size() && known.info.ModTime().Equal(info.ModTime()) {
		return known.length, nil
	}
	f, err := openRegular(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, length, err := j.unpack(f, info.Size())
	if err == nil {
		j.mu.Lock()
		j.packed[path] = packedFile{info, length}
		j.mu.Unlock()
	}
	return length, err
}

// entryInfo describes a file, or what a link points at: the link's own size says
// nothing of how much there is to read. A link that leads nowhere is absent; one
// that cannot be followed is described itself, so that reading it says why.
func entryInfo(dir string, entry fs.DirEntry) (fs.FileInfo, error) {
	if entry.Type()&fs.ModeSymlink != 0 {
		info, err := os.Stat(filepath.Join(dir, entry.Name()))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return info, err
		}
	}
	return entry.Info()
}

// regular reports whether there is something to read: to open a named pipe would
// hang until somebody writes to it.
func regular(info fs.FileInfo) bool {
	return info.Mode().IsRegular() || info.Mode()&fs.ModeSymlink != 0
}

// End returns where the last complete line ends of a file that Files listed: what
// follows is what a writer left that was killed, or is still writing, and no Cursor
// goes beyond. It reads the file's last few kB.
func (j *Journal) End(file File) (int64, error) {
	path, err := j.path(file.Session)
	if err != nil {
		return 0, err
	}
	f, err := j.open(path)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	end, err := lineStart(f, file.Size)
	// A newline that ends nothing is one in front of a record: no line.
	for last := make([]byte, 1); err == nil && end > 0; end-- {
		if end == 1 {
			return 0, nil
		}
		if _, err = f.ReadAt(last, end-2); err == nil && last[0] != '\n' {
			return end, nil
		}
	}
	if err != nil {
		return 0, fmt.Errorf("journal: %s: %w", path, shrunk(err))
	}
	return end, nil
}

// openRegular opens a file to be read, and does not wait for a named pipe.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: remove it", path)
	}
	return os.Open(path)
}

// Stat returns what Files says of one session. The error of a session without a
// file wraps fs.ErrNotExist; one that is packed and cannot be read is an error, too.
func (j *Journal) Stat(session string) (File, error) {
	path, err := j.path(session)
	if err != nil {
		return File{}, err
	}
	l, err := look(path)
	if err == nil && len(l.order()) == 0 {
		err = notThere(path)
	}
	if err != nil {
		return File{}, fmt.Errorf("journal: %w", err)
	}
	f, err := j.describe(session, l)
	return f, wrap(err)
}

// Sync brings what a session's file holds now to the disk. A store calls it before
// it learns of that content: no store may know what the journal could still lose.
// The first call for a session also syncs its directory entry, and the first of
// all the home's, with the id that stores key positions by. Who calls it at once for one
// session shares an fsync that begins after each has called.
func (j *Journal) Sync(session string) error {
	path, err := j.path(session)
	if err != nil {
		return err
	}
	j.mu.Lock()
	newFile, newHome := !j.synced[session], !j.synced[""]
	j.mu.Unlock()
	if err := j.syncFile(session, path); errors.Is(err, fs.ErrNotExist) {
		_, out := j.staysOut(session)
		if out = out || j.Forgotten(session); !out && !j.has(session) {
			return wrap(err)
		}
		return nil // nothing of it was written, or nothing since it was packed
	} else if err != nil {
		return wrap(err)
	}
	if newFile && canSyncDir {
		if err := j.dirSync.run(func() error { return syncPath(j.dir()) }); err != nil {
			return wrap(err)
		}
	}
	var paths []string
	if newHome {
		paths = append(paths, filepath.Join(j.home, "id"), filepath.Join(j.home, "key"))
	}
	if newHome && canSyncDir {
		paths = append(paths, j.home)
	}
	for _, p := range paths {
		if err := syncPath(p); err != nil {
			return wrap(err)
		}
	}
	j.mu.Lock()
	j.synced[session], j.synced[""] = true, true
	j.mu.Unlock()
	return nil
}

// syncFile is the fsync of one session's file, which callers share.
func (j *Journal) syncFile(session, path string) error {
	j.mu.Lock()
	s := j.fileSyncs[session]
	if s == nil {
		s = &fileSync{}
		j.fileSyncs[session] = s
	}
	s.callers++
	j.mu.Unlock()
	err := s.run(func() error { return syncPath(path) })
	j.mu.Lock()
	if s.callers--; s.callers == 0 {
		delete(j.fileSyncs, session) // there may be any number of sessions
	}
	j.mu.Unlock()
	return err
}

type fileSync struct {
	shared
	callers int
}

// syncsAtOnce bounds the files that SyncAll syncs at a time: a file system commits many as
// fast as one.
const syncsAtOnce = 8

// SyncAll is Sync of several sessions. The error joins one for each that failed.
func (j *Journal) SyncAll(sessions []string) error { return atOnce(sessions, j.Sync) }

// atOnce runs what waits for the disk for several sessions, syncsAtOnce at a time. The error
// joins those of all.
func atOnce(sessions []string, run func(session string) error) error {
	if len(sessions) == 1 {
		return run(sessions[0])
	}
	errs := make([]error, len(sessions))
	turn := make(chan struct{}, syncsAtOnce)
	var running sync.WaitGroup
	for i, session := range sessions {
		turn <- struct{}{}
		running.Go(func() {
			errs[i] = run(session)
			<-turn
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// shared runs a piece of work for all who asked for it before it began: each waits for a
// run that begins after it has asked, and for no more than one other.
type shared struct {
	mu   sync.Mutex
	next *run // the one that has not begun; nil: nobody waits for one
	busy sync.Mutex
}

type run struct {
	once sync.Once
	err  error
}

func (s *shared) run(work func() error) error {
	s.mu.Lock()
	if s.next == nil {
		s.next = &run{}
	}
	mine := s.next
	s.mu.Unlock()
	mine.once.Do(func() {
		s.busy.Lock()
		defer s.busy.Unlock()
		s.mu.Lock()
		s.next = nil // who asks from now on may ask for what this run does not see
		s.mu.Unlock()
		mine.err = work()
	})
	return mine.err
}

func syncPath(path string) error {
	f, err := openSync(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// DiscardProbe removes the file of a probe (schema.ProbeID), which no reader has listed. It
// refuses any other session's; that there is none is no error.
func (j *Journal) DiscardProbe(session string) error {
	if !schema.IsProbeID(session) {
		return fmt.Errorf("journal: %q is no probe", session)
	}
	path, err := j.path(session)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return wrap(err)
}

// Probes lists the probes whose file is there: those that run, and what was left of those
// that were killed.
func (j *Journal) Probes() ([]File, error) {
	entries, err := readDir(j.dir())
	var probes []File
	for _, entry := range entries {
		session, ok := strings.CutSuffix(entry.Name(), Suffix)
		if !ok || !schema.IsProbeID(session) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			probes = append(probes, File{Session: session, Size: info.Size(), ModTime: info.ModTime()})
		}
	}
	return probes, wrap(err)
}
