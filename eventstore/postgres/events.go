package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/actiongraph/actiongraph/eventstore/record"
)

// Sessions lists the sessions in the order of their ids.
func (s *Store) Sessions(ctx context.Context) ([]record.Session, error) {
	rows, err := s.db.Query(ctx, "SELECT session_id, events, first_at, last_at FROM sessions ORDER BY session_id")
	if err != nil {
		return nil, s.fail(err)
	}
	sessions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r record.Session, err error) {
		err = row.Scan(&r.ID, &r.Events, &r.First, &r.Last)
		r.First, r.Last = r.First.UTC(), r.Last.UTC()
		return r, err
	})
	if err != nil {
		return nil, s.fail(err)
	}
	return sessions, nil
}

// Lines passes every record of a session to yield, in the order in which it was recorded,
// without its newline; the line is valid until yield returns. The error of a session that is
// not there wraps fs.ErrNotExist, and that of a line that was changed record.ErrCorrupted.
func (s *Store) Lines(ctx context.Context, session string, yield func(line []byte) error) error {
	return record.Lines(s.Records(ctx, session), yield)
}

// Records is Lines with the places of the records, the damaged ones included.
func (s *Store) Records(ctx context.Context, session string) iter.Seq2[record.Record, error] {
	return func(yield func(record.Record, error) bool) {
		if err := s.there(ctx, session); err != nil {
			yield(record.Record{}, err)
			return
		}
		rows, err := s.db.Query(ctx, "SELECT ordinal, hash, line FROM events WHERE session_id = $1 ORDER BY ordinal", session)
		if err != nil {
			yield(record.Record{}, s.fail(err))
			return
		}
		defer rows.Close()
		in := fmt.Sprintf("event store %s: session %s, ordinal", s.name, session)
		var hash, line pgtype.DriverBytes // which are not copied
		for rows.Next() {
			r := record.Record{In: in}
			if err := rows.Scan(&r.Number, &hash, &line); err != nil {
				yield(record.Record{}, s.fail(err))
				return
			}
			if r.Err = record.Check(line, hash); r.Err == nil {
				r.Line = line
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(record.Record{}, s.fail(err))
		}
	}
}

// there is nil where the store has the session.
func (s *Store) there(ctx context.Context, session string) error {
	var one int
	err := s.db.QueryRow(ctx, "SELECT 1 FROM sessions WHERE session_id = $1", session).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		err = record.NotThere("there is no session " + session)
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// Append appends those lines that the session does not have, in one transaction, and says
// how many they were. Who appends to a session that another one is appending to waits for it.
func (s *Store) Append(ctx context.Context, session string, lines iter.Seq2[[]byte, error]) (added int, err error) {
	if err := record.CheckSession(session); err != nil {
		return 0, err
	}
	tx, err := s.db.BeginTx(ctx, readCommitted())
	if err != nil {
		return 0, s.fail(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // after the commit it does nothing
	a := appending{ctx: ctx, store: s, tx: tx, session: record.Session{ID: session}}
	if err := a.begin(); err != nil {
		return 0, s.fail(err)
	}
	for line, err := range lines {
		if err == nil {
			err = a.add(line)
		}
		if err != nil {
			return 0, err
		}
	}
	if err := a.flush(); err != nil {
		return 0, s.fail(err)
	}
	if a.added == 0 {
		return 0, nil
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, s.fail(err)
	}
	return a.added, nil
}

// How much one statement inserts, in events and in bytes.
const (
	chunk      = 1000
	chunkBytes = 4 << 20
)

// appending is one Append.
type appending struct {
	ctx     context.Context
	store   *Store
	tx      pgx.Tx
	parser  record.Parser
	session record.Session // of what is added
	ordinal int64          // of the last event
	waiting columns
	bytes   int // of lines in waiting
	added   int
}

// columns are events that wait to be inserted.
type columns struct {
	hashes     [][]byte
	ids, types []string
	times      []time.Time
	lines      []string
}

// begin takes the session's turn: its row is locked until the transaction ends.
func (a *appending) begin() error {
	_, err := a.tx.Exec(a.ctx, "INSERT INTO sessions (session_id, events, first_at, last_at) VALUES ($1, 0, 'infinity', '-infinity') ON CONFLICT DO NOTHING", a.session.ID)
	if err == nil {
		_, err = a.tx.Exec(a.ctx, "SELECT FROM sessions WHERE session_id = $1 FOR UPDATE", a.session.ID)
	}
	if err == nil {
		err = a.tx.QueryRow(a.ctx, "SELECT coalesce(max(ordinal), 0) FROM events WHERE session_id = $1", a.session.ID).Scan(&a.ordinal)
	}
	return err
}

func (a *appending) add(line []byte) error {
	e, err := a.parser.Parse(a.session.ID, line)
	if err != nil {
		return err
	}
	c, w := record.ColumnsOf(&e, line), &a.waiting
	w.hashes = append(w.hashes, c.Hash[:])
	w.ids, w.types = append(w.ids, c.ID), append(w.types, c.Type)
	w.times = append(w.times, c.Time)
	w.lines = append(w.lines, string(line))
	if a.bytes += len(line); len(w.lines) == chunk || a.bytes >= chunkBytes {
		if err := a.flush(); err != nil {
			return a.store.fail(err)
		}
	}
	return nil
}

// insertEvents adds what the session does not have of some events, and says how many that is,
// and between which times. What is there already leaves a gap in the ordinals.
const insertEvents = `
WITH added AS (
  INSERT INTO events (session_id, ordinal, hash, event_id, event_type, timestamp, line)
  SELECT $1, $2 + n, hash, event_id, event_type, timestamp, line
  FROM unnest($3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
    WITH ORDINALITY AS e (hash, event_id, event_type, timestamp, line, n)
  ON CONFLICT (session_id, hash) DO NOTHING
  RETURNING timestamp
)
SELECT count(*), coalesce(min(timestamp), 'infinity'), coalesce(max(timestamp), '-infinity') FROM added`

func (a *appending) flush() error {
	w := &a.waiting
	if len(w.lines) == 0 {
		return nil
	}
	var n int
	var first, last pgtype.Timestamptz
	err := a.tx.QueryRow(a.ctx, insertEvents, a.session.ID, a.ordinal, w.hashes, w.ids, w.types, w.times, w.lines).Scan(&n, &first, &last)
	if err != nil {
		return err
	}
	a.added += n
	a.ordinal += int64(len(w.lines))
	*w, a.bytes = columns{}, 0
	if n == 0 {
		return nil
	}
	_, err = a.tx.Exec(a.ctx, "UPDATE sessions SET events = events + $2, first_at = least(first_at, $3), last_at = greatest(last_at, $4) WHERE session_id = $1",
		a.session.ID, n, first, last)
	return err
}
