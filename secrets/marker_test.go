package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLeft: of a file that is no session's none is named.
func TestLeft(t *testing.T) {
	err := left(Report{Findings: []Finding{{Rule: "aws", Where: "graph.db.v1", Field: rawField}}})
	if err == nil || strings.Contains(err.Error(), "session") || !strings.Contains(err.Error(), "aws in raw bytes, graph.db.v1") {
		t.Errorf("%v", err)
	}
}

// TestMarkFails: a marker that cannot be written leaves nothing.
func TestMarkFails(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, MarkerFile, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mark(home, Marker{}); err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Lstat(filepath.Join(home, MarkerFile+".new")); err == nil {
		t.Error("its beginning is left")
	}
}
