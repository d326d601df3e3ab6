// Package neo4jtest runs a real Neo4j Community for tests, without containers: a
// JVM of its own on a loopback port, built once a machine from Maven Central and
// kept in the user's cache folder (build.go, server/).
//
// Most tests want URL: one server for the whole test binary, which each test
// empties for itself. A test that stops, kills or restarts the database, or needs a
// password, wants Start.
//
// A server lives as long as the process that started it: it exits when its stdin
// ends, which the operating system sees to whatever happens to the parent.
package neo4jtest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Start starts a server with its data in a folder of its own and stops it when the
// test ends. Where there is no Java or Maven the test is skipped.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	if opts.DataDir == "" {
		opts.DataDir = t.TempDir()
	}
	s, err := Launch(opts)
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// URL is where a database is that the test may wipe. It is $AG_TEST_BOLT_URL when
// that is set: then this test binary has it to itself until it exits, for go test
// runs packages side by side and each wipes the database. Otherwise it is a server
// that the tests of the binary share, without authentication.
func URL(t testing.TB) string {
	t.Helper()
	db, err := shared()
	if err != nil {
		unavailable(t, err)
	}
	return db.url
}

// Auth is the user and password for URL's database: $AG_TEST_BOLT_USER and
// $AG_TEST_BOLT_PASSWORD, or two empty strings when it asks for none.
func Auth() (user, password string) {
	if os.Getenv("AG_TEST_BOLT_URL") == "" {
		return "", ""
	}
	return os.Getenv("AG_TEST_BOLT_USER"), os.Getenv("AG_TEST_BOLT_PASSWORD")
}

// MemgraphURL is $AG_TEST_MEMGRAPH_URL, to itself as URL's is, or empty: nothing here
// starts a Memgraph.
func MemgraphURL(t testing.TB) string {
	t.Helper()
	db, err := memgraph()
	if err != nil {
		t.Fatal(err)
	}
	return db.url
}

// database is one that a test binary uses until it exits. It keeps open what a
// garbage collection would close: the lock, or the server's stdin.
type database struct {
	url    string
	lock   *os.File
	server *Server
}

var shared = sync.OnceValues(func() (database, error) {
	if url := os.Getenv("AG_TEST_BOLT_URL"); url != "" {
		return hold(url)
	}
	dir, err := os.MkdirTemp("", "neo4jtest-")
	if err != nil {
		return database{}, err
	}
	s, err := launch(Options{DataDir: dir}, discard)
	if err != nil {
		return database{}, errors.Join(err, os.RemoveAll(dir))
	}
	return database{url: s.URL, server: s}, nil
})

var memgraph = sync.OnceValues(func() (database, error) {
	if url := os.Getenv("AG_TEST_MEMGRAPH_URL"); url != "" {
		return hold(url)
	}
	return database{}, nil
})

// hold waits until no other process holds the database at the URL.
func hold(url string) (database, error) {
	name := fmt.Sprintf("neo4jtest-%x.lock", sha256.Sum256([]byte(url)))
	f, err := lock(filepath.Join(os.TempDir(), name))
	return database{url: url, lock: f}, err
}

// unavailable ends a test that cannot have its database. On a developer's machine
// that is a skip, whatever the reason. In CI only a missing program is one, which
// internal/maketest turns into a failure with all the others.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" && !errors.As(err, new(missingError)) {
		t.Fatal(err)
	}
	t.Skip(err)
}
