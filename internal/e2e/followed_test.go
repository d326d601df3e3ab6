package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// growing is a session file that is written bit by bit.
type growing struct {
	path string
	rest []byte
}

// files takes the session files below a directory away, to be written again.
func files(t *testing.T, projects string) (all []*growing) {
	t.Helper()
	err := filepath.WalkDir(projects, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all = append(all, &growing{path, data})
		return os.Remove(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// write appends the first n bytes of what is not written yet.
func (g *growing) write(t *testing.T, n int) {
	t.Helper()
	if n = min(n, len(g.rest)); n == 0 {
		return
	}
	if err := os.MkdirAll(filepath.Dir(g.path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(g.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(g.rest[:n]); err != nil {
		t.Fatal(err)
	}
	f.Close()
	g.rest = g.rest[n:]
}

// until is how many bytes were written by then, by the lines' own times.
func (g *growing) until(at time.Time) (n int) {
	size := 0
	for line := range bytes.Lines(g.rest) {
		size += len(line)
		if said, err := time.Parse(time.RFC3339, schema.FieldString(line, "timestamp")); err == nil && said.Before(at) {
			n = size
		}
	}
	return n
}

// following is ag-sessiond run, as a process that can be killed.
func following(t *testing.T, sessiond, home string, args ...string) (stop func(os.Signal)) {
	t.Helper()
	cmd := exec.Command(sessiond, append([]string{"run", "--home", home}, args...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func(s os.Signal) {
		cmd.Process.Signal(s)
		if err := cmd.Wait(); err != nil && s != os.Kill {
			t.Errorf("run: %v\n%s", err, &log)
		}
	}
}

// awaitRead waits until a home's journal says that files were read to their ends.
func awaitRead(t *testing.T, home string, all []*growing) {
	t.Helper()
	var missing string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var text []byte
		journals, _ := filepath.Glob(filepath.Join(home, "journal", "*.jsonl"))
		for _, j := range journals {
			b, err := os.ReadFile(j)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, b...)
		}
		missing = ""
		for _, g := range all {
			info, err := os.Stat(g.path)
			if err != nil {
				t.Fatal(err)
			}
			if said := fmt.Sprintf(`"source":%q,"offset":%d,`, g.path, info.Size()); !bytes.Contains(text, []byte(said)) {
				missing = said
			}
		}
		if missing == "" {
			return
		}
	}
	t.Fatalf("after 30 s no journal says %s", missing)
}

// TestFollowed plays every scenario's hooks while its session files grow as they did, and
// are cut anywhere, under a daemon that is killed now and then. The graph is the one that
// hooks and an import give, and an import afterwards finds nothing.
func TestFollowed(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	for n, dir := range scenarios(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(n), 7))
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			calls := recorded(t, dir)
			for i := range calls {
				calls[i].Stdin = strings.ReplaceAll(calls[i].Stdin, "/home/dev/", root+"/")
			}
			projects := put(t, dir, root, calls)
			if projects == "" {
				return
			}
			imported, followed := home(t), home(t)
			play(t, hook, imported, calls, now)
			importInto(t, sessiond, imported, projects)
			want := folded(t, imported)

			all := files(t, projects) // the agents' records stay, as hooks read them
			args := []string{}
			if !announcesAll(calls, all) {
				args = []string{"--transcripts", filepath.Dir(projects)}
			}
			stop := following(t, sessiond, followed, args...)
			for i := range calls {
				for _, g := range all {
					whole := g.until(time.Unix(0, calls[i].RecvNS))
					g.write(t, whole)
					if whole > 0 && !bytes.Contains(g.rest, []byte(`"requestSessionId"`)) {
						g.write(t, r.IntN(400))
					}
				}
				play(t, hook, followed, calls[i:i+1], now)
				if r.IntN(12) == 0 {
					stop(os.Kill)
					stop = following(t, sessiond, followed, args...)
				}
			}
			for _, g := range all {
				g.write(t, len(g.rest))
			}
			awaitRead(t, followed, all)
			stop(syscall.SIGINT)
			same(t, "followed", want, folded(t, followed))
			run(t, sessiond, followed, "verify")
			before := journalBytes(t, followed)
			importInto(t, sessiond, followed, projects)
			if after := journalBytes(t, followed); after != before {
				t.Errorf("the import appended %d bytes", after-before)
			}
		})
	}
}

// announcesAll reports whether hooks name the transcript of each session.
func announcesAll(calls []call, all []*growing) bool {
	named := map[string]bool{}
	for _, c := range calls {
		named[schema.FieldString([]byte(c.Stdin), "transcript_path")] = true
	}
	for _, g := range all {
		if !named[g.path] && !strings.Contains(g.path, "subagents") {
			return false
		}
	}
	return true
}

func journalBytes(t *testing.T, home string) (n int64) {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(home, "journal", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range journals {
		info, err := os.Stat(j)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}
