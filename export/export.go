// Package export writes one session as a document that people can share: a page of HTML
// or a Markdown file, whole in itself.
//
// Everything in a session is untrusted, and a document leaves the machine. So each text
// passes Redact once more; what only a terminal or a program can read (control and
// formatting characters, images, binary content) is left out and named; and nothing of a
// text is markup: in HTML it is escaped, the page has no script, loads nothing and says so
// in its Content-Security-Policy; in Markdown what a model wrote stays Markdown, but for
// HTML, images and headings, and everything else is in fences longer than any in the text.
//
// What a Go caller does (the verb export does the same, with redact's rules):
//
//	r, err := home.Reader(ctx) // of an actiongraph.Home
//	actions, err := r.Actions(ctx, graph.ActionFilter{Session: row.SessionID, Content: true})
//	agents, err := r.Agents(ctx, row.SessionID)
//	rows, err := r.Usage(ctx, usage.SessionFilter(row.SessionID))
//	prices, err := usage.ListPrices()
//	used := usage.OfSession(rows, &prices)
//	err = export.Conversation{Session: row, Actions: actions, Agents: agents, Usage: used, Redact: take}.HTML(w)
//
// The same session gives the same document, byte by byte: times are UTC, and no clock is
// read.
package export

import (
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// Conversation is a session with what happened in it, as connector.Reader answers.
type Conversation struct {
	Session graph.SessionRow
	Actions []graph.ActionRow // all, in the order of time, with content
	Agents  []graph.AgentRow
	// Shared is what a fork shares with the sessions that it was forked from, the oldest first.
	Shared []Shared
	// Usage is what its model calls used and cost; without calls it is not in the document.
	Usage usage.Report
	// Redact takes secrets out of a text. nil leaves it as the journal has it, from which
	// they were taken when it was written.
	Redact func(string) string
}

// Shared is a part of a fork that it shares with another session.
type Shared struct {
	Head    string // what it is, on one line
	Actions []graph.ActionRow
	Agents  []graph.AgentRow
}
