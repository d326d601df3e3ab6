package doctor

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// machine are checks whose result is the test machine's, not the patient's.
func machine() []string { return []string{"latency", "filesystem", "disk"} }

// TestWell: on a machine that is well nothing fails, nothing is changed, and every check is
// told in the order of the list.
func TestWell(t *testing.T) {
	p := newPatient(t)
	before := p.tree()
	all := Run(t.Context(), p.Env)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
		if c.Status != OK && !slices.Contains(machine(), c.Name) || c.Detail == "" {
			t.Errorf("%+v", c)
		}
	}
	var want []string
	for _, c := range checks() {
		want = append(want, c.name)
		if c.name == "probe" {
			want = append(want, "latency")
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if after := p.tree(); !maps.Equal(before, after) {
		t.Errorf("the home was changed: %v, before %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
}

// TestNothing: of a home that is not there yet only the missing hook is wrong, and asking
// makes none.
func TestNothing(t *testing.T) {
	p := newPatient(t)
	p.remove("home")
	p.remove("user/.claude")
	for _, c := range Run(t.Context(), p.Env) {
		if (c.Status == OK) == (c.Name == "hook") && !slices.Contains(machine(), c.Name) {
			t.Errorf("%+v", c)
		}
	}
	if _, err := os.Stat(p.Home); err == nil {
		t.Error("asking made a home")
	}
}

// TestOneCheckStopsNoOther: what panics or hangs is a FAIL that says so.
func TestOneCheckStopsNoOther(t *testing.T) {
	never := make(chan bool)
	list := []check{
		{name: "panics", look: func(context.Context, *exam) []Check { panic("at the disco") }},
		{name: "indexes", look: func(_ context.Context, e *exam) []Check { return ok("%d", []int{}[len(e.Home)]) }},
		{name: "hangs", limit: time.Millisecond, look: func(context.Context, *exam) []Check { <-never; return nil }},
		{name: "listens", limit: time.Millisecond, look: func(ctx context.Context, _ *exam) []Check {
			<-ctx.Done()
			return warn("wait", "it was told to stop")
		}},
		{name: "well", look: func(context.Context, *exam) []Check { return ok("fine") }},
		{name: "alone", alone: true, look: func(context.Context, *exam) []Check { return append(ok("a"), ok("b")...) }},
		{name: "silent", look: func(context.Context, *exam) []Check { return nil }},
	}
	want := []string{"panics FAIL at the disco", "indexes FAIL index out of range", "hangs FAIL no answer within 1ms",
		"listens WARN it was told to stop", "well OK fine", "alone OK a", "alone OK b"}
	got := run(t.Context(), newExam(Env{}), list)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, c := range got {
		words := strings.SplitN(want[i], " ", 3)
		if c.Name != words[0] || string(c.Status) != words[1] || !strings.Contains(c.Detail, words[2]) || (c.Status != OK) != (c.Cure != "") {
			t.Errorf("%+v, want %s", c, want[i])
		}
	}
	if !Failed(got) || Failed(got[3:]) {
		t.Error("what failed is told wrong")
	}
}
