package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// ErrorGroup is the failures of a recall that say the same, numbers aside.
type ErrorGroup struct {
	Error   string    `json:"error"` // its first 300 characters, white space one blank, a number #; "" says nothing
	Count   int64     `json:"count"`
	Tools   []string  `json:"tools"` // by name
	FirstAt time.Time `json:"first_at,omitzero"`
	LastAt  time.Time `json:"last_at,omitzero"`
	Example SearchHit `json:"example"` // the latest
}

// GroupErrors groups failed calls by their error, most frequent first, then the latest.
// Hits that did not fail are left out.
func GroupErrors(hits []SearchHit) (out []ErrorGroup) {
	at := map[string]int{}
	for _, h := range hits {
		if h.Action.Status != "failed" && !h.Action.IsError {
			continue
		}
		text := maskNumbers(gistOf(h.Error(), maxErrorGist))
		i, ok := at[text]
		if !ok {
			i = len(out)
			at[text] = i
			out = append(out, ErrorGroup{Error: text, FirstAt: h.Action.Timestamp, LastAt: h.Action.Timestamp, Example: h})
		}
		g := &out[i]
		g.Count++
		if j, has := slices.BinarySearch(g.Tools, h.Action.ToolName); !has && h.Action.ToolName != "" {
			g.Tools = slices.Insert(g.Tools, j, h.Action.ToolName)
		}
		if t := h.Action.Timestamp; t.Before(g.FirstAt) {
			g.FirstAt = t
		} else if t.After(g.LastAt) {
			g.LastAt, g.Example = t, h
		}
	}
	slices.SortStableFunc(out, func(a, b ErrorGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.LastAt.Compare(a.LastAt), cmp.Compare(a.Error, b.Error))
	})
	return out
}

// Error is what a failed call says, of a Recall: its error, else what it gave.
func (h SearchHit) Error() string {
	message := func(r *ActionRow) string { return asText(r.Properties["error_message"]) }
	if h.Result != nil {
		return cmp.Or(message(h.Result), h.Result.Text, message(&h.Action))
	}
	return message(&h.Action)
}

// ErrorAside is the error of a result whose text does not say it, white space aside: what
// is to be shown beside the text. It is "" where there is none.
func (r *ActionRow) ErrorAside() string {
	message := asText(r.Properties["error_message"])
	line := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if message == "" || strings.Contains(line(r.Text), strings.TrimSuffix(line(message), "…")) {
		return ""
	}
	return message
}

// maskNumbers writes # for each number: digits, and the points and commas between them.
func maskNumbers(s string) string {
	var b strings.Builder
	digit := func(i int) bool { return i < len(s) && '0' <= s[i] && s[i] <= '9' }
	for i := 0; i < len(s); i++ {
		if !digit(i) {
			b.WriteByte(s[i])
			continue
		}
		for digit(i+1) || i+1 < len(s) && (s[i+1] == '.' || s[i+1] == ',') && digit(i+2) {
			i++
		}
		b.WriteByte('#')
	}
	return b.String()
}
