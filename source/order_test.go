package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

const traced = "../adapters/jsonl/testdata/trace/agent-host-tools.jsonl"

// tracedText is what agent_framework wrote of three runs, n times with other ids.
func tracedText(t testing.TB, n int) string {
	t.Helper()
	text, err := os.ReadFile(traced)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range n {
		b.WriteString(regexp.MustCompile(`"event_id": "|93c3253a`).ReplaceAllString(string(text), fmt.Sprintf("${0}%d", i)))
	}
	return b.String()
}

// undated is the recorded dump, of which every third line has no time, or null; from is the
// first that may have none.
func undatedDump(t testing.TB, from int) string {
	t.Helper()
	lines := strings.SplitAfter(dumpText(t), "\n")
	stamp := regexp.MustCompile(`"timestamp": "[^"]*"`)
	for i := from; i < len(lines)-1; i += 3 {
		at := stamp.FindStringIndex(lines[i])
		lines[i] = lines[i][:at[0]] + `"timestamp": null` + lines[i][at[1]:]
	}
	return strings.Join(lines, "")
}

// TestUndated: a line without a time is at that of its neighbour, not of the day it is read.
func TestUndated(t *testing.T) {
	for from, name := range map[int]string{0: "the first line too", 1: "but the first"} {
		dir := realDir(t)
		r := newReader(t, filepath.Join(dir, "home"))
		clean(t, r, Options{}, write(t, undatedDump(t, from), dir, "trace-260301_101500.jsonl"))
		dated := newReader(t, filepath.Join(dir, "dated"))
		clean(t, dated, Options{}, write(t, dumpText(t), dir, "x", "trace-260301_101500.jsonl"))
		span := func(all map[string]int) (first, last time.Time, marked int) {
			for line := range all {
				e, err := schema.Decode([]byte(line))
				if err != nil {
					t.Fatal(err)
				}
				if first.IsZero() || e.Timestamp.Before(first) {
					first = e.Timestamp
				}
				if e.Timestamp.After(last) {
					last = e.Timestamp
				}
				if e.HookEventName != "callback" && e.HookEventName != "skill_invocation" && schema.Field(e.Extra, "timestamp_missing") != nil {
					marked++
				}
			}
			return first, last, marked
		}
		first, last, marked := span(facts(t, r.Journal))
		wantFirst, wantLast, _ := span(facts(t, dated.Journal))
		if first.Before(wantFirst) || last.After(wantLast) {
			t.Errorf("%s: from %s to %s, which is more than %s to %s", name, first, last, wantFirst, wantLast)
		}
		if marked != (117-from)/3+1 {
			t.Errorf("%s: %d lines are marked", name, marked)
		}
	}
}

// TestOrderStage: a file that is read in two goes, cut anywhere between two lines, gives what
// one go gives: whoever goes on knows what was before.
func TestOrderStages(t *testing.T) {
	for name, text := range map[string]string{"trace-1.jsonl": tracedText(t, 1), "trace-260301_101500.jsonl": undatedDump(t, 0)} {
		dir := realDir(t)
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
		key := []byte(nil)
		var want map[string]int
		for cut := 0; cut < len(lines); cut += 1 + len(lines)/40 {
			for _, gz := range []bool{false, true} {
				form := func(text string) string { return text }
				if gz {
					form = func(text string) string { return packed(t, text) }
				}
				home := filepath.Join(dir, fmt.Sprint(cut, gz))
				newReader(t, home)
				if key == nil {
					key, _ = os.ReadFile(filepath.Join(home, "key"))
				}
				write(t, string(key), home, "key")
				r := newReader(t, home)
				path := filepath.Join(dir, "in", name)
				if cut > 2 || want == nil {
					write(t, form(strings.Join(lines[:cut], "")), path)
					clean(t, r, Options{}, path)
				}
				clean(t, r, Options{}, write(t, form(text), path))
				got := facts(t, r.Journal)
				if want == nil {
					want = got
				}
				lossless(t, want, got)
				if t.Failed() {
					t.Fatalf("%s, cut behind line %d, packed %v", name, cut, gz)
				}
			}
		}
	}
}

// TestOrderOfDividedLines: zeros in place of a newline, as after a power cut, change nothing of
// what lines tell of each other.
func TestOrderOfDividedLines(t *testing.T) {
	causes := func(text string) map[string]string {
		dir := realDir(t)
		r := newReader(t, filepath.Join(dir, "home"))
		clean(t, r, Options{}, write(t, text, dir, "trace-1.jsonl"))
		out := map[string]string{}
		for line := range facts(t, r.Journal) {
			if e, err := schema.Decode([]byte(line)); err == nil && e.EventType == schema.LLMEnd {
				out[e.EventID] = e.CausedBy
			}
		}
		return out
	}
	text := tracedText(t, 1)
	head, rest, _ := strings.Cut(text, "\n")
	want := causes(text)
	if len(want) != 9 {
		t.Fatalf("%d model calls ended", len(want))
	}
	diff(t, "causes", want, causes(head+"\n"+strings.ReplaceAll(rest, "}\n{", "}\x00\x00{")))
}

// TestHeadWaits: of a file that is followed, of which nothing tells yet when its first lines
// were, none is read before it is quiet.
func TestHeadWaits(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	path := write(t, `{"type":"user_input","timestamp":null,"response":"early"}`+"\n\n", dir, "trace-1.jsonl")
	read := func(patient time.Duration) (*stream, error) {
		s := &stream{Reader: r, o: Options{Format: jsonl.Audit}, path: path, followed: true, patient: patient, counts: newCounts()}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.identify(f, info); err != nil {
			t.Fatal(err)
		}
		_, err = s.read(context.Background(), f, info, 1<<62)
		return s, err
	}
	if s, err := read(time.Hour); !errors.Is(err, errCopying) || s.at.Lines != 0 || len(facts(t, r.Journal)) != 0 {
		t.Fatalf("%v: %+v", err, s.at)
	}
	appendTo(t, path, `{"type":"user_input","timestamp":"2020-01-02T03:04:05Z","response":"late"}`+"\n")
	if _, err := read(time.Hour); err != nil {
		t.Fatal(err)
	}
	all := facts(t, r.Journal)
	for line := range all {
		if !strings.Contains(line, `"timestamp":"2020-01-02T03:04:05.000000000Z"`) {
			t.Errorf("%s", line)
		}
	}
	if len(all) != 3 {
		t.Errorf("%d facts", len(all))
	}
	// One that nobody goes on with is as old as the file.
	path = write(t, `{"type":"user_input","response":"alone, and of more than forty bytes"}`+"\n", dir, "trace-2.jsonl")
	if err := os.Chtimes(path, time.Time{}, time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if s, err := read(time.Hour); err != nil || s.at.Lines != 1 {
		t.Errorf("%v: %+v", err, s.at)
	}
}
