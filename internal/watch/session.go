package watch

import (
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/live"
)

// sessionView is one session: what it is doing, what it did, the keys.
func (m *Model) sessionView() []string {
	s := m.sessions[m.followed]
	if s == nil {
		return []string{m.style.Truncate("Reading the session...", m.style.Width)}
	}
	lines := append(m.head(s), "")
	foot := "esc back · up/down · end follow · q quit"
	if m.only {
		foot = "up/down · end follow · q quit"
	}
	if m.back > 0 {
		foot = "(not at the end) " + foot
	}
	room := max(1, m.height-len(lines)-2)
	lines = append(lines, m.actionLines(room)...)
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	if m.said != "" {
		lines[len(lines)-1] = m.style.Bad(m.style.Truncate(m.said, m.style.Width))
	}
	return append(lines, m.style.Dim(m.style.Truncate(foot, m.style.Width)))
}

// actionLines are as many lines of the followed session's actions as there is room for, the
// last of them m.back lines above the end. What is above them is not drawn.
func (m *Model) actionLines(room int) []string {
	var upwards [][]string
	have := 0
	all := m.actions[m.followed].actions()
	for i := len(all) - 1; i >= 0 && have < room+m.back; i-- {
		drawn := m.action(all[i])
		upwards = append(upwards, drawn)
		have += len(drawn)
	}
	m.back = min(m.back, max(0, have-room))
	lines := make([]string, 0, have)
	for i := len(upwards) - 1; i >= 0; i-- {
		lines = append(lines, upwards[i]...)
	}
	end := have - m.back
	return lines[max(0, end-room):end]
}

// action is one action: when, in which lane, how it stands, what, for how long, and below it
// what went wrong.
func (m *Model) action(a *live.Action) []string {
	clock := ""
	if m.style.Width >= 60 {
		clock = render.Clock(began(a)) + " "
	}
	indent := strings.Repeat(" ", min(2*a.Depth, m.style.Width/4))
	sign := m.style.Mark(status(a))
	if a.ActionType == graph.UserMessage {
		sign = m.style.Strong(">")
	}
	inner := m.style
	inner.Width = max(8, m.style.Width-len(clock)-len(indent)-2)
	paint := plain
	switch a.ActionType {
	case graph.UserMessage, graph.SubagentStart:
		paint = m.style.Strong
	case graph.TurnEnd, graph.Notification, graph.SystemMessage, graph.SubagentStop:
		paint = m.style.Dim
	}
	lines := []string{m.style.Dim(clock) + indent + sign + " " + inner.Ends(what(a), took(a, m.now), paint)}
	if a.Error != "" && a.ActionType == graph.ToolCall {
		text := m.style.Truncate(render.OneLine(a.Error), inner.Width)
		lines = append(lines, strings.Repeat(" ", len(clock)+len(indent)+2)+m.style.Bad(text))
	}
	return lines
}
