// Package eventstore keeps the events of sessions outside the journal that recorded them, and
// moves them: archives, a database that a team reads with SQL, and back into a home. A store is
// named by a URL:
//
//	file:///home/me/.actiongraph          the journal of a home
//	sqlite:///events.db                   a SQLite file, by a relative path
//	sqlite:////srv/archive/events.db      and by an absolute one
//	postgres://me@db.example.org/agents   PostgreSQL, as libpq has URLs; also postgresql://
//
// An event is stored as the text that it is in the journal, byte for byte, and comes back so;
// what else a store has of it (columns, PostgreSQL's jsonb) is made of that text. A session's
// records keep the order in which they were recorded, and records of equal bytes are one.
// docs/event-stores.md has the tables.
package eventstore

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore/file"
	"github.com/actiongraph/actiongraph/eventstore/postgres"
	"github.com/actiongraph/actiongraph/eventstore/record"
	"github.com/actiongraph/actiongraph/eventstore/sqlite"
)

// Store holds the events of sessions. Each kind is a package below this one; to have a pool or
// connection of one's own in PostgreSQL see postgres.OpenWith.
type Store interface {
	// Sessions lists the sessions in the order of their ids. Of a home it reads the journal.
	Sessions(ctx context.Context) ([]Session, error)
	// Lines passes every record of a session to yield, in the order in which it was recorded,
	// without its newline; the line is valid until yield returns. The error of a session that
	// is not there wraps fs.ErrNotExist.
	Lines(ctx context.Context, session string, yield func(line []byte) error) error
	// Records is Lines with the places of the records, those included that are damaged. An
	// error is the last that it gives.
	Records(ctx context.Context, session string) iter.Seq2[Record, error]
	// Append appends those lines that the session does not have, in one transaction, and says
	// how many they were; an error among the lines is returned, and nothing is appended then.
	// A line that is no event is ErrCorrupted. A home has no transactions: what of the lines
	// was appended before an error, or a kill, stays. Its redaction is applied, and its policy.
	Append(ctx context.Context, session string, lines iter.Seq2[[]byte, error]) (added int, err error)
	Close() error
}

// Session is what a store says of one session.
type Session = record.Session

// Record is one record of a session, and where it is.
type Record = record.Record

var (
	// ErrURL is of what names no event store.
	ErrURL = errcode.New(errcode.EventsURL, "this names no event store")
	// ErrCorrupted is of a record that is no event, or is not what was written.
	ErrCorrupted = record.ErrCorrupted
	// ErrForgotten is of a session that a home was told to forget: it stays so.
	ErrForgotten = record.ErrForgotten
	// ErrVersion is of a store that another version of this program made.
	ErrVersion = record.ErrVersion
	// ErrNotEventStore is of a database that is something else.
	ErrNotEventStore = record.ErrNotEventStore
)

// Open opens the store at a URL. The error wraps ErrURL where it is none, and fs.ErrNotExist
// where there is no store: to ask makes none.
func Open(ctx context.Context, rawURL string) (Store, error) {
	kind, rest, err := split(rawURL)
	switch {
	case err != nil:
		return nil, err
	case kind == File:
		return opened(file.Open(rest))
	case kind == SQLite:
		return opened(sqlite.Open(ctx, rest))
	}
	return opened(postgres.Open(ctx, rawURL))
}

// Create opens the store at a URL, and makes it where it is not there.
func Create(ctx context.Context, rawURL string) (Store, error) {
	kind, rest, err := split(rawURL)
	switch {
	case err != nil:
		return nil, err
	case kind == File:
		return opened(file.Create(rest))
	case kind == SQLite:
		return opened(sqlite.Create(ctx, rest))
	}
	return opened(postgres.Create(ctx, rawURL))
}

// opened makes no Store of a nil pointer.
func opened[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Kind is what a store is.
type Kind string

// The kinds of stores, which are the schemes of their URLs.
const (
	File     Kind = "file"
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres" // or postgresql
)

// KindOf says which kind of store a URL names, and for File and SQLite at which path. The
// error wraps ErrURL.
func KindOf(rawURL string) (kind Kind, path string, err error) {
	kind, path, err = split(rawURL)
	if kind == Postgres {
		path = ""
	}
	return kind, path, err
}

func split(rawURL string) (kind Kind, rest string, err error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return "", "", fmt.Errorf("%w: %q has no scheme: %s", ErrURL, withoutSecret(rawURL), spelling(rawURL))
	}
	switch scheme {
	case "postgres", "postgresql":
		return Postgres, rest, nil
	case "sqlite":
		if path, ok := strings.CutPrefix(rest, "/"); ok && path != "" {
			return SQLite, path, nil
		}
		return "", "", fmt.Errorf("%w: %q: a SQLite file is sqlite:///relative.db (three slashes) or sqlite:////absolute.db (four)", ErrURL, withoutSecret(rawURL))
	case "file":
		if path := localPath(rest); filepath.IsAbs(path) {
			return File, path, nil
		}
		return "", "", fmt.Errorf("%w: %q: a home is named by its absolute path: file:///home/me/.actiongraph", ErrURL, withoutSecret(rawURL))
	case "bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc":
		return "", "", fmt.Errorf("%w: %s:// is a graph store, which is made of events and does not have them: it goes with --graph", ErrURL, scheme)
	}
	return "", "", fmt.Errorf("%w: the scheme %.20q is none of file, sqlite, postgres, postgresql", ErrURL, scheme)
}

// localPath is the path of a file URL: on Windows file:///C:/home names C:/home.
func localPath(path string) string {
	if len(path) > 2 && path[0] == '/' && filepath.VolumeName(path[1:]) != "" {
		return path[1:]
	}
	return path
}

// spelling is the URL that a path was probably meant as.
func spelling(path string) string {
	const all = "file:///abs/home, sqlite:///relative.db, sqlite:////absolute.db or postgres://HOST/DATABASE"
	if path == "" || strings.ContainsAny(path, "@:") || connectionString(path) {
		return "give " + all
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if abs, err := filepath.Abs(path); err == nil {
			return "for a home give file://" + filepath.ToSlash(abs)
		}
	}
	return "for a SQLite file give sqlite:///" + path
}

// withoutSecret is what was given in place of a URL, which may be part of one, or libpq's
// "host=db password=…".
func withoutSecret(text string) string {
	if connectionString(text) {
		return "…"
	}
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "…" + text[i:]
	}
	return text
}

func connectionString(text string) bool {
	return strings.Contains(text, "pass") && strings.Contains(text, "=")
}

// Redacted is a store's URL as it may be shown: without a password.
func Redacted(rawURL string) string {
	kind, _, err := split(rawURL)
	if err != nil {
		return withoutSecret(rawURL)
	}
	if kind != Postgres {
		return rawURL
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return "postgres://…"
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "pass") {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}
