package claude

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// metadata returns what was observed beside the payload, nil if nothing was.
func (env Env) metadata(e schema.Event, p *payload) json.RawMessage {
	meta := []byte{'{'}
	add := func(key, value string) {
		if value != "" {
			meta = appendMember(meta, key, schema.AppendString(nil, value))
		}
	}
	if e.EventType == schema.SessionStart {
		add(schema.MetaGitBranch, env.GitBranch)
		add(schema.MetaGitCommit, env.GitCommit)
	}
	if e.EventType == schema.SessionStart || namesFile(e) {
		add(schema.MetaRepoRoot, env.RepoRoot)
	}
	if p.session != e.SessionID { // adds nothing where there is none
		add(schema.MetaSessionID, p.session)
	}
	if agent := object(env.AgentMeta); agent != nil {
		meta = appendMember(meta, schema.MetaAgent, agent)
	}
	add(schema.MetaHookError, strings.Join(p.faults, "; "))
	add(schema.MetaPayload, p.unread)
	if len(meta) == 1 {
		return nil
	}
	return append(meta, '}')
}

// namesFile reports whether a tool call's input names a file.
func namesFile(e schema.Event) bool {
	if e.EventType != schema.ToolStart && e.EventType != schema.ToolEnd {
		return false
	}
	for name := range schema.Fields(e.ToolInput) {
		if name == "file_path" || name == "notebook_path" {
			return true
		}
	}
	return false
}

// inputHash returns 32 hexadecimal digits: the first 128 bits of the HMAC-SHA256 of
// raw, which is valid JSON, in a form that two payloads of one call share: compact,
// its top-level members sorted. PreToolUse and PermissionRequest are joined by it.
func (env Env) inputHash(raw []byte) string {
	if len(env.HashKey) == 0 {
		return ""
	}
	return inputHash(hmac.New(sha256.New, env.HashKey), raw)
}

// inputHash is Env.inputHash with a keyed hash that can be used again.
func inputHash(mac hash.Hash, raw []byte) string {
	mac.Reset()
	var few [8]member // as many as most inputs have
	members := few[:0]
	for key, v := range schema.Fields(raw) {
		members = append(members, member{key: key, raw: v})
	}
	if len(members) == 0 {
		mac.Write(compact(raw))
	}
	slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	text := make([]byte, 0, 64)
	for i, m := range members {
		text = append(text[:0], "{,"[min(i, 1)])
		mac.Write(append(schema.AppendString(text, m.key), ':'))
		mac.Write(compact(m.raw))
	}
	if len(members) > 0 {
		mac.Write([]byte{'}'})
	}
	return schema.Key(mac.Sum(text[:0])[:16]).String()
}
