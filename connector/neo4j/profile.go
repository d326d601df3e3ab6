package neo4j

import (
	"context"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// Profile returns how long the calls of each tool took, most used first, then by name:
// of the tool calls that carry a tool_name.
func (s *Store) Profile(ctx context.Context, f graph.ProfileFilter) (out []graph.ToolProfile, err error) {
	err = s.view(ctx, "profile tools", func(v *view) error {
		out, err = v.profile(f)
		return err
	})
	return out, err
}

func (v *view) profile(f graph.ProfileFilter) ([]graph.ToolProfile, error) {
	params := row{"session": nil, "tool": encodeFilter("tool_name", f.Tool), "since": encodeSince(f.Since), "until": encodeSince(f.Until)}
	if f.Session != "" {
		params["session"] = encodeKey(f.Session)
	}
	p := graph.NewProfiler[string](f)
	err := v.rows("profile", params, func(m row) {
		c := graph.TimedCall[string]{}
		c.Tool, _ = decoded(m, "tool_name").(string)
		if c.Tool == "" {
			return // a value that is no text
		}
		if at, ok := decodeValue("timestamp", m["timestamp"]).(graph.Time); ok {
			c.At = time.Unix(0, int64(at)).UTC()
		}
		if d, ok := m["duration_ms"].(float64); ok {
			c.DurationMS = &d
		}
		c.Failed = m["status"] == "failed"
		c.Name, _ = m["action_id"].(string)
		c.Key = func() string { return decodeKey(c.Name) }
		p.Add(c)
	})
	if err != nil {
		return nil, err
	}
	return p.Profiles(func(keys []string) ([]graph.ActionRow, error) {
		byKey, err := v.hitRows(keys)
		out := make([]graph.ActionRow, 0, len(keys))
		for _, k := range keys {
			r := byKey[k]
			r.Text, r.Properties, r.Metadata = "", nil, nil
			out = append(out, r)
		}
		return out, err
	})
}

// hitRows reads actions by their keys, as the database has them.
func (v *view) hitRows(keys []string) (map[string]graph.ActionRow, error) {
	out := make(map[string]graph.ActionRow, len(keys))
	err := v.rows("hits", row{"keys": keys}, func(m row) {
		key, _ := m["action_id"].(string)
		out[key] = actionRow(m)
	})
	return out, err
}
