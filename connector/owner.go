package connector

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// A session belongs to one journal in a store. What another journal records of it, a
// session resumed on a second machine, is folded as its continuation, until one
// journal is imported into the other. The imported lines end with a source_position;
// the journal that has them says so with its next batch, and the store drops what the
// imported one wrote, unless that one has recorded more by then. If it does so later its
// record is put again, whole, as a continuation, until the next import.

// standing is what a replica knows of the sessions that are not simply its journal's own
// in the store.
type standing struct {
	held map[string]graph.Standing
	// claiming are the sessions that are folded anew to take them over from an owner
	// whose record was imported; claimed is with what imports that was last tried: once.
	claiming map[string][]graph.Imported
	claimed  map[string]string
}

// askStandings learns how the store holds the journal's sessions. What a failed Apply
// told stays: a store knows of a continuation only once it holds some of it.
func (r *Replica) askStandings(ctx context.Context) error {
	held, err := standingsIn(ctx, r.Store, r.Journal.ID())
	if err != nil {
		return err
	}
	if r.standing.held == nil {
		r.standing = standing{map[string]graph.Standing{}, map[string][]graph.Imported{}, map[string]string{}}
	}
	for session, s := range r.standing.held {
		if _, ok := held[session]; !ok && s.Continues {
			held[session] = s
		}
	}
	r.standing.held = held
	return nil
}

// standingsIn returns how a store holds a journal's sessions that are not simply its own.
func standingsIn(ctx context.Context, store Store, journal string) (map[string]graph.Standing, error) {
	shared, ok := store.(Shared)
	if !ok {
		return map[string]graph.Standing{}, nil
	}
	return shared.Standings(ctx, journal)
}

// owned takes note of the sessions that another journal owns, if that is why an Apply
// failed: they are taken over if that journal's record was imported, and else continued.
// It reports whether the next attempt will be another one.
func (r *Replica) owned(err error) (other bool) {
	var owned *graph.OwnedError
	if !errors.As(err, &owned) {
		return false
	}
	for _, session := range owned.Sessions {
		r.folds.drop(session)
		other = r.claim(session) || other
		if r.standing.claiming[session] == nil && !r.standing.held[session].Continues {
			r.standing.held[session] = graph.Standing{Continues: true}
			other = true
		}
	}
	return other
}

// claim has a session folded anew to take it over, if there are imports with which that
// was not tried. The store decides whether they cover its owner's record.
func (r *Replica) claim(session string) bool {
	imports, key := importsOf(r.Journal, session)
	if key == "" || key == r.standing.claimed[session] {
		return false
	}
	r.standing.claiming[session], r.standing.claimed[session] = imports, key
	delete(r.standing.held, session)
	return true
}

// importsOf reads which journals' records of a session were imported into its file, and
// a key that is another one when there are more.
func importsOf(j *journal.Journal, session string) (imports []graph.Imported, key string) {
	var lines schema.Decoder
	for line, err := range j.Records(session) {
		if err != nil {
			return nil, "" // the fold says what is wrong with the file
		}
		if e, err := lines.Record(line, session); err == nil && e.EventType == schema.SourcePosition {
			if in, ok := importedBy(&e, j.ID()); ok {
				imports = append(imports, in)
			}
		}
	}
	var b strings.Builder
	for _, in := range imports {
		b.WriteString(in.Journal + " " + strconv.FormatInt(in.Offset, 10) + "\n")
	}
	return imports, b.String()
}

// importedBy reads a source_position of another journal.
func importedBy(e *schema.Event, own string) (graph.Imported, bool) {
	other := schema.FieldString(e.Metadata, schema.MetaJournal)
	offset, err := strconv.ParseInt(string(schema.Field(e.Metadata, schema.MetaOffset)), 10, 64)
	return graph.Imported{Journal: other, Offset: offset}, err == nil && other != "" && other != own
}

// newSession returns the empty fold of a session, or of its continuation.
func newSession(session, journal string, continued bool) *graph.Session {
	if continued {
		return graph.NewContinuation(session, journal)
	}
	return graph.NewSession(session, journal)
}

// batch is the next batch of a session, empty.
func (f *folding) batch(session string) graph.Batch {
	return graph.Batch{
		Journal: f.Journal.ID(), Session: session, From: f.positions[session], Continues: f.standing.held[session].Continues,
	}
}

// errClaim says that a session that is folded as a continuation has an import in it with
// which it may be taken over.
var errClaim = errors.New("an import was found")

// absorb notes the journal whose record of the session was imported into this one.
func (f *folding) absorb(p *part, e *schema.Event) error {
	if e.EventType != schema.SourcePosition {
		return nil
	}
	in, ok := importedBy(e, p.Journal)
	if !ok {
		return nil
	}
	if p.Continues && f.claim(p.Session) {
		return errClaim
	}
	if !slices.Contains(p.Absorbs, in) {
		p.Absorbs = append(p.Absorbs, in)
	}
	return nil
}

// again folds a session from its beginning, to take it over or because it was absorbed
// and has grown since. Its state, if any, is of another standing.
func (f *folding) again(ctx context.Context, session string) error {
	f.folds.drop(session)
	f.flush(ctx) // a transaction holds a session in one standing
	imports := f.standing.claiming[session]
	delete(f.standing.claiming, session)
	p := &part{Batch: f.batch(session)}
	p.Reset, p.Absorbs, p.counts.Sessions = true, imports, 1
	cursor, err := f.Journal.Read(session, schema.Position{})
	if err != nil {
		return err
	}
	defer cursor.Close()
	return f.read(ctx, p, cursor, schema.Position{})
}

// absorbed folds a session that the store has in another journal's record: nothing of it
// while that is all there is, and else all of it again, as a continuation. It reports
// whether the session is one.
func (f *folding) absorbed(ctx context.Context, session string) (bool, error) {
	covered := f.standing.held[session].Absorbed
	if covered == 0 {
		return false, nil
	}
	cursor, err := f.Journal.Read(session, f.positions[session])
	if err != nil {
		return true, err
	}
	defer cursor.Close()
	for err == nil {
		_, err = cursor.Next()
	}
	if err != io.EOF {
		return true, err
	}
	if cursor.Position().Offset > covered {
		f.standing.held[session] = graph.Standing{Continues: true}
		return true, f.again(ctx, session)
	}
	p := &part{Batch: f.batch(session)}
	if p.counts.Sessions = 1; reached(cursor) != p.From {
		f.add(p, cursor, nil, f.age(session))
	}
	return true, nil
}
