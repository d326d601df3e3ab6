package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/connector/storetest"
)

var (
	_ connector.Store  = (*sqlite.Store)(nil)
	_ connector.Reader = (*sqlite.Store)(nil)
)

func open(t *testing.T, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) connector.Store {
		return open(t, filepath.Join(t.TempDir(), "graph.db"), sqlite.Options{})
	})
}
