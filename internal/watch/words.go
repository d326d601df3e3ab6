package watch

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/live"
)

// project names where a session works: the last part of its directory.
func project(s *live.Session) string {
	dir := strings.TrimRight(strings.ReplaceAll(s.WorkingDirectory, `\`, "/"), "/")
	if dir == "" {
		return ""
	}
	return render.OneLine(path.Base(dir))
}

// stateWord is what a session is doing, in a word; how it ended, where it did.
func stateWord(s *live.Session) string {
	switch {
	case s.State == live.Waiting:
		return "waiting for permission"
	case s.State == live.Ended && s.Status != "completed":
		return "ended: " + render.OneLine(s.Status)
	}
	return string(s.State)
}

// what is an action in a few words: its tool or kind, and what it is about.
func what(a *live.Action) string {
	kind := render.OneLine(a.ToolName)
	gist := render.OneLine(a.Gist)
	switch a.ActionType {
	case graph.ToolCall:
	case graph.PermissionRequest:
		if a.ParentActionID != "" { // its call says what it is about
			return "permission asked for " + kind
		}
		kind, gist = "permission asked", strings.TrimSpace(kind+" "+gist)
	case graph.UserMessage:
		kind = "prompt"
		if a.AgentID != "" {
			kind = "asked"
		}
	case graph.AssistantMessage:
		kind = "said"
	case graph.SubagentStart:
		kind = "subagent"
	case graph.SubagentStop:
		kind = "subagent ended"
	case graph.TurnEnd:
		kind, gist = "turn ended", ""
	default:
		kind = strings.ReplaceAll(string(a.ActionType), "_", " ")
	}
	if gist == "" {
		return kind
	}
	return kind + ": " + gist
}

// shown reports whether an action is one that people follow. What a call gave is said with
// the call, and that a model is called with what it answers.
func shown(a *live.Action) bool {
	switch a.ActionType {
	case graph.ToolResult, graph.Context, graph.Unknown:
		return false
	case graph.LLMCall:
		return a.Status == "failed"
	case graph.AssistantMessage:
		return !a.Thinking && a.Gist != ""
	case graph.SystemMessage:
		return a.Gist != ""
	case graph.Notification: // the display's own event; the answer is the turn's
		return !strings.HasPrefix(a.Name, "MessageDisplay")
	case graph.PermissionRequest: // its call says how it was answered
		return a.Status == "pending" || a.ParentActionID == ""
	}
	return true
}

// status is how an action stands; a subagent's start stands for the subagent.
func status(a *live.Action) string {
	if a.ActionType == graph.SubagentStart {
		return cmp.Or(a.AgentStatus, a.Status)
	}
	return a.Status
}

func runs(a *live.Action) bool {
	s := status(a)
	return s == "in_progress" || s == "pending"
}

// took is how long an action ran, or has been running.
func took(a *live.Action, now time.Time) string {
	switch {
	case runs(a):
		if from := began(a); !from.IsZero() {
			return render.Seconds(now.Sub(from))
		}
	case a.ActionType == graph.ToolCall:
		return render.Took(&a.ActionRow)
	}
	return ""
}

func began(a *live.Action) time.Time {
	if a.StartedAt.IsZero() {
		return a.Timestamp
	}
	return a.StartedAt
}

// turn is how long the latest turn took, or has taken.
func turn(s *live.Session, now time.Time) string {
	end := s.TurnEndedAt
	switch {
	case s.TurnStartedAt.IsZero():
		return ""
	case !end.IsZero():
		return render.Duration(end.Sub(s.TurnStartedAt))
	case s.State == live.Ended:
		return ""
	}
	return render.Seconds(now.Sub(s.TurnStartedAt))
}

// tokens are those of a session, in and out; "" where none are known.
func tokens(s *live.Session, st render.Style) string {
	if s.TotalInputTokens == 0 && s.TotalOutputTokens == 0 {
		return ""
	}
	least := ""
	if s.TotalLowerBound {
		least = st.AtLeast()
	}
	return least + render.Short(s.TotalInputTokens) + "/" + render.Short(s.TotalOutputTokens)
}

func cost(s *live.Session, st render.Style) string {
	if s.CostUSD == nil {
		return ""
	}
	least := ""
	if s.CostLowerBound {
		least = st.AtLeast()
	}
	if *s.CostUSD > 0 && *s.CostUSD < 0.005 {
		return least + "<$0.01"
	}
	return fmt.Sprintf("%s$%.2f", least, *s.CostUSD)
}

// doing is what a session is about now: the call that runs, or is to be allowed, and how
// many run beside it.
func doing(s *live.Session) string {
	if s.Call == nil {
		return ""
	}
	text := what(s.Call)
	if s.State != live.Waiting && s.Calls > 1 {
		text = fmt.Sprintf("(+%d) %s", s.Calls-1, text)
	}
	return text
}

// doingFor is how long that has been so; of a session that does nothing, since when.
func doingFor(s *live.Session, now time.Time) string {
	since := s.Since
	if s.Call != nil && s.State == live.Working {
		since = began(s.Call)
	}
	if since.IsZero() {
		return ""
	}
	return render.Seconds(now.Sub(since))
}

// failure is what went wrong last.
func failure(s *live.Session) string {
	if s.LastError == nil {
		return ""
	}
	e := s.LastError
	if e.ActionType != graph.ToolCall {
		return render.OneLine(cmp.Or(e.Error, e.Gist))
	}
	text := render.OneLine(e.ToolName)
	if e.Error != "" {
		return text + ": " + render.OneLine(e.Error)
	}
	return text + " failed: " + render.OneLine(e.Gist)
}

func title(s *live.Session) string {
	return cmp.Or(render.FirstLine(s.Title), render.FirstLine(s.FirstPrompt))
}
