package claude_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// TestTornNeedlessLine: a line that a crash tore, with the next one behind it, is broken,
// wherever it is torn: it is not passed over as what its beginning says.
func TestTornNeedlessLine(t *testing.T) {
	next := `{"type":"assistant","uuid":"u","timestamp":"2026-10-01T10:00:00Z","message":{"id":"m","content":[{"type":"text","text":"say \"hi"}],"usage":{"input_tokens":1}}}`
	for _, whole := range []string{
		`{"type":"progress","data":{"x":"yyyy \"z\" {","n":[1,{}]}}`, `{"attachment":{"type":"file","text":"a\\b"},"type":"attachment"}`,
	} {
		if _, kind, unknown, err := claude.NewTranscript(claude.Source{}).Events([]byte(whole), 1); err != nil || unknown || kind == "" {
			t.Fatalf("%s: %q %v %v", whole, kind, unknown, err)
		}
		for cut := 1; cut <= len(whole); cut++ {
			line := whole[:cut] + next
			if _, kind, _, err := claude.NewTranscript(claude.Source{}).Events([]byte(line), 1); err == nil {
				t.Errorf("taken as %s: %s", kind, line)
			}
		}
	}
}

// TestWaitingIsBounded: lines without a timestamp do not wait in memory without end, and
// none is lost: they are told with the time that the file was written.
func TestWaitingIsBounded(t *testing.T) {
	written := time.Date(2026, 10, 1, 10, 0, 0, 0, time.UTC)
	for name, size := range map[string]int{"small": 1, "large": 300 << 10, "huge": 2 << 20} {
		tr := claude.NewTranscript(claude.Source{Session: "s", Written: written})
		text, told, most := strings.Repeat("x", size), 0, 0
		for n := 1; n <= 2000 && n*size < 64<<20; n++ {
			events, _, _, err := tr.Events(fmt.Appendf(nil, `{"type":"custom-title","customTitle":"%d %s"}`, n, text), int64(n))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				told++
				if !e.Timestamp.Equal(written) || !strings.HasPrefix(e.Title, fmt.Sprint(told, " ")) || e.Seq/1000 != int64(told) {
					t.Fatalf("%s, line %d: %s at %s", name, told, e.Title[:8], e.Timestamp)
				}
			}
			if most = max(most, n-told); most > 1000 || (most-1)*size > 1<<20 {
				t.Fatalf("%s: %d lines wait", name, most)
			}
		}
		if told == 0 {
			t.Errorf("%s: nothing was told", name)
		}
	}
}

// TestFlush: what waits is told once, at the time given or in 1970, and lines that follow
// have that time.
func TestFlush(t *testing.T) {
	title := func(n int) []byte { return fmt.Appendf(nil, `{"type":"custom-title","customTitle":"%d"}`, n) }
	at := time.Date(2026, 10, 1, 12, 0, 0, 5, time.FixedZone("", 7200))
	for given, want := range map[time.Time]time.Time{at: at, {}: time.Unix(0, 0), at.AddDate(300, 0, 0): time.Unix(0, 0)} {
		tr := claude.NewTranscript(claude.Source{Session: "s"})
		if events, err := tr.Flush(given); events != nil || err != nil {
			t.Fatal("told before there was a line")
		}
		for n, l := range [][]byte{title(1), []byte(`{"type":"user","uuid":"u"}`), title(3)} {
			if events, _, _, err := tr.Events(l, int64(n+1)); len(events) > 0 || err != nil {
				t.Fatalf("told without a time: %v %v", events, err)
			}
		}
		events, err := tr.Flush(given)
		if err == nil || !strings.Contains(err.Error(), "line 2: message") || len(events) != 2 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		if again, _ := tr.Flush(given); again != nil {
			t.Error("told twice")
		}
		after, _, _, _ := tr.Events(title(4), 4)
		for n, e := range append(events, after...) {
			if e.Validate() != nil || !e.Timestamp.Equal(want) || e.Timestamp.Location() != time.UTC {
				t.Errorf("%s: event %d at %s: %v", given, n, e.Timestamp, e.Validate())
			}
		}
		if len(after) != 1 {
			t.Error("the line that followed waits")
		}
	}
}

// TestForkWithClockSetBack: what a fork itself says is its own, even where its clock
// stands before that of the lines it copied; with a fork of that fork, too.
func TestForkWithClockSetBack(t *testing.T) {
	const user, answer = `"type":"user","message":{"content":"p"}`, `"type":"assistant","message":{"content":"a"}`
	const result = `"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}`
	const turnEnd = `"type":"system","subtype":"turn_duration","durationMs":1`
	const fromA, fromB = `,"requestSessionId":"A"`, `,"requestSessionId":"B"`
	steps := []struct{ says, clock, ofB, ofC, session string }{
		{user, "10:00:00", "", "", "A"},
		{answer, "10:00:01", fromA, fromA, "A"},
		{result, "10:00:00", "", "", "A"},
		{turnEnd, "10:00:02", "", "", "A"},
		{user, "09:00:00", "", "", "B"},
		{answer, "09:00:01", "", fromB, "B"},
		{turnEnd, "09:00:01", "", "", "B"},
		{user, "08:00:00", "", "", "C"},
		{answer, "08:00:01", "", "", "C"},
		{turnEnd, "08:00:02", "", "", "C"},
	}
	for session, length := range map[string]int{"B": 7, "C": 10} {
		var scan claude.OriginScan
		var lines []string
		scan.Line(nil) // a blank line counts
		for k, s := range steps[:length] {
			mark := s.ofB
			if session == "C" {
				mark = s.ofC
			}
			lines = append(lines, fmt.Sprintf(`{"uuid":"%d","sessionId":"%s","timestamp":"2026-10-01T%sZ",%s%s}`, k, session, s.clock, s.says, mark))
			scan.Line([]byte(lines[k]))
		}
		tr := claude.NewTranscript(claude.Source{Session: session, Origins: scan.Origins()})
		for k, l := range lines {
			events, _, _, err := tr.Events([]byte(l), int64(k+2))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				parent := string(session[0] - 1)
				if e.EventType == schema.Fork && e.ParentSessionID != parent {
					t.Errorf("%s was forked from %s, want %s", session, e.ParentSessionID, parent)
				}
				if e.EventType != schema.Fork && e.SessionID != steps[k].session {
					t.Errorf("%s, line %d: of %s, want %s", session, k+2, e.SessionID, steps[k].session)
				}
			}
		}
	}
}
