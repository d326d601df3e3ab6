package connector_test

import (
	"errors"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/failure"
)

// TestLockedHomeHasACode: who calls from Go tells errors apart as ag-sessiond does.
func TestLockedHomeHasACode(t *testing.T) {
	home := t.TempDir()
	lock := must(connector.LockHome(home, connector.GraphLock, 0))(t)
	defer lock.Unlock()
	_, err := connector.LockHome(home, connector.GraphLock, 0)
	if !errors.Is(err, connector.ErrLocked) || !errors.Is(err, errcode.ErrStorage) || errcode.Of(err) != errcode.HomeLocked {
		t.Errorf("%v is %q", err, errcode.Of(err))
	}
}

// TestStoresReasonsAreCodes: what a database says of itself is one word in the log and in an error.
func TestStoresReasonsAreCodes(t *testing.T) {
	for _, r := range failure.Reasons() {
		switch r {
		case failure.StoreDiverged, failure.StoreMaintenance: // of no command
			continue
		}
		if len(r) > 6 && r[:6] == "store." && !errcode.Known(errcode.Code(r)) {
			t.Errorf("%s is no code", r)
		}
	}
}
