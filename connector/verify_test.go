package connector_test

import (
	"os"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
)

// raw appends bytes that are not framed.
func raw(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// What writers left that were killed neither differs nor lags, wherever it is.
func TestTornEndsAreNoDifferenceAndNoLag(t *testing.T) {
	for _, tail := range []string{"\n{\"torn\n", "\n{\"torn", "\n", "\n\n\n", "\n{\"torn\n{\"torn", "garbage\n", "\n\n[1]\n\n"} {
		for _, before := range []int{0, 5} {
			j, store := newJournal(t), newMemory()
			a := newAgent(newRand(t), "a")
			record(t, j, "a", a.lines(before)...)
			raw(t, file(j, "a"), tail)
			check := func() {
				t.Helper()
				sync1(t, replica(j, store))
				if changes, err := connector.Verify(t.Context(), j, store, ""); err != nil || len(changes) > 0 {
					t.Errorf("%d records and %q: Verify: %v, %v", before, tail, changes, err)
				}
				if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag != (connector.Lag{}) {
					t.Errorf("%d records and %q: behind by %+v, %v", before, tail, lag, err)
				}
			}
			check()
			record(t, j, "a", a.next())
			if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag.Sessions != 1 || lag.Bytes < 50 {
				t.Errorf("%d records, %q and one more: behind by %+v, %v", before, tail, lag, err)
			}
			check()
			equalsFreshFold(t, j, store, "a")
		}
	}
}

// A session's file may be a link to one on another disk.
func TestLinkedFile(t *testing.T) {
	j, store := newJournal(t), newMemory()
	record(t, j, "a", newAgent(newRand(t), "a").lines(5)...)
	elsewhere := t.TempDir() + "/elsewhere"
	if err := os.Rename(file(j, "a"), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file(j, "a")); err != nil {
		t.Skip(err)
	}
	sync1(t, replica(j, store))
	equalsFreshFold(t, j, store, "a")
	if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag != (connector.Lag{}) {
		t.Errorf("behind by %+v, %v", lag, err)
	}
}
