package secrets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/seal"
)

// ErrLeft is wrapped by Scrub where the scan at its end found something.
var ErrLeft = errcode.New(errcode.SecretsLeft, "secrets are left")

// ScrubReport is what a Scrub did.
type ScrubReport struct {
	Found    int `json:"found"`    // secrets, as Report counts findings
	Lines    int `json:"lines"`    // of the journal that were rewritten
	Sessions int `json:"sessions"` // whose files were replaced
	// Pending names the stores that still hold secrets, and why: what is folded again there is so
	// when they are back.
	Pending map[string]string `json:"pending,omitempty"`
	After   Report            `json:"after"` // the scan at the end
}

// Scrub takes every secret that Scan finds out of the journal and the logs, has the stores fold
// what changed again, and scans again. fold catches every store up with the journal and removes
// from its files what was deleted in it; it returns the stores that cannot be reached now, and
// why: they are not looked at.
//
// Writers go on meanwhile. A Scrub that was killed leaves a marker (Unfinished); the next one
// does what is left. The error wraps connector.ErrLocked where another process replaces files of
// the journal, ErrLeft where a secret is left; a session that cannot be rewritten is named in it,
// and the others are.
func (s *Scanner) Scrub(ctx context.Context, fold func(ctx context.Context) (pending map[string]string, err error)) (r ScrubReport, err error) {
	home := s.Journal.Home()
	lock, err := connector.LockHome(home, connector.ScrubLock, 5*time.Second)
	if err != nil {
		return r, err
	}
	defer lock.Unlock()
	var failed, stuck error
	if err := s.alone(5*time.Second, func() { failed = s.finish(ctx) }); err != nil {
		return r, err
	}
	before, err := s.Scan(ctx)
	if err != nil {
		return r, err
	}
	_, unfinished := Unfinished(home)
	r.Found, r.After = len(before.Findings), before
	if r.Found == 0 && !unfinished {
		return r, errors.Join(failed, left(before))
	}
	if err := mark(home, Marker{Started: time.Now().UTC(), PID: os.Getpid()}); err != nil {
		return r, err
	}
	found := before
	// A hook that wrote to the old file, and saw that it was renamed, has written again: as it was.
	for range 3 {
		if err := s.alone(time.Minute, func() { stuck = s.rewrite(ctx, found, &r) }); err != nil {
			return r, err
		}
		stuck = errors.Join(stuck, seal.Rewritten(ctx, s.Journal, time.Now(), inJournal(found)...))
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if r.Pending, err = fold(ctx); err != nil {
			return r, err
		}
		if found, err = s.without(r.Pending).Scan(ctx); err != nil {
			return r, err
		}
		failed = errors.Join(failed, stuck)
		if r.After = found; failed != nil || len(inJournal(found)) == 0 {
			break
		}
		r.Found += len(found.Findings)
	}
	if err := errors.Join(failed, left(r.After)); err != nil {
		return r, err
	}
	return r, unmark(home)
}

// alone does what nobody else may do meanwhile who replaces files of the journal.
func (s *Scanner) alone(wait time.Duration, do func()) error {
	lock, err := connector.LockHome(s.Journal.Home(), connector.JournalLock, wait)
	if err != nil {
		return err
	}
	do()
	return lock.Unlock()
}

// left is the error of a scan at the end of a scrub.
func left(r Report) error {
	if len(r.Findings) == 0 && len(r.Unread) == 0 {
		return nil
	}
	if len(r.Findings) == 0 {
		return fmt.Errorf("not everything could be looked at: %s", strings.Join(r.Unread, "; "))
	}
	f := r.Findings[0]
	cure := ""
	if !slices.Contains(inJournal(r), f.Session) && f.Session != "" {
		cure = fmt.Sprintf(": no journal file of this home has it, so that it cannot be folded again; `ag-sessiond forget session %s` removes the session", f.Session)
	}
	of := ""
	if f.Session != "" {
		of = " of session " + f.Session
	}
	return fmt.Errorf("%w: %d, such as %s in %s%s, %s%s", ErrLeft, len(r.Findings), f.Rule, cmp.Or(f.Field, "a line"), of, f.Where, cure)
}

