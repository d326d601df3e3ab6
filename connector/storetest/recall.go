package storetest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// recalls asks with and without words, for everything that is there to be filtered by.
func (p *pair) recalls(sessions []string) (out []graph.SearchQuery) {
	t := func(s int) time.Time { return time.Date(2026, 1, 1, 0, 0, s, 1, time.UTC) }
	words := []string{"alpha", "bash alpha", "ALPHA beta delta", "tool* gam*", "--", "gamma-delta the", "read cafe"}
	for _, q := range []graph.SearchQuery{
		{}, {Limit: 1}, {Limit: 3}, {Tool: "Bash"}, {Tool: "Read", Failed: true}, {Failed: true}, {Session: sessions[0]},
		{Session: sessions[0], Failed: true, Limit: 2}, {Session: "nobody"}, {Since: t(1)}, {Until: t(4)}, {Since: t(1), Until: t(3), Tool: "Bash"},
		{Task: "task-1"}, {Task: "task-1", Session: sessions[0], Tool: "Bash"}, {Task: "nonesuch"}, {Tags: []string{"release"}}, {Tags: []string{"a b"}, Failed: true},
		{Tags: []string{"nonesuch"}}, {Tags: []string{"release", "a b"}}, {Tags: []string{"api-call"}}, {Tags: []string{"api-call", "slow"}}, {Tags: []string{"a b", "release", "a b"}, Tool: "Bash"}, {Tags: []string{"release", "nonesuch"}}, {RelatedTo: "nonesuch"}, {Type: graph.ToolCall}, {Type: graph.ToolResult}, {All: true},
		{Since: year(1600)}, {Since: year(2300)}, {Until: year(1600)}, {Until: year(2300)},
	} {
		q.Recall = true
		out = append(out, q)
		for range 2 {
			q.Words = words[len(out)%len(words)]
			out = append(out, q)
		}
	}
	for _, id := range sessions {
		all, _ := p.memory.Actions(context.Background(), graph.ActionFilter{Session: id})
		for _, a := range all[:min(2, len(all))] {
			out = append(out, graph.SearchQuery{Recall: true, RelatedTo: a.ActionID}, graph.SearchQuery{Recall: true, RelatedTo: a.ActionID, Words: "bash alpha"})
		}
	}
	return out
}

// year is its beginning: an int64 of nanoseconds holds 1678 to 2261.
func year(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }

// EngineRanked is a Reader that ranks words by its engine's formula, and so finds what every
// Reader finds, in an order of its own.
type EngineRanked interface{ EngineRanks() }

// compareRecall holds hits, their order and their ranks against the reference's.
func (p *pair) compareRecall(r connector.Reader, q graph.SearchQuery) {
	p.t.Helper()
	want, err := p.memory.Search(context.Background(), q)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := r.Search(context.Background(), q)
	if err != nil {
		p.t.Fatalf("Search(%+v): %v", q, err)
	}
	for i, h := range got {
		if checkMarks(p.t, h); i > 0 && h.Rank > got[i-1].Rank {
			p.t.Fatalf("Search(%+v): hit %d is better than the one before it", q, i)
		}
	}
	if _, engine := r.(EngineRanked); engine && strings.TrimSpace(q.Words) != "" {
		if len(got) != len(want) {
			p.t.Fatalf("Search(%+v): %d hits, the reference has %d", q, len(got), len(want))
		}
		if q.Limit > 0 {
			return // others may be the best
		}
		for _, hits := range [][]graph.SearchHit{want, got} {
			slices.SortFunc(hits, func(a, b graph.SearchHit) int { return cmp.Compare(a.Action.ActionID, b.Action.ActionID) })
			for i := range hits {
				hits[i].Rank = 0
			}
		}
	}
	if d := gocmp.Diff(want, got, cmpopts.IgnoreFields(graph.SearchHit{}, "Snippet", "Marks"), cmpopts.EquateApprox(4e-9, 0), cmpopts.EquateEmpty()); d != "" {
		p.t.Fatalf("Search(%+v) (-reference +store):\n%s", q, d)
	}
}

// recalled reports whether an action is a document of a recall: a result, or a call that
// ended without one.
func recalled(r graph.ActionRow) bool {
	going := []string{"", "pending", "in_progress", "completed", "failed"}
	return r.ActionType == graph.ToolResult || r.ActionType == graph.ToolCall && !slices.Contains(going, r.Status)
}

// recallDoc is a document of a recall, and the call that it is about; "" is none.
type recallDoc struct {
	session, call string
	fields        [][]string
	length        float64
}

