//go:build unix

package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
)

// victimEnv makes this test binary one that imports or follows a folder: its value is which,
// the home and the folder.
const victimEnv = "SOURCE_TEST_VICTIM"

func TestMain(m *testing.M) {
	if args := strings.Split(os.Getenv(victimEnv), "\n"); len(args) == 3 {
		victim(args[0], args[1], args[2])
		return
	}
	os.Exit(m.Run())
}

func victim(verb, home, dir string) {
	j, err := journal.Open(home)
	if err == nil {
		r := &Reader{Journal: j, Redactor: redact.New(redact.Options{}), Host: "host", User: "user"}
		if verb == "follow" {
			f := &Follower{Reader: r, Specs: []Spec{{Path: dir}}, Log: zerolog.Nop(), quick: true}
			f.tail = tail.Tree{Poll: 5 * time.Millisecond, Settle: time.Millisecond}
			f.Run(context.Background(), nil)
		}
		_, err = r.Import(context.Background(), []string{dir}, nil, Options{}, nil)
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// kill starts a victim and kills it after a while, if it is not done by then.
func kill(t *testing.T, verb, home, dir string, after time.Duration) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), victimEnv+"="+verb+"\n"+home+"\n"+dir)
	out := &strings.Builder{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	timer.Stop()
	if out.Len() > 0 && !strings.Contains(out.String(), "no such file") { // renamed while it was about to be read: that is said
		t.Errorf("the victim says %s", out)
	}
}

// TestKilled SIGKILLs who imports, and who follows, at random moments, while the files
// grow and are rotated: nothing is missing, and what is there twice is one fact.
func TestKilled(t *testing.T) {
	kills := 30
	if os.Getenv("AG_SOAK") != "" {
		kills = 300
	}
	for _, verb := range []string{"follow", "import"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			dir := realDir(t)
			home, in := filepath.Join(dir, "home"), filepath.Join(dir, "in")
			r := newReader(t, home)
			live := filepath.Join(in, "app.jsonl")
			n, stop := 0, make(chan struct{})
			dumped := write(t, "", in, "trace-1.jsonl")
			text := manyDumps(t, 200<<10)
			written := make(chan struct{})
			go func() {
				defer close(written)
				for i := 0; ; i++ {
					select {
					case <-stop:
						appendTo(t, dumped, text)
						return
					default:
					}
					appendTo(t, live, events(n, 20))
					n += 20
					piece := min(len(text), 700)
					appendTo(t, dumped, text[:piece])
					text = text[piece:]
					if i%100 == 99 {
						rename(t, live, i)
					}
					time.Sleep(2 * time.Millisecond)
				}
			}()
			for range kills {
				kill(t, verb, home, in, 20*time.Millisecond+time.Duration(rand.Int64N(int64(100*time.Millisecond))))
			}
			close(stop)
			<-written
			clean(t, r, Options{}, in)
			got := facts(t, r.Journal)
			want := oracleOf(t, r, dumped)
			for line := range got {
				if strings.Contains(line, `"session_id":"s`) {
					delete(got, line)
					n--
				}
			}
			if n != 0 {
				t.Errorf("%d lines of the log are missing", n)
			}
			lossless(t, want, got)
		})
	}
}

// oracleOf is what a dump says, whose session's name was found when it began.
func oracleOf(t testing.TB, r *Reader, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fresh := newReader(t, filepath.Join(t.TempDir(), "home"))
	key, err := os.ReadFile(filepath.Join(r.Journal.Home(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, string(key), fresh.Journal.Home(), "key")
	fresh = newReader(t, fresh.Journal.Home())
	if report := clean(t, fresh, Options{}, path); report.Bytes != int64(len(text)) {
		t.Fatalf("%+v", report)
	}
	return facts(t, fresh.Journal)
}

// TestKilledThenRotated: a file that was killed over while it grew, and was rotated, copied
// or renamed before anybody followed it again, is read to its end.
func TestKilledThenRotated(t *testing.T) {
	for name, rotate := range map[string]rotation{"rename": rename, "copytruncate": copyTruncate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := realDir(t)
			home, live := filepath.Join(dir, "home"), filepath.Join(dir, "in", "app.jsonl")
			newReader(t, home)
			write(t, events(5000, 10), live+".7") // of long ago: nobody asked for it
			old(t, live+".7")
			appendTo(t, live, events(0, 5))
			n, done := 5, make(chan struct{})
			go func() {
				defer close(done)
				for range 100 {
					appendTo(t, live, events(n, 3)) // it is never quiet
					n += 3
					time.Sleep(4 * time.Millisecond)
				}
			}()
			kill(t, "follow", home, live, 300*time.Millisecond)
			<-done
			rotate(t, live, 1)
			appendTo(t, live, events(n, 10))
			f := start(t, newReader(t, home), Spec{Path: live})
			f.awaitFacts(n + 10)
			f.stop()
		})
	}
}

// TestKilledOverDocument: a document that grows while who follows it is killed over and over
// is read when it is complete; what is there twice is one fact.
func TestKilledOverDocument(t *testing.T) {
	dir := realDir(t)
	home, in := filepath.Join(dir, "home"), filepath.Join(dir, "in")
	text := grainBatch(t, 0, 3000)
	doc := write(t, "", in, "a.json")
	r := newReader(t, home)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for rest := text; len(rest) > 0; rest = rest[min(len(rest), 4000):] {
			appendTo(t, doc, rest[:min(len(rest), 4000)])
			time.Sleep(5 * time.Millisecond)
		}
	}()
	for alive := true; alive; {
		kill(t, "follow", home, in, 20*time.Millisecond+time.Duration(rand.Int64N(int64(150*time.Millisecond))))
		select {
		case <-written:
			alive = false
		default:
		}
	}
	kill(t, "follow", home, in, 30*time.Millisecond) // likely while it takes it in
	f := start(t, r, Spec{Path: in})
	f.awaitFacts(6000)
	f.stop()
	if report := clean(t, r, Options{}, in); report.Unchanged != 1 {
		t.Errorf("%+v", report)
	}
	lossless(t, oracleOf(t, r, doc), facts(t, r.Journal))
}
