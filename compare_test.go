package actiongraph_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/diff"
)

func TestDiff(t *testing.T) {
	home, err := actiongraph.Open(filepath.Join(t.TempDir(), "home"), actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	r := home.Recorder("test")
	for session, command := range map[string]string{"one": "make test", "two": "make check", "three": "make test"} {
		call := actiongraph.ToolCall{SessionID: session, ToolName: "Bash", ToolInput: map[string]any{"command": command}}
		if _, err := r.RecordToolCall(call); err != nil {
			t.Fatal(err)
		}
	}
	for other, same := range map[string]bool{"two": false, "three": true, "one": true} {
		d, err := home.Diff(t.Context(), "one", other, diff.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d.Same != same || d.A.SessionID != "one" || d.B.SessionID != other {
			t.Errorf("one and %s: %+v", other, d)
		}
	}
	if _, err := home.Diff(t.Context(), "one", "none", diff.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a session that is not there: %v", err)
	}
}
