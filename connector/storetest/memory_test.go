package storetest_test

import (
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/storetest"
)

var (
	_ connector.Store  = (*storetest.Memory)(nil)
	_ connector.Shared = (*storetest.Memory)(nil)
	_ connector.Reader = (*storetest.Memory)(nil)
)

// TestMemory runs the cases on the reference itself: one that it fails is wrong. Its
// answers are left out, as its search does not mark words.
func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) connector.Store {
		m := storetest.NewMemory()
		return struct {
			connector.Store
			connector.Shared
			connector.Witness
		}{m, m, m}
	})
}
