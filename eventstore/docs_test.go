package eventstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/actiongraph/actiongraph/eventstore/storetest"
	"github.com/actiongraph/actiongraph/schema"
)

// TestDocumentedQueries runs what docs/event-stores.md says in SQL, on a store with a call that
// failed, and wants each query to find something but for the one after changed lines.
func TestDocumentedQueries(t *testing.T) {
	text, err := os.ReadFile("../docs/event-stores.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)```sql( sqlite)?\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], strings.ReplaceAll(m[2], "30 days", "300 years"))
	}
	if len(blocks[""]) < 7 || len(blocks[" sqlite"]) < 1 {
		t.Fatalf("the document has %d and %d queries", len(blocks[""]), len(blocks[" sqlite"]))
	}
	const session = "117f6eaf-0cdc-4fce-8d82-e5bab5e26ee8" // which it names
	lines := [][]byte{
		storetest.Line(session, schema.Event{EventID: "a", EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "t1", ToolInput: []byte(`{"command":"git push"}`)}),
		storetest.Line(session, schema.Event{EventID: "b", EventType: schema.ToolEnd, ToolName: "Bash", ToolUseID: "t1", IsError: true, ErrorMessage: "rejected"}),
		storetest.Line(session, schema.Event{EventID: "c", EventType: schema.ToolEnd, Content: "\x00"}),
	}
	url := fresh()["postgres"](t)
	storetest.Append(t, storetest.Create(t, url), session, 3, lines...)
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	for _, q := range blocks[""] {
		if strings.HasPrefix(q, "BEGIN") {
			execPostgres(t, url, strings.ReplaceAll(q, "'ID'", "'"+session+"'"))
			continue
		}
		rows, err := db.Query(ctx, q)
		n := 0
		for err == nil && rows.Next() {
			n++
		}
		if err == nil {
			err = rows.Err()
		}
		if none := strings.Contains(q, "there should be none"); err != nil || (n == 0) != none {
			t.Errorf("%d rows, %v:\n%s", n, err, q)
		}
	}
	if got := export(t, storetest.Create(t, url)); len(got) > 0 {
		t.Errorf("what the document deletes is there: %v", got)
	}
	path := filepath.Join(t.TempDir(), "events.db")
	storetest.Append(t, storetest.Create(t, "sqlite:///"+path), session, 3, lines...)
	file, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, q := range blocks[" sqlite"] {
		var tool string
		var calls int
		if err := file.QueryRow(q).Scan(&tool, &calls); err != nil || tool != "Bash" || calls != 1 {
			t.Errorf("%s %d, %v:\n%s", tool, calls, err, q)
		}
	}
}

// TestDerived: PostgreSQL's jsonb is the line's, and NULL where jsonb refuses it.
func TestDerived(t *testing.T) {
	url := fresh()["postgres"](t)
	store := storetest.Create(t, url)
	for name, event := range map[string]schema.Event{
		"good":      {Content: "😀 \"'$1"},
		"nul":       {Content: "a\x00b"},
		"surrogate": {Metadata: []byte(`{"a":"\ud800"}`)},
		"number":    {Metadata: []byte(`{"a":1e400000}`)},
		"deep":      {Metadata: []byte(`{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`)},
	} {
		event.EventID = name
		storetest.Append(t, store, name, 1, storetest.Line(name, event))
	}
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	for name, null := range map[string]bool{"good": false, "nul": true, "surrogate": true, "number": true} {
		var isNull, same bool
		err := db.QueryRow(ctx, "SELECT event IS NULL, event IS NOT DISTINCT FROM CASE WHEN $2 THEN NULL ELSE line::jsonb END FROM events WHERE session_id = $1", name, null).Scan(&isNull, &same)
		if err != nil || isNull != null || !same {
			t.Errorf("%s: null %v, want %v; %v", name, isNull, null, err)
		}
	}
}
