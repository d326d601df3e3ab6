package claude_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
)

func TestEventIDsNameTheFact(t *testing.T) {
	at := func(payload []byte, d time.Duration) string {
		return claude.Events(payload, claude.Env{Now: now().Add(d)})[0].EventID
	}
	call := `"tool_name":"Bash","tool_use_id":"t-1"`
	for _, keyed := range [][]byte{
		with("PreToolUse", call), with("PostToolUse", call), with("PostToolUseFailure", call), with("PermissionDenied", call),
		with("PostToolBatch", `"tool_calls":[{"tool_use_id":"t-1"}]`), with("TaskCreated", `"task_id":"1"`), with("TaskCompleted", `"task_id":"1"`),
	} {
		more := append(bytes.TrimSuffix(bytes.Clone(keyed), []byte("}")), `,"later":1}`...)
		if at(keyed, 0) != at(more, time.Second) {
			t.Errorf("named by more than its natural key: %s", keyed)
		}
	}
	for _, keyless := range [][]byte{
		with("Stop", ""), with("SessionStart", ""), with("PermissionRequest", call), with("PreToolUse", ""), with("TaskCreated", ""), []byte("broken"),
	} {
		other := append(bytes.Clone(keyless[:len(keyless)-1]), ` ,"x":1}`...)
		if again := at(keyless, 0); at(keyless, 0) != again {
			t.Errorf("not a function of time and payload: %s", keyless)
		}
		if at(keyless, 0) == at(keyless, 1) || at(keyless, 0) == at(other, 0) {
			t.Errorf("one id for two receive times or payloads: %s", keyless)
		}
		zone := claude.Env{Now: now().In(time.FixedZone("", 3600))}
		if claude.Events(keyless, zone)[0].EventID != at(keyless, 0) {
			t.Errorf("the id depends on the time zone: %s", keyless)
		}
	}
	if at(with("TaskCreated", `"task_id":"1"`), 0) == at(bytes.Replace(with("TaskCreated", `"task_id":"1"`), []byte("s-1"), []byte("s-2"), 2), 0) {
		t.Error("task 1 of two sessions is one fact")
	}
	pre, post := one(t, with("PreToolUse", call)), one(t, with("PostToolUse", call))
	if post.CausedBy != pre.EventID || pre.CausedBy != "" {
		t.Errorf("PostToolUse is caused by %q, its PreToolUse is %q", post.CausedBy, pre.EventID)
	}
}

