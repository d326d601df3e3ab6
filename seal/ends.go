package seal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/journal"
)

// history gathers the entries of the chains that go on, by name.
type history map[string][]Entry

func (h history) add(e Entry) {
	switch e.Action {
	case Seal:
		h[e.Name] = append(h[e.Name], e)
	case Rewrite, Forget:
		delete(h, e.Name)
	}
}

// until takes out the entries from one on: no session is held against what is not as it was written.
func (h history) until(number int64) {
	for name, entries := range h {
		h[name] = slices.DeleteFunc(entries, func(e Entry) bool { return e.Number >= number })
		if len(h[name]) == 0 {
			delete(h, name)
		}
	}
}

// names are those of the chains, in the order in which these end in the log.
func (h history) names() []string {
	end := func(name string) int64 { return h[name][len(h[name])-1].Number }
	return slices.SortedFunc(maps.Keys(h), func(a, b string) int { return cmp.Compare(end(a), end(b)) })
}

// Rewriting is called by who is about to rewrite sessions, before their files change, with the home's lock for
// that (connector.JournalLock): it signs that their chains end, and whether they were whole. why is a word.
// What is there afterwards is sealed anew by the next Seal, once that lock is free. Of
// sessions that are not sealed nothing is written.
func Rewriting(ctx context.Context, j *journal.Journal, why string, at time.Time, sessions ...string) error {
	return end(ctx, j, Entry{Action: Rewrite, Why: why}, at, sessions)
}

// Rewritten seals what was rewritten, after the lock for that is free. Where nothing was ever sealed it does
// nothing.
func Rewritten(ctx context.Context, j *journal.Journal, at time.Time, sessions ...string) error {
	if len(sessions) == 0 || !Begun(j.Home()) {
		return nil
	}
	_, err := (&Sealer{Journal: j}).Seal(ctx, at, sessions...)
	return err
}

// Forgetting is Rewriting for who is about to remove sessions for good. On an error they are not to be: who
// has damaged the log must not have the retention remove what it said.
func Forgetting(ctx context.Context, j *journal.Journal, why string, at time.Time, sessions ...string) error {
	return end(ctx, j, Entry{Action: Forget, Why: why}, at, sessions)
}

func end(ctx context.Context, j *journal.Journal, by Entry, at time.Time, sessions []string) error {
	if len(sessions) == 0 || !Begun(j.Home()) {
		return nil
	}
	held, err := lock(j.Home(), lockWait)
	if err != nil {
		return err
	}
	defer held.Unlock()
	chains := history{}
	w, err := newLog(j.Home()).write(j, at, chains.add)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	for _, session := range sessions {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := j.TombstoneName(session)
		last, known := w.chains[name]
		if !known || last.Action == Forget || last.Action == by.Action {
			continue // said already, by who was killed afterwards
		}
		ends := Entry{Action: by.Action, Why: by.Why, Name: name}
		if checkpoints := chains[name]; len(checkpoints) > 0 {
			ends.Records, ends.Bytes, ends.Head = last.Records, last.Bytes, last.Head
			if broken := check(j, session, checkpoints); broken != nil {
				ends.Broken = broken.nameless().String()
			}
		}
		if err := w.add(ends); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
	}
	if err := w.commit(); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}
