package connector

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// ErrBeingWritten says that a session changes too fast to be compared.
var ErrBeingWritten = errcode.New(errcode.StoreBusy, "it is being written all the time: verify it again later")

// ErrOtherFold says that what a store holds of a session is what another version of this
// program made of its journal.
var ErrOtherFold = errcode.New(errcode.StoreBehind, "another version of this program folded it: `ag-sessiond sync` folds it again")

// Verify folds a session's journal afresh, up to where the store says it is, and
// returns what the store holds differently, A being the journal's and B the
// store's. An empty session is all of them, in the order of their ids. What the
// store does not have yet is no difference: see Behind.
//
// The error joins one for each session that could not be compared, which keeps none
// of the others from it: the changes are valid beside it. One of a session that the
// store's writer did not leave alone wraps ErrBeingWritten.
func Verify(ctx context.Context, j *journal.Journal, store Store, session string) (all []graph.Change, err error) {
	err = VerifyEach(ctx, j, store, session, func(_ string, changes []graph.Change) error {
		all = append(all, changes...)
		return nil
	})
	return all, err
}

// VerifyEach is Verify session by session: it passes what differs of each that does to yield,
// whose error ends it and is joined to the others.
func VerifyEach(ctx context.Context, j *journal.Journal, store Store, session string, yield func(session string, changes []graph.Change) error) error {
	v := verification{journal: j, store: store}
	positions, err := v.positions(ctx)
	if err != nil {
		return err
	}
	if v.standings, err = standingsIn(ctx, store, j.ID()); err != nil {
		return err
	}
	sessions := []string{session}
	if session == "" {
		sessions = slices.Sorted(maps.Keys(positions))
	}
	var errs []error
	otherFold := false
	for _, s := range sessions {
		if err := ctx.Err(); err != nil {
			return err
		}
		if v.standings[s].Absorbed > 0 {
			continue // it is in another journal's, which is verified where that is
		}
		if folded(positions[s]) != positions[s] {
			if !otherFold { // one is enough: an upgrade leaves all of them so
				errs = append(errs, fmt.Errorf("verify session %s, maybe more: %w", s, ErrOtherFold))
			}
			otherFold = true
			continue
		}
		f := v.look(ctx, s, positions[s])
		if f.err != nil || len(f.changes) > 0 {
			// A recording goes on meanwhile: what was found of a session that moved on compares
			// its graph with a position that it no longer has. And Neo4j reads what is committed,
			// not what was when the reader began: it may have shown half of the transaction that
			// it was in.
			f = v.again(ctx, s)
		}
		if f.err != nil {
			errs = append(errs, fmt.Errorf("verify session %s: %w", s, f.err))
		}
		if len(f.changes) > 0 {
			if err := yield(s, f.changes); err != nil {
				return errors.Join(append(errs, err)...)
			}
		}
	}
	return errors.Join(errs...)
}

type verification struct {
	journal   *journal.Journal
	store     Store
	standings map[string]graph.Standing
}

// own is the id under which the store holds the journal's record of a session.
func (v verification) own(session string) string {
	if v.standings[session].Continues {
		return graph.ContinuationID(session, v.journal.ID())
	}
	return session
}

// finding is what is wrong with one session.
type finding struct {
	changes []graph.Change
	err     error
}

func (v verification) positions(ctx context.Context) (map[string]schema.Position, error) {
	positions, err := v.store.Positions(ctx, v.journal.ID())
	if err != nil {
		return nil, fmt.Errorf("read the store's positions: %w", err)
	}
	return positions, nil
}

// again compares a session that may be being recorded: loaded between two looks at its
// position that agree, it is what the store holds at that position.
func (v verification) again(ctx context.Context, session string) finding {
	for try := range 10 {
		sleep(ctx, time.Duration(1+try)*10*time.Millisecond) // calls come in bursts
		before, err := v.positions(ctx)
		if err != nil {
			return finding{err: err}
		}
		found := v.look(ctx, session, before[session])
		after, err := v.positions(ctx)
		if err != nil {
			return finding{err: err}
		}
		if before[session] == after[session] {
			return found
		}
	}
	return finding{err: ErrBeingWritten}
}

