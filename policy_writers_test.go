package actiongraph_test

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/source"
)

// The same session in the words of each door: a prompt, a call of a tool, its result, in a
// folder. It says NEEDLE-1 in the prompt, ACME-12345678 in the input, NEEDLE-2 in the result.
const (
	writerSession = "dddddddd-0000-4000-8000-000000000004"
	asHook        = `{"session_id":"SESSION","cwd":"CWD","hook_event_name":"SessionStart","source":"startup"}
{"session_id":"SESSION","cwd":"CWD","hook_event_name":"UserPromptSubmit","prompt":"NEEDLE-1 LONG"}
{"session_id":"SESSION","cwd":"CWD","hook_event_name":"PreToolUse","tool_name":"Bash","tool_use_id":"toolu_1","tool_input":{"command":"echo ACME-12345678 LONG"}}
{"session_id":"SESSION","cwd":"CWD","hook_event_name":"PostToolUse","tool_name":"Bash","tool_use_id":"toolu_1","tool_input":{"command":"echo ACME-12345678 LONG"},"tool_response":{"stdout":"NEEDLE-2 LONG"}}
{"session_id":"SESSION","cwd":"CWD","hook_event_name":"PostToolBatch","tool_calls":[{"tool_name":"Bash","tool_use_id":"toolu_1","tool_input":{"command":"echo ACME-12345678"},"tool_response":"NEEDLE-2 LONG"}]}
{"session_id":"SESSION","cwd":"/elsewhere","hook_event_name":"Stop","last_assistant_message":"NEEDLE-1 is done"}
`
	asEvents = `{"event_type":"session_start","session_id":"SESSION","working_directory":"CWD","timestamp":"2026-01-01T00:00:00Z"}
{"event_type":"message","role":"user","session_id":"SESSION","working_directory":"CWD","content":"NEEDLE-1 LONG","timestamp":"2026-01-01T00:00:01Z"}
{"event_type":"tool_start","session_id":"SESSION","working_directory":"CWD","tool_name":"Bash","tool_use_id":"toolu_1","tool_input":{"command":"echo ACME-12345678 LONG"},"timestamp":"2026-01-01T00:00:02Z"}
{"event_type":"tool_end","session_id":"SESSION","working_directory":"CWD","tool_name":"Bash","tool_use_id":"toolu_1","result":"NEEDLE-2 LONG","timestamp":"2026-01-01T00:00:03Z"}
{"event_type":"turn_end","session_id":"SESSION","content":"NEEDLE-1 is done","timestamp":"2026-01-01T00:00:04Z"}
`
	asTranscript = `{"type":"summary","summary":"NEEDLE-1 in short","leafUuid":"u2"}
{"type":"user","uuid":"u1","parentUuid":null,"sessionId":"SESSION","timestamp":"2026-01-01T00:00:00.000Z","cwd":"CWD","version":"2.0.0","message":{"role":"user","content":"NEEDLE-1 LONG"}}
{"type":"assistant","uuid":"u2","parentUuid":"u1","sessionId":"SESSION","timestamp":"2026-01-01T00:00:01.000Z","cwd":"CWD","version":"2.0.0","message":{"id":"msg_1","role":"assistant","model":"m","content":[{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"echo ACME-12345678 LONG"}}],"usage":{"input_tokens":3,"output_tokens":4}}}
{"type":"user","uuid":"u3","parentUuid":"u2","sessionId":"SESSION","timestamp":"2026-01-01T00:00:02.000Z","cwd":"CWD","version":"2.0.0","toolUseResult":{"stdout":"NEEDLE-2 LONG"},"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"NEEDLE-2 LONG"}]}}
`
)

func inWords(text, cwd string) string {
	return strings.NewReplacer("SESSION", writerSession, "CWD", cwd, "LONG", strings.Repeat("loooong ", 100)).Replace(text)
}

