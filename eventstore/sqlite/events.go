package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/actiongraph/actiongraph/eventstore/record"
	"github.com/actiongraph/actiongraph/schema"
)

// Sessions lists the sessions in the order of their ids.
func (s *Store) Sessions(ctx context.Context) ([]record.Session, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT session_id, events, first_at, last_at FROM sessions ORDER BY session_id")
	if err != nil {
		return nil, s.fail(err)
	}
	defer rows.Close()
	var sessions []record.Session
	for rows.Next() {
		var r record.Session
		var first, last string
		if err := rows.Scan(&r.ID, &r.Events, &first, &last); err != nil {
			return nil, s.fail(err)
		}
		r.First, _ = time.Parse(schema.TimeLayout, first)
		r.Last, _ = time.Parse(schema.TimeLayout, last)
		sessions = append(sessions, r)
	}
	if err := rows.Err(); err != nil {
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
		rows, err := s.db.QueryContext(ctx, "SELECT ordinal, hash, line FROM events WHERE session_id = ? ORDER BY ordinal", session)
		if err != nil {
			yield(record.Record{}, s.fail(err))
			return
		}
		defer rows.Close()
		in := fmt.Sprintf("event store %s: session %s, ordinal", s.path, session)
		var hash, line sql.RawBytes
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

// Append appends those lines that the session does not have, in one transaction, and says
// how many they were.
func (s *Store) Append(ctx context.Context, session string, lines iter.Seq2[[]byte, error]) (added int, err error) {
	if err := record.CheckSession(session); err != nil {
		return 0, err
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return 0, s.fail(err)
	}
	defer tx.Rollback() // after the commit it does nothing
	a := appending{ctx: ctx, store: s, session: record.Session{ID: session}}
	if err := a.begin(tx); err != nil {
		return 0, s.fail(err)
	}
	defer a.insert.Close()
	for line, err := range lines {
		if err == nil {
			err = a.add(line)
		}
		if err != nil {
			return 0, err
		}
	}
	if a.added == 0 {
		return 0, nil
	}
	if err := a.end(tx); err != nil {
		return 0, s.fail(err)
	}
	return a.added, nil
}

// appending is one Append.
type appending struct {
	ctx     context.Context
	store   *Store
	parser  record.Parser
	session record.Session
	ordinal int64 // of the last event
	insert  *sql.Stmt
	added   int
}

// begin reads what is there of the session.
func (a *appending) begin(tx *sql.Tx) (err error) {
	var first, last string
	err = tx.QueryRowContext(a.ctx, "SELECT events, first_at, last_at FROM sessions WHERE session_id = ?", a.session.ID).
		Scan(&a.session.Events, &first, &last)
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(a.ctx, "SELECT coalesce(max(ordinal), 0) FROM events WHERE session_id = ?", a.session.ID).Scan(&a.ordinal)
	}
	if err != nil {
		return err
	}
	a.session.First, _ = time.Parse(schema.TimeLayout, first)
	a.session.Last, _ = time.Parse(schema.TimeLayout, last)
	a.insert, err = tx.PrepareContext(a.ctx, "INSERT INTO events (session_id, ordinal, hash, event_id, event_type, timestamp, line) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id, hash) DO NOTHING")
	return err
}

func (a *appending) add(line []byte) error {
	e, err := a.parser.Parse(a.session.ID, line)
	if err != nil {
		return err
	}
	c := record.ColumnsOf(&e, line)
	done, err := a.insert.ExecContext(a.ctx, a.session.ID, a.ordinal+1, c.Hash[:], c.ID, c.Type, schema.FormatTime(c.Time), string(line))
	if err != nil {
		return a.store.fail(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	a.ordinal++
	a.added++
	a.session.Saw(c.Time)
	return nil
}

func (a *appending) end(tx *sql.Tx) error {
	_, err := tx.ExecContext(a.ctx, "INSERT INTO sessions (session_id, events, first_at, last_at) VALUES (?, ?, ?, ?) "+
		"ON CONFLICT (session_id) DO UPDATE SET events = excluded.events, first_at = excluded.first_at, last_at = excluded.last_at",
		a.session.ID, a.session.Events, schema.FormatTime(a.session.First), schema.FormatTime(a.session.Last))
	if err != nil {
		return err
	}
	return tx.Commit()
}
