package jsonl_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
)

// detected returns what Detect says, "" where it does not know.
func detected(line []byte) jsonl.Format {
	f, ok := jsonl.Detect(line)
	if ok != (f != "") {
		return "a contradiction"
	}
	return f
}

// samples returns real lines of each format; those of "" are of none.
func samples(t testing.TB) map[jsonl.Format][][]byte {
	all := map[jsonl.Format][][]byte{
		jsonl.Events: journalLines(t),
		jsonl.OMS: {
			[]byte(`{"tool_name":"t"}`), []byte(`{"arguments":{},"tool_name":"t","success":true}`), []byte(`{"type":"action","tool_name":"t","timestamp":1}`),
			[]byte(`{"grains":[]}`), []byte(`{"grains":[{"grain_type":"action","fields":{"tool_name":"t"}}]}`), []byte(`{"fields":{"subject":"a"},"grain_type":"belief"}`),
			[]byte(`[{"tool_name":"t"}]`), []byte(`{"tool_name":"t","session_id":"s","run_id":"r","created_at":1}`),
		},
	}
	add := func(f jsonl.Format, paths ...string) {
		for _, path := range paths {
			for line := range bytes.Lines(read(t, path)) {
				if line = bytes.TrimSpace(line); json.Valid(line) && bytes.HasPrefix(line, []byte("{")) {
					all[f] = append(all[f], line)
				}
			}
		}
	}
	add(jsonl.Audit, glob(t, "testdata/audit/*.jsonl")...)
	add(jsonl.TraceEvents, glob(t, "testdata/trace/*.jsonl")...)
	add(jsonl.Events, "testdata/events/reference.jsonl")
	for _, path := range glob(t, "../claude/testdata/*.json") { // what hooks are given
		all[""] = append(all[""], read(t, path))
	}
	err := filepath.WalkDir("../claude/testdata/transcripts", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".jsonl") {
			add(jsonl.Claude, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatal(pattern, err)
	}
	return paths
}

func TestDetect(t *testing.T) {
	for want, lines := range samples(t) {
		if len(lines) < 5 {
			t.Errorf("%s: %d lines", want, len(lines))
		}
		for _, line := range lines {
			if bytes.Contains(line, []byte(`"silly"`)) {
				continue // not of Claude Code: daaain's edge case
			}
			if got := detected(line); got != want {
				t.Errorf("%.200s\nis %q, want %q", line, got, want)
			}
		}
	}
}

// TestDetectAnyOrder: the order of members says nothing, nor blanks before them, nor what
// is torn off behind the members that tell.
func TestDetectAnyOrder(t *testing.T) {
	all := samples(t)
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom(append(jsonl.Formats(), jsonl.Claude, "")).Draw(t, "format")
		line := rapid.SampledFrom(all[format]).Draw(t, "line")
		want := detected(line)
		if line[0] != '{' {
			return
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(line, &object); err != nil {
			t.Fatal(err)
		}
		var members []string
		for name, v := range object {
			quoted, _ := json.Marshal(name)
			members = append(members, string(quoted)+" : "+string(v))
		}
		shuffled := "{" + strings.Join(members, " , ") + "}"
		for _, text := range []string{"\ufeff " + shuffled, "[" + shuffled, "[ " + shuffled + " ]", shuffled[:len(shuffled)-1], shuffled + " and more"} {
			if got := detected([]byte(text)); got != want {
				t.Fatalf("%.300s\nis %q, want %q", text, got, want)
			}
		}
	})
}

func TestDetectNothing(t *testing.T) {
	for _, line := range []string{
		"", " ", "{", "[", "[]", "{}", "null", "5", `"text"`, "\x00\x01", "\x1f\x8b\x08", "tool_name: t", `{"a":1}`, `{"kind":"pod","metadata":{}}`, `{"type":"module","name":"x"}`,
		`{"timestamp":"2026-01-01T00:00:00Z","level":"info","msg":"x"}`, `{"timestamp":"t","type":"response_item","payload":{}}`, `{"recv_ns":1,"event":"Stop","stdin":"{}"}`,
		`{"run_id":"r"}`, `{"event_type":"x"}`, `{"hook_event_name":"PreToolUse","tool_name":"t","session_id":"s"}`,
	} {
		if got := detected([]byte(line)); got != "" {
			t.Errorf("%q is %q", line, got)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, lines := range samples(f) {
		f.Add(lines[0])
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if got := detected(line); got != "" && got != jsonl.Claude && !strings.Contains("audit trace-events oms events", string(got)) {
			t.Errorf("%q is %q", line, got)
		}
	})
}
