package graph

import (
	"cmp"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// sessionNode is the folded state of the Session node.
type sessionNode struct {
	journal string
	regs    registers
	shown   sessionView

	started                int64 // of all facts, but for abandonment
	noted                  int64 // of facts that say nothing of when the session was
	starts, ends, resumes  moments
	turnEnds, turnFailures moments // of the main thread
	abandoned              int64
	closed                 int64 // the latest fact that ended whatever ran
	endStatus              string
	live                   bool // a hook or caller saw it, not only a file
	tags                   map[string]stamp
	failures               map[string]struct{} // of the recording, by the event's id

	title, prompt string
	model         string
	promptAt      stamp

	actions, toolCalls, messages, errors int64
	modelCalls                           int64
	spent                                sum      // of the calls
	stated                               spending // what the end of the session says the sum is
}

// sessionView is what of a Session node changes all the time.
type sessionView struct {
	started, last, ended                 int64
	status, name                         string
	actions, toolCalls, messages, errors int64
	agents                               int64
}

// Classes of a Session's properties.
const (
	sessionDir class = 1 << iota
	sessionHost
	sessionUser
	sessionSDK
	sessionTranscript
	sessionModel
	sessionTitle
	sessionBranch
	sessionCommit
	sessionRoot
	sessionMeta
	sessionEnd
	sessionFork
	sessionOriginal
	sessionVersion
	sessionEntrypoint
	sessionMode
)

// observe folds what every fact says about its session.
func (s *Session) observe(f *fact) {
	s.introduce()
	n := &s.node
	if f.Status == schema.StatusAbandoned && f.EventType == schema.SessionEnd {
		return // a conclusion about the facts, not one of them
	}
	// A fork's time is of what it was copied from; a title has only that of its
	// neighbours in the file.
	if f.EventType != schema.Fork && f.EventType != schema.SessionUpdate {
		if n.started == 0 || f.at < n.started {
			n.started = f.at
		}
	} else if n.noted == 0 || f.at < n.noted {
		n.noted = f.at
	}
	if !n.live && signOfLife(f.Event) {
		s.goLive()
	}
	st := f.stamp(0)
	s.sessionProp(st, sessionDir, "working_directory", f.WorkingDirectory)
	s.sessionProp(st, sessionHost, "host", f.Host)
	s.sessionProp(st, sessionUser, "user", f.UserID)
	s.sessionProp(st, sessionSDK, "source_sdk", f.SourceSDK)
	s.sessionProp(st, sessionTranscript, "transcript_path", schema.FieldString(f.Extra, "transcript_path"))
	s.sessionProp(st, sessionRoot, "repo_root", schema.FieldString(f.Metadata, schema.MetaRepoRoot))
	s.sessionProp(st, sessionOriginal, "session_id_original", schema.FieldString(f.Metadata, schema.MetaSessionID))
	if f.AgentID == "" {
		// The latest stands: a session is renamed, its model is switched.
		st.time = -st.time
		if f.Model != "" && !strings.HasPrefix(f.Model, "<") { // <synthetic>: the runtime's own words
			if won, _ := s.regs.take(&n.regs, st, sessionModel); won != 0 && n.model != f.Model {
				n.model = f.Model
				s.putRef(s.self, Prop{"model", clip(f.Model)})
			}
		}
		st.rank = titleRank(f.Event)
		if titled(f.EventType) && s.sessionProp(st, sessionTitle, "title", f.Title) {
			n.title = gist(f.Title)
		}
	}
}

// titleRank says whose title stands: a person's, the agent's name, the model's, that of a
// summary.
func titleRank(e *schema.Event) uint8 {
	if e.EventType != schema.SessionUpdate {
		return 0
	}
	switch e.HookEventName {
	case "agent-name":
		return 1
	case "ai-title":
		return 2
	case "summary":
		return 3
	}
	return 0
}

// imported reports a session that only files tell of: what has no end there will get
// none.
func (s *Session) imported() bool { return !s.node.live }

// goLive notes that a hook or a caller saw the session.
func (s *Session) goLive() {
	s.node.live = true
	for _, l := range s.lanes {
		s.reopen(l)
		s.settleWaiting(l)
		if l.id != "" {
			s.showAgent(l)
		}
	}
}

// sessionProp sets one property of the Session node, and reports whether it did.
func (s *Session) sessionProp(st stamp, c class, name, value string) bool {
	if value == "" {
		return false
	}
	won, _ := s.regs.take(&s.node.regs, st, c)
	if won != 0 {
		s.putRef(s.self, Prop{name, clip(value)})
	}
	return won != 0
}

// sessionEvent folds the facts that are about the session itself: they are no
// actions.
func (s *Session) sessionEvent(f *fact) {
	n := &s.node
	switch f.EventType {
	case schema.SessionStart:
		if f.Reason == "compact" {
			s.compaction(f)
			return
		}
		n.starts.add(s, f)
		if f.Reason == "resume" {
			n.resumes.add(s, f)
		}
		st := f.stamp(0)
		s.sessionProp(st, sessionBranch, "git_branch", schema.FieldString(f.Metadata, schema.MetaGitBranch))
		s.sessionProp(st, sessionCommit, "git_commit", schema.FieldString(f.Metadata, schema.MetaGitCommit))
		s.sessionProp(st, sessionMeta, "metadata", leftovers(f.Event))
	case schema.SessionEnd:
		if f.Status == schema.StatusAbandoned {
			n.abandoned = max(n.abandoned, f.at)
			break
		}
		n.ends.add(s, f)
		st := f.stamp(0)
		st.time = -st.time
		if won, _ := s.regs.take(&n.regs, st, sessionEnd); won != 0 {
			n.endStatus = f.Status
			var reason any
			if f.Reason != "" {
				reason = f.Reason
			}
			s.putRef(s.self, Prop{"end_reason", reason})
		}
		stated, _ := figuresOf(f.Event)
		n.stated = n.stated.max(stated)
	case schema.Fork:
		if parent := schema.SafeID(f.ParentSessionID); parent == s.id || parent == s.continues.Key {
			break // no session is a fork of itself
		}
		// The latest stands: who saw only the beginning of a fork's file saw fewer of the
		// lines that it copied.
		st := f.stamp(0)
		st.time = -st.time
		if won, _ := s.regs.take(&n.regs, st, sessionFork); won != 0 {
			s.fork(f)
		}
	case schema.Tag:
		s.tag(f)
	case schema.SessionUpdate:
		s.sessionUpdate(f)
	}
}

// sessionUpdate folds what a file says of its session: the branch at first, of what can
// change the latest.
func (s *Session) sessionUpdate(f *fact) {
	if f.AgentID != "" {
		return
	}
	s.sessionProp(f.stamp(1), sessionBranch, "git_branch", schema.FieldString(f.Metadata, schema.MetaGitBranch))
	st := f.stamp(0)
	st.time = -st.time
	s.sessionProp(st, sessionVersion, "version", schema.FieldString(f.Extra, "version"))
	s.sessionProp(st, sessionEntrypoint, "entrypoint", schema.FieldString(f.Extra, "entrypoint"))
	s.sessionProp(st, sessionMode, "permission_mode", schema.FieldString(f.Extra, "permission_mode"))
}

// putContinues links a continuation to the session that another journal owns, which
// that journal's fold fills.
func (s *Session) putContinues() {
	if s.continues != (Ref{}) {
		s.putRef(s.continues, Prop{"name", s.continues.Key})
		s.putEdge(Continues, s.named(s.self), s.named(s.continues))
	}
}

// tag folds a tag put on or taken off: the latest word on each tag stands.
func (s *Session) tag(f *fact) {
	if s.node.tags == nil {
		s.node.tags = map[string]stamp{}
	}
	for _, name := range f.Tags {
		st := f.stamp(0)
		st.time = -st.time
		if held, ok := s.node.tags[name]; name == "" || ok && !st.less(held) {
			continue
		}
		s.node.tags[name] = st
		ref := Ref{LabelTag, name}
		if f.Status == "removed" {
			s.delEdge(HasTag, s.named(s.self), s.named(ref))
			continue
		}
		s.putRef(ref)
		s.putEdge(HasTag, s.named(s.self), s.named(ref))
	}
}

// firstPrompt keeps the gist of the main thread's earliest prompt.
func (s *Session) firstPrompt(f *fact, t ActionType) {
	n := &s.node
	if t != UserMessage || f.AgentID != "" || n.prompt != "" && !f.stamp(0).less(n.promptAt) {
		return
	}
	if g := gistOf(promptText(f.Content), 200); g != "" {
		n.prompt, n.promptAt = g, f.stamp(0)
		s.putRef(s.self, Prop{"first_prompt", g})
	}
}

// count keeps the Session's counters.
func (s *Session) count(t ActionType, n int64) {
	s.node.actions += n
	switch t {
	case ToolCall:
		s.node.toolCalls += n
	case UserMessage, AssistantMessage, SystemMessage:
		s.node.messages += n
	case ErrorEvent, RateLimitEvent:
		s.node.errors += n
	}
}

// sessionStatus follows the latest of start, end and abandonment; any later fact
// takes an abandonment back.
func (s *Session) sessionStatus(last int64) (status string, ended int64) {
	n := &s.node
	end := n.ends.last()
	switch {
	case n.abandoned != 0 && n.abandoned >= last && n.abandoned > end:
		return schema.StatusAbandoned, n.abandoned
	case end != 0 && end >= n.starts.last():
		switch {
		case n.endStatus != "":
			return n.endStatus, end
		case s.lastTurnFailed():
			return schema.StatusFailed, end
		}
		return schema.StatusCompleted, end
	case n.live:
		return schema.StatusActive, 0
	case s.lastTurnFailed():
		return schema.StatusFailed, 0
	}
	return schema.StatusUnknown, 0
}

// lastTurnFailed reports an error that no later end of a turn, and no later prompt,
// followed.
func (s *Session) lastTurnFailed() bool {
	failed := s.node.turnFailures.last()
	if k := len(s.turns); k > 0 && s.turns[k-1].own > failed {
		return false
	}
	return failed > s.node.turnEnds.last()
}

// putSession writes what of the Session node has changed.
func (s *Session) putSession() {
	s.settleTimes()
	n := &s.node
	started, last := n.started, max(n.started, s.lastActivity(), n.starts.last(), n.ends.last())
	status, ended := s.sessionStatus(last)
	s.closeSession(status)
	if started == 0 {
		started = cmp.Or(n.noted, n.abandoned)
		last = max(last, started, n.abandoned)
	}
	name := n.title
	if name == "" {
		name = gist(n.prompt)
	}
	if name == "" {
		name = s.id
	}
	v := sessionView{
		started: started, last: last, ended: ended, status: status, name: name,
		actions: n.actions, toolCalls: n.toolCalls, messages: n.messages, errors: n.errors,
		agents: int64(len(s.lanes) - 1),
	}
	first := n.shown.status == ""
	var props []Prop
	add := func(changed bool, name string, value any) {
		if changed {
			props = append(props, Prop{name, value})
		}
	}
	o := &n.shown
	add(v.name != o.name, "name", v.name)
	add(v.status != o.status, "status", v.status)
	add(v.started != o.started, "started_at", Time(v.started))
	add(v.last != o.last, "last_event_at", Time(v.last))
	add(v.ended != o.ended, "ended_at", timeOrNone(v.ended))
	add(first || v.actions != o.actions, "action_count", v.actions)
	add(first || v.toolCalls != o.toolCalls, "tool_call_count", v.toolCalls)
	add(first || v.messages != o.messages, "message_count", v.messages)
	add(first || v.errors != o.errors, "error_count", v.errors)
	add(first || v.agents != o.agents, "agent_count", v.agents)
	props = append(props, n.spent.changes(n.spent.total().max(n.stated))...) // not both: nothing is counted twice
	n.shown = v
	if len(props) > 0 {
		s.putRef(s.self, props...)
	}
}

// closeSession settles what has no end when the session ended, was resumed or was
// abandoned, and opens it again when an abandonment is taken back.
func (s *Session) closeSession(status string) {
	n := &s.node
	closed := max(n.ends.last(), n.resumes.last())
	if status == schema.StatusAbandoned {
		closed = max(closed, n.abandoned)
	}
	if closed == n.closed {
		return
	}
	reopened := closed < n.closed
	n.closed = closed
	for _, l := range s.lanes {
		if reopened {
			s.reopen(l)
		}
		s.settleWaiting(l)
		if l.id != "" {
			s.showAgent(l)
		}
	}
}
