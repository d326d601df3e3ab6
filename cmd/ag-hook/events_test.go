package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// eventsCommand returns an `ag-hook events` to be started.
func eventsCommand(home string, args ...string) *exec.Cmd {
	cmd := command(home)
	cmd.Args = append([]string{"ag-hook", "events"}, args...)
	return cmd
}

// message is an event as the reference's dataclass has it.
func message(session, text string) string {
	b, err := json.Marshal(map[string]any{
		"event_type": "message", "session_id": session, "timestamp": "2026-03-01T09:15:01.001007+00:00",
		"metadata": map[string]any{}, "source_sdk": "openai", "role": "user", "content": text, "model": nil,
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// said returns the texts of messages, and of what else there is the type.
func said(all []schema.Event) (texts []string) {
	for _, e := range all {
		if e.EventType == schema.Message {
			texts = append(texts, e.Content)
		} else {
			texts = append(texts, string(e.EventType))
		}
	}
	return texts
}

func TestEvents(t *testing.T) {
	a, b, c := message("s", "a"), message("s", "b"), message("s", "c")
	pretty := strings.NewReplacer("{", "{\n ", ",", ",\n ").Replace(b)
	for name, test := range map[string]struct {
		stdin, want, log string
	}{
		"one":                 {a, "a", ""},
		"lines":               {a + "\n" + b + "\r\n\n" + c + "\n", "a b c", ""},
		"a list":              {"[" + a + "," + b + "]", "a b", ""},
		"lists and objects":   {"[" + a + "]\n" + b + "\n[" + c + "]\n", "a b c", ""},
		"side by side":        {a + b + " " + c, "a b c", ""},
		"of several lines":    {a + "\n" + pretty + "\n" + c, "a b c", ""},
		"a bad one between":   {a + "\n{\"event_type\":\"message\"}\n" + c + "\n", "a unknown c", "1 of 3 values are no events"},
		"garbage between":     {a + "\nnot JSON at all\n" + c + "\n", "a unknown c", "value 2, column 2"},
		"torn at the end":     {a + "\n" + b[:40], "a unknown", "1 of 2 values"},
		"torn in the middle":  {a + "\n" + b[:40] + "\n" + c + "\n", "a unknown c", "1 of 3 values"},
		"a bad list":          {"[" + a + ",5]\n" + c, "unknown c", "value 1, item 1"},
		"a forged position":   {`{"event_type":"source_position","session_id":"s"}` + "\n" + a, "a", "source_position"},
		"an unheard-of type":  {`{"event_type":"teleport","session_id":"s"}`, "unknown", ""},
		"garbage":             {"\x00\xff{", "unknown", "1 of 1 values"},
		"nothing":             {" \n", "", "stdin was empty"},
		"two of the same":     {a + "\n" + a, "a a", ""},
		"a long one":          {message("s", strings.Repeat("x", 2_000_000)) + "\n" + a, "LONG a", ""},
		"a secret in garbage": {`{"session_id":"s","token":"ghp_` + "x7Kd92LmQpRt4VbNc8WzYh3JfGs6TeAu1XoP" + `"}`, "unknown", "1 of 1 values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			cmd := eventsCommand(home)
			cmd.Stdin = strings.NewReader(test.stdin)
			runQuietly(t, cmd)
			var got []string
			unknown := 0
			for _, e := range events(t, home) {
				if e.Origin != schema.OriginAPI || e.Host == "" && e.EventType == schema.Message || strings.Contains(string(e.AppendJSON(nil)), "ghp_x7") {
					t.Errorf("%s", e.AppendJSON(nil))
				}
				if e.EventType == schema.Unknown {
					unknown++
				}
			}
			got = said(events(t, home))
			for i := range got {
				if len(got[i]) > 1000 {
					got[i] = "LONG"
				}
			}
			want := strings.Fields(test.want)
			slices.Sort(got) // what names no session is in a file of its own
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if log := hookLogText(t, home); !strings.Contains(log, test.log) || (test.log == "") != (log == "") || strings.Contains(log, "ghp_") || strings.Contains(log, "at all") {
				t.Errorf("hook.log: %s, want %q", log, test.log)
			}
		})
	}
}

// TestEventsWithStdinLeftOpen: after a whole value a caller has a moment for the next.
func TestEventsWithStdinLeftOpen(t *testing.T) {
	home := t.TempDir()
	cmd := eventsCommand(home)
	stdin := start(t, cmd)
	defer stdin.Close()
	for i := range 3 {
		if _, err := io.WriteString(stdin, message("s", fmt.Sprint(i))+"\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause / 10)
	}
	begin := time.Now()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("took %v with stdin left open", took)
	}
	if got := said(events(t, home)); !slices.Equal(got, []string{"0", "1", "2"}) || hookLogText(t, home) != "" {
		t.Errorf("%q, hook.log: %s", got, hookLogText(t, home))
	}
}

// TestEventsWaitForTheRestOfOne: in the middle of a value it waits longer, and says what it
// took for its end.
func TestEventsWaitForTheRestOfOne(t *testing.T) {
	for name, c := range map[string]struct{ stdin, want, log string }{
		"half a value":  {message("s", "a") + "\n" + message("s", "b")[:50], "a unknown", "stdin stopped"},
		"half a line":   {message("s", "a") + "\nnot JS", "a unknown", "stdin stopped"},
		"half a string": {`{"event_type":"mess\`, "unknown", "stdin stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			h := newHook(options{runtime: eventsRuntime, home: home, now: time.Now(), at: time.Now()})
			h.patience = 50 * time.Millisecond
			exited := make(chan bool)
			h.exit = func() { exited <- true }
			r, w := io.Pipe()
			go h.run(r)
			io.WriteString(w, c.stdin)
			<-exited
			got, want := said(events(t, home)), strings.Fields(c.want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if log := hookLogText(t, home); !strings.Contains(log, c.log) {
				t.Errorf("hook.log: %s", log)
			}
		})
	}
}

func TestEventsAreOfTheTimeGiven(t *testing.T) {
	home := t.TempDir()
	cmd := eventsCommand(home, "--at", "2026-02-03T04:05:06Z")
	cmd.Stdin = strings.NewReader(`{"event_type":"turn_end","session_id":"s"}`)
	runQuietly(t, cmd)
	if got := events(t, home); len(got) != 1 || schema.FormatTime(got[0].Timestamp) != "2026-02-03T04:05:06.000000000Z" {
		t.Errorf("%+v", got)
	}
}

// FuzzValues: what a payload's values are does not depend on how it comes, and nothing
// but blanks between them is lost.
func FuzzValues(f *testing.F) {
	a := message("s", "a")
	for _, seed := range []string{"", a, a + "\n" + a, "[" + a + "]" + a, a[:30] + "\n" + a, "x\n" + a, "{\"a\":\n1}{}", "\x00", "{\n{\n{", `"a" "b"`, "}{"} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		var joined []byte
		for v := range values(data) {
			if len(bytes.Trim(v, " \t\r\n")) == 0 || !bytes.Contains(data, v) {
				t.Fatalf("%q of %q", v, data)
			}
			joined = append(joined, v...)
		}
		blank := func(b []byte) []byte {
			return slices.DeleteFunc(bytes.Clone(b), func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 })
		}
		if !bytes.Equal(blank(joined), blank(data)) {
			t.Fatalf("%q became %q", data, joined)
		}
		var whole, pieces valuesScanner
		n := min(int(cut), len(data))
		first := pieces.settled(data[:n])
		if n < len(data) {
			first = pieces.settled(data[n:])
		}
		if want := whole.settled(data); first != want {
			t.Fatalf("%q cut at %d: settled %v, want %v", data, n, first, want)
		}
		var in input
		if got, _ := in.readAll(iotest.OneByteReader(bytes.NewReader(data)), func() {}); !bytes.Equal(got, data) {
			t.Fatalf("read %q of %q", got, data)
		}
	})
}
