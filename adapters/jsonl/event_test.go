package jsonl_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

var updateEvents = flag.Bool("update-events", false, "write the golden file of the reference's events")

// journalLines returns lines as a journal has them: one of each type, and what Claude
// Code's hooks and transcripts become.
func journalLines(t testing.TB) (lines [][]byte) {
	t.Helper()
	one, err := filepath.Glob("../../schema/testdata/*.json")
	if err != nil || len(one) < len(schema.Types()) {
		t.Fatal(one, err)
	}
	for _, path := range one {
		e, err := schema.Decode(read(t, path))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, e.AppendJSON(nil))
	}
	for _, pattern := range []string{"../claude/testdata/*.golden.jsonl", "../claude/testdata/transcripts/*/*.golden"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			for line := range bytes.Lines(read(t, path)) {
				if line = bytes.TrimSpace(line); len(line) > 0 && line[0] == '{' && bytes.HasPrefix(line, []byte(`{"v":1,"event_id"`)) {
					lines = append(lines, line)
				}
			}
		}
	}
	return lines
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestJournalLinesComeBackAsTheyWere, whatever the source says of itself.
func TestJournalLinesComeBackAsTheyWere(t *testing.T) {
	src := jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAudit, Host: "other", User: "other", HashKey: []byte("k")}
	d := jsonl.NewDecoder(src)
	lines := journalLines(t)
	if len(lines) < 100 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		events, l, err := d.Append(nil, line, 9, received())
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if l.Kind == string(schema.SourcePosition) {
			if !l.Skipped || len(events) != 0 {
				t.Errorf("%s: a position from outside is taken", line)
			}
			continue
		}
		if len(events) != 1 || l.Skipped || l.Unknown || l.Kind != string(events[0].EventType) {
			t.Fatalf("%s: %d events, %+v", line, len(events), l)
		}
		if got := events[0].AppendJSON(nil); !bytes.Equal(got, line) {
			t.Errorf("%s\nbecame\n%s", line, got)
		}
	}
}

// TestReference: testdata/events/reference.jsonl is what json.dumps(dataclasses.asdict(e))
// gives of every dataclass of memgraph-context-graph 0.11.0. The golden was read beside it.
func TestReference(t *testing.T) {
	d := jsonl.NewDecoder(jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAudit, Host: "h", User: "u"})
	var got []byte
	n := int64(0)
	for line := range bytes.Lines(read(t, "testdata/events/reference.jsonl")) {
		n++
		events, l, err := d.Append(nil, bytes.TrimSuffix(line, []byte("\n")), n, received())
		if err != nil || len(events) != 1 || l.Unknown || l.Skipped {
			t.Fatalf("line %d: %v, %d events, %+v", n, err, len(events), l)
		}
		e := events[0]
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		checkNothingLost(t, line, e)
		got = append(e.AppendJSON(got), '\n')
	}
	path := "testdata/events/reference.golden"
	if *updateEvents {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff(string(read(t, path)), string(got)); diff != "" {
		t.Error(diff)
	}
}

// checkNothingLost checks that every member of a line that says something is in a field of
// its event or in extra, as it was.
func checkNothingLost(t testing.TB, line []byte, e schema.Event) {
	t.Helper()
	var given, typed, extra map[string]any
	for dst, raw := range map[*map[string]any][]byte{&given: line, &typed: e.AppendJSON(nil), &extra: e.Extra} {
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, dst); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, v := range given {
		got, ok := typed[name]
		if kept, there := extra[name]; there {
			got, ok = kept, true
		}
		switch {
		case v == nil, v == "", v == false, reflect.DeepEqual(v, map[string]any{}) && name == "metadata":
			continue // says nothing
		case name == "timestamp":
			at, err := time.Parse("2006-01-02T15:04:05Z07:00", v.(string))
			if err != nil {
				at, err = time.Parse("2006-01-02T15:04:05", v.(string))
			}
			if err != nil || !at.Equal(e.Timestamp) {
				t.Errorf("timestamp %v is %v, %v", v, e.Timestamp, err)
			}
			continue
		case name == "session_id" && !schema.ValidID(v.(string)):
			got = typed["metadata"].(map[string]any)[schema.MetaSessionID]
		case !ok && (name == "output" || name == "response"):
			got = e.Content
		}
		if !reflect.DeepEqual(got, v) {
			t.Errorf("%s: %v became %v in %s", name, v, got, e.AppendJSON(nil))
		}
	}
}

