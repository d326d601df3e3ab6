package transcript

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	uuidA = "aaaaaaaa-0000-4000-8000-000000000001"
	uuidB = "bbbbbbbb-0000-4000-8000-000000000002"
)

// write makes a file with its folders.
func write(t testing.TB, text string, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// realDir is a temporary folder by its real path.
func realDir(t testing.TB) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip("no links here: ", err)
	}
}

// found says what Find found, one line a file, relative to a folder.
func found(dir string, files []File) (out []string) {
	for _, f := range files {
		rel, _ := filepath.Rel(dir, f.Path)
		out = append(out, strings.TrimSpace(filepath.ToSlash(rel)+" "+f.Session+" "+f.Agent))
	}
	slices.Sort(out)
	return out
}

func TestFind(t *testing.T) {
	dir := realDir(t)
	for _, name := range []string{
		"p/" + uuidA + ".jsonl",
		"p/" + uuidA + "/subagents/agent-a1.jsonl",
		"p/" + uuidA + "/subagents/agent-a1.meta.json",
		"p/" + uuidA + "/subagents/workflows/run1/agent-a2.jsonl",
		"p/" + uuidA + "/subagents/workflows/run1/journal.jsonl",
		"p/" + uuidA + "/tool-results/out.txt",
		"p/agent-0ld.jsonl",
		"p/deep/er/" + uuidB + ".jsonl",
		"p/sessions-index.json",
		"p/" + uuidB + ".jsonl.bak",
		"p/subagents/agent-a3.jsonl",
		"home/id", "home/key", "home/journal/" + uuidA + ".jsonl",
	} {
		write(t, "{}\n", dir, filepath.FromSlash(name))
	}
	files, problems := Find(context.Background(), []string{dir, filepath.Join(dir, "p"), filepath.Join(dir, "p", uuidA+".jsonl")})
	want := []string{
		"p/" + uuidA + ".jsonl " + uuidA,
		"p/" + uuidA + "/subagents/agent-a1.jsonl " + uuidA + " a1",
		"p/" + uuidA + "/subagents/workflows/run1/agent-a2.jsonl " + uuidA + " a2",
		"p/" + uuidA + "/subagents/workflows/run1/journal.jsonl",
		"p/agent-0ld.jsonl  0ld",
		"p/deep/er/" + uuidB + ".jsonl " + uuidB,
		"p/subagents/agent-a3.jsonl  a3",
	}
	if d := cmp.Diff(want, found(dir, files)); d != "" || len(problems) > 0 {
		t.Errorf("%s\nproblems: %v", d, problems)
	}
}

// TestFindLinks: links are followed, each file is found once and by its real path, and
// a circle is a problem and no end of the search.
func TestFindLinks(t *testing.T) {
	dir := realDir(t)
	write(t, "{}\n", dir, "real", uuidA+".jsonl")
	write(t, "{}\n", dir, "elsewhere", uuidB+".jsonl")
	link(t, filepath.Join(dir, "real"), filepath.Join(dir, "again"))
	link(t, dir, filepath.Join(dir, "real", "circle"))
	link(t, filepath.Join(dir, "elsewhere", uuidB+".jsonl"), filepath.Join(dir, "real", "link.jsonl"))
	link(t, filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling"))
	link(t, filepath.Join(dir, "self"), filepath.Join(dir, "self"))
	files, problems := Find(context.Background(), []string{dir})
	want := []string{"elsewhere/" + uuidB + ".jsonl " + uuidB, "real/" + uuidA + ".jsonl " + uuidA}
	if d := cmp.Diff(want, found(dir, files)); d != "" {
		t.Error(d)
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	if len(problems) != 2 || !strings.Contains(strings.Join(texts, "\n"), "the link leads back to "+dir) {
		t.Errorf("problems: %q", texts)
	}
}

func TestIdentify(t *testing.T) {
	dir := realDir(t)
	for name, c := range map[string]struct{ text, want string }{
		"named.jsonl":   {"\n{\"type\":\"summary\"}\nbroken\n{\"sessionId\":\"s1\",\"type\":\"user\"}\n", "s1"},
		"strange.jsonl": {`{"sessionId":"../x","type":"user"}` + "\n", "h-"},
		"other.jsonl":   {`{"text":"\"sessionId\":\"s1\""}` + "\n", ""},
		"number.jsonl":  {`{"sessionId":1}` + "\n", ""},
		"empty.jsonl":   {"", ""},
	} {
		got, err := identify(write(t, c.text, dir, name))
		if err != nil || !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q: %v", name, got, c.want, err)
		}
	}
}
