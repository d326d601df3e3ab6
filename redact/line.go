package redact

import "github.com/actiongraph/actiongraph/schema"

// Line is one event as a journal accepts it: redacted, cut, encoded. Only
// Redactor.Event makes one, so that no writer can forget to redact.
type Line struct {
	session string
	typ     schema.Type
	json    []byte
}

// Session returns the event's session id, which matches schema.IDPattern.
func (l Line) Session() string { return l.session }

// Type returns the event's type.
func (l Line) Type() schema.Type { return l.typ }

// Bytes returns one line of JSON without a newline. The caller does not change it.
func (l Line) Bytes() []byte { return l.json }
