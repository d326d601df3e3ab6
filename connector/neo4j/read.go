package neo4j

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// view is one read transaction of a reader.
type view struct {
	ctx  context.Context
	tx   driver.ManagedTransaction
	info *Info
}

// view runs f in a read transaction. f may be run again after an error that passes, so
// it sets what it answers with and never adds to it.
func (s *Store) view(ctx context.Context, doing string, f func(*view) error) error {
	info, err := s.connect(ctx)
	if err == nil {
		_, err = s.readAll(ctx, func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
			return nil, f(&view{ctx, tx, info})
		})
	}
	if errors.Is(err, graph.ErrNotFound) {
		return err
	}
	return s.fail(doing, err)
}

// rows runs read/<name>.cypher and hands each record to each, by its columns.
func (v *view) rows(name string, params row, each func(row)) error {
	result, err := v.tx.Run(v.ctx, cypher.Read(v.info.Dialect, name), params)
	if err != nil {
		return err
	}
	for result.Next(v.ctx) {
		each(result.Record().AsMap())
	}
	return result.Err()
}

// encodeFilter is a text that a property is compared with as the property holds it, and
// nil, which selects all, for "".
func encodeFilter(name, text string) any {
	if text == "" {
		return nil
	}
	m := row{}
	encodeProps(m, []graph.Prop{{Name: name, Value: text}})
	return m[name]
}

// encodeSince is a time that a property is compared with; nil, which selects all, for
// none.
func encodeSince(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return graph.TimeOf(t).String()
}

