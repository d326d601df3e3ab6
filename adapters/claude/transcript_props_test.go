package claude_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// TestTranscriptBeginsAnywhere cuts each transcript at every line: the facts of both
// parts, each read by a Transcript of its own, are those of the whole.
func TestTranscriptBeginsAnywhere(t *testing.T) {
	for _, r := range transcripts(t) {
		whole := factSet(r.facts(t, 0, len(r.lines)))
		first := 0
		for len(r.facts(t, 0, first)) == 0 {
			first++
		}
		for cut := 0; cut < len(r.lines); cut += 1 + len(r.lines)/64 {
			parts := factSet(append(r.facts(t, 0, cut), r.facts(t, cut, len(r.lines))...))
			for id, e := range whole {
				if _, ok := parts[id]; !ok && !waits(e, cut < first) {
					t.Fatalf("%s cut at line %d: lost %s", r.path, cut+1, e.AppendJSON(nil))
				}
			}
			for id, e := range parts {
				if _, ok := whole[id]; !ok && e.EventType != schema.SessionUpdate {
					t.Fatalf("%s cut at line %d: another fact: %s", r.path, cut+1, e.AppendJSON(nil))
				}
			}
			for id, want := range whole {
				if want.EventType == schema.Fork {
					continue // told by the first line, whichever it is
				}
				got, ok := parts[id]
				if !bytes.Contains(r.lines[want.Seq/1000-1], []byte("timestamp")) { // that of a line before or after
					got.Timestamp = want.Timestamp
				}
				if ok && want.EventType != schema.SessionUpdate &&
					want.HookEventName != "queued_command" && !bytes.Equal(want.AppendJSON(nil), got.AppendJSON(nil)) && want.EventType != schema.LLMEnd {
					t.Fatalf("%s cut at line %d:\n%s", r.path, cut+1, cmp.Diff(string(want.AppendJSON(nil)), string(got.AppendJSON(nil))))
				}
			}
		}
	}
}

// waits: lines without a time wait for the first that has one, and are lost with the
// Transcript that holds them; a session's own summary, and in old versions what the agent
// takes from the queue, is known by a line before it.
func waits(e schema.Event, begin bool) bool {
	return e.HookEventName == "queue-operation" || e.EventType == schema.SessionUpdate && (begin || e.HookEventName == "summary")
}

// factSet gives the first record of each fact.
func factSet(events []schema.Event) map[string]schema.Event {
	set := map[string]schema.Event{}
	for _, e := range events {
		if _, ok := set[e.EventID]; !ok {
			set[e.EventID] = e
		}
	}
	return set
}

// TestTokensOfTranscripts counts tokens without our parser: the maxima of usage by
// message.id.
func TestTokensOfTranscripts(t *testing.T) {
	names := []string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}
	for _, r := range transcripts(t) {
		want, got := map[string]int64{}, map[string]int64{}
		most := func(m map[string]int64, key string, n int64) { m[key] = max(m[key], n) }
		for _, raw := range r.lines {
			var l struct {
				Type    string
				Message struct {
					ID, Model string
					Usage     map[string]any
				}
			}
			_ = json.Unmarshal(raw, &l) // a line of another shape has no usage
			if l.Type != "assistant" || l.Message.Model == "<synthetic>" || l.Message.Usage == nil {
				continue
			}
			for _, name := range names {
				n, _ := l.Message.Usage[name].(float64)
				most(want, l.Message.ID+" "+name, int64(n))
			}
		}
		calls := map[string]string{}
		for _, e := range r.facts(t, 0, len(r.lines)) {
			if e.EventType != schema.LLMEnd {
				continue
			}
			if id, ok := calls[e.MessageID]; ok && id != e.EventID {
				t.Errorf("%s: %s is two facts", r.path, e.MessageID)
			}
			calls[e.MessageID] = e.EventID
			for k, n := range []*int64{e.InputTokens, e.OutputTokens, e.CacheReadInputTokens, e.CacheCreationInputTokens} {
				if n == nil {
					n = new(int64)
				}
				most(got, e.MessageID+" "+names[k], *n)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", r.path, diff)
		}
	}
}

