package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// folding is the first stage of a pass: files to transactions.
type folding struct {
	*pass
	out    chan<- *transaction
	stages *sync.WaitGroup
	tx     *transaction
	lines  schema.Decoder
}

// part is one session's share of a transaction.
type part struct {
	graph.Batch
	counts Report
	bytes  int64
	torn   int    // of the cursor when the part began
	folded Folded // where somebody observes
}

// session folds one session up to the end of its file.
func (f *folding) session(ctx context.Context, session string) {
	defer f.clock(time.Now())
	var err error
	for range 3 {
		if ctx.Err() != nil {
			return
		}
		if err = f.forgotten(session); err != nil {
			break
		}
		err = f.file(ctx, session)
		if errors.Is(err, errClaim) {
			err = f.again(ctx, session)
		}
		// Replaced while it was read: from the beginning of the new one.
		if !errors.Is(err, journal.ErrReplaced) || errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		f.forget(ctx, session)
	}
	if f.tx != nil && len(f.tx.batches) >= f.size.of(maxSessions) {
		f.flush(ctx)
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		delete(f.unreadable, session)
	case ctx.Err() == nil:
		if f.unreadable[session] == nil {
			f.Log.Warn().EmbedObject(logline.Why(failure.JournalUnreadable, err)).Str("session_id", session).
				Msg("a journal file cannot be read; going on with the others")
		}
		f.unreadable[session] = err
	}
}

// file folds what is new in a session's file. On an error nothing of the part that
// was being folded is kept.
func (f *folding) file(ctx context.Context, session string) error {
	if f.standing.claiming[session] != nil {
		return f.again(ctx, session)
	}
	if is, err := f.absorbed(ctx, session); is && !errors.Is(err, journal.ErrReplaced) {
		return err
	}
	from := f.positions[session]
	p := &part{Batch: f.batch(session)}
	p.counts.Sessions = 1
	other := folded(from) != from
	cursor, err := f.Journal.Read(session, folded(from))
	if errors.Is(err, journal.ErrReplaced) {
		if cursor, err = f.Journal.Read(session, schema.Position{}); err != nil {
			return err
		}
		f.replaced(session, from)
		f.takeBack(ctx, session)
		f.tx.counts.Resets++
		f.flush(ctx)
		p.Batch, from = f.batch(session), schema.Position{}
		f.twins.found(session)
	} else if other {
		f.Log.Info().EmbedObject(logline.Why(failure.FoldRevision, nil)).Str("session_id", session).
			Msg("another version of this program folded the session; folding it again from its beginning")
		p.Reset, p.counts.Resets, from = true, 1, schema.Position{}
	}
	if err != nil {
		return err
	}
	defer cursor.Close()
	cursor.Skipped = func(offset int64) { f.torn(session, offset) }
	return f.read(ctx, p, cursor, from)
}

// read folds a session's file from a cursor to its end; from is where that stands.
func (f *folding) read(ctx context.Context, p *part, cursor *journal.Cursor, from schema.Position) error {
	session := p.Session
	state := f.folds.take(session, from)
	lines := 0         // of the part
	var e schema.Event // one for all: nothing keeps it
	for ctx.Err() == nil {
		line, err := cursor.Next()
		if err == io.EOF {
			delete(f.newer, session)
			f.finish(p, cursor, state)
			return nil
		}
		if err != nil {
			return err
		}
		var refused error
		e, refused = f.lines.Record(line, session)
		if errors.Is(refused, schema.ErrNewer) {
			return f.hold(p, lines, state, refused)
		}
		lines++
		if state == nil {
			if state, err = f.refold(ctx, session, from); err != nil {
				return err
			}
		}
		p.bytes += int64(len(line)) + 2
		if refused != nil {
			f.refuse(p, state, &e, cursor, refused)
		} else {
			if err := f.absorb(p, &e); err != nil {
				return err
			}
			p.counts.Events++
			state.events++
			state.session.Apply(&e)
			if f.Observer != nil {
				p.folded.note(&e, session)
			}
			f.notice(&e)
		}
		if f.full(p) {
			f.add(p, cursor, state, f.age(session))
			f.flush(ctx)
			p = &part{Batch: f.batch(session), torn: cursor.Torn()}
			lines = 0
		}
	}
	return ctx.Err()
}

// refuse passes over a line that is no event of ours: counted, and said once a
// session. It must not keep the rest from the graph.
func (f *folding) refuse(p *part, state *fold, e *schema.Event, cursor *journal.Cursor, err error) {
	if p.counts.Refused++; state.complained {
		return
	}
	state.complained = true
	end := cursor.Position().Offset
	refused := failure.New(p.Session, failure.JournalRefused, fmt.Sprint(end))
	refused.Message, refused.ErrorType, refused.Offset, refused.CausedBy = err.Error(), logline.ErrorType(err), &end, e.EventID
	f.tell(refused, "a line of the journal is no event; skipped, and so are others of this file, silently")
}