// TestEventIDs: facts of one call have the ids of their kind and call, whoever tells them;
// a line that names nothing is the fact that it is.
func TestEventIDs(t *testing.T) {
	file := jsonl.NewDecoder(jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAudit})
	caller := jsonl.NewDecoder(jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAPI})
	id := func(d *jsonl.Decoder, line string, n int64, at time.Time) string {
		t.Helper()
		events, _, err := d.Append(nil, []byte(line), n, at)
		if err != nil {
			t.Fatal(err)
		}
		return events[len(events)-1].EventID
	}
	now, later := time.Unix(1, 0), time.Unix(2, 0)
	start := `{"event_type":"tool_start","session_id":"s","tool_use_id":"c"}`
	if id(file, start, 1, now) != id(caller, `{"tool_use_id":"c","session_id":"s","event_type":"tool_start","timestamp":"2026-01-01T00:00:00Z"}`, 2, later) {
		t.Error("two accounts of one call are two facts")
	}
	if id(file, start, 1, now) == id(file, strings.Replace(start, "start", "end", 1), 1, now) ||
		id(file, start, 1, now) == id(file, strings.Replace(start, `"s"`, `"s2"`, 1), 1, now) {
		t.Error("two facts are one")
	}
	timed := `{"event_type":"message","session_id":"s","role":"user","content":"ok","timestamp":"2026-01-01T00:00:00Z"}`
	if id(file, timed, 1, now) != id(caller, timed, 5, later) || id(file, timed, 1, now) != id(file, "["+timed+"]", 3, now) {
		t.Error("one line with a time is one fact")
	}
	timeless := `{"event_type":"message","session_id":"s","role":"user","content":"ok"}`
	if id(file, timeless, 1, now) != id(file, timeless, 1, later) {
		t.Error("a line of a file is another fact when it is read again")
	}
	if id(file, timeless, 1, now) == id(file, timeless, 2, now) || id(caller, timeless, 1, now) == id(caller, timeless, 1, later) ||
		id(caller, timeless, 1, now) == id(caller, timeless, 2, now) || id(file, "["+timeless+"]", 1, now) == id(file, "["+timeless+","+timeless+"]", 1, now) {
		t.Error("two messages of one text are one")
	}
}

func TestEventsFillIn(t *testing.T) {
	src := jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAPI, Host: "h", User: "u", HashKey: []byte("k")}
	for _, c := range []struct{ line, want string }{
		{ // nothing but what a call needs
			`{"event_type":"tool_start","session_id":"s","tool_use_id":"c","tool_input":{"a":1}}`,
			`{"v":1,"event_id":"ID","event_type":"tool_start","session_id":"s","timestamp":"2026-03-02T08:00:00.000000000Z","source_sdk":"unknown","origin":"api","seq":1000,"input_hash":"HASH","host":"h","user_id":"u","tool_use_id":"c","tool_input":{"a":1}}`,
		},
		{ // its own origin, user and sdk stand; unknown members are kept
			`{"event_type":"turn_end","session_id":"s","origin":"hook","user_id":"me","source_sdk":"x","step":3,"extra":{"a":1},"why":null}`,
			`{"v":1,"event_id":"ID","event_type":"turn_end","session_id":"s","timestamp":"2026-03-02T08:00:00.000000000Z","source_sdk":"x","origin":"hook","seq":1000,"host":"h","user_id":"me","extra":{"a":1,"step":3}}`,
		},
		{ // a session id that cannot be one
			`{"event_type":"turn_end","session_id":"../x","metadata":{"git_branch":"main","session_id_original":"forged"}}`,
			`{"v":1,"event_id":"ID","event_type":"turn_end","session_id":"` + schema.SafeID("../x") + `","timestamp":"2026-03-02T08:00:00.000000000Z","source_sdk":"unknown","origin":"api","seq":1000,"host":"h","user_id":"u","metadata":{"git_branch":"main","session_id_original":"../x"}}`,
		},
		{ // a type that nobody knows
			`{"event_type":"teleport","session_id":"s","tool_use_id":"c","where":[1, 2]}`,
			`{"v":1,"event_id":"ID","event_type":"unknown","session_id":"s","timestamp":"2026-03-02T08:00:00.000000000Z","source_sdk":"unknown","origin":"api","hook_event_name":"teleport","seq":1000,"host":"h","user_id":"u","tool_use_id":"c","extra":{"where":[1, 2],"event_type":"teleport"}}`,
		},
		{ // a document of several lines, with bytes that are no text
			"{\"event_type\":\"context\",\n\"session_id\":\"s\",\n\"result\":{\n\"a\":\"\xff\"\n}}",
			`{"v":1,"event_id":"ID","event_type":"context","session_id":"s","timestamp":"2026-03-02T08:00:00.000000000Z","source_sdk":"unknown","origin":"api","seq":1000,"host":"h","user_id":"u","result":{ "a":"` + "\ufffd" + `" }}`,
		},
	} {
		events, l, err := jsonl.NewDecoder(src).Append(nil, []byte(c.line), 1, received())
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %v, %d events", c.line, err, len(events))
			continue
		}
		e := events[0]
		want := strings.NewReplacer("ID", e.EventID, "HASH", e.InputHash).Replace(c.want)
		if diff := gocmp.Diff(want, string(e.AppendJSON(nil))); diff != "" || !schema.ValidID(e.EventID) {
			t.Errorf("%s: %s", c.line, diff)
		}
		if l.Unknown != (e.EventType == schema.Unknown) {
			t.Errorf("%s: %+v", c.line, l)
		}
	}
}

