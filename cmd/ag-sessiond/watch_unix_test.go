//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// terminal is a program in a terminal of its own.
type terminal struct {
	t      *testing.T
	master *os.File
	tty    *os.File
	cmd    *exec.Cmd
	before *term.State

	mu  sync.Mutex
	got bytes.Buffer
}

// inTerminal starts ag-sessiond in a terminal of 100 columns.
func inTerminal(t *testing.T, home string, args ...string) *terminal {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 20, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ag-sessiond", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(home), "AG_HOME=" + home, "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &terminal{t: t, master: master, tty: tty, cmd: cmd, before: before}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.got.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended where the test passed
		master.Close()
		tty.Close()
	})
	return p
}

func (p *terminal) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.String()
}

// until waits until the terminal was sent text since its output was that long, and returns how
// long it is now.
func (p *terminal) until(from int, text string) int {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		out := p.output()
		if strings.Contains(out[from:], text) {
			return len(out)
		}
		if time.Now().After(end) {
			p.t.Fatalf("waited 30 s for %q in %q", text, out[from:])
		}
	}
}

func (p *terminal) press(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the end with exit code 0, and for a terminal as it was before.
func (p *terminal) ends(screen bool) {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			p.t.Errorf("%v; the terminal has %q", err, p.output())
		}
	case <-time.After(30 * time.Second):
		p.t.Fatal("it does not end")
	}
	after, err := term.GetState(int(p.tty.Fd()))
	if err != nil {
		p.t.Fatal(err)
	}
	if *after != *p.before {
		p.t.Errorf("the terminal is in another state than before: %+v, %+v", *p.before, *after)
	}
	if !screen {
		return
	}
	// The main screen is back, and its cursor shown, each after it was taken.
	p.until(0, "\x1b[?1049l")
	out := p.output()
	for _, s := range []struct{ taken, back string }{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}} {
		if taken, back := strings.LastIndex(out, s.taken), strings.LastIndex(out, s.back); taken < 0 || back < taken {
			p.t.Errorf("%q was not given back: %q", s.taken, out)
		}
	}
}

// happen records that a session was asked something and calls a tool.
func happen(t *testing.T, home, session, prompt string) {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	r, now := j.Redactor(""), time.Now()
	for _, e := range []schema.Event{
		{EventID: session + "1", EventType: schema.Message, Role: schema.RoleUser, Content: prompt, WorkingDirectory: "/srv/shop"},
		{EventID: session + "2", EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "u1", ToolInput: []byte(`{"command":"make ` + prompt + `"}`)},
	} {
		e.V, e.SessionID, e.Timestamp, e.Origin = schema.Version, session, now, schema.OriginHook
		if err := j.Append(r.Event(e)); err != nil {
			t.Fatal(err)
		}
	}
}

// The screen follows what happens, a resize and keys, and Ctrl-C leaves the terminal as it was.
func TestWatchInATerminal(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	happen(t, home, "first-session", "tests")
	p := inTerminal(t, home, "watch")
	at := p.until(0, "Bash: make tests")
	if out := p.output(); !strings.Contains(out, "1 working") || !strings.Contains(out, "\x1b[7m") || !strings.Contains(out, "shop") {
		t.Errorf("the screen has %q", out)
	}
	happen(t, home, "second-session", "release")
	at = p.until(at, "Bash: make release")
	if err := pty.Setsize(p.master, &pty.Winsize{Rows: 20, Cols: 40}); err != nil {
		t.Fatal(err)
	}
	at = p.until(at, "make re…") // cut where there is no room
	p.press("\x1b[B\r")
	at = p.until(at, "esc back")
	p.press("\x1b")
	p.until(at, "enter follow")
	p.press("\x03")
	p.ends(true)
}

// So does a signal, and the end of the session that is followed is no end of the program.
func TestWatchASignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		home := filepath.Join(t.TempDir(), "home")
		happen(t, home, "a-session", "tests")
		p := inTerminal(t, home, "watch", "latest")
		p.until(0, "Bash: make tests")
		if err := p.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		p.ends(true)
	}
}

// With --plain it is lines in a terminal, too; a terminal without colours gets none.
func TestWatchPlainInATerminal(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	happen(t, home, "a-session", "tests")
	p := inTerminal(t, home, "watch", "--plain")
	p.until(0, "a-sessio  shop  working  Bash: make tests\r\n")
	p.press("\x03")
	p.ends(false)
	if strings.Contains(strings.ReplaceAll(p.output(), "^C", ""), "\x1b") {
		t.Errorf("escape sequences in %q", p.output())
	}
}

// Bubble Tea asks no terminal for its colours: not where watch is the verb, and not where it
// is another, which would wait for the answer.
func TestMute(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	happen(t, home, "a-session", "tests")
	p := inTerminal(t, home, "version")
	p.until(0, "event protocol")
	p.ends(false)
	if strings.Contains(p.output(), "\x1b") {
		t.Errorf("version sends %q", p.output())
	}
	p = inTerminal(t, home, "watch")
	p.until(0, "Bash: make tests")
	p.press("q")
	p.ends(true)
	if out := p.output(); strings.Contains(out, "\x1b]") || strings.Contains(out, "\x1b[6n") {
		t.Errorf("watch asks the terminal: %q", out)
	}
}
