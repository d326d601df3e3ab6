package watch

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/live"
)

// listView is the counts, a table of the sessions, more of the one that is chosen, the keys.
func (m *Model) listView() []string {
	lines := []string{m.style.Ends(m.counts(), render.Clock(m.now), m.style.Strong), ""}
	foot := m.detail()
	if m.said != "" {
		foot = append(foot, m.style.Bad(m.style.Truncate(m.said, m.style.Width)))
	}
	foot = append(foot, m.style.Dim(m.style.Truncate("enter follow · up/down choose · q quit", m.style.Width)))
	room := m.height - len(lines) - len(foot) - 1
	switch {
	case len(m.order) > 0:
		lines = append(lines, m.table(max(room, 2))...)
	case m.ready:
		lines = append(lines, m.style.Truncate("No session runs. The next one shows here.", m.style.Width))
	default:
		lines = append(lines, m.style.Truncate("Reading what runs...", m.style.Width))
	}
	for len(lines) < m.height-len(foot) {
		lines = append(lines, "")
	}
	return append(lines, foot...)
}

// counts says how many sessions there are of each state.
func (m *Model) counts() string {
	n := map[live.State]int{}
	for _, s := range m.sessions {
		n[s.State]++
	}
	var parts []string
	for _, state := range []live.State{live.Waiting, live.Working, live.Idle, live.Ended} {
		if n[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[state], state))
		}
	}
	running := int64(len(m.sessions) - n[live.Ended])
	return strings.Join(append([]string{render.Plural(running, "session")}, parts...), " · ")
}

// table is the sessions that there is room for, with titles, around the chosen one.
func (m *Model) table(room int) []string {
	order := m.order
	if n := room - 1; len(order) > n {
		from := min(max(0, slices.Index(order, m.chosen)-n/2), len(order)-n)
		order = order[from : from+n]
	}
	cols := []render.Column{
		{Title: ""}, {Title: "ID", Drop: 3}, {Title: "PROJECT", Give: 8, Left: true, Drop: 6}, {Title: "STATE", Paint: paintState, Drop: 9},
		{Title: "DOING", Give: 14}, {Title: "FOR", Right: true, Drop: 7}, {Title: "TURN", Right: true, Drop: 2},
		{Title: "IN/OUT", Right: true, Drop: 4}, {Title: "COST", Right: true, Drop: 5}, {Title: "LAST ERROR", Give: 12, Drop: 1},
	}
	var rows [][]string
	for _, id := range order {
		s, sign := m.sessions[id], " "
		if id == m.chosen {
			sign = ">"
		}
		text := doing(s)
		if text == "" {
			text = cmp.Or(render.FirstLine(s.LastPrompt), title(s))
		}
		state := stateWord(s)
		if s.State == live.Waiting {
			state = string(live.Waiting)
		}
		rows = append(rows, []string{sign, id[:min(8, len(id))], project(s), state, text,
			doingFor(s, m.now), turn(s, m.now), tokens(s, m.style), cost(s, m.style), failure(s)})
	}
	var b bytes.Buffer
	_ = m.style.Table(&b, cols, rows) // a buffer takes everything
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	for i, id := range order {
		if id == m.chosen && i+1 < len(lines) {
			lines[i+1] = m.style.Chosen(lines[i+1])
		}
	}
	return lines
}

func paintState(s render.Style, cell, padded string) string {
	switch {
	case cell == string(live.Waiting), strings.HasPrefix(cell, "ended: failed"):
		return s.Bad(padded)
	case cell == string(live.Working):
		return s.Strong(padded)
	}
	return s.Dim(padded)
}

// detail is what the table has no room for, of the session that is chosen.
func (m *Model) detail() []string {
	s := m.sessions[m.chosen]
	if s == nil {
		return nil
	}
	lines := m.head(s)
	if text := failure(s); text != "" {
		text = "last error " + render.Seconds(m.now.Sub(s.LastError.Timestamp)) + " ago: " + text
		lines = append(lines, m.style.Bad(m.style.Truncate(text, m.style.Width)))
	}
	return append(lines, "")
}

// head is what a session is, what it is doing and what it used: two lines.
func (m *Model) head(s *live.Session) []string {
	name := s.SessionID[:min(8, len(s.SessionID))]
	if t := title(s); t != "" {
		name += "  " + t
	}
	parts := []string{stateWord(s)}
	if text := doing(s); text != "" {
		parts = append(parts, text)
	}
	if d := doingFor(s, m.now); d != "" {
		if s.State == live.Ended {
			parts[len(parts)-1] += " " + d + " ago"
		} else {
			parts[len(parts)-1] += " for " + d
		}
	}
	if t := turn(s, m.now); t != "" {
		parts = append(parts, "turn "+t)
	}
	if t := tokens(s, m.style); t != "" {
		parts = append(parts, t+" tokens")
	}
	if c := cost(s, m.style); c != "" {
		parts = append(parts, c)
	}
	if s.Refused > 0 {
		parts = append(parts, render.Plural(int64(s.Refused), "line")+" not understood (ag-sessiond doctor)")
	}
	where := strings.Join(nonEmpty(render.OneLine(s.WorkingDirectory), render.OneLine(s.Model)), " · ")
	return []string{
		m.style.Ends(name, "", m.style.Strong),
		m.style.Ends(strings.Join(parts, " · "), "", plain),
		m.style.Ends(where, "", m.style.Dim),
	}
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(p string) bool { return p == "" })
}

func plain(text string) string { return text }
