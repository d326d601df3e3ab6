package sqlite

import (
	"context"

	"modernc.org/sqlite"
)

// SQLite folds its write-ahead log into the file in whichever commit makes the log long
// enough, and waits for the disk twice while it does: a fifth of the time that an import of
// 1 GB takes. So a connection of its own does it beside the writer; the commit that is due
// finds little left to do, and the log begins anew.

const (
	// loggedRows is how many rows are written between two foldings: of a catch-up, which has
	// seconds before it. What goes on line by line comes to rest before (see Maintain).
	loggedRows = 30_000
	// longestLog, in pages, is when the writer sees to it itself.
	longestLog = 16_000
)

// committed has the log folded beside the writer if enough was written.
func (w *writer) committed() {
	if w.rows < loggedRows || !w.folding.TryLock() {
		return
	}
	w.rows = 0
	go func() {
		defer w.folding.Unlock()
		connector, err := sqlite.NewConnector(w.dsn)
		if err != nil {
			return
		}
		c, err := connector.Connect(context.Background())
		if err != nil {
			return
		}
		defer c.Close()
		if c, ok := c.(driverConn); ok {
			// What fails here, the writer's commits try again, as SQLite has them.
			c.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)", nil)
		}
	}()
}
