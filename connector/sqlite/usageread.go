package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// Usage adds up model calls, sorted by what they are kept apart by.
func (s *Store) Usage(ctx context.Context, f graph.UsageFilter) (out []graph.UsageRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		a := &adder{filter: f, groups: map[usageGroup]*usageSum{}, sessions: map[int64]usageSession{}}
		if f.ByAgent {
			if err := a.agentTypes(ctx, tx); err != nil {
				return err
			}
		}
		if err := a.addAll(ctx, tx); err != nil {
			return err
		}
		if err := a.addMissing(ctx, tx); err != nil {
			return err
		}
		out = a.rows()
		return nil
	})
	if err != nil {
		return nil, s.fail("add up usage", err)
	}
	return out, nil
}

// adder adds up what a filter selects.
type adder struct {
	filter   graph.UsageFilter
	groups   map[usageGroup]*usageSum
	sessions map[int64]usageSession
	types    map[lane]string // of subagents, where they are known
	span     graph.UsageSpan // of the last quarter
}

// usageGroup is what is kept apart; what need not be is zero.
type usageGroup struct {
	day, sid int64
	project  string
	usageKey // without its quarter; its agent is the type
}

type lane struct {
	sid   int64
	agent string
}

type usageSession struct {
	id, title, project string
	startedAt          time.Time
}

// agentTypes reads the types of all subagents.
func (a *adder) agentTypes(ctx context.Context, tx *sql.Tx) error {
	a.types = map[lane]string{}
	rows, err := tx.QueryContext(ctx, "SELECT sid, agent_id, agent_type FROM agent WHERE typeof(agent_id) = 'text' AND typeof(agent_type) = 'text'")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var l lane
		var typ string
		if err := rows.Scan(&l.sid, &l.agent, &typ); err != nil {
			return err
		}
		a.types[l] = typ
	}
	return rows.Err()
}

func (a *adder) addAll(ctx context.Context, tx *sql.Tx) error {
	var sums sql.RawBytes
	known := map[string]string{}
	return a.each(ctx, tx, "u.sums", "usage u", &where{}, []any{&sums}, func(sid int64, project string) error {
		if err := eachUsage(sums, known, func(k usageKey, sum usageSum) { a.add(sid, project, k, sum) }); err != nil {
			return fmt.Errorf("session %d: %w", sid, err)
		}
		return nil
	})
}

// addMissing adds the subagents of which no call is known.
func (a *adder) addMissing(ctx context.Context, tx *sql.Tx) error {
	var agent, started, more any
	w := &where{}
	w.and("u.put")
	w.and(`instr(u.more, '"total_lower_bound":true') > 0`) // as the index agent_low has it
	return a.each(ctx, tx, "u.agent_id, u.started_at, u.more", "agent u", w, []any{&agent, &started, &more}, func(sid int64, project string) error {
		props := decodeProps(more)
		if ns, ok := started.(int64); ok {
			props = append(props, graph.Prop{Name: "started_at", Value: graph.Time(ns)})
		}
		if at, missing := graph.MissingUsage(props); missing {
			a.add(sid, project, usageKey{quarter: at.Quarter(), agent: str(agent)}, usageSum{UsageCounts: graph.UsageCounts{LowerBounds: 1}})
		}
		return nil
	})
}