// without is a Scanner that does not look at some stores.
func (s *Scanner) without(stores map[string]string) *Scanner {
	some := *s
	some.Stores = map[string]Store{}
	for name, store := range s.Stores {
		if _, out := stores[name]; !out {
			some.Stores[name] = store
		}
	}
	return &some
}

// inJournal are the sessions of a journal in which something was found, sorted.
func inJournal(r Report) (sessions []string) {
	for _, f := range r.Findings {
		if f.Where == inTheJournal && !slices.Contains(sessions, f.Session) {
			sessions = append(sessions, f.Session)
		}
	}
	slices.Sort(sessions)
	return sessions
}

// rewrite takes out what a scan found in the journal and in the logs. What cannot be rewritten
// does not keep it from the rest.
func (s *Scanner) rewrite(ctx context.Context, found Report, r *ScrubReport) error {
	if err := seal.Rewriting(ctx, s.Journal, "scrub", time.Now(), inJournal(found)...); err != nil {
		return err
	}
	var errs []error
	for _, session := range inJournal(found) {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.Journal.Rewrite(session, s.change)
		if err != nil {
			errs = append(errs, err)
		}
		if n > 0 {
			r.Lines, r.Sessions = r.Lines+n, r.Sessions+1
		}
	}
	for _, f := range found.Findings {
		if f.Session == "" && f.Where != inTheJournal && f.Field != rawField && s.Stores[f.Where] == nil {
			errs = append(errs, s.overwrite(ctx, filepath.Join(s.Journal.Home(), f.Where)))
		}
	}
	return errors.Join(errs...)
}

func (s *Scanner) change(line []byte) []byte {
	return s.Rules.record(line, func(string, string, hit) {})
}

// finish completes what a Rewrite left that was killed.
func (s *Scanner) finish(ctx context.Context) error {
	_, err := s.Journal.CompletePacks(ctx)
	sessions, listErr := s.Journal.Rewriting()
	err = errors.Join(err, listErr)
	for _, session := range sessions {
		err = errors.Join(err, s.Journal.FinishRewrite(session, s.change))
	}
	return err
}

// overwrite takes the secrets out of a log in place: whoever writes it has it open, and goes on
// behind. What stands there instead is as long, so that nothing moves.
func (s *Scanner) overwrite(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // once: a log that is full becomes another file meanwhile
	if err != nil {
		return err
	}
	defer f.Close()
	at := int64(0)
	read := linesOf(ctx, f, func(_ int, line []byte) {
		if clean := s.Rules.sameLength(line); string(clean) != string(line) && err == nil {
			_, err = f.WriteAt(clean, at)
		}
		at += int64(len(line)) + 1
	})
	return errors.Join(read, err, f.Sync())
}

// sameLength is text without its secrets, each byte of them a star but for as much of the mark
// as fits.
func (r *Rules) sameLength(line []byte) []byte {
	text := string(line)
	for range 16 {
		spans := r.byGitleaks(text)
		out := []byte(text)
		for _, p := range spans {
			room := out[p.start:p.end]
			n := copy(room, markOf(p.rule))
			for i := range room {
				if n < len(markOf(p.rule)) || i >= n {
					room[i] = '*'
				}
			}
		}
		if text = string(out); len(spans) == 0 {
			break
		}
	}
	// What only redact knows is not told by its place: the rest of the line goes.
	if clean, hits := r.byRedact("", text); len(hits) > 0 {
		n := copy([]byte(text), clean)
		same := 0
		for same < n && clean[same] == text[same] {
			same++
		}
		text = text[:same] + strings.Repeat("*", len(text)-same)
	}
	return []byte(text)
}