// writers are the doors into a home.
func writers(t *testing.T) map[string]func(t *testing.T, home, cwd string) {
	hook := filepath.Join(t.TempDir(), "ag-hook")
	if runtime.GOOS == "windows" {
		hook += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", hook, "./cmd/ag-hook").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(t *testing.T, stdin string, env []string, args ...string) {
		cmd := exec.Command(hook, args...)
		cmd.Stdin, cmd.Env = strings.NewReader(stdin), append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v, printed %q", err, out)
		}
	}
	open := func(t *testing.T, home string) *actiongraph.Home {
		h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
		t.Cleanup(func() { h.Close() })
		return h
	}
	file := func(t *testing.T, name, text string) string {
		dir := filepath.Join(t.TempDir(), "p")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	// follow runs a follower until it has read so many lines.
	follow := func(t *testing.T, home string, f connector.Follower, lines func() int64, want int64) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			connector.Follow(ctx, must(journal.Open(home))(t), zerolog.Nop(), f)
			close(ended)
		}()
		for deadline := time.Now().Add(20 * time.Second); lines() < want; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d lines were read, want %d", lines(), want)
			}
		}
		stop()
		<-ended
	}
	return map[string]func(t *testing.T, home, cwd string){
		"hook": func(t *testing.T, home, cwd string) {
			for payload := range strings.Lines(inWords(asHook, cwd)) {
				run(t, payload, []string{"CLAUDE_PROJECT_DIR="}, "claude", "--home", home)
			}
		},
		"hook events": func(t *testing.T, home, cwd string) { run(t, inWords(asEvents, cwd), nil, "events", "--home", home) },
		"Go API": func(t *testing.T, home, cwd string) {
			r := open(t, home).Recorder("test")
			long := strings.Repeat("loooong ", 100)
			_, err := r.RecordSessionStart(actiongraph.Session{SessionID: writerSession, WorkingDirectory: cwd})
			must(0, err)(t)
			_, err = r.RecordMessage(actiongraph.Message{SessionID: writerSession, Role: "user", Content: "NEEDLE-1 " + long})
			must(0, err)(t)
			_, err = r.RecordToolCall(actiongraph.ToolCall{SessionID: writerSession, ToolName: "Bash", ToolUseID: "toolu_1", ToolInput: map[string]any{"command": "echo ACME-12345678 " + long}})
			must(0, err)(t)
			_, err = r.RecordToolResult(actiongraph.ToolResult{SessionID: writerSession, ToolName: "Bash", ToolUseID: "toolu_1", Content: "NEEDLE-2 " + long})
			must(0, err)(t)
		},
		"HTTP": func(t *testing.T, home, cwd string) {
			s := &api.Server{Store: open(t, home), Log: zerolog.Nop()}
			r := httptest.NewRequest("POST", "http://localhost/v1/events", strings.NewReader(inWords(asEvents, cwd)))
			r.Header.Set("Content-Type", "application/x-ndjson")
			w := httptest.NewRecorder()
			s.Handler("").ServeHTTP(w, r)
			if w.Code != http.StatusOK && w.Code != http.StatusCreated {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		},
		"import JSONL": func(t *testing.T, home, cwd string) {
			dir := file(t, "a.jsonl", inWords(asEvents, cwd))
			must(open(t, home).ImportJSONL(t.Context(), []string{dir}, nil, actiongraph.JSONLOptions{}, nil))(t)
		},
		"tail JSONL": func(t *testing.T, home, cwd string) {
			f := actiongraph.SourceFollower(must(journal.Open(home))(t), source.Spec{Path: file(t, "a.jsonl", inWords(asEvents, cwd))})
			follow(t, home, f, func() int64 { return f.Health().Lines }, 5)
		},
		"import transcripts": func(t *testing.T, home, cwd string) {
			dir := file(t, writerSession+".jsonl", inWords(asTranscript, cwd))
			must(open(t, home).ImportTranscripts(t.Context(), []string{dir}, actiongraph.TranscriptOptions{}, nil))(t)
		},
		"follow transcripts": func(t *testing.T, home, cwd string) {
			f := actiongraph.TranscriptFollower(must(journal.Open(home))(t))
			f.Trees = []string{file(t, writerSession+".jsonl", inWords(asTranscript, cwd))}
			follow(t, home, f, func() int64 { return f.Health().Lines }, 4)
		},
		"import of another home": func(t *testing.T, home, cwd string) {
			other := filepath.Join(t.TempDir(), "other")
			run(t, inWords(asEvents, cwd), nil, "events", "--home", other)
			must(open(t, home).Import(t.Context(), other, nil))(t)
		},
	}
}

