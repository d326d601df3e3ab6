package actiongraph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/graph"
)

const sessionLine = `{"type":"user","uuid":"u1","parentUuid":null,"sessionId":"cccccccc-0000-4000-8000-000000000003","timestamp":"2026-01-01T00:00:00.000Z","cwd":"/w","version":"2.0.0","message":{"role":"user","content":"the needle in the transcript"}}` + "\n"

// TestImportTranscripts: what the verb does a Go caller can do.
func TestImportTranscripts(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), ".claude", "projects", "p")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cccccccc-0000-4000-8000-000000000003.jsonl")
	if err := os.WriteFile(path, []byte(sessionLine), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", filepath.Join(dir, "..", "..", ".."))
	t.Setenv("USERPROFILE", os.Getenv("HOME"))
	t.Setenv("CLAUDE_CONFIG_DIR", "")
	if folders := actiongraph.TranscriptFolders(); !slices.Equal(folders, []string{filepath.Join(os.Getenv("HOME"), ".claude", "projects")}) {
		t.Errorf("folders: %v", folders)
	}
	counted := must(actiongraph.CountTranscripts(ctx, nil, actiongraph.TranscriptOptions{}, nil))(t)
	home := must(actiongraph.Open(filepath.Join(t.TempDir(), "home"), actiongraph.Options{}))(t)
	defer home.Close()
	report := must(home.ImportTranscripts(ctx, nil, actiongraph.TranscriptOptions{}, nil))(t)
	if report.Read != 1 || report.Events == 0 || report.Events != counted.Events {
		t.Errorf("read %+v, counted %+v", report, counted)
	}
	reader := must(home.Reader(ctx))(t)
	if hits := must(reader.Search(ctx, graph.SearchQuery{Words: "needle"}))(t); len(hits) != 1 {
		t.Errorf("%d hits", len(hits))
	}
	again := must(home.ImportTranscripts(ctx, []string{dir}, actiongraph.TranscriptOptions{}, nil))(t)
	if again.Lines != 0 || again.Unchanged != 1 {
		t.Errorf("again: %+v", again)
	}
	late := actiongraph.TranscriptOptions{Since: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	if older := must(actiongraph.CountTranscripts(ctx, nil, late, nil))(t); older.Older != 1 {
		t.Errorf("since: %+v", older)
	}
	if _, err := home.ImportTranscripts(ctx, []string{dir + ".missing"}, actiongraph.TranscriptOptions{}, nil); !errors.Is(err, actiongraph.ErrPartial) {
		t.Errorf("of what is not there: %v", err)
	}
}
