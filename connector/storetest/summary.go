package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
)

// Summary counts one session or, with "", all.
func (m *Memory) Summary(_ context.Context, session string) (graph.Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sessions := m.sorted()
	if session != "" {
		sessions = slices.DeleteFunc(sessions, func(id string) bool { return id != session })
		if len(sessions) == 0 {
			return graph.Summary{}, fmt.Errorf("session %q: %w", session, graph.ErrNotFound)
		}
	}
	sum := m.totals(sessions)
	if session != "" {
		one := m.sessionRow(session)
		sum.SessionID, sum.Status, sum.DurationMS = session, one.Status, lasted(one)
	}
	for id := range m.folds {
		if session != "" && id != session {
			continue
		}
		for _, r := range m.actionRows(id) {
			sum.ActionTypes[string(r.ActionType)]++
			if r.ActionType == graph.ToolCall && r.Status != "" {
				sum.ToolCallStatuses[r.Status]++
			}
		}
	}
	sum.Tools = m.tools(session)
	return sum, nil
}

// totals asks for one property after the other, where a store takes one session after
// the other: two alike would forget the same one.
func (m *Memory) totals(sessions []string) graph.Summary {
	nodes := make([]*graph.Node, len(sessions))
	for i, id := range sessions {
		nodes[i] = m.folds[id].Node(graph.Ref{Label: graph.LabelSession, Key: id})
	}
	total := func(name string) (n int64) {
		for _, s := range nodes {
			n += number(s, name)
		}
		return n
	}
	var cost *float64 // nil where no session has one
	low := false
	for _, s := range nodes {
		low = low || flag(s, "total_lower_bound")
		if sum, ok := s.Prop("total_cost_usd").(float64); ok {
			if cost != nil {
				sum += *cost
			}
			cost = &sum
		}
	}
	moments := func(name string) (out []time.Time) { // in order, of those that have it
		for _, s := range nodes {
			if t := moment(s, name); !t.IsZero() {
				out = append(out, t)
			}
		}
		slices.SortFunc(out, time.Time.Compare)
		return out
	}
	first := append(moments("started_at"), time.Time{})[0]
	last := slices.Insert(moments("ended_at"), 0, time.Time{})
	return graph.Summary{
		SessionCount: int64(len(nodes)), ActionCount: total("action_count"), ToolCallCount: total("tool_call_count"),
		MessageCount: total("message_count"), AgentCount: total("agent_count"), ErrorCount: total("error_count"),
		TotalInput: total("total_input_tokens"), TotalOutput: total("total_output_tokens"), TotalLowerBound: low, TotalCostUSD: cost,
		StartedAt: first, EndedAt: last[len(last)-1],
		ActionTypes: map[string]int64{}, ToolCallStatuses: map[string]int64{},
	}
}

// lasted is how long a session took, in milliseconds: to its end, or to its last
// event where it has none; nil where that is not known.
func lasted(s graph.SessionRow) *float64 {
	for _, end := range []time.Time{s.EndedAt, s.LastEventAt} {
		if !end.IsZero() && !s.StartedAt.IsZero() {
			ms := float64(end.Sub(s.StartedAt).Nanoseconds()) / 1e6
			return &ms
		}
	}
	return nil
}

// Search finds the actions that have all words. It neither ranks nor cuts snippets:
// which actions are found is what stores agree on.
func (m *Memory) Search(_ context.Context, q graph.SearchQuery) (out []graph.SearchHit, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	phrases := phrasesOf(q.Words)
	if len(phrases) > 64 || slices.ContainsFunc(phrases, func(p phrase) bool { return len(p.words) > 64 }) {
		return nil, graph.ErrLongQuestion
	}
	if q.Recall {
		return m.recall(q, phrases), nil
	}
	if len(phrases) == 0 {
		return nil, nil
	}
	for id := range m.folds {
		for _, r := range m.actionRows(id) {
			if (q.Session == "" || q.Session == id) && (q.Tool == "" || r.ToolName == q.Tool) &&
				(q.Type == "" || r.ActionType == q.Type) && (!q.Failed || r.Status == "failed" || r.IsError) &&
				during(r.Timestamp, q.Since, q.Until) && hasAll(searchable(r), phrases) {
				r.Text, r.Properties, r.Metadata = "", nil, nil
				out = append(out, graph.SearchHit{Action: r})
			}
		}
	}
	return out, nil
}

