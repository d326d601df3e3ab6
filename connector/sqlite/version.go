package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/actiongraph/actiongraph/errcode"
)

// ErrBeingMade is of a file in which nothing is yet: its writer has created it and
// not yet committed the layout. It is no damage, and nothing to move away.
var ErrBeingMade = errcode.New(errcode.StoreBusy, "another process is making the store and has not finished: try again; "+
	"if none is running, `ag-sessiond sync` finishes it")

// How often, and how far apart, a reader looks at a file that is being made: 2 s,
// which is many times what making it takes.
const (
	looks     = 40
	lookEvery = 50 * time.Millisecond
)

// awaitVersion is checkVersion for a reader, which cannot make the store itself: a
// file that is being made gets some time.
func (s *Store) awaitVersion(ctx context.Context, db *sql.DB) (err error) {
	query := func(text string, args ...any) scanner { return db.QueryRowContext(ctx, text, args...) }
	for range looks {
		if err = s.checkVersion(query); !errors.Is(err, ErrBeingMade) {
			return err
		}
		time.Sleep(lookEvery)
	}
	return err
}

// checkVersion makes sure that the file is ours and of this Version: the error of another
// wraps ErrOlder or errNewer. One statement sees one state of the file: the mark comes with
// the tables.
func (s *Store) checkVersion(query func(text string, args ...any) scanner) error {
	var app, version, tables int64
	err := query("SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "+
		"FROM pragma_application_id, pragma_user_version").Scan(&app, &version, &tables)
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_READONLY_ROLLBACK {
		return ErrBeingMade // only the first page is written without the log: its writer was killed then
	}
	if err != nil {
		return err
	}
	if app == 0 && tables == 0 {
		return ErrBeingMade
	}
	if app == eventStoreID {
		return errors.New("this is an event store, of which no graph is read: give it as --events, or move it away")
	}
	if app != applicationID {
		return errors.New("this is not an actiongraph store: name another file, or move this one away")
	}
	if version != Version {
		return otherLayout(version)
	}
	return nil
}