// Sessions lists sessions, newest first: by started_at, then id; those without a
// start come last. Since is inclusive, Until is not. Stubs are not listed.
func (s *Store) Sessions(ctx context.Context, f graph.SessionFilter) (out []graph.SessionRow, err error) {
	params := row{
		"prefix": encodeKey(f.IDPrefix), "status": encodeFilter("status", f.Status), "user": encodeFilter("user", f.User),
		"host": encodeFilter("host", f.Host), "since": encodeSince(f.Since), "until": encodeSince(f.Until),
		"errors": f.HasErrors, "dir": encodeFilter("working_directory", f.Dir),
		"above": encodeValue("working_directory", strings.TrimRight(f.Dir, `/\`)), "tag": nil, "limit": int64(math.MaxInt64),
	}
	if f.Tag != "" {
		params["tag"] = encodeKey(f.Tag)
	}
	if f.Limit > 0 {
		params["limit"] = int64(f.Limit)
	}
	err = s.view(ctx, "list sessions", func(v *view) error {
		out = nil
		return v.rows("sessions", params, func(m row) {
			r := sessionRow(m)
			if fork, _ := m["fork"].(map[string]any); fork != nil {
				r.ForkedFrom = decodeKey(fork["parent"])
				props, _ := fork["props"].(map[string]any)
				r.FillFork(decodeProps("", props))
			}
			tags, _ := m["tags"].([]any)
			for _, t := range tags {
				r.Tags = append(r.Tags, decodeKey(t))
			}
			slices.Sort(r.Tags)
			out = append(out, r)
		})
	})
	slices.SortFunc(out, func(a, b graph.SessionRow) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.SessionID, b.SessionID))
	})
	return out, err
}

func sessionRow(m row) graph.SessionRow {
	r := graph.SessionRow{SessionID: decodeKey(m["session_id"])}
	r.Fill(decodeProps(graph.LabelSession, m))
	return r
}

// Agents lists the subagents of a session by started_at, then key; those without a
// start come first.
func (s *Store) Agents(ctx context.Context, session string) (out []graph.AgentRow, err error) {
	err = s.view(ctx, "list agents of "+session, func(v *view) error {
		out = nil
		return v.rows("agents", row{"session": encodeKey(session)}, func(m row) {
			props, _ := m["props"].(map[string]any)
			r := graph.AgentRow{SpawnedByActionID: decodeKey(m["spawner"])}
			r.AgentKey, _ = decoded(props, "agent_key").(string)
			r.ActionCount, _ = m["actions"].(int64)
			r.Fill(decodeProps(graph.LabelAgent, props))
			out = append(out, r)
		})
	})
	slices.SortFunc(out, func(a, b graph.AgentRow) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.AgentKey, b.AgentKey))
	})
	return out, err
}

// Tools returns the use of every tool, most used first, then by name: over the tool
// calls that carry a tool_name. Percentiles are exact, of durations that were seen
// (nearest rank).
func (s *Store) Tools(ctx context.Context, session string) (out []graph.ToolStats, err error) {
	err = s.view(ctx, "count tools", func(v *view) error {
		out, err = v.tools(session)
		return err
	})
	return out, err
}

// ofSession names the statement that is about one session, or the one about all.
func ofSession(name, session string) (string, row) {
	if session == "" {
		return name, nil
	}
	return name + "_session", row{"session": encodeKey(session)}
}

func (v *view) tools(session string) (out []graph.ToolStats, err error) {
	type use struct {
		graph.ToolStats
		durations []float64
	}
	uses := map[string]*use{}
	stmt, params := ofSession("tools", session)
	err = v.rows(stmt, params, func(m row) {
		name, ok := decoded(m, "tool_name").(string)
		if !ok {
			return // a value that is no text
		}
		u := uses[name]
		if u == nil {
			u = &use{ToolStats: graph.ToolStats{ToolName: name}}
			uses[name] = u
		}
		n, _ := m["uses"].(int64)
		u.UsageCount += n
		switch m["status"] {
		case "failed":
			u.ErrorCount += n
		case "denied", "blocked":
			u.DeniedCount += n
		}
		u.IsMCP, _ = m["is_mcp"].(bool)
		u.MCPServer, _ = decoded(m, "mcp_server").(string)
		durations, _ := m["durations"].([]any)
		for _, d := range durations {
			if d, ok := d.(float64); ok {
				u.durations = append(u.durations, d)
			}
		}
	})
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		u := uses[name]
		u.SetDurations(u.durations)
		out = append(out, u.ToolStats)
	}
	slices.SortStableFunc(out, func(a, b graph.ToolStats) int { return cmp.Compare(b.UsageCount, a.UsageCount) })
	return out, err
}

// decoded is one column as the value that was stored.
func decoded(m row, name string) any {
	if whole := m[name+wholeSuffix]; whole != nil {
		return decodeValue(name, whole) // it was too long for an index
	}
	return decodeValue(name, m[name])
}

// Summary counts one session, or with "" the whole store: its start and end are
// then the first start and the last end, and it has no status and no duration. A
// session that has not ended lasts until its last event.
func (s *Store) Summary(ctx context.Context, session string) (sum graph.Summary, err error) {
	err = s.view(ctx, "summarize", func(v *view) error {
		sum, err = v.summary(session)
		return err
	})
	return sum, err
}

func (v *view) summary(session string) (sum graph.Summary, err error) {
	sum = graph.Summary{SessionID: session, ActionTypes: map[string]int64{}, ToolCallStatuses: map[string]int64{}}
	params := row{"session": nil}
	if session != "" {
		params["session"] = encodeKey(session)
	}
	var sessions []graph.SessionRow
	err = v.rows("session_totals", params, func(m row) { sessions = append(sessions, sessionRow(m)) })
	if err != nil {
		return sum, err
	}
	if session != "" && len(sessions) == 0 {
		return sum, fmt.Errorf("session %q: %w", session, graph.ErrNotFound)
	}
	// A sum of costs hangs on the order: the same everywhere.
	slices.SortFunc(sessions, func(a, b graph.SessionRow) int { return cmp.Compare(a.SessionID, b.SessionID) })
	for _, r := range sessions {
		sum.Add(r)
	}
	stmt, params := ofSession("action_counts", session)
	err = v.rows(stmt, params, func(m row) {
		typ, _ := m["type"].(string)
		n, _ := m["actions"].(int64)
		sum.ActionTypes[typ] += n
		if status, _ := decoded(m, "status").(string); status != "" {
			sum.ToolCallStatuses[status] += n
		}
	})
	if err == nil {
		sum.Tools, err = v.tools(session)
	}
	return sum, err
}
