// Package sqlite is the embedded store: the graph in one SQLite file, full-text
// search included, without cgo and without a server.
//
// What is in a row was measured, not guessed (schema.sql): an action is a narrow
// row, which is what a status change touches, and a wide one; the four most
// frequent edges are columns; row ids are small growing integers, and the only
// unique key of an action is (session, key), because one global index over random
// keys makes the millionth insert twice as slow as the ten-thousandth. Statements
// are prepared once and insert one row: several rows a statement gain nothing, and
// with FTS5 they lose, as each statement then flushes its index.
//
// A Store that writes holds one connection for that and any number for reading. A
// read-only Store works beside a writer in another process.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// FileName is the name of the embedded store in a home.
const FileName = "graph.db"

// Name is what the embedded store is called among others: in status, and in the tombstones of
// what it no longer holds.
const Name = "sqlite"

// Options says how to open a store.
type Options struct {
	// ReadOnly opens an existing file for reading; Apply and Maintain then fail.
	ReadOnly bool
}

// Store is a graph in a file. It implements connector.Store and connector.Reader.
type Store struct {
	path   string
	tables tables
	types  typeNumbers
	read   *sql.DB

	mu   sync.Mutex  // one writer: held by Apply and by each step of Maintain
	conn *writer     // nil where read-only
	file os.FileInfo // what conn writes to; nil where read-only, and in memory

	memory bool // path is the name of what is in no file

	superseded int64 // see Superseded
}

// Open opens the store at path. Unless it is read-only, the file is created where
// it is missing, readable by its owner alone, and one of an earlier Version is put aside
// for a new one, which its replica fills. A file that is damaged, is something else or has
// a later Version is an error that says what to do. Read-only, one of an earlier Version is
// ErrOlder, and one that another process is only making is waited for, and then is
// ErrBeingMade.
func Open(path string, o Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{path: path, tables: newTables(), types: newTypeNumbers()}
	if err := s.open(o); err != nil {
		s.Close()
		return nil, s.fail("open", err)
	}
	return s, nil
}

// readers is how many connections read at once.
const readers = 4

func (s *Store) open(o Options) (err error) {
	if err := s.refuseNewer(); err != nil {
		return err
	}
	if o.ReadOnly {
		if _, err := os.Stat(s.path); err != nil {
			return err
		}
	} else if err := s.openWriter(); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", s.dsn("ro", "query_only(1)", "cache_size(-8000)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	// A reader that is busy while the file is replaced has the old one for no longer.
	s.read.SetConnMaxLifetime(time.Minute)
	if o.ReadOnly {
		return s.awaitVersion(context.Background(), s.read)
	}
	return nil
}

// dsn names the file to the driver. The pragmas hold for every connection.
func dsn(path, mode string, pragmas ...string) string {
	p := filepath.ToSlash(path)
	if p[0] != '/' {
		p = "/" + p // C:\… on Windows
	}
	q := url.Values{"mode": {mode}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + q.Encode()
}

// openWriter opens the file, making it where it is missing or of an earlier layout. On an
// error there is no connection: one to a file that was refused, of another version say, would
// be written to by the next Apply.
func (s *Store) openWriter() (err error) {
	if _, err := os.Lstat(s.path); errors.Is(err, fs.ErrNotExist) {
		if err := removeLog(s.path); err != nil { // of one that was put aside: who reads that has it still
			return err
		}
	}
	if err := createPrivate(s.path); err != nil {
		return err
	}
	defer func() {
		if err != nil && s.conn != nil {
			err = errors.Join(err, s.conn.close())
			s.conn = nil
		}
	}()
	// 8 MB of cache take some 25 in memory, as the driver's allocator rounds a page up to
	// the next power of two; twice as much gained nothing, neither for 2,475 sessions nor
	// for one of 750,000 actions.
	s.conn, err = newWriter(s.dsn("rw", "page_size(8192)", "synchronous(NORMAL)",
		fmt.Sprintf("wal_autocheckpoint(%d)", longestLog), "cache_size(-8000)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	if s.file, err = os.Stat(s.path); err != nil {
		return err
	}
	if err = s.create(); !errors.Is(err, ErrOlder) {
		return err
	}
	if err = s.putAside(); err != nil {
		return err
	}
	return s.openWriter() // the next is missing
}

// createPrivate makes sure that the file is there and can be written. SQLite gives
// -wal and -shm the permissions of the file.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// The superuser may write what is marked read-only; who marked it meant it.
	if info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%w: the file is read-only (%v): chmod u+w it, or open it read-only", fs.ErrPermission, info.Mode().Perm())
	}
	return nil
}

