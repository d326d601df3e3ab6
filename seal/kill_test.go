package seal_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/seal"
)

// sealerEnv makes this test binary a process that seals the home that it names, again and again.
const sealerEnv = "AG_TEST_SEAL"

func TestMain(m *testing.M) {
	if home := os.Getenv(sealerEnv); home != "" {
		sealForever(home)
	}
	os.Exit(m.Run())
}

func sealForever(home string) {
	j, err := packed.Open(home)
	os.Stdout.WriteString("\n") // from here on it may be killed
	for sealer := (seal.Sealer{Journal: j}); err == nil; {
		_, err = sealer.Seal(ctx, time.Now())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKilled: who seals is killed at any moment while events arrive. What was sealed is proved each
// time, and the next seal goes on behind it.
func TestKilled(t *testing.T) {
	h := newHome(t)
	entries := int64(0)
	for kill := range 40 {
		h.record(fmt.Sprintf("session-%d", kill%7), 1)
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), sealerEnv+"="+h.dir), os.Stderr
		begun, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			_, err = begun.Read(make([]byte, 1))
		}
		if err != nil {
			t.Fatal(err)
		}
		// Half of them are killed before they have sealed anything, perhaps, and the others in the midst of it.
		before, until := logSize(h), time.Now().Add(time.Duration(rand.IntN(30))*time.Millisecond)
		for deadline := time.Now().Add(time.Minute); time.Now().Before(until) || kill%2 == 0 && logSize(h) == before && time.Now().Before(deadline); {
			h.record(fmt.Sprintf("session-%d", rand.IntN(20)), 1)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if !seal.Begun(h.dir) {
			continue // it had no time to
		}
		proof := h.verify()
		if !proof.Proved {
			t.Fatalf("kill %d: %v", kill, proof.Breaks)
		}
		if proof.Last.Number < entries {
			t.Fatalf("kill %d: the log ends with entry %d, and had %d", kill, proof.Last.Number, entries)
		}
		entries = proof.Last.Number
	}
	if entries < 20 {
		t.Errorf("%d entries: hardly anything was sealed", entries)
	}
	h.seal()
	if p := h.verify(); !p.Proved || p.UnsealedBytes > 0 || p.Records != int64(h.n) {
		t.Errorf("%d of %d records are proved, %d bytes are not sealed, %v", p.Records, h.n, p.UnsealedBytes, p.Breaks)
	}
}

func logSize(h *home) int64 {
	info, err := os.Stat(h.log())
	if err != nil {
		return 0
	}
	return info.Size()
}
