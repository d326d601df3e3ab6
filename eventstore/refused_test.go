package eventstore_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	graphstore "github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/eventstore/postgres"
	"github.com/actiongraph/actiongraph/eventstore/storetest"
	"github.com/actiongraph/actiongraph/internal/postgrestest"
)

// TestURLs: what names no store says which spelling does, and never a password.
func TestURLs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ url, says string }{
		{"events.db", "for a SQLite file give sqlite:///events.db"},
		{"/srv/events.db", "sqlite:////srv/events.db"},
		{dir, "for a home give file://" + filepath.ToSlash(dir)},
		{"", "sqlite:///relative.db"},
		{"me:swordfish@db/agents", "postgres://HOST/DATABASE"},
		{"host=db password=swordfish", "postgres://HOST/DATABASE"},
		{"sqlite://events.db", "sqlite:///relative.db (three slashes)"},
		{"sqlite:///", "sqlite:///relative.db (three slashes)"},
		{"file://home", "file:///home/me/.actiongraph"},
		{"file://", "file:///home/me/.actiongraph"},
		{"bolt://localhost:7687", "it goes with --graph"},
		{"neo4j+s://me:swordfish@db", "it goes with --graph"},
		{"mysql://me:swordfish@db/agents", `"mysql" is none of file, sqlite, postgres`},
		{"http://me:swordfish@db/", `"http" is none of`},
	} {
		for _, open := range []func(context.Context, string) (eventstore.Store, error){eventstore.Open, eventstore.Create} {
			store, err := open(ctx, c.url)
			if store != nil || !errors.Is(err, eventstore.ErrURL) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "swordfish") {
				t.Errorf("%q: %v; want it to say %q", c.url, err, c.says)
			}
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// TestPasswords: no message has one, whatever is wrong.
func TestPasswords(t *testing.T) {
	refused := "127.0.0.1:1" // nobody listens
	for _, given := range []string{
		"postgres://me:kraken@" + refused + "/agents?connect_timeout=2",
		"postgresql://" + refused + "/agents?user=me&password=kraken",
		"postgres://me:kra%zzken@" + refused + "/agents",
		"postgres://me:kraken@" + refused + ":x/agents",
		"postgres://me:kraken@[::1/agents",
		"postgres://me:kraken@" + refused + "/agents?sslmode=nonesuch",
		"postgres://me:kra ken@" + refused + "/agents",
		"postgres://me:kra/ken@" + refused + "/agents",
	} {
		_, err := eventstore.Open(ctx, given)
		if err == nil || strings.Contains(err.Error(), "kra") || strings.Contains(err.Error(), "ken") {
			t.Errorf("%s: %v", given, err)
		}
		if shown := eventstore.Redacted(given); strings.Contains(shown, "kraken") {
			t.Errorf("%s is shown as %s", given, shown)
		}
	}
	for given, want := range map[string]string{
		"sqlite:///a.db": "sqlite:///a.db", "file:///home": "file:///home", "postgres:///agents": "postgres:///agents",
		"postgres://me:swordfish@db/agents": "postgres://me:xxxxx@db/agents",
	} {
		if got := eventstore.Redacted(given); got != want {
			t.Errorf("%s is shown as %s", given, got)
		}
	}
}

// TestCodes: what cannot be opened has a code of event stores, not one of the home.
func TestCodes(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]errcode.Code{
		"sqlite:///" + text: errcode.EventsNoStore,
		"postgres://me@127.0.0.1:1/agents?connect_timeout=2": errcode.EventsUnavailable, // nobody listens
		postgrestest.URL(t): errcode.EventsNoStore,
	} {
		if _, err := eventstore.Open(ctx, given); errcode.Of(err) != want {
			t.Errorf("%s: %q, want %q: %v", given, errcode.Of(err), want, err)
		} else if want == errcode.EventsUnavailable && !strings.Contains(err.Error(), "postgres://me@127.0.0.1:1/agents") {
			t.Errorf("the port is not named: %v", err)
		}
	}
}

// execSQLite changes a file past the store.
func execSQLite(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func execPostgres(t *testing.T, url, statement string) {
	t.Helper()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	if _, err := db.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

// exec changes a store's tables past it.
func exec(t *testing.T, url, statement string) {
	t.Helper()
	if kind, path, _ := eventstore.KindOf(url); kind == eventstore.SQLite {
		execSQLite(t, path, statement)
		return
	}
	execPostgres(t, url, statement)
}

// refused wants a store to be refused by all who open it.
func refused(t *testing.T, url string, want error, says string) {
	t.Helper()
	for _, open := range []func(context.Context, string) (eventstore.Store, error){eventstore.Open, eventstore.Create} {
		store, err := open(ctx, url)
		if store != nil || !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %v, saying %q", err, want, says)
		}
	}
}

// TestVersion: a store of another version is not touched.
func TestVersion(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		url := fresh()[kind](t)
		storetest.Append(t, storetest.Create(t, url), "a", 1, storetest.Numbered("a", 1))
		exec(t, url, "UPDATE meta SET value = '2' WHERE key = 'version'")
		refused(t, url, eventstore.ErrVersion, "version 2, this program reads and writes version 1")
		exec(t, url, "UPDATE meta SET value = 'something else' WHERE key = 'kind'")
		refused(t, url, eventstore.ErrNotEventStore, "meta")
		exec(t, url, "DELETE FROM meta")
		refused(t, url, eventstore.ErrNotEventStore, "meta")
	}
}