func TestEventFaults(t *testing.T) {
	for _, c := range []struct {
		line          string
		column, item  int
		field, reason string
	}{
		{`{}`, 1, -1, "event_type", "missing"},
		{`{"event_type":"turn_end"}`, 1, -1, "session_id", "missing"},
		{`{"event_type":5,"session_id":"s"}`, 15, -1, "event_type", "want a string, got 5"},
		{`{"event_type":"turn_end","session_id":{}}`, 39, -1, "session_id", "want a string"},
		{`{"event_type":"turn_end","session_id":"s","v":2}`, 47, -1, "v", "want 1"},
		{`{"event_type":"turn_end","session_id":"s","v":"1"}`, 47, -1, "v", "want an integer"},
		{`{"event_type":"turn_end","session_id":"s","event_id":"a b"}`, 54, -1, "event_id", "does not match"},
		{`{"event_type":"turn_end","session_id":"s","timestamp":"yesterday"}`, 55, -1, "timestamp", "RFC 3339"},
		{`{"event_type":"turn_end","session_id":"s","timestamp":1767225600}`, 55, -1, "timestamp", "RFC 3339"},
		{`{"event_type":"turn_end","session_id":"s","timestamp":"1969-01-01T00:00:00Z"}`, 55, -1, "timestamp", "1970 to 2261"},
		{`{"event_type":"turn_end","session_id":"s","origin":"mars"}`, 52, -1, "origin", "want hook"},
		{`{"event_type":"turn_end","session_id":"s","seq":1.5}`, 49, -1, "seq", "want an integer"},
		{`{"event_type":"turn_end","session_id":"s","tags":"a"}`, 50, -1, "tags", "want a list"},
		{`{"event_type":"turn_end","session_id":"s","metadata":[]}`, 54, -1, "metadata", "want an object"},
		{`{"event_type":"turn_end","session_id":"s","extra":{"a":1},"a":2}`, 63, -1, "a", "in extra, too"},
		{`{"event_type":"tool_start","session_id":"s"}`, 1, -1, "tool_use_id", "missing"},
		{`{"event_type":"tool_end","session_id":"s","tool_use_id":null}`, 57, -1, "tool_use_id", "missing"},
		{`{"event_type":"message","session_id":"s","role":"tool","content":"x"}`, 49, -1, "role", "want user"},
		{`{"event_type":"agent_start","session_id":"s"}`, 1, -1, "agent_id", "missing"},
		{`{"event_type":"turn_end","session_id":"s"`, 41, -1, "", "not valid JSON"},
		{`[{"event_type":"turn_end","session_id":"s"},7]`, 45, 1, "", "want an event"},
		{`[{"event_type":"turn_end","session_id":"s"},{"event_type":"turn_end"}]`, 45, 1, "session_id", "missing"},
		{`[{"event_type":"source_position","session_id":"s"}]`, 2, 0, "event_type", "source_position"},
		{`5`, 1, -1, "", "want an event"},
	} {
		dst := []schema.Event{{EventID: "before"}}
		got, _, err := jsonl.NewDecoder(jsonl.Source{Format: jsonl.Events}).Append(dst, []byte(c.line), 1, received())
		fault := (*jsonl.LineError)(nil)
		if !errors.As(err, &fault) || len(got) != 1 {
			t.Errorf("%s: error %v, %d events", c.line, err, len(got)-1)
			continue
		}
		if fault.Column != c.column || fault.Item != c.item || fault.Field != c.field || !strings.Contains(fault.Err.Error(), c.reason) {
			t.Errorf("%s: %v, want column %d, item %d, %s: %s", c.line, err, c.column, c.item, c.field, c.reason)
		}
	}
}

