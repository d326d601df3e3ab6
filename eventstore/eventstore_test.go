package eventstore_test

import (
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/eventstore/storetest"
	"github.com/actiongraph/actiongraph/internal/postgrestest"
)

// fresh gives the URL of a store of each kind that is not there yet.
func fresh() map[string]func(testing.TB) string {
	return map[string]func(testing.TB) string{
		"file":     func(t testing.TB) string { return "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "home")) },
		"sqlite":   func(t testing.TB) string { return "sqlite:///" + filepath.Join(t.TempDir(), "events.db") },
		"postgres": postgrestest.URL,
	}
}

func TestConformance(t *testing.T) {
	for kind, url := range fresh() {
		t.Run(kind, func(t *testing.T) { storetest.Run(t, url) })
	}
}