// TestOtherDatabases: what is something else is not touched, and says what it is.
func TestOtherDatabases(t *testing.T) {
	dir := t.TempDir()
	graph := filepath.Join(dir, "graph.db")
	store, err := graphstore.Open(graph, graphstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:///"+graph, eventstore.ErrNotEventStore, "the graph store of a home")

	events := filepath.Join(dir, "events.db")
	storetest.Append(t, storetest.Create(t, "sqlite:///"+events), "a", 1, storetest.Numbered("a", 1))
	if _, err := graphstore.Open(events, graphstore.Options{}); err == nil || !strings.Contains(err.Error(), "this is an event store") {
		t.Errorf("an event store as a graph store: %v", err)
	}

	other := filepath.Join(dir, "other.db")
	execSQLite(t, other, "CREATE TABLE events (x)")
	refused(t, "sqlite:///"+other, eventstore.ErrNotEventStore, "another program's")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := eventstore.Create(ctx, "sqlite:///"+text); err == nil || !strings.Contains(err.Error(), "no SQLite database") {
		t.Error(err)
	}
	if _, err := eventstore.Open(ctx, "file://"+filepath.ToSlash(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}

	for _, tables := range []string{"CREATE TABLE events (x int)", "CREATE TABLE meta (x int); CREATE TABLE sessions (x int); CREATE TABLE events (x int)",
		"CREATE TABLE meta (key int, value int); CREATE TABLE sessions (x int); CREATE TABLE events (x int)"} {
		url := postgrestest.URL(t)
		execPostgres(t, url, tables)
		refused(t, url, eventstore.ErrNotEventStore, "")
	}
	latin := postgrestest.URL(t)
	execPostgres(t, latin, "CREATE DATABASE ag_latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
	t.Cleanup(func() { execPostgres(t, latin, "DROP DATABASE ag_latin WITH (FORCE)") })
	u, err := url.Parse(latin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/ag_latin"
	if _, err := eventstore.Create(ctx, u.String()); err == nil || !strings.Contains(err.Error(), "LATIN1") {
		t.Error(err)
	}
}

// TestChanged: a line that was changed in the database is damage, not an event.
func TestChanged(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			url := fresh()[kind](t)
			from := storetest.Create(t, url)
			storetest.Append(t, from, "a", 3, storetest.Numbered("a", 1), storetest.Numbered("a", 2), storetest.Numbered("a", 3))
			exec(t, url, "UPDATE events SET line = replace(line, 'number', 'wonder') WHERE ordinal = 2")
			err := from.Lines(ctx, "a", func([]byte) error { return nil })
			if !errors.Is(err, eventstore.ErrCorrupted) || !strings.Contains(err.Error(), "session a, ordinal 2") {
				t.Error(err)
			}
			_, to := home(t, nil)
			if _, err := eventstore.Migrate(ctx, from, to, eventstore.Options{}); !errors.Is(err, eventstore.ErrCorrupted) || !strings.Contains(err.Error(), "session a, ordinal 2") {
				t.Error(err)
			}
			reports(t, []eventstore.Report{{Session: "a", Status: eventstore.Migrated, Events: 2, Skipped: 1}})(
				eventstore.Migrate(ctx, from, to, eventstore.Options{SkipCorrupted: true}))
		})
	}
}

// TestOwnConnection: a pool or connection of the caller's is used, and stays open.
func TestOwnConnection(t *testing.T) {
	url := postgrestest.URL(t)
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for i, db := range []postgres.DB{pool, conn} {
		store, err := postgres.CreateWith(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Append(t, store, "a", 1, storetest.Numbered("a", i))
		if got := storetest.Lines(t, store, "a"); len(got) != i+1 {
			t.Fatal(got)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if again, err := postgres.OpenWith(ctx, db); err != nil || again.Close() != nil {
			t.Fatalf("closed with its store: %v", err)
		}
	}
}

// TestSearchPath: a schema of its own keeps a store out of other tables' way.
func TestSearchPath(t *testing.T) {
	url := postgrestest.URL(t)
	execPostgres(t, url, "CREATE TABLE events (x int); CREATE SCHEMA agents")
	storetest.Append(t, storetest.Create(t, url+"&search_path=agents"), "a", 1, storetest.Numbered("a", 1))
	refused(t, url, eventstore.ErrNotEventStore, "search_path")
}