// inJournals returns what the files of the home's journal hold, and how many there are.
func inJournals(t *testing.T, home string) (text string, files int) {
	t.Helper()
	for _, f := range must(must(journal.Open(home))(t).Files())(t) {
		text += string(must(os.ReadFile(filepath.Join(journal.Dir(home), f.Session+journal.Suffix)))(t))
		files++
	}
	return text, files
}

// TestEveryWriterKeepsThePolicy: each key, through each door.
func TestEveryWriterKeepsThePolicy(t *testing.T) {
	for name, write := range writers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const cwd = "/work/secret/deep"
			for _, c := range []struct{ toml, has, hasNot string }{
				{"", "NEEDLE-1 NEEDLE-2 ACME-12345678", "[left [cut: [REDACTED:"},
				{toolsLeftOut, "NEEDLE-1 toolu_1 Bash [left", "NEEDLE-2 ACME-"},
				{"[capture]\nexclude_tools = [\"Read\"]\n", "NEEDLE-1 NEEDLE-2 ACME-12345678", "[left"},
				{nothingKept, "toolu_1 Bash [left", "NEEDLE ACME oooo"},
				{gistKept, "NEEDLE-1 NEEDLE-2 ACME-12345678 [cut:", strings.Repeat("ong_looo", 30)},
				{shortKept, "NEEDLE-1 NEEDLE-2 ACME-12345678 [cut:", ""},
				{"[redact]\npatterns = [\"ACME-[0-9]{8}\", \"(?P<needle>NEEDLE)-2\"]\n", "NEEDLE-1 [REDACTED:custom-1] [REDACTED:needle]-2", "ACME NEEDLE-2"},
			} {
				home := homeWith(t, c.toml)
				write(t, home, cwd)
				text, _ := inJournals(t, home)
				for _, want := range strings.Fields(c.has) {
					if !strings.Contains(text, want) {
						t.Errorf("%s: no %s in %s", c.toml, want, text)
					}
				}
				for _, not := range strings.Fields(c.hasNot) {
					if strings.Contains(strings.ReplaceAll(text, " ", "_"), not) {
						t.Errorf("%s: %s in %s", c.toml, not, text)
					}
				}
			}
			for _, folder := range []string{"/work/secret", "/work/secret/**", "**/secret", "/work/s*"} {
				home := homeWith(t, "[capture]\nexclude_projects = [\""+folder+"\"]\n")
				write(t, home, cwd)
				if text, files := inJournals(t, home); files > 0 {
					t.Errorf("%s: recorded %s", folder, text)
				}
				filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						if data := must(os.ReadFile(path))(t); bytes.Contains(data, []byte("NEEDLE")) || bytes.Contains(data, []byte(writerSession)) {
							t.Errorf("%s: %s holds something of it", folder, path)
						}
					}
					return nil
				})
				if n := must(journal.ReadLeftOut(home))(t); n.Sessions != 1 || n.Parts != 0 || n.Events < 3 {
					t.Errorf("%s: counted %+v", folder, n)
				}
			}
			home := homeWith(t, "[capture]\nexclude_projects = [\"/work/secrets\", \"/other\"]\n")
			write(t, home, cwd)
			if text, _ := inJournals(t, home); !strings.Contains(text, "NEEDLE-1") {
				t.Error("a session elsewhere is not recorded")
			}
		})
	}
}

// TestOnlyTheJournalMakesRedactors: a writer with another one would not know the policy.
func TestOnlyTheJournalMakesRedactors(t *testing.T) {
	may := map[string]bool{
		"journal/leftout.go": true, "cmd/ag-sessiond/policy.go": true, // the latter for what is printed
		"import_jsonl.go": true, "import_transcripts.go": true, // dry runs, which have no home
		"secrets/rules.go":                  true, // which looks at what is recorded
		"eventstore/storetest/storetest.go": true, // which makes what stores are given
	}
	filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal") {
			return nil
		}
		if strings.Contains(string(must(os.ReadFile(path))(t)), "redact.New(") && !may[filepath.ToSlash(path)] {
			t.Errorf("%s makes a Redactor of its own: journal.Journal.Redactor knows the policy", path)
		}
		return nil
	})
}
