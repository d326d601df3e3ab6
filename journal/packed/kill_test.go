//go:build unix

package packed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/schema"
)

// packerEnv makes this test binary a process that packs session s of the home that it names,
// again and again.
const packerEnv = "PACKED_TEST_PACKER"

// fullEnv makes it a process that packs session s of that home on a disk that is full.
const fullEnv = "PACKED_TEST_FULL"

func TestMain(m *testing.M) {
	if home := os.Getenv(packerEnv); home != "" {
		packForever(home)
	}
	if home := os.Getenv(fullEnv); home != "" {
		packFull(home)
	}
	os.Exit(m.Run())
}

func packForever(home string) {
	j, err := packed.Open(home)
	for err == nil || errors.Is(err, journal.ErrPacked) {
		err = j.Pack(context.Background(), "s")
	}
	fmt.Println(err)
	os.Exit(1)
}

func packFull(home string) {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := packed.Open(home)
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 20_000, Max: 20_000})
	}
	if err == nil {
		err = j.Pack(context.Background(), "s")
	}
	fmt.Println(err)
	os.Exit(0)
}

// Where there is no room for what is packed, everything is as it was, and the error says so.
func TestFullDisk(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "home"))
	for i := range 9 {
		add(t, j, line("s", fmt.Sprint(i), randomText(20_000)))
		if i == 0 {
			pack(t, j, "s")
		}
	}
	before := content(t, j, "s")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fullEnv+"="+j.Home())
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "file too large") || !strings.Contains(string(said), "it needs room for both") {
		t.Errorf("%v: %s", err, said)
	}
	if got := names(t, j); !slices.Equal(got, []string{"s.jsonl", "s.jsonl.zst"}) {
		t.Errorf("files %q", got)
	}
	if !bytes.Equal(content(t, j, "s"), before) {
		t.Error("the content differs")
	}
	pack(t, j, "s")
}

// Packs are killed at any moment while hooks append and readers read. Nothing that was
// acknowledged is lost, nothing is read twice, and readers go on from where they were.
func TestKilledPacks(t *testing.T) {
	const kills, writers = 50, 4
	j := open(t, filepath.Join(t.TempDir(), "home"))
	for i := range 20 { // so that a pack takes a moment
		add(t, j, line("s", fmt.Sprint("first", i), randomText(20_000)))
	}
	_, first := ids(t, j, "s", journal.Position{})
	stop := make(chan struct{})
	var running sync.WaitGroup
	acked := make([][]string, writers)
	for w := range writers {
		running.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				plain, err := journal.Open(j.Home()) // as a hook does, for each event
				if err == nil {
					id := fmt.Sprint("w", w, "-", i)
					if err = plain.Append(line("s", id, strings.Repeat(id+" ", rand.IntN(300)))); err == nil {
						acked[w] = append(acked[w], id)
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	replaced := 0
	running.Go(func() { replaced = readAlways(t, j, stop) })
	for range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), packerEnv+"="+j.Home())
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Millisecond + time.Duration(rand.IntN(60_000))*time.Microsecond)
		cmd.Process.Kill()
		if said, _ := io.ReadAll(out); len(said) > 0 {
			t.Errorf("the pack failed: %s", said)
		}
		cmd.Wait()
	}
	close(stop)
	running.Wait()
	if err := j.Pack(t.Context(), "s"); err != nil && !errors.Is(err, journal.ErrPacked) {
		t.Fatal(err)
	}
	if got := names(t, j); !slices.Equal(got, []string{"s.jsonl.zst"}) {
		t.Errorf("files %q", got)
	}
	got, _ := ids(t, j, "s", first)
	there, sum := map[string]int{}, 0
	for _, id := range got {
		there[id]++
	}
	for _, all := range acked {
		for _, id := range all {
			if sum++; there[id] == 0 {
				t.Errorf("%s was acknowledged, and is lost", id)
			}
		}
	}
	if sum == 0 || sum > len(got) {
		t.Errorf("%d acknowledged, %d there", sum, len(got))
	}
	t.Logf("%d acknowledged, %d there, a reader began anew %d times", sum, len(got), replaced)
}

func randomText(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(rand.IntN(26))
	}
	return string(b)
}

// readAlways follows the session as a store does, and returns how often it had to begin anew: where
// lines came late to a file that had just been packed.
func readAlways(t *testing.T, j *journal.Journal, stop <-chan struct{}) (replaced int) {
	var at journal.Position
	for {
		select {
		case <-stop:
			return replaced
		default:
		}
		c, err := j.Read("s", at)
		for lines := 0; err == nil && lines < 300; lines++ {
			var text []byte
			if text, err = c.Next(); err == nil {
				if _, bad := schema.Decode(text); bad != nil {
					t.Error(bad)
				}
			}
		}
		if c != nil {
			at = c.Position()
			c.Close()
		}
		switch {
		case errors.Is(err, journal.ErrReplaced):
			at = journal.Position{}
			replaced++
		case err != nil && err != io.EOF:
			t.Error(err)
			return replaced
		}
	}
}
