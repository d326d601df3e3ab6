package sqlite

import (
	"crypto/rand"
	"database/sql"
	"fmt"
)

// InMemory returns an empty store that is in the memory of this process alone, until it is
// closed: for an answer that is asked for once, as how a session was an hour ago, and of
// which nothing is to stay on a disk. It holds at most 1 GiB, about a million actions.
func InMemory() (*Store, error) {
	// Connections to one name share what is there, so the name is nobody else's.
	s := &Store{path: "/" + rand.Text(), memory: true, tables: newTables(), types: newTypeNumbers()}
	if err := s.openMemory(); err != nil {
		s.Close()
		return nil, fmt.Errorf("open a store in memory: %w", err)
	}
	return s, nil
}

func (s *Store) openMemory() (err error) {
	s.conn, err = newWriter(s.dsn("rw", "page_size(8192)", "cache_size(-8000)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	if err = s.create(); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", s.dsn("ro", "query_only(1)", "cache_size(-8000)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	return nil
}

// dsn is that of the file, or of what is in memory.
func (s *Store) dsn(mode string, pragmas ...string) string {
	if s.memory {
		return dsn(s.path, mode, pragmas...) + "&vfs=memdb"
	}
	return dsn(s.path, mode, pragmas...)
}
