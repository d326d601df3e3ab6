package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/actiongraph/actiongraph/graph"
)

// ensure makes sure that what this store writes to is still the file at its path.
// Somebody who deletes graph.db under a running daemon expects it to be made again;
// without this, SQLite would go on writing to a file that nobody can open. Where it
// is another file, or none, the store opens what is there and returns an error that
// wraps graph.ErrConflict, so that its replica starts over from the positions that
// it then has. The caller holds s.mu.
func (s *Store) ensure() error {
	if s.memory {
		return nil // nobody else gets at it
	}
	now, err := os.Stat(s.path)
	switch {
	case err == nil && os.SameFile(now, s.file):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	gone := err != nil
	// Readers' connections that are idle still have the old file, and would answer for it,
	// however often the new one cannot be opened.
	s.read.SetMaxIdleConns(0)
	s.read.SetMaxIdleConns(readers)
	err = s.conn.close()
	s.conn = nil
	if err != nil && !gone {
		return err
	}
	if gone {
		if err := removeLog(s.path); err != nil {
			return err
		}
	}
	if err := s.openWriter(); err != nil {
		return err
	}
	return fmt.Errorf("%w: the file was removed or replaced", graph.ErrConflict)
}

// writable is ensure for a store that was opened to write; it opens the file again
// after an attempt that failed.
func (s *Store) writable() error {
	switch {
	case s.conn != nil:
		return s.ensure()
	case s.file == nil:
		return errReadOnly
	}
	if err := s.openWriter(); err != nil {
		return err
	}
	return fmt.Errorf("%w: the file was opened again", graph.ErrConflict)
}
