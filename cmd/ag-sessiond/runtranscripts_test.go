package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/transcript"
)

// TestFollowedTranscripts: what the configuration and the flags say together.
func TestFollowedTranscripts(t *testing.T) {
	t.Setenv("CLAUDE_CONFIG_DIR", "")
	all := actiongraph.PossibleTranscriptFolders()
	for _, c := range []struct {
		config, args string
		want         string // of followed.String, HOME for the home
	}{
		{"", "", "announced"},
		{"", "--no-transcripts", "none"},
		{"", "--transcripts", "announced, " + strings.Join(all, ", ")},
		{"", "--transcripts DIR/a DIR/b", "announced, DIR/a, DIR/b"},
		{`follow = []`, "", "none"},
		{`follow = []`, "--transcripts DIR/a", "DIR/a"},
		{`follow = ["all"]`, "", "announced, " + strings.Join(all, ", ")},
		{`follow = ["all"]`, "--no-transcripts", "none"},
		{`follow = ["all", "announced"]`, "--transcripts", "announced, " + strings.Join(all, ", ")},
		{`follow = ["sub/dir", "DIR/a"]`, "--transcripts DIR/a", "HOME/sub/dir, DIR/a"},
	} {
		home, dir := t.TempDir(), t.TempDir()
		for _, sub := range []string{"a", "b"} {
			if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if c.config != "" {
			writeConfig(t, home, "[transcripts]\n"+strings.ReplaceAll(c.config, "DIR", dir))
		}
		a := &app{home: home, env: os.Getenv}
		args := strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))
		trees := treesFlag{given: strings.Contains(c.args, "--transcripts"), dirs: args[min(1, len(args)):]}
		file, err := a.config()
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.transcripts(file, trees, strings.Contains(c.args, "--no-transcripts"))
		if err != nil || strings.NewReplacer(home, "HOME", dir, "DIR").Replace(got.String()) != c.want {
			t.Errorf("%s, run %s: %s (%v), want %s", c.config, c.args, got, err, c.want)
		}
	}
	home := t.TempDir()
	for _, c := range []struct{ args, want string }{
		{"--transcripts --no-transcripts", "give one of them"},
		{"/a", `unknown command "/a"`},
		{"--transcripts=" + filepath.Join(home, "none"), "none is no folder"},
		{"--transcripts " + filepath.Join(home, "none"), "none is no folder"},
	} {
		var errs bytes.Buffer
		args := append([]string{"run", "--home", home}, strings.Fields(c.args)...)
		if code := execute(t.Context(), args, &bytes.Buffer{}, &errs); code != exitUsage || !strings.Contains(errs.String(), c.want) {
			t.Errorf("run %s: exit code %d, %s", c.args, code, &errs)
		}
	}
	writeConfig(t, home, "[transcripts]\nfollow = [\"anounced\"]")
	var errs bytes.Buffer
	if code := execute(t.Context(), []string{"run", "--home", home}, &bytes.Buffer{}, &errs); code != exitUsage || !strings.Contains(errs.String(), `did you mean "`+config.Announced) {
		t.Errorf("exit code %d, %s", code, &errs)
	}
}

// TestRunReadsTranscripts: a line is in the store a moment after it was written, and status
// says what is followed and what is not known.
func TestRunReadsTranscripts(t *testing.T) {
	home, dir := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "projects")
	const session = "aaaaaaaa-0000-4000-8000-000000000001"
	path := filepath.Join(dir, "-repo", session+".jsonl")
	d := startDaemon(t, home, "--transcripts", dir)
	line := func(kind, uuid, message string) string {
		return fmt.Sprintf(`{"type":%q,"uuid":%q,"sessionId":%q,"timestamp":"2026-11-22T00:00:00.000Z","cwd":"/repo"%s}`+"\n", kind, uuid, session, message)
	}
	text := line("user", "u1", `,"message":{"role":"user","content":"hello"}`) +
		line("brand-new", "u2", "") + line("brand-new", "u3", "") + "not json\n" +
		line("assistant", "u4", `,"message":{"id":"msg_1","model":"m","role":"assistant","content":[{"type":"text","text":"good morning"}],"usage":{"input_tokens":1,"output_tokens":2},"stop_reason":"end_turn"}`)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var s statusReport
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var out bytes.Buffer
		execute(t.Context(), []string{"status", "--json", "--home", home}, &out, &bytes.Buffer{})
		s = statusReport{}
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		if s.Transcripts != nil && s.Transcripts.Lines == 5 && s.Store.LagBytes == 0 && s.Store.Actions > 0 {
			break
		}
	}
	if s.Transcripts == nil {
		t.Fatalf("status says nothing of transcripts: %+v", s)
	}
	h := *s.Transcripts
	if h.ReadAt.IsZero() || h.LastErrorAt.IsZero() || !strings.HasPrefix(h.LastError, path+":4: ") {
		t.Errorf("%+v", h)
	}
	want := transcript.Health{Files: 1, Lines: 5, Events: h.Events, Broken: 1, ReadAt: h.ReadAt, LastError: h.LastError, LastErrorAt: h.LastErrorAt,
		Unknown: map[string]int64{"brand-new": 2}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	execute(t.Context(), []string{"status", "--home", home}, &out, &bytes.Buffer{})
	for _, want := range []string{"\nfollows   1 transcript; nothing is behind\n", "\nread      5 lines, ", "\nbroken    1 line passed over\n", "\nunknown   brand-new × 2\n", " (over) " + path + ":4: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("status does not say %q:\n%s", want, &out)
		}
	}
	out.Reset()
	if code := execute(t.Context(), []string{"search", "morning", "--home", home}, &out, &bytes.Buffer{}); code != exitDone || !strings.Contains(out.String(), "good") {
		t.Errorf("search: exit code %d\n%s", code, &out)
	}
	if code := d.stop(); code != exitDone {
		t.Errorf("exit code %d\n%s", code, &d.log.b)
	}
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	before, err := j.Stat(session)
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	execute(t.Context(), []string{"import", "--home", home, dir}, &out, &out)
	if after, err := j.Stat(session); err != nil || after.Size != before.Size {
		t.Errorf("an import found more, %d bytes: %v\n%s", after.Size-before.Size, err, &out)
	}
}

// TestStatusSaysWhatImportsSkipped: what an import passed over is known after it, too.
func TestStatusSaysWhatImportsSkipped(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	const session = "aaaaaaaa-0000-4000-8000-000000000001"
	text := `{"type":"user","uuid":"u1","sessionId":"` + session + `","timestamp":"2026-01-01T00:00:00Z","message":{"role":"user","content":"hi"}}
{"type":"brand-new","sessionId":"` + session + `"}
not json
{"type":"brand-new","sessionId":"` + session + `"}
`
	if err := os.WriteFile(filepath.Join(dir, session+".jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		execute(t.Context(), []string{"import", "--home", home, dir}, &bytes.Buffer{}, &bytes.Buffer{})
	}
	var out bytes.Buffer
	execute(t.Context(), []string{"status", "--home", home}, &out, &bytes.Buffer{})
	if want := "\nskipped   in 1 transcript, by all imports and daemons: 1 broken line; lines of unknown types: brand-new × 2\n"; !strings.Contains(out.String(), want) {
		t.Errorf("status does not say %q:\n%s", want, &out)
	}
	out.Reset()
	execute(t.Context(), []string{"status", "--json", "--home", home}, &out, &bytes.Buffer{})
	var s statusReport
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&transcript.Skipped{Files: 1, Broken: 1, Unknown: map[string]int64{"brand-new": 2}}, s.Skipped); d != "" {
		t.Error(d)
	}
}
