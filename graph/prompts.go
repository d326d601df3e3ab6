package graph

import (
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// A prompt is known to the hook and to the transcript, and neither names the other. Within
// a lane, those with one prompt id, role and text are a group, in which they pair. What
// is left pairs across the groups of one text: a fork's copies of lines have another
// prompt id, queued prompts and old versions have none, and the line of a slash command
// is the runtime's, not the user's.

// prompts is what a claimGroup of prompts has beside its facts.
type prompts struct {
	key    schema.Key
	typ    ActionType
	prompt string
	same   *sameText
	left   []leftover
	loans  map[int64]loan // by the first time of the hook that has it
}

// message folds a message.
func (s *Session) message(f *fact) {
	t := AssistantMessage
	switch f.Role {
	case schema.RoleUser:
		t = UserMessage
	case schema.RoleSystem:
		t = SystemMessage
	}
	if typed(f.Event) {
		t = UserMessage
	}
	switch {
	case t == AssistantMessage:
		s.single(f, t)
		if f.Origin == schema.OriginTranscript && !thinks(f.Event) {
			s.dropEchoes(f)
		}
	case f.Origin != schema.OriginHook && f.Origin != schema.OriginTranscript:
		s.single(f, t)
	default:
		s.promptFact(f, t)
		s.agentNotice(f)
	}
	s.firstPrompt(f, t)
}

// typed reports the line of a slash command that is a prompt: a person's own, or a
// skill. The runtime writes <command-message> first in these, and <command-name> first in
// its own (/clear, /model), which ask the model nothing.
func typed(e *schema.Event) bool {
	return e.Origin == schema.OriginTranscript && e.Role == schema.RoleSystem &&
		strings.HasPrefix(e.Content, "<command-message>") && tagged(e.Content, "command-name") != ""
}

// promptFact folds a prompt that the hook or the transcript tells of.
func (s *Session) promptFact(f *fact, t ActionType) {
	text := promptText(f.Content)
	g := s.promptGroup(f, t, text)
	s.setSmall(g, "permission_mode", schema.FieldString(f.Extra, "permission_mode"), f.stamp(0))
	s.setSmall(g, "images", string(schema.Field(f.Extra, "images")), f.stamp(0))
	from := 0
	changed := []*claimGroup{g}
	if f.Origin == schema.OriginHook {
		g.hooks, from = s.receive(g.hooks, f)
		g.same.hasHooks = true
	} else {
		changed = s.promptLine(g, f, text)
		g.same.hasLines = true
		g.same.hasQueued = g.same.hasQueued || wasQueued(f.Event)
	}
	if lent := g.same.lend(changed); len(lent) > 0 {
		changed, from = append(changed, lent...), 0
	}
	for k, g := range changed {
		if slices.Contains(changed[:k], g) {
			continue
		}
		s.settleGroup(g, from, claim{
			typ: g.typ,
			key: func(k int) schema.Key { return schema.NewKey("prompt", g.key.String(), itoa(k)) },
			props: func(int) []Prop {
				props := []Prop{
					{"name", gist(text)}, {"text", clip(text)}, {"role", promptRole(g.typ)},
					{"status", schema.StatusCompleted},
				}
				if g.prompt != "" {
					props = append(props, Prop{"prompt_id", g.prompt})
				}
				return append(props, g.smallProps()...)
			},
		})
	}
}

func promptRole(t ActionType) string {
	if t == SystemMessage {
		return schema.RoleSystem
	}
	return schema.RoleUser
}

func (s *Session) promptGroup(f *fact, t ActionType, text string) *claimGroup {
	key := schema.NewKey("prompts", s.id, f.AgentID, f.PromptID, promptRole(t), text)
	g := s.claims[key]
	if g == nil {
		all := schema.NewKey("prompts of", s.id, f.AgentID, text)
		same := s.sameTexts[all]
		if same == nil {
			same = &sameText{}
			s.sameTexts[all] = same
		}
		g = &claimGroup{lane: s.laneOf[f.AgentID], prompts: &prompts{key: key, typ: t, prompt: f.PromptID, same: same}}
		same.groups = append(same.groups, g)
		s.claims[key] = g
	}
	return g
}

// promptLine adds a line to g, and returns the groups that changed. A line of which there
// are several records is in the group of the least, those with a prompt id before those
// without: a fork's copy has lost it.
func (s *Session) promptLine(g *claimGroup, f *fact, text string) []*claimGroup {
	id := uint64(fnvOffset.str(f.AgentID).str(text).str(f.EventID))
	rank := uint8(0)
	if f.PromptID == "" {
		rank = 1
	}
	l := s.promptLines[id]
	if l == nil {
		l = &lineFact{id: id, time: f.at, seq: f.Seq, home: g, best: f.stamp(rank), queued: wasQueued(f.Event)}
		s.promptLines[id] = l
		g.addLine(l)
		return []*claimGroup{g}
	}
	old := l.home
	old.removeLine(l)
	if st := f.stamp(rank); st.less(l.best) {
		l.home, l.best = g, st
	}
	l.time, l.seq = min(l.time, f.at), min(l.seq, f.Seq)
	l.queued = l.queued || wasQueued(f.Event)
	l.home.addLine(l)
	return []*claimGroup{old, l.home}
}

// wasQueued reports the line of a prompt that was typed while the agent worked: it was
// taken up within the turn (queued), or began the next.
func wasQueued(e *schema.Event) bool {
	return schema.Field(e.Extra, "queued") != nil || schema.FieldString(e.Extra, "prompt_source") == "queued"
}

// tagged returns what is in an XML-like tag of a text.
func tagged(text, name string) string {
	_, rest, ok := strings.Cut(text, "<"+name+">")
	if !ok {
		return ""
	}
	body, _, _ := strings.Cut(rest, "</"+name+">")
	return strings.TrimSpace(body)
}

// promptText is the text by which a hook's prompt and a transcript's line are the
// same: a slash command is "/name args" in one and tags in the other.
func promptText(text string) string {
	if command := tagged(text, "command-name"); command != "" && strings.HasPrefix(strings.TrimSpace(text), "<command-") {
		if !strings.HasPrefix(command, "/") {
			command = "/" + command
		}
		return strings.TrimSpace(command + " " + tagged(text, "command-args"))
	}
	return strings.TrimSpace(text)
}

// skill folds UserPromptExpansion: what a slash command expands to belongs to its
// prompt. Other producers' skills are actions, children of the call that they name.
func (s *Session) skill(f *fact) {
	if f.Origin != schema.OriginHook || f.HookEventName != "UserPromptExpansion" {
		s.single(f, Skill)
		if f.Origin != schema.OriginHook && f.ToolUseID != "" {
			s.underCall(f.self, f)
		}
		return
	}
	g := s.promptGroup(f, UserMessage, promptText(f.Content))
	for _, name := range []string{"expansion_type", "command_name", "command_args", "command_source"} {
		s.setSmall(g, name, schema.FieldString(f.Extra, name), f.stamp(0))
	}
}
