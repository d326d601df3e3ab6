package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
)

// A store that takes all but one session is up, and what it refuses is not over: a
// status without a word of it would hide that something is missing.
func TestStatusSaysWhatIsRefused(t *testing.T) {
	print := func(h storeHealth) string {
		var out bytes.Buffer
		a := &app{out: bufio.NewWriter(&out)}
		a.printActivity(h)
		a.out.Flush()
		return out.String()
	}
	h := storeHealth{Name: "lab"}
	h.State, h.LastError, h.Refused = connector.Up, "duplicate name", 2
	if got := print(h); !strings.Contains(got, "refused   2 sessions") || strings.Contains(got, "(over)") {
		t.Errorf("while it refuses:\n%s", got)
	}
	h.Refused = 0
	if got := print(h); strings.Contains(got, "refused") || !strings.Contains(got, "(over) duplicate name") {
		t.Errorf("afterwards:\n%s", got)
	}
}
