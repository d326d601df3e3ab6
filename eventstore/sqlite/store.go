// Package sqlite is an event store in a SQLite file: an archive that is one file, and that
// SQL reads.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore/record"
)

//go:embed schema.sql
var schemaSQL string

// The marks of files in PRAGMA application_id: of an event store, "AGEV", and of the graph
// store that package connector/sqlite keeps in a home, "AGDB".
const (
	applicationID = 0x41474556
	graphStoreID  = 0x41474442
)

// Store is a SQLite file. Its methods may be called from many goroutines, and any number of
// processes may have the file open.
type Store struct {
	path string
	db   *sql.DB
}

// Open opens the store at a path. The error wraps fs.ErrNotExist where there is none.
func Open(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("event store %s: %w", path, err)
	}
	return open(ctx, path, (*Store).check)
}

// Create opens the store at a path and makes it, readable by its owner alone, where there is
// no file, or an empty one.
func Create(ctx context.Context, path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("event store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return open(ctx, path, (*Store).create)
}

func open(ctx context.Context, path string, prepare func(*Store, context.Context) error) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path}
	if s.db, err = sql.Open("sqlite", dsn(path)); err != nil {
		return nil, s.fail(err)
	}
	if err := prepare(s, ctx); err != nil {
		return nil, errors.Join(s.fail(err), s.db.Close())
	}
	return s, nil
}

// dsn names the file to the driver. What was committed is on the disk: a source may be
// removed after a migration.
func dsn(path string) string {
	p := filepath.ToSlash(path)
	if p[0] != '/' {
		p = "/" + p // C:\… on Windows
	}
	q := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {"busy_timeout(2000)", "synchronous(FULL)", "page_size(8192)", "cache_size(-16000)"}}
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + q.Encode()
}

// Close closes the store.
func (s *Store) Close() error { return s.db.Close() }

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// check makes sure that the file is an event store of this version.
func (s *Store) check(ctx context.Context) error { return check(ctx, s.db) }

func check(ctx context.Context, db querier) error {
	var app, tables int64
	err := db.QueryRowContext(ctx, "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id").Scan(&app, &tables)
	if err != nil {
		return err
	}
	switch {
	case app == graphStoreID:
		return fmt.Errorf("%w: it is the graph store of a home, which is made of events and does not have them: give the home, file:///…", record.ErrNotEventStore)
	case tables == 0:
		return fmt.Errorf("%w: it is empty", record.ErrNotEventStore)
	case app != applicationID:
		return fmt.Errorf("%w: it is another program's database: give another file", record.ErrNotEventStore)
	}
	var kind, version string
	err = db.QueryRowContext(ctx, "SELECT k.value, v.value FROM meta k, meta v WHERE k.key = ? AND v.key = ?", record.KindKey, record.VersionKey).Scan(&kind, &version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return record.CheckMeta(kind, version)
}

// create writes the tables into an empty file, in one transaction.
func (s *Store) create(ctx context.Context) error {
	empty := func(db querier) (is bool, err error) {
		err = db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").Scan(&is)
		return is, err
	}
	if is, err := empty(s.db); err != nil {
		return err
	} else if !is {
		return s.check(ctx)
	}
	if _, err := s.db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if is, err := empty(tx); err != nil {
		return err
	} else if !is { // another process was first
		return check(ctx, tx)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA application_id = %d", schemaSQL, applicationID)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?), (?, ?)", record.KindKey, record.Kind, record.VersionKey, record.Version); err != nil {
		return err
	}
	return tx.Commit()
}

// begin waits for its turn to write for as long as it takes: another migration has it until
// its session is whole.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	for {
		tx, err := s.db.BeginTx(ctx, nil)
		if !busy(err) || ctx.Err() != nil {
			return tx, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func busy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// fail names the file, and the cure where there is one. What the database says has a code.
func (s *Store) fail(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("event store %s: %w", s.path, err)
	}
	code, cure := errcode.EventsUnavailable, ""
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		code, cure = errcode.EventsNoStore, ": the file is damaged or no SQLite database: restore it from a backup"
	case sqlite3.SQLITE_FULL:
		code, cure = errcode.DiskFull, ": no space is left"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		code, cure = errcode.FilePermission, ": the file and its folder must be writable"
	}
	return errcode.With(code, fmt.Errorf("event store %s: %w%s", s.path, err, cure))
}

// there is nil where the store has the session.
func (s *Store) there(ctx context.Context, session string) error {
	var one int
	err := s.db.QueryRowContext(ctx, "SELECT 1 FROM sessions WHERE session_id = ?", session).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		err = record.NotThere("there is no session " + session)
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}
