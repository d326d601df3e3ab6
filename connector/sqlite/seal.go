package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"

	"github.com/actiongraph/actiongraph/schema"
)

// SealHead returns the end of a journal's log of seals that KeepSealHead was given last.
func (s *Store) SealHead(ctx context.Context, journal string) (head schema.SealHead, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT number, line FROM seal WHERE journal = ?", journal).Scan(&head.Number, &head.Line)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return schema.SealHead{}, s.fail("read the head of seals", err)
	}
	return head, nil
}

const keepSeal = "INSERT INTO seal VALUES (?, ?, ?) ON CONFLICT (journal) DO UPDATE SET number = excluded.number, line = excluded.line " +
	"WHERE excluded.number > number"

// KeepSealHead keeps a head that is further than the one that is kept. A file that was replaced is left to the
// next Apply, whose replica has to know.
func (s *Store) KeepSealHead(ctx context.Context, journal string, head schema.SealHead) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := ctx.Err()
	if now, statErr := os.Stat(s.path); s.file == nil {
		err = errReadOnly
	} else if s.conn == nil || statErr != nil || !os.SameFile(now, s.file) {
		err = errors.New("the file was removed or replaced")
	}
	if err == nil {
		err = s.conn.exec(keepSeal, journal, head.Number, head.Line)
	}
	if err != nil {
		return s.fail("keep the head of seals", err)
	}
	return nil
}