// TestHostileLinesTakeLinearTime: what a line costs grows with its length, whatever is in it.
// The bound is for a busy machine under the race detector: a square of these lines takes longer.
func TestHostileLinesTakeLinearTime(t *testing.T) {
	many := func(prefix string, n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"` + prefix + strconv.Itoa(i) + `":0`)
		}
		return b.String()
	}
	deep := strings.Repeat(`{"a":`, 9000) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}", 9000)
	for name, line := range map[string]string{
		"members":        `{"event_type":"turn_end","session_id":"s","extra":{` + many("a", 50_000)[1:] + `}` + many("b", 50_000) + `}`,
		"deep":           `{"event_type":"turn_end","session_id":"s","result":` + deep + `}`,
		"grain members":  `{"tool_name":"t"` + many("b", 50_000) + `,"input":{` + many("a", 50_000)[1:] + `}}`,
		"grain deep":     `{"tool_name":"t","input":` + deep + `,"x":` + deep + `}`,
		"grains":         `{"grains":[` + strings.Repeat(`{"tool_name":"t"},`, 20_000) + `{"tool_name":"t"}]}`,
		"twice at last":  `{"tool_name":"t"` + many("b", 50_000) + `,"b7":1}`,
		"links":          `{"tool_name":"t","related_to":[` + strings.Repeat(`{"hash":"h"},`, 50_000) + `{"hash":"h"}]}`,
		"an open string": `{"tool_name":"` + strings.Repeat(`\u00e9`, 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			f, ok := jsonl.Detect([]byte(line))
			if !ok && name != "an open string" {
				t.Fatal("nobody knows it")
			}
			events, _, err := jsonl.NewDecoder(jsonl.Source{Format: cmp.Or(f, jsonl.OMS)}).Append(nil, []byte(line), 1, received())
			for i := range events {
				if err := events[i].Validate(); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("%d bytes took %v, %d events, %v", len(line), took, len(events), err)
			}
		})
	}
}

func FuzzProtocol(f *testing.F) {
	for line := range bytes.Lines(read(f, "testdata/events/reference.jsonl")) {
		f.Add(line)
	}
	for _, line := range journalLines(f)[:len(schema.Types())] {
		f.Add(line)
	}
	f.Add([]byte(`[{"event_type":"message","session_id":"\ud800","role":"user","content":[{"text":"a"},"b"]},{"event_type":"x","session_id":"s","\u0065xtra":{}}]`))
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		src := jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAPI, HashKey: []byte("k")}
		d := jsonl.NewDecoder(src)
		events, l, err := d.Append(nil, line, 1, received())
		if !bytes.Equal(before, line) {
			t.Fatal("the line was changed")
		}
		if err != nil {
			checkFault(t, err, events, line)
			return
		}
		if len(events) == 0 && !l.Skipped && l.Kind != "batch" {
			t.Fatal("nothing, and nothing said")
		}
		clear(line)
		for _, e := range events {
			if err := e.Validate(); err != nil || e.EventType == schema.SourcePosition {
				t.Fatalf("%s: %v", e.AppendJSON(nil), err)
			}
			once := e.AppendJSON(nil)
			again, _, err := d.Append(nil, once, 2, received())
			if err != nil || !bytes.Equal(again[0].AppendJSON(nil), once) {
				t.Fatalf("%s is not stable: %v", once, err)
			}
		}
	})
}

func BenchmarkProtocol(b *testing.B) {
	lines := map[string][]byte{
		"reference": []byte(`{"event_type": "tool_end", "session_id": "chat-42", "timestamp": "2026-03-01T09:15:05.005007+00:00", "metadata": {}, "source_sdk": "openai", "tool_name": "recall", "tool_use_id": "call_1", "result": "three, with backoff, and what else a tool gives in some hundred bytes of text, more often than not", "is_error": false, "error_message": null, "agent_name": null}`),
		"journal":   bytes.TrimSpace(read(b, "../claude/testdata/PostToolUse.golden.jsonl")),
	}
	for name, line := range lines {
		b.Run(name, func(b *testing.B) {
			d := jsonl.NewDecoder(jsonl.Source{Format: jsonl.Events, Origin: schema.OriginAudit, HashKey: []byte("key")})
			var events []schema.Event
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if events, _, err = d.Append(events[:0], line, 1, received()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
