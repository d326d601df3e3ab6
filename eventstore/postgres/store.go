// Package postgres is an event store in PostgreSQL: an archive that many machines read and
// write, and that SQL reads.
package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore/record"
)

//go:embed schema.sql
var schemaSQL string

// DB is what a Store needs of a database: a *pgxpool.Pool has it, and a *pgx.Conn.
type DB interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Store is a database, or a schema of one: the first in its search_path. Any number of
// processes may have it open. Its methods may be called from many goroutines where those of
// its DB may: with a *pgx.Conn one has to end before the next begins.
type Store struct {
	db    DB
	name  string // in messages
	close func()
}

// Open opens the store at a URL, as libpq has them. The error wraps fs.ErrNotExist where the
// database has no such store.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	return connect(ctx, rawURL, OpenWith)
}

// Create opens the store at a URL, and makes its tables where the database has none of them.
func Create(ctx context.Context, rawURL string) (*Store, error) {
	return connect(ctx, rawURL, CreateWith)
}

// OpenWith is Open of a database that the caller is connected to, and disconnects from.
func OpenWith(ctx context.Context, db DB) (*Store, error) {
	s := &Store{db: db, name: nameOf(db), close: func() {}}
	if err := s.check(ctx, db); err != nil {
		return nil, s.fail(err)
	}
	return s, nil
}

// CreateWith is Create of a database that the caller is connected to, and disconnects from.
func CreateWith(ctx context.Context, db DB) (*Store, error) {
	s := &Store{db: db, name: nameOf(db), close: func() {}}
	err := s.check(ctx, db)
	if errors.Is(err, fs.ErrNotExist) {
		err = s.create(ctx)
	}
	if err != nil {
		return nil, s.fail(err)
	}
	return s, nil
}

func connect(ctx context.Context, rawURL string, open func(context.Context, DB) (*Store, error)) (*Store, error) {
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		// Its message has the URL, of which it hides what it takes for the password.
		return nil, errcode.With(errcode.EventsUnavailable, fmt.Errorf("%s: %w", hidden, reason(rawURL, err)))
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "actiongraph"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, errcode.With(errcode.EventsUnavailable, fmt.Errorf("event store %s: %w", describe(config.ConnConfig), err))
	}
	s, err := open(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.close = pool.Close
	return s, nil
}

// hidden stands for a URL that cannot be read: where a password is in it is not known then.
const hidden = "event store postgres://…"

// reason is what is wrong with a URL, without the URL.
func reason(rawURL string, err error) error {
	parse, ok := errors.AsType[*pgconn.ParseConfigError](err)
	if _, urlErr := url.Parse(rawURL); urlErr != nil || !ok || parse.Unwrap() == nil {
		return errors.New("the URL cannot be read: it is postgres://USER@HOST:PORT/DATABASE?NAME=VALUE, and in a name or password @ : / % are %40 %3A %2F %25")
	}
	return parse.Unwrap()
}

func nameOf(db DB) string {
	switch db := db.(type) {
	case *pgxpool.Pool:
		return describe(db.Config().ConnConfig)
	case *pgx.Conn:
		return describe(db.Config())
	}
	return "in PostgreSQL"
}

const defaultPort = 5432

// describe names a database without its password.
func describe(c *pgx.ConnConfig) string {
	host := c.Host
	if c.Port != defaultPort {
		host = net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
	}
	return fmt.Sprintf("postgres://%s@%s/%s", c.User, host, c.Database)
}

// Close closes what Open and Create opened.
func (s *Store) Close() error {
	s.close()
	return nil
}

// querier is a DB or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// findTables looks into the catalog as it is now: to_regclass may remember that there was no
// table when another transaction was making it.
const findTables = `
SELECT current_setting('server_encoding'), array(
  SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY (current_schemas(false)) AND c.relname = ANY ($1::text[]) ORDER BY 1)`

// check makes sure that the database has an event store of this version. The error wraps
// fs.ErrNotExist where it has nothing that would be in the way of one.
func (s *Store) check(ctx context.Context, db querier) error {
	var encoding string
	var tables []string
	err := db.QueryRow(ctx, findTables, []string{"meta", "sessions", "events"}).Scan(&encoding, &tables)
	switch {
	case err != nil:
		return err
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s, in which not every text can be: make one with createdb --encoding=UTF8 --template=template0 NAME", encoding)
	case len(tables) == 0:
		return errcode.With(errcode.EventsNoStore, record.NotThere("the database has no event store"))
	case len(tables) < 3:
		return fmt.Errorf("%w: another program has a table %s there: give a database of its own, or a schema with ?search_path=NAME", record.ErrNotEventStore, strings.Join(tables, " and "))
	}
	var kind, version string
	err = db.QueryRow(ctx, "SELECT k.value::text, v.value::text FROM meta k, meta v WHERE k.key::text = $1 AND v.key::text = $2", record.KindKey, record.VersionKey).Scan(&kind, &version)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == undefinedColumn || errors.Is(err, pgx.ErrNoRows) {
		err = nil // a table meta of somebody else
	}
	if err != nil {
		return err
	}
	return record.CheckMeta(kind, version)
}

// undefinedColumn is a code of https://www.postgresql.org/docs/current/errcodes-appendix.html.
const undefinedColumn = "42703"

// createLock is the advisory lock that who makes the tables holds: of two that begin at once
// one waits, and finds it done.
const createLock = 0x41474556

// readCommitted lets a transaction that waited for another one see what that has done, whatever
// the default of the database is.
func readCommitted() pgx.TxOptions { return pgx.TxOptions{IsoLevel: pgx.ReadCommitted} }

func (s *Store) create(ctx context.Context) error {
	return pgx.BeginTxFunc(ctx, s.db, readCommitted(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", createLock); err != nil {
			return err
		}
		if err := s.check(ctx, tx); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, err := tx.Exec(ctx, schemaSQL); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO meta VALUES ($1, $2), ($3, $4)", record.KindKey, record.Kind, record.VersionKey, record.Version)
		return err
	})
}

// fail names the database. What has no code of its own is of a database that cannot be used.
func (s *Store) fail(err error) error {
	named := fmt.Errorf("event store %s: %w", s.name, err)
	if errcode.Of(err) != "" || errors.Is(err, fs.ErrNotExist) || errors.Is(err, context.Canceled) {
		return named
	}
	return errcode.With(errcode.EventsUnavailable, named)
}
