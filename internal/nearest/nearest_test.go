package nearest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/internal/nearest"
)

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 2},
		{strings.Repeat("x", 1<<20), strings.Repeat("x", 1<<20) + "y", 0}, // what differs is past what is looked at
	} {
		if got := nearest.Distance(tc.a, tc.b); got != tc.want {
			t.Errorf("Distance(%.10q, %.10q) = %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestOf(t *testing.T) {
	names := []string{"limit", "session", "sessions", "since", "tool", "tool-usage", "tool-transitions"}
	for _, tc := range []struct {
		typed string
		want  []string
	}{
		{"limt", []string{"limit"}},
		{"sesion", []string{"session", "sessions"}},
		{"tool", []string{"tool", "tool-usage", "tool-transitions"}}, // it is in them
		{"zzzzzz", nil}, {"", nil},
	} {
		if diff := cmp.Diff(tc.want, nearest.Of(tc.typed, names)); diff != "" && len(tc.want)+len(nearest.Of(tc.typed, names)) > 0 {
			t.Errorf("%q: -want +got:\n%s", tc.typed, diff)
		}
	}
}
