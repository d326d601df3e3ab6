package diff

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// folded is the name under which both histories are folded: what two sessions share has one
// key then.
const folded = "history"

// recording is one of the two histories.
type recording struct {
	graph   *graph.Graph
	edges   []graph.Edge         // the graph's, sorted
	events  map[string]time.Time // when each of its events was, as recorded first
	session graph.SessionRow
	actions []graph.ActionRow
	agents  []graph.AgentRow
	used    map[string]graph.UsageRow // what model calls used, by action id
	missing []graph.UsageRow          // subagents that ran, and no call of which is known
	neutral *neutral
	root    *node
}

// read folds a history and makes a tree of it.
func read(ctx context.Context, log *history.Log) (*recording, error) {
	r := &recording{graph: graph.New(), events: map[string]time.Time{}, used: map[string]graph.UsageRow{}}
	err := log.Records(ctx, func(_ int, record *history.Record) error {
		if first, again := r.events[record.EventID]; !again || record.Timestamp.Before(first) {
			r.events[strings.Clone(record.EventID)] = record.Timestamp
		}
		return nil
	})
	if err == nil {
		err = r.fold(ctx, log)
	}
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", log.Session(), err)
	}
	r.rows()
	r.session.SessionID, r.session.ForkedFrom = log.Session(), ""
	if n := len(log.Segments); n > 1 {
		r.session.ForkedFrom = log.Segments[n-2].Session
	}
	r.neutral = newNeutral(log, r)
	r.tree()
	return r, nil
}

// taken is how many events are folded before what they changed is taken.
const taken = 1000

// fold is Log.FoldAs, but for an event's later records: they are told at the time of its first
// one, so that how often something was recorded changes nothing.
func (r *recording) fold(ctx context.Context, log *history.Log) error {
	var about []string // events about the record: where a history comes from, how far a file is read
	fold, n := graph.NewSession(folded, ""), 0
	err := log.Records(ctx, func(_ int, record *history.Record) error {
		record.Timestamp = r.events[record.EventID]
		fold.Apply(&record.Event)
		if record.EventType == schema.Fork || record.EventType == schema.SourcePosition {
			about = append(about, strings.Clone(record.EventID))
		}
		if n++; n%taken == 0 {
			r.graph.Apply(fold.Take()...)
		}
		return nil
	})
	r.graph.Apply(fold.Take()...)
	for _, id := range about {
		delete(r.events, id)
	}
	return err
}

// rows makes rows of the graph's nodes, as a store's reader does.
func (r *recording) rows() {
	r.edges = r.graph.Edges()
	places, parents := lanePlaces(r.edges), map[string]string{}
	for _, e := range r.edges {
		if e.Type == graph.Spawned && parents[e.To.Key] == "" {
			parents[e.To.Key] = e.From.Key
		}
	}
	nodes := r.graph.Nodes()
	r.actions = make([]graph.ActionRow, 0, len(nodes))
	for _, n := range nodes {
		switch n.Label {
		case graph.LabelSession:
			if n.Key == folded {
				r.session.Fill(n.Props)
			}
		case graph.LabelAgent:
			row := graph.AgentRow{AgentKey: n.Key, SpawnedByActionID: parents[n.Key]}
			row.Fill(n.Props)
			r.agents = append(r.agents, row)
			if _, missing := graph.MissingUsage(n.Props); missing {
				r.missing = append(r.missing, graph.UsageRow{Agent: cmp.Or(row.AgentType, graph.Subagent), UsageCounts: graph.UsageCounts{LowerBounds: 1}})
			}
		case graph.LabelAction:
			row := graph.ActionRow{ActionID: n.Key, ActionType: n.Type}
			row.Fill(n.Props, true)
			r.actions = append(r.actions, row)
			if n.Type != graph.LLMCall {
				continue
			}
			if used, _, ok := graph.UsageOf(n.Props); ok {
				r.used[n.Key] = used
			}
		}
	}
	slices.SortFunc(r.actions, func(a, b graph.ActionRow) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.AgentID, b.AgentID),
			cmp.Compare(places[a.ActionID], places[b.ActionID]), cmp.Compare(a.ActionID, b.ActionID))
	})
	slices.SortFunc(r.agents, func(a, b graph.AgentRow) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.AgentKey, b.AgentKey))
	})
}

// lanePlaces numbers the actions of each lane as FOLLOWED_BY has them.
func lanePlaces(edges []graph.Edge) map[string]int {
	next, follows := map[string]string{}, map[string]bool{}
	for _, e := range edges {
		if e.Type == graph.FollowedBy {
			next[e.From.Key], follows[e.To.Key] = e.To.Key, true
		}
	}
	places := make(map[string]int, len(next))
	for first := range next {
		if follows[first] {
			continue
		}
		for i, key := 1, first; key != ""; i, key = i+1, next[key] {
			places[key] = i
		}
	}
	return places
}

// written are the files that its calls wrote, as seen from its directory, sorted.
func (r *recording) written() []string {
	seen := map[string]bool{}
	var out []string
	for _, e := range r.edges {
		if e.Type != graph.Wrote {
			continue
		}
		n := r.graph.Node(e.To)
		if n == nil {
			continue
		}
		name, _ := n.Prop("path").(string)
		if name = render.Relative(name, r.session.WorkingDirectory); name != "" && !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
