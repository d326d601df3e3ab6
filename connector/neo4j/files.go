package neo4j

import (
	"context"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// Files returns the files that sessions read and wrote, most touched first, then by path
// and host.
func (s *Store) Files(ctx context.Context, f graph.FileFilter) (out []graph.FileRow, err error) {
	params := row{"session": nil, "since": encodeSince(f.Since), "prefix": nil, "part": nil}
	if f.Session != "" {
		params["session"] = encodeKey(f.Session)
	}
	prefix, part := f.FilePattern()
	if prefix != "" {
		params["prefix"] = prefix
	}
	if part != "" {
		params["part"] = part
	}
	err = s.view(ctx, "list files", func(v *view) error {
		var uses []graph.FileUse
		err := v.rows("files", params, func(m row) { uses = append(uses, fileUse(m)) })
		out = graph.FileRows(uses, f.Limit)
		return err
	})
	return out, err
}

func fileUse(m row) graph.FileUse {
	text := func(name string) string { s, _ := decoded(m, name).(string); return s }
	u := graph.FileUse{
		File: decodeKey(m["file"]), Path: text("path"), Host: text("host"), SessionID: decodeKey(m["session_id"]),
		Name: text("name"), User: text("user"), Tool: text("tool_name"),
		FirstAt: timestamp(m["first"]), LastAt: timestamp(m["last"]),
		LinesAdded: knownSum(m, "added", "add_known"), LinesRemoved: knownSum(m, "removed", "remove_known"),
	}
	edge, _ := m["did"].(string)
	u.Edge = graph.EdgeType(edge)
	u.Calls, _ = m["calls"].(int64)
	return u
}

func timestamp(v any) time.Time {
	if t, ok := decodeValue("timestamp", v).(graph.Time); ok {
		return time.Unix(0, int64(t)).UTC()
	}
	return time.Time{}
}

// knownSum is a sum of what some actions have; nil where none has.
func knownSum(m row, sum, count string) *int64 {
	n, _ := m[sum].(int64)
	if c, _ := m[count].(int64); c == 0 {
		return nil
	}
	return &n
}
