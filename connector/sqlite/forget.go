package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/actiongraph/actiongraph/graph"
)

// A session that is forgotten goes like one that is reset, and its position with it. What
// that leaves, rows that only it referred to and bytes that no row has any more, is Compact's:
// it reads the whole file, once for any number of sessions. That there is something for it
// to do is a row of the table position that is no journal's, written in the transaction that
// forgets, so that whoever is killed in between leaves it to the next.

const (
	markForgotten = "INSERT OR IGNORE INTO position VALUES ('', 'forgotten', 1, 0, 0, 0)"
	askForgotten  = "SELECT EXISTS (SELECT 1 FROM position WHERE journal = '' AND session = 'forgotten')"
	doneForgotten = "DELETE FROM position WHERE journal = '' AND session = 'forgotten'"
)

// forget drops a session and its position.
func (t *tx) forget(b *graph.Batch) error {
	if err := t.reset(b.Session); err != nil {
		return err
	}
	return t.execAll(
		stmt{"DELETE FROM position WHERE journal = ? AND session = ?", []any{b.Journal, b.Session}},
		stmt{markForgotten, nil})
}

// unused are the rows that exist for others, and that none refers to: shared nodes, and the
// stubs of sessions that another one continued.
var unused = []string{
	"DELETE FROM tool WHERE id NOT IN (SELECT tool FROM action WHERE tool IS NOT NULL) AND " + noEdge("tool", 3),
	"DELETE FROM tag WHERE " + noEdge("tag", 4),
	"DELETE FROM file WHERE " + noEdge("file", 5),
	"DELETE FROM session WHERE put IS NULL AND id NOT IN (SELECT sid FROM action) AND id NOT IN (SELECT sid FROM agent) AND " +
		noEdge("session", 0),
}

func noEdge(table string, code int) string {
	node := fmt.Sprintf("%s.id * 8 + %d", table, code)
	return "NOT EXISTS (SELECT 1 FROM edge WHERE dst = " + node + ") AND NOT EXISTS (SELECT 1 FROM edge WHERE src = " + node + ")"
}

// Compact writes the file anew if a session was forgotten since that was done last:
// afterwards nothing of it is in the bytes of the file and of its log. It needs about as
// much room again for the log, and for SQLite's temporary file. Readers beside it go on; one
// that reads for longer than ten seconds makes it fail. An error leaves the store as it was.
func (s *Store) Compact(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return s.fail("compact", err)
	}
	var due bool
	if err := s.conn.queryRow(askForgotten).Scan(&due); err != nil || !due {
		return err
	}
	if err := s.compact(ctx); err != nil {
		return s.fail("compact", s.sayRoom(err))
	}
	return nil
}

// CompactDue reports whether something was taken back that Compact has not removed yet.
func (s *Store) CompactDue(ctx context.Context) (due bool, err error) {
	if err = s.read.QueryRowContext(ctx, askForgotten).Scan(&due); err != nil {
		err = s.fail("read positions", err)
	}
	return due, err
}

func (s *Store) compact(ctx context.Context) error {
	// The writer has its temporary files in memory, which a copy of the store does not fit.
	w, err := newWriter(s.dsn("rw", "synchronous(NORMAL)", "cache_size(-8000)"))
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.transaction(ctx, unused...); err != nil {
		return err
	}
	// The index has the words of what was deleted until its segments are one.
	if err := w.do(ctx, "INSERT INTO fts (fts) VALUES ('optimize')"); err != nil {
		return err
	}
	if err := w.do(ctx, "VACUUM"); err != nil {
		return err
	}
	if err := w.emptyLog(ctx); err != nil {
		return err
	}
	return s.conn.do(ctx, doneForgotten)
}

// transaction runs statements, all or none.
func (w *writer) transaction(ctx context.Context, stmts ...string) (err error) {
	if err := w.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, st := range stmts {
		if err := w.do(ctx, st); err != nil {
			return errors.Join(err, w.do(context.Background(), "ROLLBACK"))
		}
	}
	return w.do(context.Background(), "COMMIT")
}

// emptyLog folds the whole log into the file and cuts it to nothing. It tries often and
// briefly: SQLite, once it waits for a reader, waits for the next one in the same place, too.
func (w *writer) emptyLog(ctx context.Context) error {
	if err := w.do(ctx, "PRAGMA busy_timeout = 20"); err != nil {
		return err
	}
	for deadline := time.Now().Add(readersEnd); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var busy int64
		var logged, folded any
		err := w.queryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &folded)
		if code(err) != sqlite3.SQLITE_BUSY && (err != nil || busy == 0) {
			return err
		}
	}
	return fmt.Errorf("somebody has read the store for more than %v, and has to end before its log can be emptied", readersEnd)
}

// readersEnd is how long Compact waits for those who read.
const readersEnd = 10 * time.Second

// code is SQLite's number of an error, 0 if it is not one of SQLite.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// sayRoom adds to an error of a full disk, or quota, how much room there has to be.
func (s *Store) sayRoom(err error) error {
	if c := code(err); c != sqlite3.SQLITE_FULL && c != sqlite3.SQLITE_IOERR {
		return err
	}
	var bytes int64
	if s.conn.queryRow("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes) != nil {
		return err
	}
	return fmt.Errorf("%w; it needs %d MB for its log beside the file, and as much in SQLITE_TMPDIR, or else /var/tmp", err, bytes>>20+1)
}
