package journal

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

// TestProbesAreListedApart: a probe's file is read by who knows it, is no session of the
// journal's, and is the only kind that DiscardProbe removes.
func TestProbesAreListedApart(t *testing.T) {
	j, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if probes, err := j.Probes(); err != nil || len(probes) != 0 {
		t.Fatalf("%v, %v", probes, err)
	}
	probe := schema.ProbeID(7)
	if err := j.Append(line(probe, "a", "1"), line("s", "b", "1")); err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil || len(files) != 1 || files[0].Session != "s" {
		t.Errorf("%v, %v", files, err)
	}
	probes, err := j.Probes()
	if err != nil || len(probes) != 1 || probes[0].Session != probe || probes[0].Size == 0 {
		t.Errorf("%v, %v", probes, err)
	}
	for _, other := range []string{"s", schema.PositionsID(7), "../id", "doctor-probe-7"} {
		if err := j.DiscardProbe(other); err == nil {
			t.Errorf("discarded %s", other)
		}
	}
	for range 2 {
		if err := j.DiscardProbe(probe); err != nil {
			t.Error(err)
		}
	}
	if _, err := j.Stat(probe); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := j.Stat("s"); err != nil {
		t.Error(err)
	}
}