// look compares what the store holds of a session with its journal's up to a position,
// and asks the store for what that does not show.
func (v verification) look(ctx context.Context, session string, at schema.Position) finding {
	if v.journal.Forgotten(session) {
		if is, err := v.forgotten(ctx, session, at); is || err != nil {
			return finding{err: err}
		}
	}
	found := v.compare(ctx, session, at)
	if checker, ok := v.store.(Checker); ok && found.err == nil {
		changes, err := checker.Check(ctx, v.own(session))
		found.changes, found.err = append(found.changes, changes...), err
	}
	return found
}

// compare folds a session's journal up to a position and compares that with what
// the store holds, both in parts.
func (v verification) compare(ctx context.Context, session string, at schema.Position) finding {
	seed := maphash.MakeSeed()
	held, fresh := v.parts(seed, at), v.parts(seed, at)
	defer held.close()
	defer fresh.close()
	if err := v.load(ctx, v.own(session), held); err != nil {
		return finding{err: err}
	}
	var err error
	if at != (schema.Position{}) {
		err = v.fold(ctx, session, at, fresh)
	}
	what := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		what = "the file is gone"
	case errors.Is(err, journal.ErrReplaced):
		what = "the file was replaced"
	case err != nil:
		return finding{err: err}
	}
	if what != "" {
		return finding{changes: []graph.Change{{What: "Session " + session, Field: "journal", A: what, B: fmt.Sprintf("folded up to %d", at.Offset)}}}
	}
	changes, err := diff(ctx, fresh, held)
	return finding{err: err, changes: slices.DeleteFunc(changes, func(c graph.Change) bool {
		return othersNode(c.What, v.own(session))
	})}
}

// parts returns no ops of a session whose journal is compared up to a position.
func (v verification) parts(seed maphash.Seed, at schema.Position) *parts {
	return &parts{dirs: []string{v.journal.Home(), os.TempDir()}, seed: seed, limit: partsBuffered, parts: make([]onePart, numParts(at.Offset))}
}

// diff compares two graphs part by part: their keys are dealt out alike.
func diff(ctx context.Context, a, b *parts) ([]graph.Change, error) {
	var c graph.Comparison
	for i := range a.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ga, err := a.graph(i)
		if err != nil {
			return nil, err
		}
		gb, err := b.graph(i)
		if err != nil {
			return nil, err
		}
		c.Add(ga, gb)
	}
	return c.Changes(), nil
}

// load puts what the store holds of a session.
func (v verification) load(ctx context.Context, session string, to *parts) error {
	if s, ok := v.store.(Streamer); ok {
		return s.Stream(ctx, session, func() func(*graph.Op) error { to.reset(); return to.put })
	}
	g, err := v.store.Load(ctx, session)
	if err != nil {
		return err
	}
	for _, n := range g.Nodes() {
		if err := to.put(&graph.Op{Kind: graph.PutNode, Node: *n}); err != nil {
			return err
		}
	}
	for _, e := range g.Edges() {
		if err := to.put(&graph.Op{Kind: graph.PutEdge, Edge: e}); err != nil {
			return err
		}
	}
	return nil
}

// fold folds a session's journal up to a position, which has to match the file.
func (v verification) fold(ctx context.Context, session string, at schema.Position, to *parts) error {
	cursor, err := v.journal.Read(session, at)
	if err != nil {
		return err
	}
	cursor.Close()
	state := newSession(session, v.journal.ID(), v.standings[session].Continues)
	folded, failed := 0, error(nil)
	take := func() {
		for ops := state.Take(); len(ops) > 0 && failed == nil; ops = ops[1:] {
			failed = to.put(&ops[0])
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err = readTo(ctx, v.journal, session, at, func(e *schema.Event) {
		state.Apply(e)
		if folded++; folded%maxPart == 0 {
			if take(); failed != nil {
				stop()
			}
		}
	})
	take()
	if failed != nil {
		return failed
	}
	return err
}

// othersNode reports whether a change is about the node of another session, to
// which this one only holds an edge: that session's own fold fills it.
func othersNode(what, session string) bool {
	key, is := strings.CutPrefix(what, string(graph.LabelSession)+" ")
	return is && key != session
}