// hold ends a session's fold in front of a line that a newer version wrote, the
// part's line of that number from 0. Passed over, the line would be missing from the
// store for good; held, the upgraded program goes on from it.
func (f *folding) hold(p *part, line int, state *fold, why error) error {
	if len(f.newer) == 0 {
		f.Log.Warn().EmbedObject(logline.Why(failure.JournalNewer, why)).Str("session_id", p.Session).
			Msg("a journal file was written by a newer version: update ag-sessiond; until then its session, and others like it, stay as they are")
	}
	f.newer[p.Session] = true
	start := p.From
	if p.Reset {
		start = schema.Position{}
	}
	// A cursor has read the line when it is known to be newer, and does not go back.
	cursor, err := f.Journal.Read(p.Session, start)
	if err != nil {
		return err
	}
	defer cursor.Close()
	for range line {
		if _, err := cursor.Next(); err != nil {
			return err
		}
	}
	p.torn = 0
	f.finish(p, cursor, state)
	return nil
}

// folded is a position if what the store holds there is what this program's fold makes of
// it; else the beginning, from which the session is to be folded again.
func folded(at schema.Position) schema.Position {
	if at.Fold != graph.Revision {
		return schema.Position{}
	}
	return at
}

// reached is where a cursor stands, as the position of what was folded up to there.
func reached(cursor *journal.Cursor) schema.Position {
	at := cursor.Position()
	if at != (schema.Position{}) {
		at.Fold = graph.Revision
	}
	return at
}

// finish adds the last part of a file and keeps the fold's state while the
// session lives.
func (f *folding) finish(p *part, cursor *journal.Cursor, state *fold) {
	at, age := reached(cursor), f.age(p.Session)
	if at != p.From { // a file that was replaced never ends where the old one did
		f.add(p, cursor, state, age)
	}
	if state != nil && age < f.Idle {
		state.at = at
		f.folds.put(p.Session, state, f.MaxKept, f.MaxLive)
	}
}

// age is how long ago a session's file changed.
func (f *folding) age(session string) time.Duration {
	info, err := f.Journal.Stat(session)
	if err != nil {
		return 0
	}
	return time.Since(info.ModTime)
}

// add puts a part that ends at the cursor into the transaction. state is nil where the
// part has only torn lines.
func (f *folding) add(p *part, cursor *journal.Cursor, state *fold, age time.Duration) {
	p.To = reached(cursor)
	if state != nil {
		var room []graph.Op
		if p.counts.Events >= maxPart {
			select {
			case room = <-f.room:
			default:
			}
		}
		p.Ops = state.session.TakeInto(room)
	}
	p.counts.Ops = len(p.Ops)
	p.counts.Torn = cursor.Torn() - p.torn
	p.counts.Bytes = p.To.Offset
	if !p.Reset {
		p.counts.Bytes -= p.From.Offset
	}
	f.put(p)
	f.tx.counts.add(p.counts)
	f.tx.bytes += p.bytes
	if age < settled {
		f.tx.unsafe = append(f.tx.unsafe, p.Session)
	}
	f.positions[p.Session] = p.To
}

// put puts a part's batch into the transaction.
func (f *folding) put(p *part) {
	if f.tx == nil {
		f.tx = &transaction{}
	}
	f.tx.batches = append(f.tx.batches, p.Batch)
	if f.Observer != nil {
		p.folded.Torn, p.folded.Refused = p.counts.Torn, p.counts.Refused
		f.tx.folded = append(f.tx.folded, p.folded)
	}
}

// flush hands the transaction to the writer. Until that one is free its files are
// synced.
func (f *folding) flush(ctx context.Context) {
	tx := f.tx
	if tx == nil {
		return
	}
	f.tx = nil
	tx.synced = make(chan error, 1)
	f.stages.Go(func() { tx.synced <- f.syncJournal(tx.unsafe) })
	select {
	case f.out <- tx:
	case <-ctx.Done():
	}
}

// refold returns the state of a session's fold at a position, by folding what is
// before it: what the store holds already.
func (f *folding) refold(ctx context.Context, session string, to schema.Position) (*fold, error) {
	state := &fold{session: newSession(session, f.Journal.ID(), f.standing.held[session].Continues), at: to}
	if to == (schema.Position{}) {
		return state, nil
	}
	err := readTo(ctx, f.Journal, session, to, func(e *schema.Event) {
		state.session.Apply(e)
		if state.events++; state.events%maxPart == 0 {
			state.session.Take() // or a long session's texts would be in memory
		}
	})
	state.session.Take()
	return state, err
}

// readTo passes each event of a session's file before a position to yield. The
// caller has checked that the position matches the file.
func readTo(ctx context.Context, j *journal.Journal, session string, to schema.Position, yield func(*schema.Event)) error {
	cursor, err := j.Read(session, schema.Position{})
	if err != nil {
		return err
	}
	defer cursor.Close()
	lines := schema.Decoder{Alias: true}
	for cursor.Position().Offset < to.Offset {
		if ctx.Err() != nil {
			return ctx.Err() // a million events take a while
		}
		line, err := cursor.Next()
		if err == io.EOF {
			if cursor.Position().Offset >= to.Offset {
				return nil // what the file ends with, up to there, are torn lines
			}
			return fmt.Errorf("session %s ends before %d: %w", session, to.Offset, journal.ErrReplaced)
		}
		if err != nil {
			return err
		}
		if cursor.Position().Offset > to.Offset {
			return nil // between the two there are only torn lines
		}
		if e, err := lines.Record(line, session); err == nil {
			yield(&e)
		}
	}
	return nil
}
