package watch

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/live"
)

// Lines says what happens in lines, each flushed at once: one a change of a session's state,
// or, of the one session that is followed, one when an action begins and one when it ended.
type Lines struct {
	Out   *bufio.Writer
	Note  func(format string, args ...any) // what is beside the answer
	Style render.Style
	// JSON, if set, writes a value as one line instead: {"session":{…}} or {"action":{…}}.
	JSON func(any) error
	// Last is how many actions of before are said when a session is followed.
	Last int

	said   map[string]string // by session or action, what was said of it last
	before []live.Action     // of the followed session, until all of it was read
	latest *live.Change      // of the followed session
	ready  bool
}

// Run says what w tells until ctx ends, or the one session that is followed did.
func (l *Lines) Run(ctx context.Context, w *live.Watcher) error {
	l.said = map[string]string{}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := make(chan live.Change)
	watched := make(chan error, 1)
	go func() {
		watched <- w.Run(ctx, changes)
		close(changes)
	}()
	var failed error
	for c := range changes {
		if failed != nil {
			continue // stopped: until the watcher has seen it
		}
		if failed = l.change(&c, w.Session != ""); failed == nil {
			failed = l.Out.Flush()
		}
		if failed != nil || w.Session != "" && l.ready && l.over() {
			stop()
		}
	}
	if err := <-watched; !errors.Is(err, context.Canceled) {
		failed = errors.Join(failed, err)
	}
	return failed
}

// over reports whether the session that is followed ended, or is no more.
func (l *Lines) over() bool {
	return l.latest != nil && (l.latest.Session.State == live.Ended || l.latest.Gone)
}

func (l *Lines) change(c *live.Change, follow bool) error {
	switch {
	case c.Ready && !follow:
		return nil
	case c.Ready:
		l.ready = true
		slices.SortStableFunc(l.before, func(a, b live.Action) int { return a.Timestamp.Compare(b.Timestamp) })
		begin := max(0, len(l.before)-l.Last)
		for i := range l.before {
			if i < begin {
				l.said[l.before[i].ActionID] = key(&l.before[i])
			} else if err := l.action(&l.before[i]); err != nil {
				return err
			}
		}
		l.before = nil
		return l.ended()
	case c.Err != nil:
		l.Note("session %s: %v", c.Session.SessionID, c.Err)
	}
	if !follow {
		return l.session(c)
	}
	for i := range c.Actions {
		a := &c.Actions[i]
		if a.Removed || l.JSON == nil && !shown(a) {
			continue
		}
		if !l.ready {
			l.before = append(l.before, *a)
		} else if err := l.action(a); err != nil {
			return err
		}
	}
	l.latest = c
	return l.ended()
}

// ended says that the followed session ended; as JSON also what else it does.
func (l *Lines) ended() error {
	if c := l.latest; c != nil && l.ready && (l.JSON != nil || c.Session.State == live.Ended) {
		return l.session(c)
	}
	return nil
}

// session says what a session is doing, if that is another thing than was said.
func (l *Lines) session(c *live.Change) error {
	s := &c.Session
	if c.Gone && s.State != live.Ended {
		delete(l.said, s.SessionID)
		return nil
	}
	now := string(s.State) + " " + failure(s)
	if s.Call != nil {
		now += " " + s.Call.ActionID
	}
	if s.LastEventAt.IsZero() || l.said[s.SessionID] == now {
		return nil
	}
	if l.said[s.SessionID] = now; c.Gone {
		delete(l.said, s.SessionID)
	}
	if l.JSON != nil {
		return l.JSON(map[string]*live.Session{"session": s})
	}
	text := strings.Join(nonEmpty(doing(s), l.figures(s), failed(s)), " · ")
	return l.line(s.LastEventAt, fmt.Sprintf("%-8s  %s  %s", s.SessionID[:min(8, len(s.SessionID))], cmp.Or(project(s), "-"), stateWord(s)), text)
}

func failed(s *live.Session) string {
	if text := failure(s); text != "" {
		return "last error: " + text
	}
	return ""
}

// figures are the turn's time, tokens and cost.
func (l *Lines) figures(s *live.Session) string {
	t := tokens(s, l.Style)
	if t != "" {
		t += " tokens"
	}
	turned := ""
	if s.State == live.Idle && !s.TurnEndedAt.IsZero() {
		turned = "turn " + turn(s, s.TurnEndedAt)
	}
	return strings.Join(nonEmpty(turned, t, cost(s, l.Style)), " · ")
}

// key is what has to change of an action for it to be said again.
func key(a *live.Action) string {
	if a.ActionType == graph.SubagentStart {
		return "" // its end is said by an action of its own
	}
	if runs(a) {
		return a.Status
	}
	return a.Status + " " + a.Error
}

func (l *Lines) action(a *live.Action) error {
	k := key(a)
	if said, ok := l.said[a.ActionID]; ok && said == k {
		return nil
	}
	l.said[a.ActionID] = k
	if l.JSON != nil {
		return l.JSON(map[string]*live.Action{"action": a})
	}
	at := began(a)
	if !runs(a) && a.ActionType == graph.ToolCall && !a.EndedAt.IsZero() {
		at = a.EndedAt
	}
	text := what(a)
	if d := took(a, at); d != "" && !runs(a) {
		text += " (" + d + ")"
	}
	if a.Error != "" && a.ActionType == graph.ToolCall {
		text += ": " + render.OneLine(a.Error)
	}
	sign := l.Style.Mark(status(a))
	if a.ActionType == graph.UserMessage {
		sign = ">"
	}
	return l.line(at, strings.Repeat("  ", a.Depth)+sign, text)
}

func (l *Lines) line(at time.Time, head, text string) error {
	_, err := fmt.Fprintln(l.Out, strings.TrimRight(render.Clock(at)+"  "+head+"  "+text, " "))
	return err
}