// TestHooksAndTranscriptAgree compares recordings that have both: the same calls, the
// same inputs by their hashes, the same prompts.
func TestHooksAndTranscriptAgree(t *testing.T) {
	compared := 0
	for _, r := range transcripts(t) {
		scenario := strings.Split(strings.TrimPrefix(r.path, "testdata/transcripts/"), "/")[0]
		file, err := os.ReadFile(filepath.Join("../../internal/e2e/testdata/captures", scenario, "hooks.jsonl"))
		if err != nil {
			continue
		}
		calls, results, batched, prompts := map[string]string{}, map[string]bool{}, map[string]bool{}, map[string]string{}
		for _, l := range bytes.Split(file, []byte("\n")) {
			payload := []byte(schema.FieldString(l, "stdin"))
			for _, e := range claude.Events(payload, claude.Env{Now: now(), HashKey: env(nil).HashKey}) {
				if e.SessionID != r.src.Session || e.AgentID != r.src.Agent {
					continue
				}
				switch {
				case e.EventType == schema.ToolStart:
					calls[e.ToolUseID] = e.InputHash
				case e.EventType == schema.ToolEnd:
					results[e.ToolUseID] = e.IsError
				case e.EventType == schema.ToolBatch:
					batched[e.ToolUseID] = true
				case e.EventType == schema.Message && e.Role == schema.RoleUser:
					prompts[e.PromptID+" "+e.Content] = e.WorkingDirectory
				}
			}
		}
		said := map[string]string{}
		for _, e := range r.facts(t, 0, len(r.lines)) {
			if e.SessionID != r.src.Session {
				continue
			}
			switch e.EventType {
			case schema.ToolStart:
				hash, ok := calls[e.ToolUseID]
				switch {
				case !ok && !batched[e.ToolUseID]:
					t.Errorf("%s: the hooks do not know the call %s of %s", r.path, e.ToolUseID, e.ToolName)
				case ok && hash != e.InputHash && e.ToolName != "Edit": // the transcript has replace_all filled in
					t.Errorf("%s: %s of %s: two hashes of one input", r.path, e.ToolUseID, e.ToolName)
				}
				delete(calls, e.ToolUseID)
				compared++
			case schema.ToolEnd:
				if failed, ok := results[e.ToolUseID]; ok && failed != e.IsError {
					t.Errorf("%s: %s failed: %v, hook: %v", r.path, e.ToolUseID, e.IsError, failed)
				}
				delete(results, e.ToolUseID)
			case schema.Message:
				if e.Role == schema.RoleUser {
					said[e.PromptID+" "+e.Content] = e.WorkingDirectory
				}
			}
		}
		if len(calls) > 0 || len(results) > 0 {
			t.Errorf("%s: only the hooks know the calls %v, the results %v", r.path, calls, results)
		}
		maps.DeleteFunc(prompts, func(p, _ string) bool { return strings.HasPrefix(p[strings.Index(p, " ")+1:], "/") }) // tags in the transcript
		if diff := cmp.Diff(prompts, said); diff != "" && r.src.Agent == "" {
			t.Errorf("%s: prompts: -hooks +transcript\n%s", r.path, diff)
		}
	}
	if compared < 30 {
		t.Errorf("compared only %d calls", compared)
	}
}

// TestForksShareTheirFacts: what a fork copied is the same fact, of the same session,
// as in its parent's file, and everything of the parent's is there.
func TestForksShareTheirFacts(t *testing.T) {
	bySession := map[string]transcript{}
	for _, r := range transcripts(t) {
		bySession[r.src.Session+r.src.Agent] = r
	}
	forks := 0
	for _, r := range bySession {
		if len(r.src.Origins) == 0 {
			continue
		}
		forks++
		origin := r.src.Origins[len(r.src.Origins)-1]
		parent := bySession[origin.Session]
		known := factSet(parent.facts(t, 0, len(parent.lines)))
		copied := map[string]bool{}
		for _, e := range r.facts(t, 0, len(r.lines)) {
			switch {
			case e.EventType == schema.Fork:
				if e.ParentSessionID != origin.Session || e.SessionID != r.src.Session {
					t.Errorf("%s", e.AppendJSON(nil))
				}
				if _, ok := known[e.ParentEventID]; !ok {
					t.Errorf("%s: the fork began at an event that its parent does not have", r.path)
				}
			case e.SessionID == origin.Session:
				copied[e.EventID] = true
				want, ok := known[e.EventID]
				if !ok && e.EventType != schema.SessionUpdate {
					t.Errorf("%s: the parent's file does not have %s", r.path, e.AppendJSON(nil))
				}
				if e.EventType != schema.SessionUpdate && (want.Content != e.Content || !want.Timestamp.Equal(e.Timestamp) || e.PromptID != "" && e.PromptID != want.PromptID) {
					t.Errorf("%s: another fact under one id", r.path)
				}
			case e.Timestamp.Before(origin.Until):
				t.Errorf("%s: its own, but before the fork: %s", r.path, e.AppendJSON(nil))
			}
		}
		for id, e := range known {
			if !copied[id] && !e.Timestamp.After(origin.Until) && e.EventType != schema.SessionUpdate {
				t.Errorf("%s: not copied: %s", r.path, e.AppendJSON(nil))
			}
		}
	}
	if forks != 2 {
		t.Errorf("%d forks in testdata", forks)
	}
}

