package main

import (
	"cmp"
	"errors"
	"io/fs"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/redact"
)

// compilePolicy takes over what config.toml says of capture and redaction: hooks read the
// compiled form alone, and a verb may be the first that finds the file changed. That it
// cannot be read keeps no verb from answering; those that need the file say why.
func (a *app) compilePolicy(home string) {
	if state, err := config.CompilePolicy(home); err != nil && state.Stale {
		a.note("the capture policy of before stays in force: %v", err)
	}
}

// redactor is for what leaves the record: with the patterns of the home, where there is one.
func (a *app) redactor() *redact.Redactor {
	o := redact.Options{}
	if home, err := a.configHome(); err == nil {
		o.Policy = policy.Open(home).Policy
	}
	return redact.New(o)
}

// policyStatus is what status says of the capture policy.
type policyStatus struct {
	policy.Rules
	Content string          `json:"content"` // "full" where nothing is set
	Stale   bool            `json:"stale"`
	Problem string          `json:"problem,omitempty"`
	LeftOut journal.LeftOut `json:"left_out"`
}

func policyState(home string) policyStatus {
	p, state := policy.Load(home)
	s := policyStatus{Rules: p.Rules(), Stale: state.Stale, Content: cmp.Or(p.Rules().Content, policy.Full)}
	problem, cure := state.Problem()
	if s.Problem = problem; state.Gone {
		s.Problem += "; " + cure
	}
	var err error
	if s.LeftOut, err = journal.ReadLeftOut(home); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Problem = err.Error()
	}
	return s
}

func (a *app) printPolicy(s policyStatus, field func(name, format string, args ...any)) {
	if !s.Zero() || s.Problem != "" {
		text := "content " + s.Content
		for _, n := range []struct {
			n    int
			what string
		}{{len(s.ExcludeProjects), "excluded folder"}, {len(s.ExcludeTools), "excluded tool"}, {len(s.Redact), "secret pattern"}} {
			if n.n > 0 {
				text += ", " + render.Plural(int64(n.n), n.what)
			}
		}
		if s.MaxChars > 0 {
			text += ", at most " + render.Bytes(int64(s.MaxChars)) + " a text"
		}
		field("policy", "%s", text)
	}
	if s.Problem != "" {
		field("", "%s", render.OneLine(s.Problem))
	}
	if n := s.LeftOut; n != (journal.LeftOut{}) {
		field("left out", "%s and parts of %s, %s, by exclude_projects", render.Plural(int64(n.Sessions), "session"),
			render.Plural(int64(n.Parts), "other"), render.Plural(n.Events, "event"))
	}
}
