package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/actiongraph/actiongraph/internal/fulltext"
)

// writeRecalled adds the documents of a recall that the transaction wrote or removed.
func (t *tx) writeRecalled() error {
	if t.recalled == 0 {
		return nil
	}
	err := t.exec("UPDATE recalled SET docs = docs + ?", t.recalled)
	t.recalled = 0
	return err
}

// forgetDocuments counts the documents that cond selects as removed. FTS5 keeps the
// length of each.
func (t *tx) forgetDocuments(cond string, args ...any) error {
	return t.query(func(vals []any) error {
		lengths, _ := vals[0].([]byte)
		if l := varints(lengths, 2); l[0]+l[1] > 0 {
			t.recalled--
		}
		return nil
	}, "SELECT sz FROM fts_docsize WHERE "+cond, args...)
}

// corpus reads how many documents a recall looks at, and their length: in FTS5's record of
// averages the number of rows comes first, then the terms of each column.
func (s *Store) corpus(ctx context.Context, tx *sql.Tx) (c fulltext.Corpus, err error) {
	var totals []byte
	err = tx.QueryRowContext(ctx, "SELECT docs, (SELECT block FROM fts_data WHERE id = 1) FROM recalled").Scan(&c.Docs, &totals)
	if errors.Is(err, sql.ErrNoRows) {
		return c, errors.New("the table recalled is empty")
	}
	n := varints(totals, 3)
	c.Terms = n[1] + n[2]
	return c, err
}

// varints reads SQLite's variable-length integers: seven bits a byte, the most significant
// first, and eight in a ninth (sqlite.org/fileformat.html). What is missing is 0.
func varints(b []byte, n int) []int64 {
	out := make([]int64, n)
	for i, at := 0, 0; i < n && at < len(b); i++ {
		for bytes := 1; at < len(b); bytes++ {
			c := b[at]
			at++
			if bytes == 9 {
				out[i] = out[i]<<8 | int64(c)
				break
			}
			if out[i] = out[i]<<7 | int64(c&0x7f); c < 0x80 {
				break
			}
		}
	}
	return out
}
