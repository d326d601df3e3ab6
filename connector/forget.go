package connector

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// What the journal forgot, each store forgets. A store's position of a session that has a
// tombstone and no file is answered by a batch that takes it all back; who finds it is the
// catch-up, the news that a file is gone, or, should both have missed it, settle, which then
// writes the store's name into the tombstones of what it no longer holds.

// forgotten returns fs.ErrNotExist of a session that was forgotten, and removes the file that it
// has all the same: a verb that reads would show it, and no other verb looks for it.
func (f *folding) forgotten(session string) error {
	gone, err := f.Journal.RemoveIfForgotten(session)
	if gone && err == nil {
		err = fs.ErrNotExist
	}
	return err
}

// forget adds the batch with which the store drops a session whose file is gone, and
// reports whether the session was forgotten and the store holds something of it.
func (f *folding) forget(ctx context.Context, session string) bool {
	from := f.positions[session]
	if from == (schema.Position{}) || !f.Journal.Forgotten(session) {
		return false
	}
	f.takeBack(ctx, session)
	f.tx.counts.Forgotten++
	delete(f.newer, session)
	delete(f.standing.held, session)
	delete(f.standing.claiming, session)
	delete(f.standing.claimed, session)
	return true
}

// takeBack adds the batch with which the store drops all that it has of a session of which it
// has something, and what only that referred to: of one that was forgotten, and of one whose file
// was replaced, for what is no longer in the journal may have been taken out of it.
func (f *folding) takeBack(ctx context.Context, session string) {
	p := &part{Batch: f.batch(session), bytes: f.positions[session].Offset} // what it takes to remove is what it took to write
	p.Reset, p.Forget = true, true
	if f.full(p) || f.tx != nil && f.tx.has(session) {
		f.flush(ctx)
	}
	f.put(p)
	f.tx.bytes += p.bytes
	f.folds.drop(session)
	delete(f.positions, session)
}

// has reports whether a transaction has a batch of a session.
func (tx *transaction) has(session string) bool {
	for i := range tx.batches {
		if tx.batches[i].Session == session {
			return true
		}
	}
	return false
}

// withoutFile divides the sessions that a store knows and that have no file into those
// that were forgotten and the number of the others.
func withoutFile(j *journal.Journal, positions map[string]schema.Position, files []journal.File) (forgotten []string, missing int) {
	there := make(map[string]bool, len(files))
	for _, f := range files {
		there[f.Session] = true
	}
	for session := range positions {
		switch {
		case there[session]:
		case j.Forgotten(session):
			forgotten = append(forgotten, session)
		default:
			missing++
		}
	}
	slices.Sort(forgotten)
	return forgotten, missing
}

const (
	// unsure is how young a folder's time must not be to tell that nothing came since: two
	// changes within a tick of a file system's clock have one time.
	unsure = 2 * time.Second
	// compactAgain is how long a store that could not be compacted is left alone: on a full
	// disk each attempt writes until nothing is left for anybody.
	compactAgain = 10 * time.Minute
)

// forgotten is what a replica knows of the tombstones. It reads them when their folder
// changed: ten thousand take 0.1 s.
type forgotten struct {
	pending map[string]bool // names of those that do not name the store
	looked  time.Time       // the folder's time, or zero
	settled int             // pass.dropped when the store was last compacted
	failed  time.Time       // when it could not be
}

// look reads the tombstones if there may be new ones.
func (f *forgotten) look(j *journal.Journal, store string) error {
	info, err := os.Stat(journal.ForgottenDir(j.Home()))
	if errors.Is(err, fs.ErrNotExist) {
		f.pending, f.looked = nil, time.Time{}
		return nil
	}
	if err != nil || info.ModTime().Equal(f.looked) {
		return err
	}
	list, err := j.Tombstones()
	if err != nil {
		return err
	}
	if f.looked = info.ModTime(); time.Since(f.looked) < unsure {
		f.looked = time.Time{}
	}
	f.pending = map[string]bool{}
	for _, t := range list {
		if !slices.Contains(t.Gone, store) {
			f.pending[t.Name] = true
		}
	}
	return nil
}

// settle writes down which of the forgotten sessions the store no longer holds, or never
// did, once nothing of them is left in its files either. run makes the store drop what it
// should not hold any more.
func (p *pass) settle(ctx context.Context, run func(context.Context, []string) error) error {
	f := &p.forgotten
	compactor, files := p.Store.(Compactor)
	if files && p.LeaveCompact {
		return nil
	}
	if err := f.look(p.Journal, p.Name); err != nil {
		return err
	}
	due := p.dropped() != f.settled || compactDue(ctx, p.Store)
	if len(f.pending) == 0 && !due {
		return nil
	}
	gone, err := p.gone(ctx, run)
	if err != nil || len(gone) == 0 && !due {
		return err
	}
	if files {
		if time.Since(f.failed) < compactAgain {
			return nil
		}
		if err := compactor.Compact(ctx); err != nil {
			f.failed = time.Now()
			return err
		}
	}
	if err := p.dropOlder(func([]string) bool { return false }); err != nil {
		return err
	}
	f.settled = p.dropped()
	for _, name := range gone {
		if err := p.Journal.GoneFrom(name, p.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(f.pending, name)
	}
	return nil
}

// compactDue reports whether a store says that something was taken back, by who was killed before
// it was compacted, or leaves that to others.
func compactDue(ctx context.Context, store Store) bool {
	s, ok := store.(interface {
		CompactDue(ctx context.Context) (bool, error)
	})
	if !ok {
		return false
	}
	due, err := s.CompactDue(ctx)
	return err == nil && due // a store that does not answer says so elsewhere
}

// dropped is of how many sessions something was taken back.
func (p *pass) dropped() int { return p.report.Forgotten + p.report.Resets }

// gone returns the names of those pending tombstones of whose sessions the store holds
// nothing, and of which nothing is in the journal that it could be given.
func (p *pass) gone(ctx context.Context, run func(context.Context, []string) error) (names []string, err error) {
	if len(p.forgotten.pending) == 0 {
		return nil, nil
	}
	files, err := p.Journal.Files()
	if err != nil {
		return nil, err
	}
	held := map[string]bool{} // names
	for _, f := range files {
		if name := p.Journal.TombstoneName(f.Session); p.forgotten.pending[name] {
			held[name] = true // a Forget that is not done
		}
	}
	holds := func() (sessions []string) {
		for session := range p.positions {
			if name := p.Journal.TombstoneName(session); p.forgotten.pending[name] && p.positions[session] != (schema.Position{}) {
				sessions = append(sessions, session)
			}
		}
		return sessions
	}
	if sessions := holds(); len(sessions) > 0 {
		if err := run(ctx, sessions); err != nil {
			return nil, err
		}
	}
	for _, session := range holds() {
		held[p.Journal.TombstoneName(session)] = true
	}
	for name := range p.forgotten.pending {
		if !held[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// forgotten reports whether the store holds of a session that the journal forgot what it
// may: all of it while it has yet to drop it, and then what another session says of it.
func (v verification) forgotten(ctx context.Context, session string, at schema.Position) (bool, error) {
	if _, err := v.journal.Stat(session); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if at != (schema.Position{}) {
		return true, nil
	}
	g, err := v.store.Load(ctx, v.own(session))
	if err != nil {
		return false, err
	}
	nodes := g.Nodes()
	return len(nodes) == 0 || len(nodes) == 1 && len(nodes[0].Props) == 0, nil
}
