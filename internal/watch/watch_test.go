package watch_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/internal/watch"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/live"
	"github.com/actiongraph/actiongraph/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var nine = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// play appends what a capture's hooks recorded to j, from the first hook to that before the
// last one that is named, as if the first had been called at nine o'clock. It returns the
// time of the last.
func play(t testing.TB, j *journal.Journal, capture string, from, to int) (now time.Time) {
	t.Helper()
	dir := filepath.Join("../e2e/testdata/captures", capture)
	redactor, n, first := j.Redactor(""), 0, int64(0)
	for line := range bytes.Lines(must(os.ReadFile(filepath.Join(dir, "hooks.jsonl")))(t)) {
		var call struct {
			At    int64  `json:"recv_ns"`
			Stdin string `json:"stdin"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = call.At
		}
		if n++; n <= from || n > to {
			continue
		}
		env := claude.Env{Now: nine.Add(time.Duration(call.At - first)), Host: "host", User: "dev", HashKey: j.Key()}
		if id := schema.FieldString([]byte(call.Stdin), "agent_id"); id != "" {
			env.AgentMeta, _ = os.ReadFile(filepath.Join(dir, "agent-"+id+".meta.json"))
		}
		now = env.Now
		for _, e := range claude.Events([]byte(call.Stdin), env) {
			if err := j.Append(redactor.Event(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return now
}

// watched is a Watcher of a journal, as the receiver of its changes.
type watched struct {
	t       testing.TB
	changes chan live.Change
}

// follow watches j until the test ends. The clock is the test's.
func follow(t testing.TB, j *journal.Journal, now time.Time) *watched {
	w := &watched{t: t, changes: make(chan live.Change)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		watcher := &live.Watcher{Journal: j, Now: func() time.Time { return now }}
		if err := watcher.Run(ctx, w.changes); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { stop(); <-done })
	return w
}

// until hands changes to the model until one is what was waited for.
func (w *watched) until(m tea.Model, is func(live.Change) bool) {
	w.t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case c := <-w.changes:
			m.Update(c)
			if is(c) {
				return
			}
		case <-late:
			w.t.Fatal("waited 30 s")
		}
	}
}

func ready(c live.Change) bool { return c.Ready }

func sees(id string, state live.State) func(live.Change) bool {
	return func(c live.Change) bool {
		return strings.HasPrefix(c.Session.SessionID, id) && c.Session.State == state
	}
}

func key(k string) tea.KeyMsg {
	switch k {
	case "enter":
		return tea.KeyMsg{Type: tea.KeyEnter}
	case "esc":
		return tea.KeyMsg{Type: tea.KeyEsc}
	case "up":
		return tea.KeyMsg{Type: tea.KeyUp}
	case "down":
		return tea.KeyMsg{Type: tea.KeyDown}
	case "end":
		return tea.KeyMsg{Type: tea.KeyEnd}
	case "home":
		return tea.KeyMsg{Type: tea.KeyHome}
	case "pgup":
		return tea.KeyMsg{Type: tea.KeyPgUp}
	case "ctrl+c":
		return tea.KeyMsg{Type: tea.KeyCtrlC}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}

// The screen at three widths while real sessions run side by side: one works with a
// subagent, one waits for a permission, one failed and is over, one ended.
func TestFrames(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	now := play(t, j, "d_agent_fg", 0, 9)
	for _, c := range []struct {
		capture string
		to      int
	}{{"e_denied_default", 7}, {"h_stay_529", 7}, {"b_failures", 99}, {"i_int", 7}} {
		if at := play(t, j, c.capture, 0, c.to); at.After(now) {
			now = at
		}
	}
	now = now.Add(12 * time.Second)
	w := follow(t, j, now)
	m := watch.NewModel(render.Style{UTF8: true}, "", now)
	size := func(width, height int) { m.Update(tea.WindowSizeMsg{Width: width, Height: height}) }
	size(120, 24)
	var got strings.Builder
	frame := func(what string) {
		fmt.Fprintf(&got, "=== %s\n%s\n", what, strip(m.View()))
	}
	frame("before anything was read, 120 columns")
	w.until(m, ready)
	m.Update(watch.Tick(now))
	frame("the list, 120 columns")
	size(60, 18)
	frame("60 columns")
	size(40, 18)
	frame("40 columns")
	size(120, 20)
	choose(m, "c8813339")
	frame("another is chosen")
	m.Update(key("enter"))
	frame("it is followed")
	play(t, j, "d_agent_fg", 9, 99)
	w.until(m, sees("c8813339", live.Ended))
	m.Update(watch.Tick(now.Add(time.Second)))
	frame("until it ended")
	size(40, 16)
	frame("in 40 columns")
	m.Update(key("esc"))
	size(120, 24)
	frame("and back")
	choose(m, "117f6eaf")
	m.Update(key("enter"))
	size(60, 14)
	frame("errors, 60 columns")
	m.Update(key("up"))
	m.Update(key("up"))
	frame("two lines up")
	m.Update(key("home"))
	frame("at the beginning")
	m.Update(key("end"))
	frame("at the end again")
	path := filepath.Join("testdata", "frames.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(must(os.ReadFile(path))(t)), got.String()); diff != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", path, diff)
	}
}

// strip is a frame without blanks at the ends of lines, which no editor keeps.
func strip(frame string) string {
	lines := strings.Split(frame, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// choose moves the choice to a session.
func choose(m *watch.Model, id string) {
	m.Update(key("home"))
	for range 20 {
		if strings.Contains(m.View(), ">  "+id) {
			return
		}
		m.Update(key("down"))
	}
	panic("no session " + id)
}

// Keys end the program, and nothing else does.
func TestKeys(t *testing.T) {
	quits := func(cmd tea.Cmd) bool {
		if cmd == nil {
			return false
		}
		_, quit := cmd().(tea.QuitMsg)
		return quit
	}
	for _, c := range []struct {
		only string
		keys string
		want bool
	}{
		{"", "q", true}, {"", "ctrl+c", true}, {"", "esc", false}, {"", "enter", false}, {"", "x", false},
		{"s", "q", true}, {"s", "esc", true}, {"s", "left", false}, {"s", "enter", false},
	} {
		m := watch.NewModel(render.Style{}, c.only, time.Unix(0, 0))
		if _, cmd := m.Update(key(c.keys)); quits(cmd) != c.want {
			t.Errorf("%q of %q ends it: %v", c.keys, c.only, !c.want)
		}
	}
}

// Whatever is recorded, whatever the size and whichever keys: a frame fits the terminal, and
// has no control character but our own colours.
func TestFramesFit(t *testing.T) {
	texts := []string{"", "plain", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "wide 漢字かな交じり文 text", "a\r\nb\tc", "\u202ereversed", "é\u0301\u200b",
		strings.Repeat("long ", 300), "\x9b31m", "\x00\x08\x7f"}
	text := rapid.SampledFrom(texts)
	rapid.Check(t, func(t *rapid.T) {
		style := render.Style{UTF8: rapid.Bool().Draw(t, "utf8"), Color: rapid.Bool().Draw(t, "color")}
		now := time.Unix(1e9, 0)
		m := watch.NewModel(style, "", now)
		width, height := rapid.IntRange(20, 200).Draw(t, "width"), rapid.IntRange(4, 60).Draw(t, "height")
		m.Update(tea.WindowSizeMsg{Width: width, Height: height})
		for i := range rapid.IntRange(0, 30).Draw(t, "sessions") {
			s := live.Session{State: rapid.SampledFrom([]live.State{live.Working, live.Waiting, live.Idle, live.Ended}).Draw(t, "state"),
				Calls: rapid.IntRange(0, 9).Draw(t, "calls"), Since: now.Add(-time.Hour)}
			s.SessionID, s.Status = fmt.Sprintf("%04d", i), text.Draw(t, "status")
			s.Title, s.FirstPrompt, s.WorkingDirectory, s.Model = text.Draw(t, "title"), text.Draw(t, "prompt"), text.Draw(t, "dir"), text.Draw(t, "model")
			s.TotalInputTokens = rapid.Int64Range(0, 1e12).Draw(t, "tokens")
			if rapid.Bool().Draw(t, "priced") {
				s.CostUSD = new(rapid.Float64Range(0, 1e6).Draw(t, "cost"))
			}
			action := func(n int) live.Action {
				a := live.Action{Gist: text.Draw(t, "gist"), Error: text.Draw(t, "error"), Depth: rapid.IntRange(0, 16).Draw(t, "depth")}
				a.ActionID, a.ToolName, a.Name = fmt.Sprint(n), text.Draw(t, "tool"), text.Draw(t, "name")
				a.Timestamp = now.Add(-time.Duration(rapid.IntRange(0, 1e6).Draw(t, "ago")) * time.Second)
				a.ActionType = rapid.SampledFrom(graph.ActionTypes()).Draw(t, "type")
				a.Status = rapid.SampledFrom([]string{"in_progress", "completed", "failed", "pending", ""}).Draw(t, "status")
				return a
			}
			if rapid.Bool().Draw(t, "call") {
				s.Call, s.LastError = new(action(0)), new(action(1))
			}
			c := live.Change{Session: s, Reset: true}
			for n := range rapid.IntRange(0, 12).Draw(t, "actions") {
				c.Actions = append(c.Actions, action(n))
			}
			m.Update(c)
		}
		for range 6 {
			m.Update(key(rapid.SampledFrom([]string{"up", "down", "enter", "esc", "home", "end", "pgup"}).Draw(t, "key")))
			lines := strings.Split(m.View(), "\n")
			if len(lines) > height {
				t.Fatalf("%d lines of %d", len(lines), height)
			}
			for _, line := range lines {
				clean := render.Clean(line)
				if n := render.Width(clean); n > width {
					t.Fatalf("%d columns of %d: %q", n, width, line)
				}
				rest := line
				for _, ours := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[7m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"} {
					rest = strings.ReplaceAll(rest, ours, "")
				}
				if rest != clean {
					t.Fatalf("not clean: %q", line)
				}
				if !style.Color && strings.Contains(line, "\x1b") {
					t.Fatalf("colours in %q", line)
				}
			}
		}
	})
}

// Lines are those of a session as it happens, to its end: first what was there, of which the
// last are said, then each action as it begins and as it ends.
func TestLines(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	at := play(t, j, "d_agent_fg", 0, 7)
	id := "c8813339-2b81-4fe0-b634-eab4fa0d9505"
	var out syncBuffer
	lines := &watch.Lines{Out: bufio.NewWriter(&out), Style: render.Style{UTF8: true}, Last: 1, Note: t.Errorf}
	done := make(chan error, 1)
	go func() {
		done <- lines.Run(context.Background(), &live.Watcher{Journal: j, Session: id, Now: func() time.Time { return at }})
	}()
	out.until(t, "mock agent")
	for i := 7; i < 30; i++ { // slower than changes are gathered
		play(t, j, "d_agent_fg", i, i+1)
		time.Sleep(60 * time.Millisecond)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end with the session")
	}
	path := filepath.Join("testdata", "lines.txt")
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(must(os.ReadFile(path))(t)), out.String()); diff != "" {
		t.Error(diff)
	}
}

// A reader that goes away ends it, as a full disk does.
func TestLinesThatNobodyTakes(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	at := play(t, j, "a_tools", 0, 9)
	lines := &watch.Lines{Out: bufio.NewWriter(broken{}), Note: t.Errorf}
	err := lines.Run(context.Background(), &live.Watcher{Journal: j, Now: func() time.Time { return at }})
	if !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

var errBroken = errors.New("nobody reads")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
