// Package file is the journal of a home as an event store. What is appended goes through
// redaction and the home's policy, as whatever else is recorded there; sessions that the
// home was told to forget stay out.
package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/eventstore/record"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Store is a home's journal. Its methods may be called from many goroutines.
type Store struct{ journal *journal.Journal }

// Open opens the home at a path. The error wraps fs.ErrNotExist where it is none: to ask
// makes no home.
func Open(home string) (*Store, error) {
	for _, name := range []string{"id", "key"} {
		info, err := os.Stat(filepath.Join(home, name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			return nil, record.NotThere(fmt.Sprintf("%s is no home of actiongraph: it has no file %q", home, name))
		}
		if err != nil {
			return nil, err
		}
	}
	j, err := packed.Open(home)
	if err != nil {
		return nil, err
	}
	return &Store{j}, nil
}

// Create opens the home at a path, which it makes where it is not there.
func Create(home string) (*Store, error) {
	j, err := packed.Adopt(home)
	if err != nil {
		return nil, err
	}
	// A configuration that cannot be read leaves in force what was, as it does for the hook.
	_, _ = config.CompilePolicy(home)
	return &Store{j}, nil
}

// Close is there for the other kinds: what was appended needs none.
func (s *Store) Close() error { return nil }

// Sessions lists the sessions in the order of their ids. It reads the whole journal; of a
// session that cannot be read it only tells the id, for reading it says why.
func (s *Store) Sessions(ctx context.Context) ([]record.Session, error) {
	files, err := s.journal.Files()
	if err != nil {
		return nil, err
	}
	sessions := make([]record.Session, 0, len(files))
	for _, f := range files {
		session := record.Session{ID: f.Session}
		_ = s.Lines(ctx, f.Session, func(line []byte) error {
			at, _ := time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp"))
			session.Saw(at)
			return nil
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// Lines passes every record of a session to yield, in the order in which it was recorded,
// without its newline; the line is valid until yield returns. What a writer left that was
// killed is passed over, as every reader of a journal does. The error of a session that is
// not there wraps fs.ErrNotExist.
func (s *Store) Lines(ctx context.Context, session string, yield func(line []byte) error) error {
	for line, err := range s.journal.Records(session) {
		if err = cmp.Or(err, ctx.Err()); err == nil {
			err = yield(line)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Records is Lines with the places of the records, the damaged ones included. A last line
// without its newline is left out: its writer may be at it.
func (s *Store) Records(ctx context.Context, session string) iter.Seq2[record.Record, error] {
	return func(yield func(record.Record, error) bool) {
		content, err := s.journal.Content(session)
		if err != nil {
			yield(record.Record{}, err)
			return
		}
		defer content.Close()
		in, err := lines.New(content, lines.Position{})
		if err != nil {
			yield(record.Record{}, err)
			return
		}
		defer in.Close()
		in.Max = journal.MaxLine
		name := s.name(session) + " line"
		for ctx.Err() == nil {
			line, err := in.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(record.Record{}, fmt.Errorf("%s %d: %w", name, in.Count()+1, err))
				return
			}
			if len(line) == 0 && !in.TooLong() {
				continue // the newline in front of a record
			}
			r := record.Record{Line: line, In: name, Number: in.Count()}
			if in.TooLong() || !whole(line) {
				r.Line, r.Err = nil, fmt.Errorf("%w: it is torn, as a writer leaves it that is killed", record.ErrCorrupted)
			}
			if !yield(r, nil) {
				return
			}
		}
		yield(record.Record{}, ctx.Err())
	}
}

// name is what a person finds the session's file by.
func (s *Store) name(session string) string {
	name := filepath.Join(journal.Dir(s.journal.Home()), session+journal.Suffix)
	if f, err := s.journal.Stat(session); err == nil && f.Packed > 0 {
		return name + ".zst (unpacked)"
	}
	return name
}

func whole(line []byte) bool {
	end, ok := schema.ValueEnd(line)
	return ok && line[0] == '{' && end == len(line)
}

// How much one append of the journal takes, in events and in bytes: what is held in memory.
const (
	chunk      = 500
	chunkBytes = 4 << 20
)

// Append appends those lines that the session does not have, as redaction returns them,
// and brings them to the disk. It says how many they were. A kill leaves the first of them,
// and to append all of them again adds the others. The error of a session that was forgotten
// is record.ErrForgotten.
func (s *Store) Append(ctx context.Context, session string, lines iter.Seq2[[]byte, error]) (added int, err error) {
	if err := record.CheckSession(session); err != nil {
		return 0, err
	}
	if s.journal.Forgotten(session) {
		return 0, record.ErrForgotten
	}
	a := appending{journal: s.journal, redactor: s.journal.Redactor(""), session: session, seed: maphash.MakeSeed()}
	if err := a.know(ctx, s); err != nil {
		return 0, err
	}
	for line, err := range lines {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = a.add(line)
		}
		if err != nil {
			return a.added, err
		}
	}
	if err := a.flush(); err != nil {
		return a.added, err
	}
	if err := s.journal.Sync(session); !errors.Is(err, fs.ErrNotExist) { // nothing of it was, or is, recorded
		return a.added, err
	}
	return a.added, nil
}

// appending is one Append.
type appending struct {
	journal  *journal.Journal
	redactor *redact.Redactor
	session  string
	seed     maphash.Seed
	known    map[uint64]bool // the hashes of what the session has
	parser   record.Parser
	waiting  []redact.Line
	fresh    int // how many of waiting are recorded
	bytes    int // of waiting
	added    int
}

func (a *appending) know(ctx context.Context, s *Store) error {
	a.known = map[uint64]bool{}
	err := s.Lines(ctx, a.session, func(line []byte) error {
		a.known[maphash.Bytes(a.seed, line)] = true
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (a *appending) add(line []byte) error {
	e, err := a.parser.Parse(a.session, line)
	if err != nil {
		return err
	}
	redacted := a.redactor.Event(e)
	if _, out := redacted.LeftOut(); !out {
		sum := maphash.Bytes(a.seed, redacted.Bytes())
		if a.known[sum] {
			return nil
		}
		a.known[sum] = true
		a.fresh++
	}
	a.waiting = append(a.waiting, redacted)
	if a.bytes += len(redacted.Bytes()); len(a.waiting) == chunk || a.bytes >= chunkBytes {
		return a.flush()
	}
	return nil
}

func (a *appending) flush() error {
	if err := a.journal.Append(a.waiting...); err != nil {
		return err
	}
	a.added += a.fresh
	clear(a.waiting)
	a.waiting, a.fresh, a.bytes = a.waiting[:0], 0, 0
	return nil
}
