package redact

import "github.com/actiongraph/actiongraph/schema"

// Line is one event as a journal accepts it: redacted, cut, encoded. Only
// Redactor.Event makes one, so that no writer can forget to redact. One that the policy
// leaves out holds none of the event, and a journal only counts it.
type Line struct {
	session string
	typ     schema.Type
	placed  bool
	json    []byte
	out     LeftOut
}

// LeftOut names an event that is not recorded: its session, itself, and the rule that
// leaves it out.
type LeftOut struct {
	Session, Event string
	Rule           uint64
}

// Session returns the event's session id, which matches schema.IDPattern; "" where the
// event is left out.
func (l Line) Session() string { return l.session }

// Type returns the event's type.
func (l Line) Type() schema.Type { return l.typ }

// Placed reports whether it is known in which folder the event happened.
func (l Line) Placed() bool { return l.placed }

// LeftOut returns what of the event is counted where it is left out.
func (l Line) LeftOut() (out LeftOut, ok bool) { return l.out, l.out.Rule != 0 }

// Bytes returns one line of JSON without a newline, nil where the event is left out. The
// caller does not change it.
func (l Line) Bytes() []byte { return l.json }