// create writes the layout into an empty file, in one transaction: a process that
// dies in it leaves an empty file behind, and of two that start at once one waits
// and finds it done.
func (s *Store) create() error {
	ctx := context.Background()
	empty := func() (is bool, err error) {
		err = s.conn.queryRow("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").Scan(&is)
		return is, err
	}
	if is, err := empty(); err != nil {
		return err
	} else if !is {
		return s.check()
	}
	// Not before it is known that the file is nobody else's; page_size has been set
	// by then, which the first page makes final.
	if err := s.conn.do(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if err := s.conn.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer s.conn.do(ctx, "ROLLBACK") // after the commit it fails, harmlessly
	is, err := empty()
	if err == nil && is {
		script := fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", schemaSQL, applicationID, Version)
		err = s.conn.do(ctx, script)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return err
	}
	return s.conn.do(ctx, "COMMIT")
}

// check makes sure that the file is ours and knows the names of all types.
func (s *Store) check() error {
	if err := s.checkVersion(s.conn.queryRow); err != nil {
		return err
	}
	return s.types.store(s.conn)
}

// fail wraps an error with the file's name and, where there is one, the cure.
func (s *Store) fail(doing string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if s.memory {
		return fmt.Errorf("store in memory, of at most 1 GiB: %s: %w", doing, err)
	}
	cure := ""
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			cure = ": the file is damaged or no SQLite database: move it away and `ag-sessiond sync` folds the journal into a new one"
		case sqlite3.SQLITE_FULL:
			cure = ": no space is left"
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			cure = ": the file and its folder must be writable, the folder also where the store is only read"
		case sqlite3.SQLITE_BUSY:
			cure = ": another process is writing it"
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		cure = ": there is no store yet: `ag-sessiond sync` makes one"
	}
	return fmt.Errorf("store %s: %s: %w%s", s.path, doing, err, cure)
}

// Close closes the store. What was applied is there when it is opened again.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.close())
		s.conn = nil
	}
	s.file = nil
	return errors.Join(errs...)
}

// Positions returns the position of every session of one journal.
func (s *Store) Positions(ctx context.Context, journal string) (map[string]schema.Position, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT session, offset, sum, first, fold FROM position WHERE journal = ?", journal)
	if err != nil {
		return nil, s.fail("read positions", err)
	}
	defer rows.Close()
	out := map[string]schema.Position{}
	for rows.Next() {
		var session string
		var offset, sum, first, fold int64
		if err := rows.Scan(&session, &offset, &sum, &first, &fold); err != nil {
			return nil, s.fail("read positions", err)
		}
		out[session] = schema.Position{Offset: offset, Sum: uint64(sum), First: uint64(first), Fold: fold}
	}
	if err := rows.Err(); err != nil {
		return nil, s.fail("read positions", err)
	}
	return out, nil
}

// Maintain does what is better done while nothing arrives: it merges the full-text
// index, a few milliseconds at a time so that Apply can come in between, folds the
// write-ahead log into the file and gives back the memory of the page cache, 8 MB after a
// catch-up. It stops early, without error, when ctx ends.
func (s *Store) Maintain(ctx context.Context) error {
	for more := true; more; {
		if ctx.Err() != nil {
			return nil
		}
		var err error
		if more, err = s.mergeStep(); err != nil {
			return s.fail("merge the full-text index", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return s.fail("checkpoint", err)
	}
	if err := s.conn.do(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return s.fail("checkpoint", err)
	}
	if err := s.conn.do(context.Background(), "PRAGMA shrink_memory"); err != nil {
		return s.fail("give memory back", err)
	}
	return nil
}

// mergeStep merges a little and reports whether there is more to do: a merge that
// changes fewer than two rows did nothing (the FTS5 manual).
func (s *Store) mergeStep() (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return false, err
	}
	ctx := context.Background()
	changes := func() (n int64) {
		if err == nil {
			err = s.conn.queryRow("SELECT total_changes()").Scan(&n)
		}
		return n
	}
	before := changes()
	if err == nil {
		err = s.conn.do(ctx, "INSERT INTO fts (fts, rank) VALUES ('merge', 200)")
	}
	return changes()-before >= 2, err
}

var errReadOnly = errors.New("the store was opened read-only")

// typeNumbers numbers action and edge types by their place in graph's lists.
type typeNumbers struct {
	actions []graph.ActionType
	edges   []graph.EdgeType
	action  map[graph.ActionType]any // int64, boxed once
	edge    map[graph.EdgeType]int64
}

func newTypeNumbers() typeNumbers {
	t := typeNumbers{graph.ActionTypes(), graph.EdgeTypes(), map[graph.ActionType]any{}, map[graph.EdgeType]int64{}}
	for i, a := range t.actions {
		t.action[a] = int64(i)
	}
	for i, e := range t.edges {
		t.edge[e] = int64(i)
	}
	return t
}

// store names the numbers in the file, for its views; most often they are there.
func (t typeNumbers) store(w *writer) error {
	var n int64
	err := w.queryRow("SELECT (SELECT count(*) FROM action_type) + (SELECT count(*) FROM edge_type)").Scan(&n)
	if err != nil || n >= int64(len(t.actions)+len(t.edges)) {
		return err
	}
	for i, a := range t.actions {
		if err := w.exec("INSERT OR IGNORE INTO action_type VALUES (?, ?)", int64(i), string(a)); err != nil {
			return err
		}
	}
	for i, e := range t.edges {
		if err := w.exec("INSERT OR IGNORE INTO edge_type VALUES (?, ?)", int64(i), string(e)); err != nil {
			return err
		}
	}
	return nil
}

// number is how a type is held; one that graph's list lacks, by its name.
func (t typeNumbers) number(a graph.ActionType) any {
	if n, ok := t.action[a]; ok {
		return n
	}
	return string(a)
}

// actionType is the reverse of number.
func (t typeNumbers) actionType(v any) graph.ActionType {
	switch v := v.(type) {
	case int64:
		if v >= 0 && v < int64(len(t.actions)) && v < math.MaxInt32 {
			return t.actions[v]
		}
	case string:
		return graph.ActionType(v)
	}
	return graph.Unknown
}
