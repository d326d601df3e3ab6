package postgrestest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestURL: each test has an empty database of its own.
func TestURL(t *testing.T) {
	for range 2 {
		db, err := pgx.Connect(context.Background(), URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(context.Background())
		var encoding string
		if err := db.QueryRow(context.Background(), "SHOW server_encoding").Scan(&encoding); err != nil || encoding != "UTF8" {
			t.Fatal(encoding, err)
		}
		if _, err := db.Exec(context.Background(), "CREATE TABLE only_mine ()"); err != nil {
			t.Fatal(err)
		}
	}
}
