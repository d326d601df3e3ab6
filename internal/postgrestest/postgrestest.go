// Package postgrestest runs a real PostgreSQL for tests, without containers: Debian's package
// (apt-get install postgresql), in a cluster of its own that only a socket in a folder of this
// user leads to. Each test has a database of its own there.
//
// The server lives as long as the process that started it: a shell waits for the end of its
// stdin, which the operating system sees to whatever happens to the parent.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// URL is that of an empty database for the test alone, which goes when the test ends. It is on
// the server at $AG_TEST_POSTGRES_URL, whose user may make databases, or on one that the tests
// of the binary share. Where there is no PostgreSQL the test is skipped, but with CI=true it
// fails.
func URL(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("ag_test_%d_%d", os.Getpid(), databases.Add(1))
	if err := do(server.URL, "CREATE DATABASE "+name+" ENCODING 'UTF8' TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := do(server.URL, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// databases numbers those of this process.
var databases atomic.Int64

// shared starts the server once, and holds on to it.
var shared = sync.OnceValues(func() (*Server, error) {
	if given := os.Getenv("AG_TEST_POSTGRES_URL"); given != "" {
		return &Server{URL: given}, nil
	}
	return Launch()
})

const timeout = 2 * time.Minute // 1.5 s measured, but others are at work as well

func do(url, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, statement)
	return errors.Join(err, db.Close(ctx))
}
