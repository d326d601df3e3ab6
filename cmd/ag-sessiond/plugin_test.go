package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/settings"
)

// TestPlugin holds the plugin's hooks to what install registers: the same events, no more. It
// finds ag-hook in PATH, for a plugin has one text for every system and the program is one
// for each.
func TestPlugin(t *testing.T) {
	path := filepath.Join("..", "..", "plugin", "hooks", "hooks.json")
	want, err := settings.Install(nil, settings.Recorder{Binary: "ag-hook", Args: []string{"claude"}, Events: claudeEvents()})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not what install would write: run go test -run TestPlugin -update", path)
	}
}
