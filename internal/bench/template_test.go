package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// A copy of a part must be what the hook would have written: valid events of the
// same size, ids that still join a call and its result, and none of another copy.
func TestPartCopies(t *testing.T) {
	start := time.Date(2026, 11, 20, 9, 0, 0, 5, time.UTC)
	base := schema.Event{
		V: schema.Version, SessionID: "86f58e49-65d1-4e9d-862a-93d73e9c8e13", SourceSDK: "claude-code",
		Origin: schema.OriginHook, ToolName: "Bash", ToolUseID: "toolu_01MRVkuHGFTguoDsvWLOKee7",
		ToolInput: json.RawMessage(`{"command":"cat notes\nline two \u00e9","timeout":5}`),
		Extra:     json.RawMessage(`{"transcript_path":"/h/86f58e49-65d1-4e9d-862a-93d73e9c8e13.jsonl"}`),
	}
	call, result := base, base
	call.EventID, call.EventType, call.Timestamp = schema.NewID("a"), schema.ToolStart, start
	result.EventID, result.EventType, result.Timestamp = schema.NewID("b"), schema.ToolEnd, start.Add(3*time.Second)
	result.Result = json.RawMessage(`{"stdout":"toolu_01MRVkuHGFTguoDsvWLOKee7 was here"}`)
	lines := [][]byte{call.AppendJSON(nil), result.AppendJSON(nil)}
	p, err := newPart(lines)
	if err != nil {
		t.Fatal(err)
	}

	v := newValues()
	at := start.Add(time.Hour)
	seen := map[string]bool{call.EventID: true, result.EventID: true, call.ToolUseID: true}
	for range 3 {
		session := v.id(base.SessionID)
		copied := bytes.Fields(bytes.ReplaceAll(p.append(nil, session, at, v), []byte(" "), []byte("_")))
		var got [2]schema.Event
		for i, line := range copied {
			if len(line) != len(lines[i]) {
				t.Errorf("a line of %d bytes became one of %d", len(lines[i]), len(line))
			}
			if got[i], err = schema.Decode(line); err != nil {
				t.Fatal(err)
			}
			if err := got[i].Validate(); err != nil {
				t.Error(err)
			}
			if got[i].SessionID != session || !bytes.Contains(got[i].Extra, []byte(session)) {
				t.Errorf("session %s: %s", session, line)
			}
			if want := at.Add(p.after[i]); !got[i].Timestamp.Equal(want) {
				t.Errorf("timestamp %s, want %s", got[i].Timestamp, want)
			}
			if seen[got[i].EventID] {
				t.Errorf("event id %s twice", got[i].EventID)
			}
			seen[got[i].EventID] = true
			if bytes.Contains(line, []byte("notes")) || !bytes.Contains(line, []byte(`\nline`[:2])) {
				t.Errorf("words not replaced, or an escape was: %s", line)
			}
		}
		if got[0].ToolUseID != got[1].ToolUseID || seen[got[0].ToolUseID] {
			t.Errorf("tool use ids %s and %s", got[0].ToolUseID, got[1].ToolUseID)
		}
		if !bytes.Contains(got[1].Result, []byte(got[1].ToolUseID)) {
			t.Errorf("the id inside the text was not replaced: %s", got[1].Result)
		}
		if string(got[0].ToolInput) != string(got[1].ToolInput) {
			t.Errorf("the call's input differs: %s, %s", got[0].ToolInput, got[1].ToolInput)
		}
		seen[got[0].ToolUseID] = true
	}
}
