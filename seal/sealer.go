package seal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Suffix ends the names of sessions' files of leaves.
const Suffix = journal.SealSuffix

// Sealer seals what the journal holds. It remembers how far it has read the log, so that to seal a
// session that grew costs what it grew by. It is for one goroutine; any number of processes
// may seal at once.
type Sealer struct {
	Journal *journal.Journal

	log  *log
	kept map[string]schema.SealHead // what stores are known to have
}

// Report says what was sealed.
type Report struct {
	Sessions int   `json:"sessions"` // that something was sealed of
	Records  int64 `json:"records"`
	Bytes    int64 `json:"bytes"`
	Last     Entry `json:"last"` // of the log
	// Later are sessions that are being rewritten.
	Later []string `json:"later,omitempty"`
}

// Seal seals what of these sessions is not sealed yet, up to their last whole records; none is all
// that the journal has. The first Seal of a home makes its key. A session that cannot be sealed keeps no other
// from it: the error joins one for each. Where others seal or verify for long it wraps
// connector.ErrLocked, and ErrDamaged where the log is not as it was written: then nothing is sealed.
func (s *Sealer) Seal(ctx context.Context, at time.Time, sessions ...string) (report Report, err error) {
	if len(sessions) == 0 {
		if sessions, err = sessionsOf(s.Journal); err != nil {
			return report, err
		}
	}
	held, err := lock(s.Journal.Home(), lockWait)
	if err != nil {
		return report, err
	}
	defer held.Unlock()
	if s.log == nil {
		s.log = newLog(s.Journal.Home())
	}
	w, err := s.log.write(s.Journal, at, nil)
	if err != nil {
		s.log = nil
		return report, fmt.Errorf("seal: %w", err)
	}
	var errs []error
	for _, session := range sessions {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if err := w.seal(session, &report); errcode.Of(err) == errcode.SealKey { // nor can any other be signed for
			errs = append(errs, fmt.Errorf("seal: %w", err))
			break
		} else if err != nil {
			errs = append(errs, fmt.Errorf("seal session %s: %w", session, err))
		}
		if report.Sessions%commitEvery == 0 {
			err = w.commit()
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = w.commit()
	}
	if err != nil {
		s.log = nil // it knows entries that are not there
		return Report{}, errors.Join(append(errs, fmt.Errorf("seal: %w", err))...)
	}
	report.Last = w.last
	return report, errors.Join(errs...)
}

// commitEvery is how many sessions a kill may cost the work of: each has waited for the disk twice.
const commitEvery = 16

func sessionsOf(j *journal.Journal) (sessions []string, err error) {
	files, err := j.Files()
	for _, f := range files {
		sessions = append(sessions, f.Session)
	}
	return sessions, err
}

// ErrCut is of a session of which less is there than was sealed.
var ErrCut = errcode.New(errcode.SealBroken, "less is there than was sealed: ag-sessiond verify --seal says more")

// seal seals what one session grew by.
func (w *writer) seal(session string, report *Report) error {
	file, err := w.journal.Stat(session)
	if errors.Is(err, fs.ErrNotExist) || w.journal.Forgotten(session) {
		return nil
	}
	if err != nil {
		return err
	}
	name := w.journal.TombstoneName(session)
	chain := w.chains[name]
	switch {
	case chain.Action != Seal:
		chain = Entry{Action: chain.Action}
	case file.Size < chain.Bytes:
		return ErrCut
	case file.Size == chain.Bytes:
		return nil
	}
	if chain.Action == Rewrite {
		rewriting, err := connector.LockHome(w.home, connector.JournalLock, 0)
		if errors.Is(err, connector.ErrLocked) {
			report.Later = append(report.Later, session)
			return nil
		}
		if err != nil {
			return err
		}
		defer rewriting.Unlock()
	}
	next, err := w.grow(session, chain)
	if errors.Is(err, fs.ErrNotExist) && w.journal.Forgotten(session) {
		return nil
	}
	if err != nil || next.Records == chain.Records {
		return err
	}
	next.Action, next.Name = Seal, name
	if err := w.add(next); err != nil {
		return err
	}
	report.Sessions++
	report.Records += next.Records - chain.Records
	report.Bytes += next.Bytes - chain.Bytes
	return nil
}

func leavesPath(home, session string) string {
	return filepath.Join(journal.SealsDir(home), session+Suffix)
}

// grow brings a session's records, and then their leaves, to the disk, and returns its chain.
func (w *writer) grow(session string, chain Entry) (next Entry, err error) {
	content, err := w.journal.Content(session)
	if err != nil {
		return next, err
	}
	defer content.Close()
	to := content.Size()
	if err := w.journal.Sync(session); err != nil {
		return next, err
	}
	path := leavesPath(w.home, session)
	var out *leaves
	if chain.Action == Seal {
		out, err = openLeaves(path, chain.Records)
	} else if out, err = newLeaves(path); err == nil {
		w.named = true
	}
	if err != nil {
		return next, err
	}
	next, err = chain.over(recordsOf(content, chain.Bytes, to, out.salt), out, first(w.journal.ID(), session, out.salt))
	err = errors.Join(err, out.close(err == nil && next.Records > chain.Records))
	if w.journal.Forgotten(session) { // whoever forgot it may have looked for the file before it was there
		next, err = chain, errors.Join(err, remove(path))
	}
	return next, err
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// over is the chain over what is left of records, with a leaf for each; begin is its head where
// it has no record yet.
func (e Entry) over(in *records, out *leaves, begin sum) (Entry, error) {
	head := begin
	if e.Records > 0 {
		var err error
		if head, err = parseSum(e.Head); err != nil {
			return e, err
		}
	}
	next := Entry{Records: e.Records, Bytes: e.Bytes}
	for {
		leaf, err := in.next()
		if err == io.EOF {
			next.Head = head.String()
			return next, nil
		}
		if err == nil {
			err = out.add(leaf)
		}
		if err != nil {
			return next, err
		}
		head = head.then(leaf)
		next.Records, next.Bytes = next.Records+1, in.end
	}
}
