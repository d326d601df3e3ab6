// Package forget takes sessions out of a home for good: it chooses them (Find), and removes what
// every file of the home has of them but the stores (Do), which drop them by themselves when
// they next look at the journal (connector.Replica).
//
// What is begun is written down first, in <home>/forgotten/begun, and taken away last: who is
// killed in between leaves work that Resume completes. Until then that file names the sessions;
// afterwards nothing in the home does, but for a keyed hash of each id (journal.Tombstone).
package forget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/seal"
	"github.com/actiongraph/actiongraph/transcript"
)

// begunFile is the work that goes on, or was not completed, in journal.ForgottenDir.
const begunFile = "begun"

// lockWait is how long is waited for who packs or scrubs sessions.
const lockWait = 10 * time.Second

// work is one Do.
type work struct {
	Why      string    `json:"why"`
	At       time.Time `json:"at"`
	Sessions []string  `json:"sessions"`
	// Forks are sessions that share something with these, which becomes their own.
	Forks []string `json:"forks,omitempty"`
	// Dirs are folders that are to be named nowhere any more.
	Dirs []string `json:"dirs"`
	// Project is a Filter.Project: what was read below it is read anew.
	Project string `json:"project,omitempty"`
	// Nobodys are the events to be forgotten that name no session.
	Nobodys *nobodys `json:"nobodys,omitempty"`
}

// Do removes what was found, for good: what the journal has, and what is said of it in the index of
// transcripts, in the positions of dumps, and in logs. why is a word that the tombstones tell.
// It waits for who packs or scrubs sessions; if that takes long the error wraps
// connector.ErrLocked, and nothing was done. On any other error the work is begun, and Resume
// goes on with it.
func Do(j *journal.Journal, found Found, why string, at time.Time) error {
	if len(found.Sessions) == 0 {
		return nil
	}
	w := workOn(found)
	w.Why, w.At = why, at.UTC()
	err := locked(j, lockWait, func() error {
		if err := resume(j); err != nil {
			return err
		}
		forks, err := forksOf(context.Background(), j, w.Sessions)
		if err != nil {
			return err
		}
		for _, fork := range forks {
			w.Forks = append(w.Forks, fork.SessionID)
		}
		if err := w.begin(j.Home()); err != nil {
			return err
		}
		return w.complete(j)
	})
	if err == nil {
		err = seal.Rewritten(context.Background(), j, at, w.rewrites()...)
	}
	return err
}

// locked does what nobody else may do meanwhile who replaces or removes files of the journal.
func locked(j *journal.Journal, wait time.Duration, do func() error) error {
	lock, err := connector.LockHome(j.Home(), connector.JournalLock, wait)
	if err != nil {
		return err
	}
	return errors.Join(do(), lock.Unlock())
}

// Resume completes what a Do that was killed had begun. Where nothing is it costs one look. While
// another process is at it nothing is done, which is no error.
func Resume(j *journal.Journal) error {
	if !Begun(j.Home()) {
		return nil
	}
	err := locked(j, 0, func() error { return resume(j) })
	if errors.Is(err, connector.ErrLocked) {
		err = nil
	}
	return err
}

// Begun reports whether something is begun and not completed.
func Begun(home string) bool {
	_, err := os.Stat(begunPath(home))
	return err == nil
}

func begunPath(home string) string { return filepath.Join(journal.ForgottenDir(home), begunFile) }

func resume(j *journal.Journal) error {
	text, err := os.ReadFile(begunPath(j.Home()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var w work
	if json.Unmarshal(text, &w) != nil {
		// It was killed while it wrote this down: nothing else was done.
		return os.Remove(begunPath(j.Home()))
	}
	return w.complete(j)
}

// begin writes the work down.
func (w *work) begin(home string) (err error) {
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	err = os.Mkdir(journal.ForgottenDir(home), 0o700)
	if err == nil {
		err = os.Chmod(journal.ForgottenDir(home), 0o700) // the umask may have taken more than it should
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(begunPath(home), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write down what is to be forgotten: %w (nothing was removed)", err), os.Remove(begunPath(home)))
	}
	return nil
}

// complete does the work, as far as it is not done.
func (w *work) complete(j *journal.Journal) error {
	if err := w.sign(j); err != nil {
		return err
	}
	if err := w.free(j); err != nil {
		return err
	}
	if err := j.Forget(w.Sessions, w.Why, w.At); err != nil {
		return err
	}
	err := errors.Join(
		w.Nobodys.drop(j),
		transcript.DropForgotten(j),
		w.dropPositions(j),
		w.clean(j.Home()),
		dropLeftovers(j.Home()))
	if err != nil {
		return err
	}
	return os.Remove(begunPath(j.Home()))
}

// sign has the log of seals say what is about to go, and what to be rewritten for it: nobody
// is to take it for something else.
func (w *work) sign(j *journal.Journal) error {
	err := seal.Forgetting(context.Background(), j, w.Why, w.At, w.Sessions...)
	if err == nil {
		err = seal.Rewriting(context.Background(), j, w.Why, w.At, w.rewrites()...)
	}
	return err
}

// rewrites are the sessions that stay, and are rewritten.
func (w *work) rewrites() []string {
	if w.Nobodys == nil {
		return w.Forks
	}
	return append(slices.Clone(w.Forks), nobody)
}

// Clean takes out of the logs of a home what they say of sessions that Do removed: a daemon may
// have said something while the stores dropped them.
func Clean(home string, found Found) error {
	w := workOn(found)
	return w.clean(home)
}

func workOn(found Found) work {
	return work{Sessions: found.ids(), Dirs: found.Dirs, Project: found.project, Nobodys: found.nobodys}
}

// dropLeftovers removes what processes that were killed left, and may say anything.
func dropLeftovers(home string) error {
	_, running, err := connector.Held(home, connector.RunLock)
	if err == nil && !running { // else the daemon writes it again, within a second or two
		err = errors.Join(remove(filepath.Join(home, "status.json")), remove(filepath.Join(home, "status.json.new")))
	}
	left, globErr := fs.Glob(os.DirFS(home), ".verify-*")
	stones, _ := fs.Glob(os.DirFS(home), "forgotten/*.tmp") // of tombstones; the one error is a bad pattern
	left = append(left, stones...)
	for _, name := range left {
		_ = os.Remove(filepath.Join(home, name)) // on Windows who has it open keeps it
	}
	return errors.Join(err, globErr)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Pending counts, for each of the stores, the sessions that were forgotten and that it has not
// dropped yet; all is how many were forgotten.
func Pending(j *journal.Journal, stores []string) (pending map[string]int, all int, err error) {
	tombstones, err := j.Tombstones()
	pending = map[string]int{}
	for _, t := range tombstones {
		for _, store := range stores {
			if !slices.Contains(t.Gone, store) {
				pending[store]++
			}
		}
	}
	return pending, len(tombstones), err
}

// PendingOf returns those of the stores that have not dropped a forgotten session yet.
func PendingOf(j *journal.Journal, session string, stores []string) (pending []string, err error) {
	tombstones, err := j.Tombstones()
	name := j.TombstoneName(session)
	for _, t := range tombstones {
		for _, store := range stores {
			if t.Name == name && !slices.Contains(t.Gone, store) {
				pending = append(pending, store)
			}
		}
	}
	return pending, err
}
