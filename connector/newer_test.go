package connector_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/schema"
)

// A session is folded up to the first line that a newer version wrote, and from
// there once the program is upgraded: nothing is passed over. Others go on.
func TestLinesOfNewerVersions(t *testing.T) {
	for _, known := range []int{0, 1, 7} {
		for _, maxEvents := range []int{1, 3, 8000} {
			t.Run(fmt.Sprintf("after %d of %d", known, maxEvents), func(t *testing.T) {
				j, store := newJournal(t), newMemory()
				rnd := newRand(t)
				a := newAgent(rnd, "a")
				record(t, j, "a", a.lines(known)...)
				record(t, j, "a", []byte(`{"torn`)) // in front of it: passed with it
				ours := a.lines(4)                  // what the upgraded program reads
				theirs := make([][]byte, len(ours))
				for i, line := range ours {
					v := []byte(fmt.Sprintf(`{"v":%d,`, schema.Version))
					theirs[i] = bytes.Replace(line, v, []byte(fmt.Sprintf(`{"v":%d,`, schema.Version+1)), 1)
					if bytes.Equal(theirs[i], line) {
						t.Fatalf("%s", line)
					}
				}
				// Of another type, too, than this version knows.
				theirs[0] = bytes.Replace(theirs[0], []byte(`"source_sdk":"`), []byte(`"source_sdk":["x"],"x":"`), 1)
				record(t, j, "a", theirs...)
				record(t, j, "a", a.next()) // an old hook is still about: in the file's order, so not folded
				record(t, j, "b", newAgent(rnd, "b").lines(5)...)

				var log syncBuffer
				r := replica(j, store)
				r.MaxEvents = maxEvents
				r.Log = connector.NewLogger(&log, "replica", false)
				report := sync1(t, r)
				if report.Events != known+5 || report.Newer != 1 || report.Refused != 0 || report.Torn != 0 {
					t.Errorf("%+v, want %d events and one session held", report, known+5)
				}
				if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "update ag-sessiond") {
					t.Errorf("logged:\n%s", got)
				}
				equalsFreshFold(t, j, store, "b")
				again := sync1(t, r)
				if again.Events != 0 || again.Newer != 1 || again.Torn != 0 {
					t.Errorf("again: %+v", again)
				}
				if changes, err := connector.Verify(t.Context(), j, store, ""); err != nil || len(changes) > 0 {
					t.Errorf("Verify: %v, %v", changes, err)
				}
				if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag.Sessions != 1 {
					t.Errorf("behind by %+v, %v; it is", lag, err)
				}

				// The upgrade: what was not understood now is. The file's length and
				// all before the line stay.
				text := must(os.ReadFile(file(j, "a")))(t)
				for i := range ours {
					text = bytes.Replace(text, theirs[i], ours[i], 1)
				}
				if err := os.WriteFile(file(j, "a"), text, 0o600); err != nil {
					t.Fatal(err)
				}
				upgraded := sync1(t, replica(j, store))
				if upgraded.Events != 5 || upgraded.Newer != 0 || upgraded.Resets != 0 || upgraded.Torn != 1 {
					t.Errorf("upgraded: %+v, want 5 events", upgraded)
				}
				equalsFreshFold(t, j, store, "a", "b")
			})
		}
	}
}
