package neo4j_test

import (
	"context"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

var (
	_ connector.Store      = (*neo4j.Store)(nil)
	_ connector.Shared     = (*neo4j.Store)(nil)
	_ connector.Maintainer = (*neo4j.Store)(nil)
	_ connector.Reader     = (*neo4j.Store)(nil)
)

// engines runs a test against each engine that is there.
func engines(t *testing.T, f func(t *testing.T, o neo4j.Options)) {
	t.Run("neo4j", func(t *testing.T) {
		user, password := neo4jtest.Auth()
		f(t, neo4j.Options{URL: neo4jtest.URL(t), User: user, Password: password})
	})
	t.Run("memgraph", func(t *testing.T) {
		url := neo4jtest.MemgraphURL(t)
		if url == "" {
			t.Skip("AG_TEST_MEMGRAPH_URL is not set")
		}
		f(t, neo4j.Options{URL: url})
	})
}

// open opens the database.
func open(t testing.TB, o neo4j.Options) *neo4j.Store {
	t.Helper()
	s, err := neo4j.Open(context.Background(), o)
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

// empty opens the database and empties it.
func empty(t testing.TB, o neo4j.Options) *neo4j.Store {
	t.Helper()
	s := open(t, o)
	if err := s.Clear(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		storetest.Run(t, func(t *testing.T) connector.Store { return empty(t, o) })
	})
}
