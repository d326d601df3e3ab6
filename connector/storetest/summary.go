package storetest

import (
	"context"
	"encoding/json"
	"fmt"
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
	sum := graph.Summary{SessionID: session, ActionTypes: map[string]int64{}, ToolCallStatuses: map[string]int64{}}
	for _, id := range m.sorted() {
		if session != "" && id != session {
			continue
		}
		r := m.sessionRow(id)
		sum.SessionCount++
		sum.ActionCount += r.ActionCount
		sum.ToolCallCount += r.ToolCallCount
		sum.MessageCount += r.MessageCount
		sum.AgentCount += r.AgentCount
		sum.ErrorCount += r.ErrorCount
		sum.TotalInput += r.TotalInputTokens
		sum.TotalOutput += r.TotalOutputTokens
		sum.TotalCostUSD += r.TotalCostUSD
		if !r.StartedAt.IsZero() && (sum.StartedAt.IsZero() || r.StartedAt.Before(sum.StartedAt)) {
			sum.StartedAt = r.StartedAt
		}
		if r.EndedAt.After(sum.EndedAt) {
			sum.EndedAt = r.EndedAt
		}
		if session == "" {
			continue
		}
		sum.Status = r.Status
		end := r.EndedAt
		if end.IsZero() {
			end = r.LastEventAt
		}
		if !r.StartedAt.IsZero() && !end.IsZero() {
			d := float64(end.Sub(r.StartedAt)) / float64(time.Millisecond)
			sum.DurationMS = &d
		}
	}
	if session != "" && sum.SessionCount == 0 {
		return graph.Summary{}, fmt.Errorf("session %q: %w", session, graph.ErrNotFound)
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

// Search finds the actions that have all words. It neither ranks nor cuts snippets:
// which actions are found is what stores agree on.
func (m *Memory) Search(_ context.Context, q graph.SearchQuery) (out []graph.SearchHit, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var phrases []phrase
	for _, w := range strings.Fields(q.Words) {
		if t := words(w); len(t) > 0 {
			open := strings.HasSuffix(w, "*") && len([]rune(strings.Join(t, ""))) >= 2
			phrases = append(phrases, phrase{t, open})
		}
	}
	if len(phrases) == 0 {
		return nil, nil
	}
	for id := range m.folds {
		for _, r := range m.actionRows(id) {
			if (q.Session == "" || q.Session == id) && (q.Tool == "" || r.ToolName == q.Tool) &&
				(q.Type == "" || r.ActionType == q.Type) && (!q.Failed || r.Status == "failed" || r.IsError) &&
				(q.Since.IsZero() || !r.Timestamp.IsZero() && !r.Timestamp.Before(q.Since)) && hasAll(searchable(r), phrases) {
				r.Text, r.Properties, r.Metadata = "", nil, nil
				out = append(out, graph.SearchHit{Action: r})
			}
		}
	}
	return out, nil
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

// searchable gives the words of the four fields of an action that are searched.
func searchable(r graph.ActionRow) [][]string {
	prop := func(name string) string { s, _ := r.Properties[name].(string); return s }
	content, input, other := prop("error_message"), "", r.Text
	if r.ActionType == graph.ToolResult {
		content, other = content+"\n"+r.Text, ""
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
	out := [][]string{}
	for _, f := range []string{r.ToolName, strings.TrimPrefix(content, "\n"), input, other} {
		out = append(out, words(first4k(f)))
	}
	return out
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
		for _, e := range v {
			out = append(out, leaves(e)...)
		}
	}
	return out
}

// words are the tokens of a text: letters and digits, lower case, the accents that
// the tests use removed.
func words(s string) []string {
	s = strings.NewReplacer("é", "e", "É", "e", "ü", "u", "Ü", "u", "ñ", "n", "ï", "i").Replace(strings.ToLower(s))
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}
