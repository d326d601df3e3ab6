package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/doctor"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// older are the homes that programs of earlier commits left, by make.sh: an archive a format.
func older(t *testing.T) (commits []string) {
	t.Helper()
	archives, err := filepath.Glob("testdata/older/*.tar.gz")
	if err != nil || len(archives) < 15 {
		t.Fatalf("%v, %v", archives, err)
	}
	for _, path := range archives {
		commits = append(commits, strings.TrimSuffix(filepath.Base(path), ".tar.gz"))
	}
	return commits
}

// unpackOlder unpacks one, and returns the folder with home, projects and logs. Positions in
// transcripts are of a path on a machine: those of make.sh become those of this test.
func unpackOlder(t *testing.T, commit string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	here, err := json.Marshal(dir) // as it is in JSON; on Windows its separators are escaped
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.NewReplacer("/tmp/older/", strings.Trim(string(here), `"`)+"/", "older-host", host)
	f, err := os.Open(filepath.Join("testdata/older", commit+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		head, err := r.Next()
		if err == io.EOF {
			return dir
		}
		if err == nil {
			err = unpackFile(filepath.Join(dir, filepath.FromSlash(head.Name)), head, r, moved)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func unpackFile(path string, head *tar.Header, r io.Reader, moved *strings.Replacer) error {
	if head.Typeflag == tar.TypeDir {
		return os.MkdirAll(path, 0o700)
	}
	text, err := io.ReadAll(r)
	if base := filepath.Base(path); strings.HasSuffix(base, ".jsonl") || base == "transcripts.index" {
		text = []byte(moved.Replace(string(text)))
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	return errors.Join(err, os.Chtimes(path, head.ModTime, head.ModTime))
}

// says runs a verb on a home and returns what it prints; its exit code is to be code.
func says(t *testing.T, code int, home string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := execute(t.Context(), append(args, "--home", home), &out, &errs); got != code {
		t.Fatalf("%s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// TestOlderHomes: what any earlier version left is taken over by the first verb that reads it, whole,
// and goes on where it was.
func TestOlderHomes(t *testing.T) {
	for _, commit := range older(t) {
		t.Run(commit, func(t *testing.T) {
			dir := unpackOlder(t, commit)
			t.Setenv("HOME", dir) // nobody's settings and processes
			home := filepath.Join(dir, "home")
			storeBefore := filepath.Join(home, sqlite.FileName)
			before := sessionsIn(t, storeBefore)
			fresh := foldAfresh(t, home)

			status, _ := says(t, exitDone, home, "status")
			if !strings.Contains(status, "an earlier version wrote it; the next reading verb makes it anew") {
				t.Errorf("status before:\n%s", status)
			}
			_, note := says(t, exitDone, home, "sessions")
			if strings.Count(note, "\n") != 1 || !strings.Contains(note, "making it anew from the journal, once") {
				t.Errorf("the first verb that reads says %q", note)
			}
			if _, note := says(t, exitDone, home, "sessions"); note != "" {
				t.Errorf("the second says %q", note)
			}
			if text, err := os.ReadFile(filepath.Join(home, "version")); err != nil || string(text) != "2\n" {
				t.Errorf("version: %q, %v", text, err)
			}
			if asides, err := sqlite.Asides(storeBefore); err != nil || len(asides) > 0 {
				t.Errorf("left aside: %+v, %v", asides, err)
			}
			sameGraphs(t, before, home, fresh)
			if out, _ := says(t, exitDone, home, "verify"); !strings.HasPrefix(out, "identical: ") {
				t.Errorf("verify: %s", out)
			}
			readOnce(t, dir, home)
			policyGoesOn(t, home)
			doctorIsContent(t, home)
		})
	}
}

// sessionsIn reads the sessions of a store of any layout, as it is.
func sessionsIn(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), sqlite.FileName)
	if err := os.WriteFile(copied+".v0", text, 0o600); err != nil {
		t.Fatal(err)
	}
	asides, err := sqlite.Asides(copied)
	if err != nil || len(asides) != 1 || asides[0].Err != nil || len(asides[0].Sessions) < 2 {
		t.Fatalf("%+v, %v", asides, err)
	}
	return asides[0].Sessions
}

// foldAfresh makes a home of the journal of another one and nothing else, and folds it.
func foldAfresh(t *testing.T, of string) (home string) {
	t.Helper()
	home = filepath.Join(t.TempDir(), "fresh")
	if err := os.CopyFS(journal.Dir(home), os.DirFS(journal.Dir(of))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "key"} {
		text, err := os.ReadFile(filepath.Join(of, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(home, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	says(t, exitDone, home, "sync")
	return home
}

// sameGraphs wants every session of before in home, and of each the graph that fresh has.
func sameGraphs(t *testing.T, before []string, home, fresh string) {
	t.Helper()
	stores := map[string]*sqlite.Store{home: nil, fresh: nil}
	for path := range stores {
		s, err := sqlite.Open(filepath.Join(path, sqlite.FileName), sqlite.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores[path] = s
	}
	rows, err := stores[home].Sessions(t.Context(), graph.SessionFilter{})
	if err != nil || len(rows) < len(before) {
		t.Fatalf("%d sessions, %v; the earlier store had %d", len(rows), err, len(before))
	}
	for _, id := range before {
		got, err := stores[home].Load(t.Context(), id)
		want, wantErr := stores[fresh].Load(t.Context(), id)
		if err != nil || wantErr != nil || len(got.Nodes()) < 5 {
			t.Fatalf("%s: %v, %v", id, err, wantErr)
		}
		if changes := graph.Diff(want, got); len(changes) > 0 {
			t.Errorf("%s: %d differences from a fresh fold, first %v", id, len(changes), changes[0])
		}
	}
}

// readOnce wants that nothing of what the earlier version had read is read again.
func readOnce(t *testing.T, dir, home string) {
	t.Helper()
	before := records(t, home)
	for folder, wantFiles := range map[string]int{"projects": 3, "logs": 1} {
		there := 0
		filepath.WalkDir(filepath.Join(dir, folder), func(path string, d fs.DirEntry, _ error) error {
			if strings.HasSuffix(path, ".jsonl") {
				there++
			}
			return nil
		})
		if there == 0 {
			continue // it could not read these yet
		}
		out, _ := says(t, exitDone, home, "import", filepath.Join(dir, folder), "--json")
		var report struct {
			Files, Lines, Events int
			JSONL                struct{ Files, Lines, Events int }
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		if there != wantFiles || report.Files+report.JSONL.Files != wantFiles ||
			report.Events+report.JSONL.Events+report.Lines+report.JSONL.Lines > 0 {
			t.Errorf("%s: %+v, want %d files and no line of them read again", folder, report, wantFiles)
		}
	}
	if after := records(t, home); !maps.Equal(before, after) {
		t.Errorf("the journal grew from %v to %v", before, after)
	}
}

// records counts the records of facts in each file of a journal.
func records(t *testing.T, home string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(journal.Dir(home), "*.jsonl"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	all := map[string]int{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = bytes.Count(text, []byte(`"event_type":"`)) - bytes.Count(text, []byte(`"event_type":"`+string(schema.SourcePosition)+`"`))
	}
	return all
}

// policyGoesOn wants the policy in force that an earlier version compiled, and what it left out
// left out and counted once.
func policyGoesOn(t *testing.T, home string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(home, "policy")); err != nil {
		return // there was none yet
	}
	state := func() policyStatus {
		out, _ := says(t, exitDone, home, "status", "--json")
		var s statusReport
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatal(err)
		}
		return s.Policy
	}
	before := state()
	if before.Stale || before.Problem != "" || len(before.ExcludeProjects) != 1 || len(before.ExcludeTools) != 1 || before.LeftOut.Sessions != 1 || before.LeftOut.Events < 10 {
		t.Errorf("%+v", before)
	}
	playHooks(t, home, "../../internal/e2e/testdata/captures/b_failures/hooks.jsonl")
	if after := state(); after.LeftOut.Sessions != 1 {
		t.Errorf("left out %+v, was %+v", after.LeftOut, before.LeftOut)
	}
	if journals, err := filepath.Glob(filepath.Join(journal.Dir(home), "*.jsonl")); err != nil || slices.ContainsFunc(journals, func(path string) bool {
		text, _ := os.ReadFile(path)
		return bytes.Contains(text, []byte("/home/dev/work/b_failures"))
	}) {
		t.Errorf("what is excluded was recorded: %v, %v", journals, err)
	}
}

// playHooks gives ag-hook what the hooks of a recorded session were given.
func playHooks(t *testing.T, home, capture string) {
	t.Helper()
	text, err := os.ReadFile(capture)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var hook struct{ Stdin string }
		if err := json.Unmarshal(line, &hook); err != nil {
			t.Fatal(err)
		}
		callHook(t, home, hook.Stdin)
	}
}

// doctorIsContent wants no complaint but that no hook is registered.
func doctorIsContent(t *testing.T, home string) {
	t.Helper()
	out, _ := says(t, exitFailed, home, "doctor", "--json")
	var report struct{ Checks []doctor.Check }
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Checks) < 15 {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range report.Checks {
		if slices.Contains([]string{"config", "policy", "home", "files", "journal", "store", "verify", "clock", "daemon", "ends"}, c.Name) && c.Status != doctor.OK {
			t.Errorf("%s: %s %s", c.Name, c.Status, c.Detail)
		}
	}
}

// TestOlderHomeInGo: so does the Go API.
func TestOlderHomeInGo(t *testing.T) {
	home := filepath.Join(unpackOlder(t, "c1465aa"), "home")
	before := sessionsIn(t, filepath.Join(home, sqlite.FileName))
	fresh := foldAfresh(t, home)
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reader(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	sameGraphs(t, before, home, fresh)
}

func callHook(t *testing.T, home, payload string) {
	t.Helper()
	cmd := exec.Command("ag-hook", "claude", "--home", home)
	cmd.Stdin = strings.NewReader(payload)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("ag-hook: %v %s", err, out)
	}
}
