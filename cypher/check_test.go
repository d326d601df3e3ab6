package cypher_test

import (
	"testing"

	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestCheckFindsNothing: what a fold of the recordings put is in order, also in what the
// store keeps for itself.
func TestCheckFindsNothing(t *testing.T) {
	store := loaded(t, neo4jtest.URL(t))
	for _, b := range fixture(t) {
		changes, err := store.Check(t.Context(), b.Own())
		if err != nil || len(changes) > 0 {
			t.Errorf("session %s: %v, %v", b.Own(), err, changes)
		}
	}
}