// recall asks every call and every document.
func (m *Memory) recall(q graph.SearchQuery, phrases []phrase) (out []graph.SearchHit) {
	if q.Type != "" && q.Type != graph.ToolCall || len(phrases) == 0 && strings.TrimSpace(q.Words) != "" {
		return nil
	}
	var docs []recallDoc
	for id := range m.folds {
		docs = append(docs, m.recallDocs(id)...)
	}
	rank := bm25(docs, phrases)
	for id, g := range m.folds {
		for _, r := range m.actionRows(id) {
			if r.ActionType != graph.ToolCall || !m.selected(id, g, r, q) {
				continue
			}
			h := graph.SearchHit{Action: r, Result: m.resultOf(id, g, r.ActionID)}
			found := len(phrases) == 0
			for _, d := range docs {
				if d.session == id && d.call == r.ActionID {
					if score, has := rank(d); has {
						h.Rank, found = max(h.Rank, score), true
					}
				}
			}
			if found {
				out = append(out, h)
			}
		}
	}
	slices.SortFunc(out, func(a, b graph.SearchHit) int {
		return cmp.Or(cmp.Compare(nineDigits(b.Rank), nineDigits(a.Rank)), b.Action.Timestamp.Compare(a.Action.Timestamp),
			cmp.Compare(a.Action.ActionID, b.Action.ActionID))
	})
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out
}

// recallDocs gives the documents of a session that have any word.
func (m *Memory) recallDocs(session string) (out []recallDoc) {
	parent := map[string]string{}
	for _, e := range m.folds[session].Edges() {
		if e.Type == graph.ParentOf {
			parent[e.To.Key] = e.From.Key
		}
	}
	for _, r := range m.actionRows(session) {
		if !recalled(r) {
			continue
		}
		d := recallDoc{session: session, call: r.ActionID, fields: searchable(r)[:2]}
		if r.ActionType == graph.ToolResult {
			d.call = parent[r.ActionID]
		}
		if d.length = float64(len(d.fields[0]) + len(d.fields[1])); d.length > 0 {
			out = append(out, d)
		}
	}
	return out
}

// bm25 is the formula as it is in textbooks, with FTS5's weight of a word.
func bm25(all []recallDoc, phrases []phrase) func(recallDoc) (score float64, has bool) {
	n, total, with := float64(len(all)), 0.0, make([]float64, len(phrases))
	for _, o := range all {
		total += o.length
		for i, p := range phrases {
			if often(o.fields, p) > 0 {
				with[i]++
			}
		}
	}
	return func(d recallDoc) (score float64, has bool) {
		for i, p := range phrases {
			idf := math.Log((n - with[i] + 0.5) / (with[i] + 0.5))
			if idf <= 0 {
				idf = 1e-6
			}
			tf := often(d.fields, p)
			has = has || tf > 0
			score += idf * tf * 2.2 / (tf + 1.2*(0.25+0.75*d.length/(total/n)))
		}
		return score, has
	}
}

// nineDigits is a rank as far as stores agree about it.
func nineDigits(x float64) float64 {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'e', 8, 64), 64)
	return x
}

// often counts a phrase at every word that it begins at.
func often(fields [][]string, p phrase) (n float64) {
	for _, f := range fields {
		for i := range f {
			if len(f)-i < len(p.words) {
				break
			}
			if same := f[i : i+len(p.words)]; slices.Equal(same, p.words) || p.open && opens(same, p.words) {
				n++
			}
		}
	}
	return n
}

// opens reports whether the last word of a phrase is the beginning of the last one of text.
func opens(text, phrase []string) bool {
	last := len(phrase) - 1
	return slices.Equal(text[:last], phrase[:last]) && strings.HasPrefix(text[last], phrase[last])
}

// selected reports whether a call passes the filters.
func (m *Memory) selected(session string, g *graph.Graph, r graph.ActionRow, q graph.SearchQuery) bool {
	edge := func(t graph.EdgeType, from, to graph.Ref) bool {
		return g.HasEdge(graph.EdgeKey{Type: t, From: from, To: to})
	}
	self := action(r.ActionID)
	return (q.Session == "" || q.Session == session) && (q.Tool == "" || r.ToolName == q.Tool) &&
		(!q.Failed || r.Status == "failed" || r.IsError) && during(r.Timestamp, q.Since, q.Until) &&
		!slices.ContainsFunc(q.Tags, func(tag string) bool { return !edge(graph.HasTag, self, ref(graph.LabelTag, tag)) }) &&
		(q.Task == "" || edge(graph.ParentOf, action(graph.TaskID(session, q.Task)), self)) &&
		(q.RelatedTo == "" || edge(graph.RelatedTo, self, action(q.RelatedTo)) ||
			edge(graph.RelatedTo, self, action(graph.ToolCallID(session, q.RelatedTo))))
}

// resultOf gives the first result of a call.
func (m *Memory) resultOf(session string, g *graph.Graph, call string) *graph.ActionRow {
	var first *graph.ActionRow
	for _, r := range m.actionRows(session) {
		if r.ActionType != graph.ToolResult || !g.HasEdge(graph.EdgeKey{Type: graph.ParentOf, From: action(call), To: action(r.ActionID)}) {
			continue
		}
		if first == nil || r.Timestamp.Before(first.Timestamp) { // by key where they are equal: rows come so
			first = &r
		}
	}
	return first
}
