package claude_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

func FuzzEvents(f *testing.F) {
	for _, p := range payloads(f) {
		f.Add(p.data)
	}
	for _, s := range []string{
		"", "{", "null", "[]", `{"session_id":"../../etc/passwd","hook_event_name":"Stop"}`, `{"session_id":"s","session_id":"t"}`,
		`{"hook_event_name":"PostToolBatch","session_id":"s","tool_calls":[{},{"tool_use_id":"t","x":1},5,null]}`,
		`{"hook_event_name":"PostToolBatch","session_id":"s","tool_calls":[[]],"tool_call":{}}`,
		`{"hookEventName":"pre_tool_use","sessionId":"s","toolName":"t","toolInput":{},"workspaceRoot":"/w"}`,
		`{"sessionId":"s","toolName":"bash","toolArgs":"{}","timestamp":1}`, `{"conversation_id":"c","hook_event_name":"stop"}`,
		"{\"session_id\":\"\xff\",\"hook_event_name\":\"Stop\"}", "{\n\t\"session_id\" : \"s\",\r\n \"hook_event_name\":\"PreToolUse\",\"tool_use_id\":\"t\",\"tool_input\":{ \"b\":1, \"a\": [ ] }}",
		`{"session_id":"s","hook_event_name":"UserPromptSubmit","prompt":"\ud800\udc00\ud800"}`, `{"":1,"session_id":"s","hook_event_name":"PostToolUse","tool_use_id":"t","duration_ms":-0}`,
		`{"session_id":"s","hook_event_name":"SubagentStop","agent_id":"a","agent_type":""}`, strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		events := claude.Events(payload, env(payload))
		if !bytes.Equal(before, payload) {
			t.Fatal("the payload was changed")
		}
		if len(events) == 0 {
			t.Fatal("no event")
		}
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
			if e.Origin != schema.OriginHook || e.Actor == "" || e.InputHash == "" || !e.Timestamp.Equal(now()) {
				t.Fatalf("%s", e.AppendJSON(nil))
			}
		}
		if e := events[0]; e.SourceSDK == "" || !schema.ValidID(e.SessionID) {
			t.Fatalf("%s", e.AppendJSON(nil))
		}
		checkInverse(t, payload, events)
		if path := claude.AgentMetaPath(payload); strings.Contains(path, "..") || path != "" && !strings.HasSuffix(path, ".meta.json") {
			t.Fatalf("AgentMetaPath: %q", path)
		}
	})
}

func BenchmarkEvents(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10, 1 << 20} {
		data := bigWrite(size/2 - 400)
		b.Run(fmt.Sprintf("%dkB", size>>10), func(b *testing.B) {
			e := env(data)
			var line []byte
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				line = line[:0]
				for _, e := range claude.Events(data, e) {
					line = e.AppendJSON(line)
				}
			}
		})
	}
}
