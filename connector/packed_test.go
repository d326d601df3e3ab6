package connector_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
)

// To pack sessions changes nothing for a store: nothing is folded again, and what is appended
// later is folded from where it was.
func TestPackedSessionsAreNotFoldedAgain(t *testing.T) {
	j := must(packed.Open(t.TempDir()))(t)
	store, rnd := newMemory(), newRand(t)
	a, b, c := newAgent(rnd, "a"), newAgent(rnd, "b"), newAgent(rnd, "c")
	record(t, j, "a", a.lines(300)...)
	record(t, j, "b", b.lines(20)...)
	sync1(t, replica(j, store))
	record(t, j, "c", c.lines(20)...) // a store learns of it only packed
	for _, session := range []string{"a", "b", "c"} {
		if err := j.Pack(t.Context(), session); err != nil {
			t.Fatal(err)
		}
	}
	ignore := cmpopts.IgnoreFields(connector.Report{}, "Duration", "Ops", "Bytes")
	thorough := func() connector.Report {
		r := replica(j, store)
		r.Thorough = true
		return sync1(t, r)
	}
	if diff := cmp.Diff(connector.Report{Sessions: 1, Events: 20}, thorough(), cmpopts.IgnoreFields(connector.Report{}, "Sessions"), ignore); diff != "" {
		t.Errorf("packed: -want +got\n%s", diff)
	}
	record(t, j, "a", a.lines(7)...)
	if diff := cmp.Diff(connector.Report{Sessions: 1, Events: 7}, sync1(t, replica(j, store)), ignore); diff != "" {
		t.Errorf("7 more: -want +got\n%s", diff)
	}
	if err := j.Pack(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(connector.Report{}, sync1(t, replica(j, store)), ignore); diff != "" {
		t.Errorf("packed again: -want +got\n%s", diff)
	}
	equalsFreshFold(t, j, store, "a", "b", "c")
}

// ended says of sessions that they have ended.
type ended struct {
	connector.Reader
	sessions []string
}

func (e ended) Sessions(context.Context, graph.SessionFilter) (rows []graph.SessionRow, err error) {
	for _, id := range e.sessions {
		rows = append(rows, graph.SessionRow{SessionID: id, Status: "completed"})
	}
	return rows, nil
}

// A session whose interrupted packing cannot be completed is named, and keeps no other from being
// packed.
func TestPackGoesOn(t *testing.T) {
	j := must(packed.Open(t.TempDir()))(t)
	rnd := newRand(t)
	record(t, j, "good", newAgent(rnd, "good").lines(20)...)
	for _, name := range []string{"bad.jsonl.zst", "bad.jsonl.packing"} {
		if err := os.WriteFile(filepath.Join(journal.Dir(j.Home()), name), []byte("\n{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := connector.Pack(t.Context(), j, ended{sessions: []string{"good"}}, connector.PackOptions{Now: time.Now().Add(time.Hour)})
	if err == nil || !strings.Contains(err.Error(), "bad.jsonl.zst is damaged") {
		t.Errorf("%v", err)
	}
	if len(report.Sessions) != 1 || report.Sessions[0].ID != "good" || report.Finished != 0 {
		t.Errorf("%+v", report)
	}
}
