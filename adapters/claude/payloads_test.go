package claude_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

var (
	update   = flag.Bool("update", false, "write the goldens")
	captures = flag.String("captures", "testdata", "folder of payloads: *.json, or hooks.jsonl of lines with a stdin")
)

// hooks are the 33 hook events of Claude Code 2.1.330.
func hooks() []string {
	return []string{
		"PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification", "UserPromptSubmit",
		"UserPromptExpansion", "SessionStart", "SessionEnd", "Stop", "StopFailure", "SubagentStart", "SubagentStop",
		"PreCompact", "PostCompact", "PreModelSwitch", "PostModelSwitch", "PermissionRequest", "PermissionDenied",
		"Setup", "TeammateIdle", "TaskCreated", "TaskCompleted", "Elicitation", "ElicitationResult", "ConfigChange",
		"WorktreeCreate", "WorktreeRemove", "InstructionsLoaded", "CwdChanged", "FileChanged", "DirectoryAdded",
		"MessageDisplay",
	}
}

func now() time.Time { return time.Unix(1795301459, 852438717) }

// env is what a recorder observes around payload; nothing of it depends on the
// machine the test runs on.
func env(payload []byte) claude.Env {
	e := claude.Env{
		Now: now(), Host: "devbox", User: "dev",
		GitBranch: "main", GitCommit: "7963f36d0c1b0a9c5a1f0f1e7a3a4f5b6c7d8e9f", RepoRoot: "/home/dev/repo",
		HashKey: []byte("0123456789abcdef"),
	}
	if claude.AgentMetaPath(payload) != "" {
		e.AgentMeta = []byte(`{"agentType":"Explore","toolUseId":"toolu_meta","spawnDepth":1}`)
	}
	return e
}

type recorded struct {
	name string // file, and line in it
	data []byte
}

// payloads reads the folder that -captures names: committed real payloads, one of
// every shape of every hook event, or all there are.
func payloads(t testing.TB) (list []recorded) {
	t.Helper()
	err := filepath.WalkDir(*captures, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "transcripts":
			return filepath.SkipDir
		case filepath.Base(path) == "hooks.jsonl":
			return stdins(path, &list)
		case filepath.Ext(path) == ".json" && *captures == "testdata":
			data, err := os.ReadFile(path)
			list = append(list, recorded{path, data})
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Fatalf("only %d payloads in %s", len(list), *captures)
	}
	return list
}

func stdins(path string, list *[]recorded) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		var call struct{ Stdin *string }
		if json.Unmarshal(line, &call) == nil && call.Stdin != nil {
			*list = append(*list, recorded{path, []byte(*call.Stdin)})
		}
		if err != nil {
			return nil
		}
	}
}

func TestPayloadsCoverEveryHook(t *testing.T) {
	if *captures != "testdata" {
		return // a chosen folder holds what it holds
	}
	seen := map[string]bool{}
	for _, p := range payloads(t) {
		if !strings.Contains(p.name, "foreign") {
			seen[schema.FieldString(p.data, "hook_event_name")] = true
		}
	}
	for _, hook := range hooks() {
		if !seen[hook] {
			t.Errorf("no real payload of %s", hook)
		}
		delete(seen, hook)
	}
	for hook := range seen {
		t.Errorf("a payload of %s, which is none of the %d", hook, len(hooks()))
	}
}

func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	foreign, _ := filepath.Glob("testdata/foreign/*.json")
	for _, file := range append(files, foreign...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, e := range claude.Events(data, env(data)) {
			got = append(e.AppendJSON(got), '\n')
		}
		golden := strings.TrimSuffix(file, ".json") + ".golden.jsonl"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s (-update writes it):\n got %s\nwant %s", golden, got, want)
		}
	}
}

// TestDocTableNamesEveryHook keeps the table of the package comment complete.
func TestDocTableNamesEveryHook(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(doc)) {
		if f := strings.Fields(strings.TrimPrefix(line, "//")); len(f) >= 2 && strings.HasPrefix(line, "//\t") {
			rows[f[0]] = strings.TrimSuffix(f[1], ",")
		}
	}
	for _, hook := range hooks() {
		data, err := os.ReadFile(filepath.Join("testdata", hook+".json"))
		if err != nil {
			matches, _ := filepath.Glob(filepath.Join("testdata", hook+"-*.json"))
			if len(matches) == 0 {
				t.Fatal(err)
			}
			if data, err = os.ReadFile(matches[0]); err != nil {
				t.Fatal(err)
			}
		}
		if got := string(claude.Events(data, env(data))[0].EventType); rows[hook] != got {
			t.Errorf("%s: the table says %q, the event is a %s", hook, rows[hook], got)
		}
	}
}
