package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/replace"
	"github.com/actiongraph/actiongraph/schema"
)

// A session that is forgotten leaves a tombstone: a file in <home>/forgotten, by a keyed hash
// of its id, so that nothing in the home tells which session it was. Its first line says when
// and why, each other one names a store that no longer holds it. A hook that still runs, a
// session that is resumed and a transcript that is imported again meet it where they would
// make the session's file (openAppend), and nothing is recorded: asked there, it costs a
// session one look, and its events nothing.

// Tombstone is what is left of a forgotten session.
type Tombstone struct {
	Name string // of its file; see Journal.TombstoneName
	At   time.Time
	Why  string   // a word: what asked for it
	Gone []string // the stores that no longer hold the session
}

// ForgottenDir is the directory of the tombstones, below a home.
func ForgottenDir(home string) string { return filepath.Join(home, "forgotten") }

// TombstoneName returns the name of a session's tombstone, whether there is one or not: 32
// hexadecimal digits, which differ from home to home.
func (j *Journal) TombstoneName(session string) string {
	return hex.EncodeToString(j.hash("forgotten", session)[:16])
}

func (j *Journal) tombstonePath(name string) string { return filepath.Join(ForgottenDir(j.home), name) }

// Forgotten reports whether a session was forgotten: nothing of it is recorded any more.
func (j *Journal) Forgotten(session string) bool {
	_, err := os.Stat(j.tombstonePath(j.TombstoneName(session)))
	return err == nil
}

// ForgottenAt is when a session was forgotten last, or something in the folder of the tombstones
// changed; zero where there is none.
func (j *Journal) ForgottenAt() time.Time {
	info, err := os.Stat(ForgottenDir(j.home))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Forget removes what the journal has of sessions, for good: why is a word that their
// tombstones tell. First every tombstone is on the disk, then the files go: whoever is killed
// in between leaves work that RemoveForgotten completes. Writers that have a file open notice
// that it is gone (appending.lost) and meet the tombstone. A session that the journal does not
// know gets a tombstone too: a store, or a transcript, may.
func (j *Journal) Forget(sessions []string, why string, at time.Time) error {
	for _, session := range sessions {
		if _, err := j.path(session); err != nil {
			return err
		}
		if schema.NoSession(session) || session == noSession {
			return fmt.Errorf("journal: %q is no session that can be forgotten", session)
		}
	}
	if err := errors.Join(j.makeDirs(), makeDir(ForgottenDir(j.home))); err != nil {
		return wrap(err)
	}
	if err := atOnce(sessions, func(session string) error {
		return j.bury(j.tombstonePath(j.TombstoneName(session)), at.UTC().Format(schema.TimeLayout)+" "+why+"\n")
	}); err != nil {
		return wrap(err)
	}
	if canSyncDir {
		if err := errors.Join(syncPath(ForgottenDir(j.home)), syncPath(j.home)); err != nil {
			return wrap(err)
		}
	}
	for _, session := range sessions {
		if err := j.removeSession(session); err != nil {
			return err
		}
	}
	return j.syncDir()
}

// bury makes a tombstone whole or not at all: a torn one would say neither when nor why.
func (j *Journal) bury(path, text string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return replace.File(path, filepath.Base(path)+".*.tmp", replace.Text([]byte(text)), nil)
}

// suffixes end the names of all files that a session may have: those that hold it, and what a
// rewriting or a packing has beside them, or left there.
func suffixes() []string {
	return append(kindSuffixes(), tmpSuffix, Suffix+newSuffix, Suffix+oldSuffix)
}

// removeSession removes the files that a session has in the home.
func (j *Journal) removeSession(session string) error {
	path, err := j.path(session)
	if err != nil {
		return err
	}
	paths := []string{j.leftOutPath(session), filepath.Join(SealsDir(j.home), session+SealSuffix)}
	for _, suffix := range suffixes() {
		paths = append(paths, named(path, suffix))
	}
	for _, p := range paths {
		if err := removeFile(p); err != nil {
			return wrap(err)
		}
	}
	j.mu.Lock()
	delete(j.synced, session)
	j.mu.Unlock()
	return nil
}

// removeFile removes a file that may be gone already.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (j *Journal) syncDir() error {
	if !canSyncDir {
		return nil
	}
	return wrap(j.dirSync.run(func() error { return syncPath(j.dir()) }))
}

// RemoveIfForgotten removes the files that a session has although it was forgotten, and reports
// whether it was: who writes them again is a hook, or a daemon, of a version that knows no
// tombstones, and once there is a file no hook asks for one.
func (j *Journal) RemoveIfForgotten(session string) (bool, error) {
	if !j.Forgotten(session) {
		return false, nil
	}
	return true, j.removeSession(session)
}

// RemoveForgotten removes the files that forgotten sessions still have, where a Forget was
// killed, and says of how many sessions.
func (j *Journal) RemoveForgotten() (n int, err error) {
	if entries, err := readDir(ForgottenDir(j.home)); len(entries) == 0 {
		return 0, wrap(err)
	}
	forgotten, err := j.AllForgotten()
	if err != nil {
		return 0, err
	}
	entries, err := readDir(j.dir())
	done := map[string]bool{}
	for _, e := range entries {
		session, _, _ := strings.Cut(e.Name(), ".") // no id has a dot
		if done[session] || !slices.Contains(suffixes(), e.Name()[len(session):]) || !forgotten(session) {
			continue
		}
		done[session], n = true, n+1
		err = errors.Join(err, j.removeSession(session))
	}
	if n > 0 {
		err = errors.Join(err, j.syncDir())
	}
	return n, err
}

// Tombstones lists what is left of forgotten sessions, in the order of their names.
func (j *Journal) Tombstones() ([]Tombstone, error) {
	entries, err := readDir(ForgottenDir(j.home))
	var list []Tombstone
	for _, e := range entries {
		if name, decodeErr := hex.DecodeString(e.Name()); decodeErr != nil || len(name) != 16 {
			continue
		}
		text, readErr := os.ReadFile(j.tombstonePath(e.Name()))
		if readErr != nil {
			err = errors.Join(err, readErr)
			continue
		}
		list = append(list, tombstone(e.Name(), string(text)))
	}
	return list, wrap(err)
}

func tombstone(name, text string) Tombstone {
	t := Tombstone{Name: name}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	at, why, _ := strings.Cut(lines[0], " ")
	t.At, _ = time.Parse(schema.TimeLayout, at)
	t.Why = why
	for _, store := range lines[1:] {
		if store != "" && !slices.Contains(t.Gone, store) {
			t.Gone = append(t.Gone, store)
		}
	}
	return t
}

// GoneFrom writes down that a store no longer holds the session of a tombstone. A store's name
// that was written before is not written again by Tombstone.Gone's readers; to say so twice is
// harmless.
func (j *Journal) GoneFrom(name, store string) error {
	if len(name) != 32 || strings.ContainsAny(store, "\n") || strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("journal: no tombstone %q", name)
	}
	f, err := os.OpenFile(j.tombstonePath(name), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return wrap(err)
	}
	_, err = j.write(f, []byte(store+"\n"))
	return wrap(errors.Join(err, f.Close()))
}

// readDir is os.ReadDir of a folder of the home, each of which is made by the first who needs it.
func readDir(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return entries, err
}