func TestInputHash(t *testing.T) {
	hash := func(payload []byte, key string) string {
		return claude.Events(payload, claude.Env{Now: now(), HashKey: []byte(key)})[0].InputHash
	}
	pre := with("PreToolUse", `"tool_name":"Bash","tool_use_id":"t-1","tool_input":{"b":"x y","a":{"d":1,"c":2}}`)
	same := [][]byte{
		with("PermissionRequest", `"tool_name":"Bash","tool_input":{"a":{"d":1,"c":2},"b":"x y"}`),
		with("PermissionRequest", `"tool_input": { "b" : "x y", "a" : {"d":1, "c":2} }`),
		with("PostToolBatch", `"tool_calls":[{"tool_input":{"a":{"d":1,"c":2},"b":"x y"}}]`),
	}
	for _, p := range same {
		if hash(p, "k") != hash(pre, "k") {
			t.Errorf("%s does not hash as %s", p, pre)
		}
	}
	other := [][]byte{
		with("PermissionRequest", `"tool_input":{"b":"x  y","a":{"d":1,"c":2}}`),
		with("PermissionRequest", `"tool_input":{"b":"x y","a":{"d":2,"c":2}}`),
		with("PermissionRequest", `"tool_input":{"b":"x y"}`), with("PermissionRequest", `"tool_input":{}`), with("PermissionRequest", ``),
	}
	seen := map[string]bool{hash(pre, "k"): true, hash(pre, "k2"): true}
	for _, p := range other {
		if h := hash(p, "k"); seen[h] || len(h) != 32 {
			t.Errorf("%q of %s", h, p)
		}
		seen[hash(p, "k")] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d hashes: the key makes no difference", len(seen))
	}
	if h := hash(pre, ""); h != "" {
		t.Errorf("%s without a key", h)
	}
	// printf '{"a":1,"b":2}' | openssl dgst -sha256 -hmac key
	if got, want := hash(with("PreToolUse", `"tool_use_id":"t","tool_input":{"b":2,"a":1}`), "key"), "2fe14645f6dc4a36c62250de8b78e0dc"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMetadata(t *testing.T) {
	meta := func(payload []byte, e claude.Env) string { return string(claude.Events(payload, e)[0].Metadata) }
	e := claude.Env{Now: now(), GitBranch: "main", GitCommit: "abc", RepoRoot: "/repo", AgentMeta: []byte("{\n \"toolUseId\": \"t\"\n}\n")}
	agent := `"agent":{"toolUseId":"t"}`
	for _, c := range []struct{ payload, want string }{
		{string(with("SessionStart", "")), `{"git_branch":"main","git_commit":"abc","repo_root":"/repo",` + agent + `}`},
		{string(with("Stop", "")), `{` + agent + `}`},
		{string(with("PreToolUse", `"tool_use_id":"t","tool_input":{"file_path":"/repo/a"}`)), `{"repo_root":"/repo",` + agent + `}`},
		{string(with("PostToolUse", `"tool_use_id":"t","tool_input":{"notebook_path":"/repo/a"}`)), `{"repo_root":"/repo",` + agent + `}`},
		{string(with("PreToolUse", `"tool_use_id":"t","tool_input":{"command":"file_path"}`)), `{` + agent + `}`},
		{string(with("PermissionRequest", `"tool_input":{"file_path":"/repo/a"}`)), `{` + agent + `}`},
		{`{"session_id":"../x","hook_event_name":"Stop"}`, `{"session_id_original":"../x",` + agent + `}`},
	} {
		if got := meta([]byte(c.payload), e); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.payload, got, c.want)
		}
	}
	for _, bad := range []string{"", "{", "[]", "null", `"x"`} {
		e.AgentMeta = []byte(bad)
		if got := meta(with("Stop", ""), e); got != "" {
			t.Errorf("agent metadata of %q: %s", bad, got)
		}
	}
}

func TestAgentMetaPath(t *testing.T) {
	const agent = `"agent_id":"a1","transcript_path":`
	for _, c := range []struct{ members, want string }{
		{agent + `"/h/p/s-1.jsonl"`, "/h/p/s-1/subagents/agent-a1.meta.json"},
		{agent + `"/s-1.jsonl"`, "/s-1/subagents/agent-a1.meta.json"},
		{agent + `"C:\\Users\\d\\s-1.jsonl"`, `C:\Users\d\s-1\subagents\agent-a1.meta.json`},
		{agent + `"C:/Users/d/s-1.jsonl"`, `C:/Users/d/s-1/subagents/agent-a1.meta.json`},
		{`"transcript_path":"/h/p/s-1.jsonl"`, ""},
		{`"agent_id":"","transcript_path":"/h/p/s-1.jsonl"`, ""},
		{`"agent_id":"../../x","transcript_path":"/h/p/s-1.jsonl"`, ""},
		{`"agent_id":7,"transcript_path":"/h/p/s-1.jsonl"`, ""},
		{agent + `"h/p/s-1.jsonl"`, ""}, {agent + `"s-1.jsonl"`, ""}, {agent + `"/h/p/s-2.jsonl"`, ""}, {agent + `"/h/p/s-1.jsonl/"`, ""},
		{agent + `"/h/../etc/s-1.jsonl"`, ""}, {agent + `"/h/..\\etc/s-1.jsonl"`, ""}, {agent + `"/h\u0000/s-1.jsonl"`, ""}, {agent + `""`, ""}, {agent + `null`, ""},
	} {
		payload := []byte(`{"session_id":"s-1",` + c.members + `}`)
		if got := claude.AgentMetaPath(payload); got != c.want {
			t.Errorf("%s: %q, want %q", payload, got, c.want)
		}
	}
	for _, payload := range []string{"", "{", `{"session_id":"../s","agent_id":"a1","transcript_path":"/h/../s.jsonl"}`, `{"agent_id":"a1","transcript_path":"/h/.jsonl"}`} {
		if got := claude.AgentMetaPath([]byte(payload)); got != "" {
			t.Errorf("%s: %q", payload, got)
		}
	}
}