// during reports whether a time is since one and before the other; zero is open.
func during(t, since, until time.Time) bool {
	return (since.IsZero() || !t.IsZero() && !t.Before(since)) && (until.IsZero() || !t.IsZero() && t.Before(until))
}

func phrasesOf(typed string) (out []phrase) {
	for _, w := range strings.Fields(typed) {
		if t := words(w); len(t) > 0 {
			open := strings.HasSuffix(w, "*") && len([]rune(strings.Join(t, ""))) >= 2
			if p := (phrase{t, open}); !slices.ContainsFunc(out, func(o phrase) bool { return o.open == open && slices.Equal(o.words, t) }) {
				out = append(out, p)
			}
		}
	}
	return out
}

// phrase is words in a row. An open one ends with the beginning of a word.
type phrase struct {
	words []string
	open  bool
}

func hasAll(fields [][]string, phrases []phrase) bool {
	for _, p := range phrases {
		if !slices.ContainsFunc(fields, func(f []string) bool { return contains(f, p) }) {
			return false
		}
	}
	return true
}

// contains looks for " a b " in " a b c ", and for " a b" where the phrase is open.
func contains(text []string, p phrase) bool {
	want := " " + strings.Join(p.words, " ")
	if !p.open {
		want += " "
	}
	return strings.Contains(" "+strings.Join(text, " ")+" ", want)
}

// searchable gives the words of the fields of an action that are searched: first its
// tool's name and what it gave, if those are what a recall looks at.
func searchable(r graph.ActionRow) [][]string {
	prop := func(name string) string { s, _ := r.Properties[name].(string); return s }
	content, input, other := first4k(prop("error_message")), "", r.Text
	if r.ActionType == graph.ToolResult {
		if repeats(r.Text, prop("error_message")) {
			content = ""
		}
		content, other = content+"\n"+first4k(r.Text), ""
	}
	if r.ActionType == graph.ToolCall {
		for _, name := range []string{"command", "file_path", "url", "pattern"} {
			input += prop(name) + "\n"
		}
		var p struct {
			Input any `json:"tool_input"`
		}
		if json.Unmarshal([]byte(prop("properties")), &p) == nil {
			input += strings.Join(leaves(p.Input), "\n")
		}
	}
	fields := []string{first4k(r.ToolName), strings.TrimPrefix(content, "\n"), first4k(input), first4k(other)}
	if !recalled(r) {
		fields = append([]string{"", ""}, fields[2], fields[3], first4k(strings.TrimPrefix(fields[0]+"\n"+content, "\n")))
	}
	out := [][]string{}
	for _, f := range fields {
		out = append(out, words(f))
	}
	return out
}

// repeats reports whether text begins with an error message, white space and a cut
// aside: a store then has it once.
func repeats(text, message string) bool {
	text, message = strings.Join(strings.Fields(text), " ")+" ", strings.Join(strings.Fields(message), " ")
	start, isCut := strings.CutSuffix(message, "…")
	return strings.HasPrefix(text, message+" ") || isCut && strings.HasPrefix(text, strings.TrimSpace(start))
}

func first4k(s string) string {
	if len(s) <= 4096 {
		return s
	}
	n := 4096
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// leaves gives the strings in a JSON value but for keys.
func leaves(v any) (out []string) {
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, e := range v {
			out = append(out, leaves(e)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) { // in which the tests write them
			out = append(out, leaves(v[name])...)
		}
	}
	return out
}

// words are the tokens of a text: letters and digits, lower case, the accents that
// the tests use removed.
func words(s string) []string {
	s = strings.NewReplacer("é", "e", "É", "e", "ü", "u", "Ü", "u", "ñ", "n", "ï", "i", "\u0301", "").Replace(strings.ToLower(s))
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}
