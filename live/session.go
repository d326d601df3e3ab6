package live

import (
	"cmp"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

// maxGist bounds a caption, in bytes: a terminal is not that wide.
const maxGist = 500

// session is what is known of one that runs. The fold's ops make it what it is.
type session struct {
	id      string
	prices  *usage.Table
	fold    *graph.Session
	at      schema.Position
	row     graph.SessionRow
	actions map[string]*action
	results map[string]string // by call, the action that is its result
	starts  map[string]string // by lane, the action that is its agent's first start
	agents  map[string]*graph.AgentRow
	changed map[string]bool // actions, since they were last told
	gone    []string        // likewise, those that are no more

	nanos    float64 // of the model calls whose price is known
	priced   bool
	unpriced map[string]bool // model calls without a price
	refused  int
}

// action is what is kept of an action.
type action struct {
	Action
	said  string // the first line of a result's text, which is the error of a call that failed
	ends  bool   // the turn of its lane; a compaction when it ended
	turns bool   // it is a message of the runtime's that begins a turn, as a prompt does
	usage []graph.Prop
	nanos float64
}

func newSession(id, journal string, prices *usage.Table) *session {
	return &session{
		id: id, prices: prices, fold: graph.NewSession(id, journal),
		actions: map[string]*action{}, results: map[string]string{}, starts: map[string]string{},
		agents: map[string]*graph.AgentRow{}, changed: map[string]bool{}, unpriced: map[string]bool{},
	}
}

// take takes over what the fold says has changed.
func (s *session) take() {
	ops := s.fold.Take()
	for i := range ops { // first what captions are told in the light of
		if n := &ops[i].Node; ops[i].Kind == graph.PutNode && n.Ref == (graph.Ref{Label: graph.LabelSession, Key: s.id}) {
			s.row.Fill(n.Props)
		}
	}
	for _, op := range ops {
		switch op.Kind {
		case graph.PutNode:
			s.put(&op.Node)
		case graph.DelNode:
			s.drop(op.Node.Key)
		case graph.PutEdge, graph.DelEdge:
			s.link(&op.Edge, op.Kind == graph.PutEdge)
		}
	}
	s.prune()
}

func (s *session) put(n *graph.Node) {
	switch n.Label {
	case graph.LabelAgent:
		a := s.agents[n.Key]
		if a == nil {
			a = &graph.AgentRow{AgentKey: n.Key}
			s.agents[n.Key] = a
		}
		a.Fill(n.Props)
		a.Prompt, a.LastAssistantMessage = "", ""
		if start := s.starts[a.AgentID]; start != "" {
			s.changed[start] = true
		}
	case graph.LabelAction:
		s.putAction(n)
	}
}

func (s *session) putAction(n *graph.Node) {
	a := s.actions[n.Key]
	if a == nil {
		if !slices.ContainsFunc(n.Props, func(p graph.Prop) bool { return p.Name == "action_type" }) {
			return // one that was pruned: a new one comes with its type
		}
		a = &action{Action: Action{ActionRow: graph.ActionRow{ActionID: n.Key, SessionID: s.id}}}
		s.actions[n.Key] = a
	}
	s.changed[n.Key] = true
	a.ActionType = n.Type
	a.Fill(n.Props, true)
	if a.captions(n.Props) {
		a.Gist = cmp.Or(cut(render.Gist(&a.ActionRow, s.row.WorkingDirectory)), a.Gist)
	}
	switch a.ActionType {
	case graph.ToolResult:
		a.said = cmp.Or(errorText(a.Properties["error_message"]), errorText(a.Text), a.said)
	case graph.TurnEnd:
		a.ends = true
	case graph.ErrorEvent, graph.RateLimitEvent:
		hook, _ := a.Properties["hook_event_name"].(string)
		a.ends = a.ends || hook == "StopFailure" || hook == "assistant"
	case graph.Notification:
		rest, _ := a.Properties["properties"].(string)
		a.ends = a.ends || schema.FieldString([]byte(rest), "notification_type") == "idle_prompt"
	case graph.Compaction: // one that a person asked for; others are in the middle of a turn
		a.ends = a.ends || a.Properties["reason"] == "manual"
	case graph.UserMessage, graph.SystemMessage:
		a.ends = a.ends || isInterruption(a.Text)
		// What the hook of prompts was called for, as when a task in the background ended.
		a.turns = a.turns || a.ActionType == graph.SystemMessage && a.Properties["permission_mode"] != nil
	case graph.SubagentStart:
		if s.starts[a.AgentID] == "" {
			s.starts[a.AgentID] = n.Key
		}
	case graph.LLMCall:
		s.spend(a, n.Props)
	}
	a.Text, a.Properties, a.Metadata = "", nil, nil
}

// captions reports whether properties say what the action is about. The others come alone
// later, and a caption made of these says less.
func (a *action) captions(props []graph.Prop) bool {
	for _, p := range props {
		switch p.Name {
		case "command", "file_path", "pattern", "url", "properties":
			return true
		case "name", "text", "error_message", "resource":
			if a.ActionType != graph.ToolCall {
				return true
			}
		}
	}
	return false
}

// spend takes over what a model call used, and what that costs.
func (s *session) spend(a *action, props []graph.Prop) {
	for _, p := range props {
		if text, ok := p.Value.(string); ok && len(text) > 200 {
			continue // no figure, and no model's name
		}
		if i := slices.IndexFunc(a.usage, func(o graph.Prop) bool { return o.Name == p.Name }); i >= 0 {
			a.usage[i] = p
		} else {
			a.usage = append(a.usage, p)
		}
	}
	row, _, ok := graph.UsageOf(a.usage)
	if !ok {
		return
	}
	nanos, known := s.prices.Cost(row)
	s.nanos += nanos - a.nanos
	a.nanos = nanos
	s.priced = s.priced || known
	if known {
		delete(s.unpriced, a.ActionID)
	} else {
		s.unpriced[a.ActionID] = true
	}
}

func (s *session) drop(key string) {
	a := s.actions[key]
	if a == nil {
		return
	}
	s.nanos -= a.nanos
	delete(s.unpriced, key)
	delete(s.actions, key)
	delete(s.changed, key)
	if s.starts[a.AgentID] == key {
		delete(s.starts, a.AgentID)
	}
	s.gone = append(s.gone, key)
}

// link notes who is whose parent.
func (s *session) link(e *graph.Edge, is bool) {
	a := s.actions[e.To.Key]
	if e.Type != graph.ParentOf || a == nil {
		return
	}
	switch {
	case is:
		a.ParentActionID = e.From.Key
		if a.ActionType == graph.ToolResult {
			s.results[e.From.Key] = e.To.Key
			s.changed[e.From.Key] = s.actions[e.From.Key] != nil
		}
	case a.ParentActionID == e.From.Key:
		a.ParentActionID = ""
	default:
		return
	}
	s.changed[e.To.Key] = true
	if a.ActionType == graph.SubagentStart { // the depth of its lane may be another
		for id, b := range s.actions {
			if b.AgentID == a.AgentID {
				s.changed[id] = true
			}
		}
	}
}

// prune forgets the oldest of many actions, but for what runs or may say what the session
// is doing.
func (s *session) prune() {
	if len(s.actions) < 2*Kept {
		return
	}
	old := s.inOrder()
	last := s.lastPrompt()
	for _, a := range old[:len(old)-Kept] {
		if a != last && a.Status != schema.StatusInProgress && a.Status != schema.StatusPending {
			delete(s.actions, a.ActionID)
			delete(s.changed, a.ActionID)
			delete(s.results, a.ActionID)
		}
	}
}

// errorText is what a result says, in one line without the tags that a runtime puts around
// an error.
func errorText(v any) string {
	text, _ := v.(string)
	if strings.HasPrefix(text, "<") {
		return cut(render.WithoutTags(cut(text)))
	}
	return cut(render.FirstLine(text))
}

func cut(text string) string {
	if len(text) > maxGist {
		return schema.CutHead(text, maxGist)
	}
	return text
}
