package graph

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
)

// TestRevision: a fold that makes another graph of what was recorded has another Revision, or
// stores keep what the one before made. Revision 1 was two folds, for half a minute of commits.
func TestRevision(t *testing.T) {
	all := captured(t)
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, id := range slices.Sorted(maps.Keys(all[name])) {
			text, err := json.Marshal(fold(t, id, all[name][id]))
			if err != nil || len(text) < 100 {
				t.Fatalf("%s: %v %s", name, err, text)
			}
			sum.Write(text)
		}
	}
	const of3 = "0581b055d982ff6e"
	if got := fmt.Sprintf("%x", sum.Sum(nil))[:16]; Revision != 3 || got != of3 {
		t.Errorf("the captures' graphs are %s, and Revision is %d: put both here, and count Revision up, unless it is the captures that changed", got, Revision)
	}
}
