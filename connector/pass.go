package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// pass runs sessions through the pipeline: one goroutine reads, decodes and folds,
// one writes to the store, and each takes about a core. Syncing the journal takes
// only time, which passes beside both.
//
// The channel between them holds nothing: two transactions exist at a time, and a
// store that stands still makes the folding stand still.
type pass struct {
	*Replica
	// positions are what the store will hold once it took every transaction that
	// was made. Only the folding goroutine uses it.
	positions  map[string]schema.Position
	unreadable map[string]error // sessions whose file could not be read
	// refused are sessions that the store refused, written is how many transactions it
	// took. Only the writing goroutine uses them.
	refused  map[string]refusal
	written  int
	newer    map[string]bool // sessions held in front of a line of a newer version
	total    int64           // bytes that a catch-up has before it
	report   Report          // what was written
	progress func(Progress)
	// room has the arrays of ops that were written, for those of the next transactions: they
	// were a third of what a catch-up of a long session allocates.
	room chan []graph.Op
}

// transaction is what one Store.Apply writes.
type transaction struct {
	batches []graph.Batch
	unsafe  []string // sessions whose file the journal could still lose
	synced  chan error
	counts  Report
	bytes   int64    // of lines, torn and refused ones too
	folded  []Folded // by batch, where somebody observes
}

func (r *Report) add(o Report) {
	r.Sessions += o.Sessions
	r.Events += o.Events
	r.Ops += o.Ops
	r.Refused += o.Refused
	r.Torn += o.Torn
	r.Resets += o.Resets
	r.Forgotten += o.Forgotten
	r.Bytes += o.Bytes
}

// run folds sessions up to the ends of their files and writes what comes of it. An
// error is the store's, the journal's Sync's, or ctx's; after one, positions are
// no longer the store's, and the pass is of no more use. Files that cannot be read
// are in unreadable, sessions that the store refused in refused.
func (p *pass) run(ctx context.Context, sessions []string) error {
	p.refused, p.written = map[string]refusal{}, 0
	p.room = make(chan []graph.Op, 2) // as many transactions are in memory
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	folded := make(chan *transaction)
	var stages sync.WaitGroup
	stages.Go(func() {
		for tx := range folded {
			if err := p.write(ctx, tx); err != nil {
				cancel(err)
				return
			}
		}
	})
	f := folding{pass: p, out: folded, stages: &stages, lines: schema.Decoder{Alias: true}}
	for _, session := range sessions {
		f.session(ctx, session)
	}
	f.flush(ctx)
	close(folded)
	stages.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	p.undoRefused()
	return nil
}

// settled is how long after its last change a file needs no fsync before its
// content goes to a store: systems write back within half a minute, and to sync
// each of 5,000 old files would make the first catch-up take minutes. Should one
// of them lose its end in a crash after all, its position no longer matches, and
// the session is folded again: nothing in the store would be wrong for longer than
// until the next look.
const settled = 2 * time.Minute

// syncers is how many files are synced at once: a file system commits them together.
const syncers = 8

// syncJournal makes the files of sessions durable: no store may know what the
// journal could still lose.
func (p *pass) syncJournal(sessions []string) error {
	errs := make(chan error, len(sessions))
	tickets := make(chan struct{}, syncers)
	for _, session := range sessions {
		tickets <- struct{}{}
		go func() {
			defer func() { <-tickets }()
			err := p.syncFile(session)
			if errors.Is(err, fs.ErrNotExist) {
				err = nil // removed after it was read: the next look finds out
			}
			errs <- err
		}()
	}
	var all error
	for range sessions {
		all = errors.Join(all, <-errs)
	}
	return all
}

func (p *pass) write(ctx context.Context, tx *transaction) error {
	if err := <-tx.synced; err != nil {
		return err
	}
	taken := p.observe(ctx, tx)
	written, err := p.apply(ctx, tx.batches, tx.counts.Events)
	if err != nil {
		return err
	}
	if written {
		taken()
		p.report.add(tx.counts)
		p.leave(tx.batches)
	}
	if p.progress != nil {
		p.progress(Progress{p.report.Sessions, p.report.Events, p.report.Bytes, max(p.total, p.report.Bytes)})
	}
	return nil
}

// leave makes room of the arrays of ops that were written.
func (p *pass) leave(batches []graph.Batch) {
	for i := range batches {
		if ops := batches[i].Ops; len(ops) >= maxPart {
			clear(ops)
			select {
			case p.room <- ops:
			default:
			}
		}
	}
}

// unreadableError names one of the files that could not be read, and how many
// there are.
func (p *pass) unreadableError() error {
	for session, err := range p.unreadable {
		return fmt.Errorf("%d of the journal's files cannot be read, among them session %s: %w", len(p.unreadable), session, err)
	}
	return nil
}
