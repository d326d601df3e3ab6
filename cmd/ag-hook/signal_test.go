//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestSignalsDoNotStopIt(t *testing.T) {
	home := t.TempDir()
	cmd := command(home)
	stdin := start(t, cmd)
	text := payload("s", 400_000)
	// More than a pipe holds: when this write returns, the hook is reading.
	if _, err := stdin.Write(text[:200_000]); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTERM} {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := stdin.Write(text[200_000:]); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := events(t, home); len(got) != 1 || len(got[0].Result) < 400_000 {
		t.Errorf("%d events", len(got))
	}
}

func TestSignalsDoNotStopEvents(t *testing.T) {
	home := t.TempDir()
	cmd := eventsCommand(home)
	stdin := start(t, cmd)
	text := message("s", strings.Repeat("x", 400_000)) + "\n" + message("s", "after") + "\n"
	if _, err := io.WriteString(stdin, text[:200_000]); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(stdin, text[200_000:]); err != nil {
		t.Error(err)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := said(events(t, home)); len(got) != 2 || len(got[0]) != 400_000 || got[1] != "after" {
		t.Errorf("%d events", len(got))
	}
}

// TestKilledHooksLoseNothing starts hooks as parallel tool calls do, and kills some
// at random: what exited 0 is there once, what was killed is there once or not.
func TestKilledHooksLoseNothing(t *testing.T) {
	runs := 64
	if os.Getenv("AG_SOAK") != "" {
		runs = 64 * 20
	}
	home := t.TempDir()
	exited := make([]bool, runs)
	slots := make(chan bool, 16)
	var wg sync.WaitGroup
	for i := range runs {
		slots <- true
		wg.Go(func() {
			defer func() { <-slots }()
			cmd := command(home)
			text := bytes.ReplaceAll(payload("s", []int{10, 3000, 200_000}[i%3]), []byte("toolu_01s"), fmt.Appendf(nil, "toolu_%d", i))
			if i%4 > 1 { // of who speaks the protocol
				cmd = eventsCommand(home)
				text = fmt.Appendf(nil, "{\"event_type\":\"turn_end\",\"session_id\":\"s\"}\n{\"event_type\":\"tool_end\",\"session_id\":\"s\",\"tool_use_id\":\"toolu_%d\",\"result\":\"%s\"}\n",
					i, strings.Repeat("x", []int{10, 3000, 200_000}[i%3]))
			}
			cmd.Stdin = bytes.NewReader(text)
			if err := cmd.Start(); err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
				cmd.Process.Kill()
			}
			err := cmd.Wait()
			if exited[i] = err == nil; i%2 == 1 && err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	found := map[string]int{}
	all, torn := recorded(t, home)
	for _, e := range all {
		if e.ToolUseID != "" {
			found[e.ToolUseID]++
		}
	}
	for i, ok := range exited {
		n := found[fmt.Sprintf("toolu_%d", i)]
		if n > 1 || ok && n != 1 {
			t.Errorf("call %d, exited %v, is there %d times", i, ok, n)
		}
	}
	t.Logf("%d of %d there, %d torn lines", len(found), runs, torn)
}
