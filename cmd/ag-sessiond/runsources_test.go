package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/source"
)

// TestSources: what the configuration and the flags of run say together.
func TestSources(t *testing.T) {
	home := t.TempDir()
	writeConfig(t, home, "[[source]]\npath = \"logs/*.jsonl\"\nformat = \"oms\"\nnamespace = \"n\"\nkeep_unknown = true\n[[source]]\npath = \"/dumps\"")
	a := &app{home: home, env: os.Getenv}
	c, err := a.config()
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.sources(c, []string{"/more", "/dumps", "/more"})
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Spec{
		{Path: filepath.Join(home, "logs/*.jsonl"), Options: source.Options{Format: jsonl.OMS, Namespace: "n", KeepUnknown: true}},
		{Path: "/dumps"}, {Path: "/more"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct{ config, args, want string }{
		{"", "--source -", "a pipe is not followed"},
		{"", "--source " + other(t), "is a home of actiongraph"},
		{"", "--source /l/[a", "a glob that nobody can read"},
		{"[[source]]\npath = \"" + other(t) + "\"", "", "is a home of actiongraph"},
		{"[[source]]\nformat = \"oms\"", "", "[[source]] number 1: path is missing"},
		{"[[source]]\npath = \"/l\"\nformat = \"audits\"", "", `did you mean "audit"?`},
	} {
		home := t.TempDir()
		if c.config != "" {
			writeConfig(t, home, c.config)
		}
		var errs bytes.Buffer
		args := append([]string{"run", "--home", home}, strings.Fields(c.args)...)
		if code := execute(t.Context(), args, &bytes.Buffer{}, &errs); code != exitUsage || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s, run %s: exit code %d, %s", c.config, c.args, code, &errs)
		}
	}
}

// other is another home.
func other(t *testing.T) string {
	dir := t.TempDir()
	for _, name := range []string{"id", "key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The configuration names formats without knowing who reads them.
func TestFormatsAreThoseOfTheAdapter(t *testing.T) {
	want := []string{config.Auto}
	for _, f := range jsonl.Formats() {
		want = append(want, string(f))
	}
	if diff := cmp.Diff(want, config.SourceFormats()); diff != "" {
		t.Error(diff)
	}
}

// TestRunReadsSources: a line is in the store a moment after it was written, and status says
// what is followed.
func TestRunReadsSources(t *testing.T) {
	home, dir := filepath.Join(t.TempDir(), "home"), t.TempDir()
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, home, "[[source]]\npath = \""+filepath.ToSlash(dir)+"/grains\"\nformat = \"oms\"\nnamespace = \"research\"\nkeep_unknown = true")
	d := startDaemon(t, home, "--no-api", "--source", filepath.Join(dir, "*.ndjson"))
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("grains/a.jsonl", `{"tool_name":"web_search"}`+"\n"+`{"grain_type":"goal","fields":{"text":"x"}}`+"\n"+`{"tool_name":7}`+"\n")
	write("events.ndjson", `{"event_type":"message","session_id":"s1","timestamp":"2026-03-01T10:00:00Z","role":"user","content":"good morning"}`+"\n")
	var s statusReport
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var out bytes.Buffer
		execute(t.Context(), []string{"status", "--json", "--home", home}, &out, &bytes.Buffer{})
		s = statusReport{}
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		if s.Sources != nil && s.Sources.Lines == 4 && s.Store.LagBytes == 0 && s.Store.Actions > 0 {
			break
		}
	}
	if s.Sources == nil {
		t.Fatalf("status says nothing of sources: %+v", s)
	}
	h := *s.Sources
	if h.ReadAt.IsZero() || h.LastErrorAt.IsZero() || !strings.Contains(h.LastError, "a.jsonl:3: ") {
		t.Errorf("%+v", h)
	}
	want := source.Health{Files: 2, Lines: 4, Events: 4, Broken: 1, ReadAt: h.ReadAt, LastError: h.LastError, LastErrorAt: h.LastErrorAt,
		Unknown: map[string]int64{"goal": 1}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	execute(t.Context(), []string{"status", "--home", home}, &out, &bytes.Buffer{})
	for _, want := range []string{"\nfollows   2 JSONL files; nothing is behind\n", "\nread      4 lines, 4 events", "\nbroken    1 line passed over\n",
		"\nunknown   goal × 1\n", "a.jsonl:3: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("status does not say %q:\n%s", want, &out)
		}
	}
	out.Reset()
	execute(t.Context(), []string{"actions", "ns-research", "--json", "--home", home}, &out, &bytes.Buffer{})
	if !strings.Contains(out.String(), `"web_search"`) || !strings.Contains(out.String(), `"unknown"`) {
		t.Errorf("%s", &out)
	}
	if code := d.stop(); code != exitDone {
		t.Errorf("exit code %d\n%s", code, &d.log.b)
	}
	if log := d.log.b.String(); !strings.Contains(log, `"sources":["`) {
		t.Errorf("the log does not say what is followed:\n%s", log)
	}
	out.Reset()
	if code := execute(t.Context(), []string{"import", "--home", home, dir}, &out, &out); code != exitDone || !strings.Contains(out.String(), "\n2 files unchanged\n") {
		t.Errorf("an import finds more: exit code %d\n%s", code, &out)
	}
}
