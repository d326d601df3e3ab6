//go:build unix

package journal

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// writerEnv makes this test binary a writer: its value is the home, the writer's
// name, the session and the number of events.
const writerEnv = "JOURNAL_TEST_WRITER"

func TestMain(m *testing.M) {
	if args := strings.Fields(os.Getenv(writerEnv)); len(args) == 4 {
		writer(args[0], args[1], args[2], args[3])
		return
	}
	if home := os.Getenv(rewriterEnv); home != "" {
		rewriter(home)
		return
	}
	os.Exit(m.Run())
}

// writer appends events and prints the id of each once Append acknowledged it.
func writer(home, name, session, count string) {
	j, err := Open(home)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var n int
	fmt.Sscan(count, &n)
	for i := range n {
		id := name + "-" + fmt.Sprint(i)
		// Long enough, now and then, for a kill to land inside a write.
		text := strings.Repeat(id+" ", []int{1, 20, 200, 100_000}[i%4])
		if err := j.Append(line(session, id, text)); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println(id) // one write(2): os.Stdout is not buffered
	}
}

// TestKilledWritersLoseNothing SIGKILLs writers at random. What they said was
// written must be there; what else is there must be torn lines or whole records.
func TestKilledWritersLoseNothing(t *testing.T) {
	writers, events := 64, 20
	if os.Getenv("AG_SOAK") != "" {
		events = 200
	}
	for name, session := range map[string]func(w int) string{
		"one session":   func(int) string { return "s" },
		"many sessions": func(w int) string { return fmt.Sprint("s", w%16) },
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t)
			acked := make([][]string, writers)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					acked[w] = runAndKill(t, j.Home(), fmt.Sprint("w", w), session(w), events)
				})
			}
			wg.Wait()
			checkAcked(t, j, acked, writers*events)
		})
	}
}

// runAndKill runs one writer, kills it after a random number of acknowledgements,
// and returns what it acknowledged.
func runAndKill(t *testing.T, home, name, session string, events int) (acked []string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d", writerEnv, home, name, session, events))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return nil
	}
	killAt, pause := rand.IntN(events+events/2), time.Duration(rand.IntN(300))*time.Microsecond
	for s := bufio.NewScanner(out); s.Scan(); {
		if strings.HasPrefix(s.Text(), "error") {
			t.Errorf("writer %s: %s", name, s.Text())
		}
		acked = append(acked, s.Text())
		if len(acked) == killAt {
			time.Sleep(pause)
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	return acked
}

func checkAcked(t *testing.T, j *Journal, acked [][]string, all int) {
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	torn := 0
	for _, f := range files {
		ids, _, n := read(t, j, f.Session, Position{})
		torn += n
		for _, id := range ids {
			found[id]++
		}
	}
	sum := 0
	for _, ids := range acked {
		for _, id := range ids {
			sum++
			if found[id] != 1 {
				t.Errorf("%s was acknowledged and is there %d times", id, found[id])
			}
		}
	}
	if sum == 0 || sum == all {
		t.Errorf("%d of %d acknowledged: nobody was killed, or everybody", sum, all)
	}
	t.Logf("%d acknowledged, %d there, %d torn lines", sum, len(found), torn)
}
