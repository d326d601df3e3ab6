package render

import (
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// SessionView is what the tree of one session is drawn from.
type SessionView struct {
	Session graph.SessionRow
	Actions []graph.ActionRow // all, in the order of time, with content
	Agents  []graph.AgentRow
	// Shared is what a fork shares with the sessions that it was forked from, the oldest first.
	Shared []SharedView
	// Full draws contents and what is hidden otherwise.
	Full bool
	// Usage is what its model calls used and cost, as usage.OfSession makes it.
	Usage usage.Report
}

// SharedView is a part of a fork that it shares with another session.
type SharedView struct {
	Head    string // what it is
	Actions []graph.ActionRow
	Agents  []graph.AgentRow
}

func (v SessionView) turns(actions []graph.ActionRow, agents []graph.AgentRow) []graph.Turn {
	if v.Full {
		return graph.Turns(actions, agents, nil)
	}
	return graph.Turns(actions, agents, Hidden)
}

// Hidden reports an action that a person who wants to know what happened does not miss: a
// file of instructions loaded, a directory changed, a model call, what the model thought,
// what the runtime tells the model of commands; and what has no text.
func Hidden(a *graph.ActionRow) bool {
	switch a.ActionType {
	case graph.Context:
		return true
	case graph.LLMCall:
		return a.Status != "failed"
	case graph.AssistantMessage:
		return a.Thinking
	case graph.SystemMessage:
		return Needless(a)
	case graph.Notification: // the display's own event; the answer is the turn's
		return property(a, "hook_event_name") == "MessageDisplay"
	case graph.TurnEnd:
		return a.Text == "" && a.Status != "failed"
	}
	return false
}

// Needless reports a system message that tells people nothing: a command's empty output,
// and what the runtime tells the model of the commands that follow.
func Needless(a *graph.ActionRow) bool {
	return strings.HasPrefix(a.Text, "<local-command-caveat>") || len(a.Text) < 200 && WithoutTags(a.Text) == "" && len(Images(a)) == 0
}