func TestAgentFact(t *testing.T) {
	src := claude.Source{Session: "s", Agent: "a1", Host: "h"}
	e, ok := claude.AgentFact(src, []byte("{\n \"agentType\": \"Explore\",\n \"toolUseId\": \"toolu_1\"\n}\n"), now())
	if !ok || e.Validate() != nil {
		t.Fatalf("%v %v", ok, e.Validate())
	}
	if e.EventType != schema.SessionUpdate || e.SessionID != "s" || e.AgentID != "a1" || e.AgentType != "Explore" || e.Host != "h" || !e.Timestamp.Equal(now()) ||
		schema.FieldString(schema.Field(e.Metadata, schema.MetaAgent), "toolUseId") != "toolu_1" {
		t.Errorf("%s", e.AppendJSON(nil))
	}
	later, _ := claude.AgentFact(src, []byte(`{"agentType":"Explore","toolUseId":"toolu_1","finished":true}`), now())
	if later.EventID == e.EventID {
		t.Error("what a file says later is the same fact")
	}
	for _, bad := range []string{"", "[]", "{", "null"} {
		if _, ok := claude.AgentFact(src, []byte(bad), now()); ok {
			t.Errorf("a fact of %q", bad)
		}
	}
	if _, ok := claude.AgentFact(claude.Source{Session: "s"}, []byte("{}"), now()); ok {
		t.Error("the main thread has no agent")
	}
}

// FuzzTranscript: whatever the lines, nothing panics, every event is valid and goes
// through the journal's own decoding, and the line is left as it was.
func FuzzTranscript(f *testing.F) {
	for _, r := range transcripts(f) {
		for _, l := range r.lines {
			if len(l) < 3000 {
				f.Add(l, []byte(`{"type":"mode","mode":"x","sessionId":"s"}`))
			}
		}
	}
	for _, l := range lineTypes() {
		f.Add([]byte(l.line), []byte(l.line))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var scan claude.OriginScan
		scan.Line(a)
		scan.Line(b)
		for _, agent := range []string{"", "a1"} {
			tr := claude.NewTranscript(claude.Source{Session: "s/1", Agent: agent, Origins: scan.Origins(), HashKey: []byte("k")})
			for n, l := range [][]byte{a, b, a} {
				before := bytes.Clone(l)
				events, _, _, _ := tr.Events(l, int64(n+1))
				if !bytes.Equal(before, l) {
					t.Fatal("the line was changed")
				}
				for _, e := range events {
					if err := e.Validate(); err != nil {
						t.Fatalf("%v\n%s", err, e.AppendJSON(nil))
					}
					again, err := schema.Decode(e.AppendJSON(nil))
					if err != nil || !bytes.Equal(again.AppendJSON(nil), e.AppendJSON(nil)) {
						t.Fatalf("%v\n%s\n%s", err, e.AppendJSON(nil), again.AppendJSON(nil))
					}
				}
			}
		}
	})
}

// TestCountsThatAreNone: only an integer from 0 to 1e12 is a count of tokens; what else a
// line gives is in no sum, and named.
func TestCountsThatAreNone(t *testing.T) {
	for given, want := range map[string]int64{
		"0": 0, "7": 7, "1000000000000": 1e12, "1000000000001": -1, "9000000000000000000": -1, "99999999999999999999": -1,
		"1.5": -1, `"7"`: -1, "-5": -1, "1e3": -1, "true": -1, "[1]": -1, "null": -2,
	} {
		usage := `{"input_tokens":` + given + `,"output_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":` + given + `}}`
		line := `{"type":"assistant","uuid":"u","sessionId":"s","timestamp":"2026-11-21T12:00:00Z","message":` +
			`{"id":"m","role":"assistant","model":"opus","content":[{"type":"text","text":"x"}],"usage":` + usage + `}}`
		events, _, _, err := claude.NewTranscript(claude.Source{Session: "s"}).Events([]byte(line), 1)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(events, func(e schema.Event) bool { return e.EventType == schema.LLMEnd })
		e := events[i]
		if e.OutputTokens == nil || *e.OutputTokens != 3 {
			t.Errorf("%s: the count beside it is gone", given)
		}
		fault := schema.FieldString(e.Metadata, schema.MetaHookError)
		for name, n := range map[string]*int64{"input_tokens": e.InputTokens, "ephemeral_1h_input_tokens": e.Ephemeral1hInputTokens} {
			if (n == nil) != (want < 0) || n != nil && *n != want {
				t.Errorf("%s: %s is %v, want %d", given, name, n, want)
			}
			if named := strings.Contains(fault, "usage."+name+": "+given+" is left out"); named != (want == -1) {
				t.Errorf("%s: hook_error is %q", given, fault)
			}
		}
		for _, e := range events {
			if e.EventType != schema.LLMEnd && len(e.Metadata) > 0 {
				t.Errorf("%s: the fault is also of %s: %s", given, e.EventType, e.Metadata)
			}
		}
	}
}
