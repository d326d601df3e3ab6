package claude

import (
	"github.com/actiongraph/actiongraph/schema"
)

// about is what was last told of a session.
type about struct {
	version, entrypoint, branch, permissionMode, mode, agent string
	title                                                    map[string]string // by type of line
}

func (f *facts) aboutSession() *about {
	a := f.about[f.l.session]
	if a == nil {
		a = &about{title: map[string]string{}}
		f.about[f.l.session] = a
	}
	return a
}

// surroundings adds a session_update where a line of the main thread says another
// version, entrypoint, branch or permission mode than the one before. A subagent's
// may differ (a worktree) and are not the session's.
func (f *facts) surroundings() {
	l := f.l
	if l.agent != "" || l.sidechain {
		return
	}
	a := f.aboutSession()
	extra := []byte{'{'}
	change := func(name, now string, was *string) {
		if now != "" && now != *was {
			*was = now
			extra = appendMember(extra, name, schema.AppendString(nil, now))
		}
	}
	change("version", l.version, &a.version)
	change("entrypoint", l.entrypoint, &a.entrypoint)
	change("permission_mode", l.permissionMode, &a.permissionMode)
	if l.typ == "mode" {
		change("mode", schema.FieldString(l.raw, "mode"), &a.mode)
	}
	if l.typ == "agent-setting" {
		change("agent_setting", schema.FieldString(l.raw, "agentSetting"), &a.agent)
	}
	branch := l.branch != "" && l.branch != a.branch
	if len(extra) == 1 && !branch {
		return
	}
	e := f.add(schema.SessionUpdate, 0)
	e.EventID = schema.EventID(schema.OriginTranscript, "session", l.key(f.src))
	e.PromptID = ""
	if len(extra) > 1 {
		e.Extra = append(extra, '}')
	}
	if branch {
		a.branch = l.branch
		e.Metadata = appendMetadata(e.Metadata, schema.MetaGitBranch, schema.AppendString(nil, l.branch))
	}
}

// sessionLine adds the fact of a line that is about the session itself and has no
// uuid. permission-mode, mode and agent-setting are told by surroundings.
func (f *facts) sessionLine() {
	l := f.l
	var title string
	switch l.typ {
	case "summary":
		// Up to 2.0 a session's file may begin with the summaries of others: only one
		// whose leaf is a line of this file is its own.
		if _, own := f.uuids[hashOf(schema.FieldString(l.raw, "leafUuid"))]; own {
			title = schema.FieldString(l.raw, "summary")
		}
	case "custom-title":
		title = schema.FieldString(l.raw, "customTitle")
	case "ai-title":
		title = schema.FieldString(l.raw, "aiTitle")
	case "agent-name":
		title = schema.FieldString(l.raw, "agentName")
	case "tag":
		f.tag()
		return
	}
	a := f.aboutSession()
	if title == "" || l.agent != "" || a.title[l.typ] == title {
		return // written again with every turn
	}
	a.title[l.typ] = title
	e := f.add(schema.SessionUpdate, 1)
	e.Title = title
}

func (f *facts) tag() {
	if name := schema.FieldString(f.l.raw, "tag"); name != "" {
		e := f.add(schema.Tag, 1)
		e.Tags, e.Actor = []string{name}, schema.ActorUser
	}
}
