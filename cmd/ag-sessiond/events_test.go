package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRemoveLeft: the copies of events that killed verbs left a day ago go, and nothing else does.
func TestRemoveLeft(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	old := now.Add(-25 * time.Hour)
	for name, at := range map[string]time.Time{borrowedPrefix + "1": old, borrowedPrefix + "2": now, "ag-hook-3": old} {
		home := filepath.Join(dir, name, "home")
		if err := os.MkdirAll(home, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Dir(home), at, at); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, borrowedPrefix+"file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	removeLeft(dir, now.Add(-24*time.Hour))
	for name, stays := range map[string]bool{borrowedPrefix + "1": false, borrowedPrefix + "2": true, "ag-hook-3": true, borrowedPrefix + "file": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
			t.Errorf("%s: %v; want it there: %v", name, err, stays)
		}
	}
}
