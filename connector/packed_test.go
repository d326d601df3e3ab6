package connector_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/connector"
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