// each calls f with every row of a table u that has a sid, of the sessions that are asked
// for, and notes these. cols of a row are in dst by then.
func (a *adder) each(ctx context.Context, tx *sql.Tx, cols, table string, w *where, dst []any, f func(sid int64, project string) error) error {
	of := "NULL, NULL, NULL, NULL, NULL, NULL"
	switch {
	case a.filter.BySession:
		of = "s.key, s.title, s.name, s.repo_root, s.working_directory, s.started_at"
	case a.filter.ByProject:
		of = "NULL, NULL, NULL, s.repo_root, s.working_directory, NULL"
	}
	w.and("s.id = u.sid")
	if a.filter.Session != "" {
		w.and("s.key = ?", a.filter.Session)
	}
	rows, err := tx.QueryContext(ctx, "SELECT u.sid, "+of+", "+cols+" FROM "+table+" JOIN session s WHERE "+w.String(), w.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var sid int64
	var key, title, name, repo, dir, started any
	dst = append([]any{&sid, &key, &title, &name, &repo, &dir, &started}, dst...)
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		s := usageSession{id: str(key), title: firstText(title, name), project: firstText(repo, dir)}
		if ns, ok := started.(int64); ok {
			s.startedAt = time.Unix(0, ns).UTC()
		}
		if a.filter.BySession {
			a.sessions[sid] = s
		}
		if err := f(sid, s.project); err != nil {
			return err
		}
	}
	return rows.Err()
}

// firstText is the first that is text and not empty.
func firstText(a, b any) string {
	if s := str(a); s != "" {
		return s
	}
	return str(b)
}

func (a *adder) add(sid int64, project string, k usageKey, sum usageSum) {
	if !a.filter.Selects(k.quarter) {
		return
	}
	g := usageGroup{project: project, usageKey: k}
	g.quarter, g.agent = 0, ""
	if a.filter.ByDay {
		if k.quarter < a.span.From || k.quarter >= a.span.Until {
			a.span = a.filter.Span(k.quarter)
		}
		g.day = a.span.Day(k.quarter)
	}
	if a.filter.BySession {
		g.sid = sid
	}
	if a.filter.ByAgent && k.agent != "" {
		if g.agent = a.types[lane{sid, k.agent}]; g.agent == "" {
			g.agent = graph.Subagent
		}
	}
	have := a.groups[g]
	if have == nil {
		have = &usageSum{}
		a.groups[g] = have
	}
	have.Add(sum.UsageCounts)
	have.cost += sum.cost
}

func (a *adder) rows() []graph.UsageRow {
	out := make([]graph.UsageRow, 0, len(a.groups))
	for g, sum := range a.groups {
		s := a.sessions[g.sid]
		r := graph.UsageRow{SessionID: s.id, Title: s.title, StartedAt: s.startedAt, Project: g.project, Agent: g.agent, Model: g.model,
			Speed: g.speed, Over: g.over, Stated: g.stated, CostNanos: sum.cost, UsageCounts: sum.UsageCounts}
		if a.filter.ByDay {
			r.Day = graph.UsageDay(g.day)
		}
		out = append(out, r)
	}
	return graph.SortUsage(out)
}

// Check returns what is wrong with a session that its graph does not show: sums of usage
// that are not those of its model calls. A is what should be there.
func (s *Store) Check(ctx context.Context, session string) (changes []graph.Change, err error) {
	want := usageSums{}
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		l := &loader{Store: s, ctx: ctx, tx: tx, session: session}
		of := "a.sid = (SELECT id FROM session WHERE key = ?) AND a.type = ?"
		return l.actionRows(of, []any{session, s.types.number(graph.LLMCall)}, func(r graph.Ref, vals []any) error {
			want.count(l.actionProps(r, vals), +1)
			return nil
		})
	})
	if err != nil {
		return nil, s.fail("check session "+session, err)
	}
	have, err := s.storedUsage(ctx, session)
	if err != nil {
		return nil, s.fail("check session "+session, err)
	}
	if string(want.encode()) != string(have.encode()) {
		changes = append(changes, graph.Change{What: "Session " + session, Field: "usage", A: fmt.Sprint(want), B: fmt.Sprint(have)})
	}
	return changes, nil
}

// storedUsage returns the sums of one session.
func (s *Store) storedUsage(ctx context.Context, session string) (usageSums, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT sums FROM usage WHERE sid = (SELECT id FROM session WHERE key = ?)", session)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := usageSums{}
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		if err := eachUsage(b, map[string]string{}, have.add); err != nil {
			return nil, err
		}
	}
	return have, rows.Err()
}
