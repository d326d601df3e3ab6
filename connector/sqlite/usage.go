package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// The table usage holds what reports of tokens add up, so that a year of sessions is
// some ten thousand narrow rows instead of every call's wide one: measured, a report
// over 5,000 sessions takes 20 ms instead of 0.5 s. It is kept in step by differences:
// what a call adds is a function of its node's properties (graph.UsageOf), which are
// read back before they change.

// usageKey is what the calls in one row of usage have in common.
type usageKey struct {
	sid, quarter        int64
	agent, model, speed string
	over                int64
	stated              bool
}

// usageSum is what they add up to.
type usageSum struct {
	graph.UsageCounts
	cost int64
}

// count adds what an action with these properties uses to its session's sums, or with
// sign -1 takes it away.
func (t *tx) count(n *node, props []graph.Prop, sign int64) {
	r, quarter, ok := graph.UsageOf(props)
	if !ok {
		return
	}
	k := usageKey{sid: n.sid, quarter: quarter, model: r.Model, speed: r.Speed, over: r.Over, stated: r.Stated}
	for _, p := range props {
		if p.Name == "agent_id" {
			k.agent = str(p.Value)
		}
	}
	sum := t.usage[k]
	if sign < 0 {
		sum.Sub(r.UsageCounts)
	} else {
		sum.Add(r.UsageCounts)
	}
	sum.cost += sign * r.CostNanos
	t.usage[k] = sum
}

// countAction brings the sums up to what is about to be written of an action. It is
// called before its row is.
func (t *tx) countAction(n *node) error {
	counts := n.put && n.typ == graph.LLMCall
	if !counts && !n.counted || counts && n.counted && !slices.ContainsFunc(n.props, countsFor) {
		return nil
	}
	var old []graph.Prop
	if n.stored {
		var err error
		if old, err = t.actionProps(n); err != nil {
			return err
		}
	}
	if n.counted {
		t.count(n, old, -1)
	}
	if n.counted = counts; counts {
		t.count(n, merge(old, n.props), +1)
	}
	return nil
}

// countsFor reports a property that decides what a call adds, and to which row.
func countsFor(p graph.Prop) bool { return p.Name == "agent_id" || graph.IsUsage(p.Name) }

// uncount takes an action's share away: it is about to be deleted.
func (t *tx) uncount(n *node) error {
	if !n.counted {
		return nil
	}
	old, err := t.actionProps(n)
	if err == nil {
		t.count(n, old, -1)
	}
	return err
}

// actionProps reads all properties of an action that is in the file.
func (t *tx) actionProps(n *node) ([]graph.Prop, error) {
	props, err := t.readProps(t.tables.action, n)
	if err != nil || !n.hasBody {
		return props, err
	}
	more, err := t.readProps(t.tables.body, n)
	return append(props, more...), err
}

// writeUsage writes the differences that have been counted.
func (t *tx) writeUsage() error {
	for k, s := range t.usage {
		if s == (usageSum{}) {
			continue
		}
		key := []any{k.sid, k.quarter, k.agent, k.model, k.speed, k.over, k.stated}
		err := t.exec("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "+
			"calls = calls + excluded.calls, lower_bounds = lower_bounds + excluded.lower_bounds, input = input + excluded.input, "+
			"output = output + excluded.output, cache_read = cache_read + excluded.cache_read, "+
			"cache_write = cache_write + excluded.cache_write, cache_write_5m = cache_write_5m + excluded.cache_write_5m, "+
			"cache_write_1h = cache_write_1h + excluded.cache_write_1h, web_searches = web_searches + excluded.web_searches, "+
			"cost = cost + excluded.cost", append(key, s.Calls, s.LowerBounds, s.Input, s.Output, s.CacheRead, s.CacheWrite,
			s.CacheWrite5m, s.CacheWrite1h, s.WebSearches, s.cost)...)
		if err != nil {
			return err
		}
		if s.Calls >= 0 {
			continue
		}
		err = t.exec("DELETE FROM usage WHERE sid = ? AND quarter = ? AND agent = ? AND model = ? AND speed = ? AND over = ? "+
			"AND stated = ? AND calls = 0", key...)
		if err != nil {
			return err
		}
	}
	clear(t.usage)
	return nil
}

// Usage adds up model calls, sorted by what they are kept apart by.
func (s *Store) Usage(ctx context.Context, f graph.UsageFilter) (out []graph.UsageRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		var first, last sql.NullInt64
		if err := tx.QueryRowContext(ctx, "SELECT min(quarter), max(quarter) FROM usage").Scan(&first, &last); err != nil || !first.Valid {
			return err
		}
		for _, span := range f.Spans(first.Int64, last.Int64) {
			if out, err = appendUsage(ctx, tx, out, f, span); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.fail("add up usage", err)
	}
	return graph.SortUsage(out), nil
}

const usageSums = "sum(u.calls), sum(u.lower_bounds), sum(u.input), sum(u.output), sum(u.cache_read), sum(u.cache_write), " +
	"sum(u.cache_write_5m), sum(u.cache_write_1h), sum(u.web_searches), sum(u.cost)"

// appendUsage adds the sums of one span: SQLite groups, because handing over every row
// costs several times as much.
func appendUsage(ctx context.Context, tx *sql.Tx, out []graph.UsageRow, f graph.UsageFilter, span graph.UsageSpan) ([]graph.UsageRow, error) {
	day, session, project, agent := "0", "'', NULL, NULL, NULL", "NULL", "NULL"
	if f.ByDay {
		day = fmt.Sprintf("(u.quarter * 900 + %d) / 86400", span.Offset)
	}
	if f.BySession {
		session = "s.key, s.title, s.name, s.started_at"
	}
	if f.ByProject || f.BySession {
		project = "iif(typeof(s.repo_root) = 'text' AND s.repo_root <> '', s.repo_root, s.working_directory)"
	}
	if f.ByAgent {
		agent = "iif(u.agent = '', NULL, coalesce((SELECT max(nullif(g.agent_type, '')) FROM agent g WHERE g.sid = u.sid " +
			"AND g.agent_id = u.agent AND typeof(g.agent_type) = 'text'), '" + graph.Subagent + "'))"
	}
	w := &where{}
	w.and("u.quarter >= ? AND u.quarter < ?", span.From, span.Until)
	if f.Session != "" {
		w.and("s.key = ?", f.Session)
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+day+", "+session+", "+project+", "+agent+", u.model, u.speed, u.over, u.stated, "+usageSums+
		" FROM usage u JOIN session s ON s.id = u.sid WHERE "+w.String()+" GROUP BY 1, 2, 6, 7, 8, 9, 10, 11", w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days int64
	var title, name, started, where, who any
	for rows.Next() {
		var r graph.UsageRow
		if err := rows.Scan(&days, &r.SessionID, &title, &name, &started, &where, &who, &r.Model, &r.Speed, &r.Over, &r.Stated,
			&r.Calls, &r.LowerBounds, &r.Input, &r.Output, &r.CacheRead, &r.CacheWrite, &r.CacheWrite5m, &r.CacheWrite1h,
			&r.WebSearches, &r.CostNanos); err != nil {
			return nil, err
		}
		if f.ByDay {
			r.Day = graph.UsageDay(days)
		}
		if r.Title = str(title); r.Title == "" {
			r.Title = str(name)
		}
		if ns, ok := started.(int64); ok {
			r.StartedAt = time.Unix(0, ns).UTC()
		}
		r.Project, r.Agent = str(where), str(who)
		out = append(out, r)
	}
	return out, rows.Err()
}
