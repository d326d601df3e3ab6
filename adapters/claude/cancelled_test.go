package claude

import (
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

// TestCancelledHook: a hook that the runtime ended is a failure of the recording where it is ours,
// and no fact where it is somebody else's.
func TestCancelledHook(t *testing.T) {
	const line = `{"parentUuid":null,"attachment":{"type":"hook_cancelled","hookName":"PreToolUse:Bash","hookEvent":"PreToolUse","toolUseID":"toolu_1",` +
		`"command":"/usr/bin/ag-hook claude","durationMs":5018,"timedOut":true,"timeoutMs":5000},"type":"attachment","uuid":"u1","sessionId":"s1",` +
		`"timestamp":"2026-09-10T05:38:34.000Z","cwd":"/w"}`
	events, kind, unknown, err := NewTranscript(Source{Session: "s1"}).Events([]byte(line), 3)
	if err != nil || unknown || kind != "attachment/hook_cancelled" {
		t.Fatalf("%s %v %v", kind, unknown, err)
	}
	var found []schema.Event
	for _, e := range events {
		if e.OfRecorder() {
			found = append(found, e)
		}
	}
	if len(found) != 1 || found[0].Reason != "hook.cancelled" || found[0].ToolUseID != "toolu_1" || found[0].SessionID != "s1" ||
		found[0].ErrorMessage == "" || found[0].Validate() != nil || !strings.Contains(string(found[0].Extra), `"durationMs":5018`) {
		t.Errorf("%+v", found)
	}
	events, kind, unknown, err = NewTranscript(Source{Session: "s1"}).Events([]byte(strings.ReplaceAll(line, "ag-hook", "lint")), 3)
	if len(events) != 0 || err != nil || unknown || kind != "attachment/hook_cancelled" {
		t.Errorf("another's: %+v %s %v %v", events, kind, unknown, err)
	}
}
