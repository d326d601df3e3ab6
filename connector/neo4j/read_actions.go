package neo4j

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
)

// Actions lists actions of one session by timestamp; those with the same timestamp
// by agent_id, and within a lane as FOLLOWED_BY has them.
func (s *Store) Actions(ctx context.Context, f graph.ActionFilter) (out []graph.ActionRow, err error) {
	err = s.view(ctx, "list actions of "+f.Session, func(v *view) error {
		out, err = v.actions(f)
		return err
	})
	return out, err
}

func (v *view) actions(f graph.ActionFilter) (rows []graph.ActionRow, err error) {
	params := row{
		"session": encodeKey(f.Session), "type": encodeFilter("action_type", string(f.Type)), "tool": encodeFilter("tool_name", f.Tool),
		"status": encodeFilter("status", f.Status), "agent": nil, "no_text": markTime, "until": nil,
	}
	if f.Agent != nil {
		params["agent"] = encodeValue("agent_id", *f.Agent)
	}
	if f.Limit > 0 {
		params["before"] = int64(f.Limit - 1)
		if err := v.rows("actions_until", params, func(m row) { params["until"] = m["until"] }); err != nil {
			return nil, err
		}
	}
	name := "actions"
	if f.Content {
		name = "actions_content"
	}
	err = v.rows(name, params, func(m row) { rows = append(rows, actionRow(m)) })
	if err != nil {
		return nil, err
	}
	places := map[string]graph.ActionRow{}
	if f.Type != "" || f.Tool != "" || f.Status != "" {
		if places, err = v.neighbours(f.Session, rows); err != nil {
			return nil, err
		}
	}
	rows = inOrder(rows, places)
	if f.Limit > 0 && len(rows) > f.Limit {
		rows = rows[:f.Limit]
	}
	return rows, nil
}

// actionRow makes a row of the columns of actions.cypher, or of all properties in the
// column props.
func actionRow(m row) graph.ActionRow {
	r := graph.ActionRow{FollowsID: decodeKey(m["follows"])}
	props, content := m["props"].(map[string]any)
	if !content {
		props = m
	}
	typ, _ := props["action_type"].(string)
	r.ActionID, r.ActionType = decodeKey(props["action_id"]), graph.ActionType(typ)
	r.SessionID, _ = decoded(props, "session_id").(string)
	r.Fill(decodeProps(graph.LabelAction, props), content)
	return r
}

// neighbours reads the actions of the lanes and timestamps at which there are several of
// rows: in which order those are may hang on one that was filtered out. A fold gives the
// same time to few actions.
func (v *view) neighbours(session string, rows []graph.ActionRow) (map[string]graph.ActionRow, error) {
	count := map[string]int{}
	var times []string
	for _, r := range rows {
		t := ""
		if !r.Timestamp.IsZero() {
			t = encodeTime(r.Timestamp)
		}
		if count[t]++; count[t] == 2 {
			times = append(times, t)
		}
	}
	out := map[string]graph.ActionRow{}
	if len(times) == 0 {
		return out, nil
	}
	err := v.rows("actions_at", row{"session": encodeKey(session), "times": times}, func(m row) {
		r := actionRow(m)
		out[r.ActionID] = r
	})
	return out, err
}

// inOrder sorts rows by timestamp, then agent_id; what has both in common goes from the
// heads, by key, along the chain, which may lead over actions in places that are none of
// rows.
func inOrder(rows []graph.ActionRow, places map[string]graph.ActionRow) []graph.ActionRow {
	wanted := make(map[string]bool, len(rows))
	for _, r := range rows {
		wanted[r.ActionID] = true
	}
	all := slices.Clone(rows)
	for id, r := range places {
		if !wanted[id] {
			all = append(all, r)
		}
	}
	lane := func(a, b graph.ActionRow) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.AgentID, b.AgentID))
	}
	slices.SortFunc(all, func(a, b graph.ActionRow) int { return cmp.Or(lane(a, b), cmp.Compare(a.ActionID, b.ActionID)) })
	out := make([]graph.ActionRow, 0, len(rows))
	for len(all) > 0 {
		n := 1
		for n < len(all) && lane(all[0], all[n]) == 0 {
			n++
		}
		for _, r := range alongChain(all[:n]) {
			if wanted[r.ActionID] {
				out = append(out, r)
			}
		}
		all = all[n:]
	}
	return out
}

// alongChain sorts actions of one lane and timestamp, which come sorted by key.
func alongChain(same []graph.ActionRow) []graph.ActionRow {
	if len(same) < 2 {
		return same
	}
	at := make(map[string]int, len(same))
	for i, r := range same {
		at[r.ActionID] = i
	}
	next := make(map[string]int, len(same))
	for i, r := range same {
		if _, ok := at[r.FollowsID]; ok {
			next[r.FollowsID] = i
		}
	}
	out := make([]graph.ActionRow, 0, len(same))
	for i, r := range same {
		if _, follows := at[r.FollowsID]; follows {
			continue
		}
		for ok := true; ok; i, ok = next[same[i].ActionID] {
			out = append(out, same[i])
		}
	}
	return out
}

// Action returns one action with its content.
func (s *Store) Action(ctx context.Context, id string) (r graph.ActionRow, err error) {
	err = s.view(ctx, "read action "+id, func(v *view) error {
		found := false
		err := v.rows("action", row{"action": encodeKey(id)}, func(m row) { r, found = actionRow(m), true })
		if err == nil && !found {
			return fmt.Errorf("action %q: %w", id, graph.ErrNotFound)
		}
		return err
	})
	return r, err
}
