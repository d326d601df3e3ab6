package claude

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Source says what a transcript file is: what its path and its surroundings say.
type Source struct {
	Session string // of <session>.jsonl, or of the folder that subagents/ is in
	Agent   string // of agent-<id>.jsonl; "" is the main thread

	Host, User string
	HashKey    []byte // keys InputHash: see Env

	// Origins says where a fork's copied lines come from: see OriginScan.
	Origins []Origin
}

// Origin is a session whose lines a fork's file begins with, and the time of the last
// of them.
type Origin struct {
	Session string
	Until   time.Time
}

// Transcript turns the lines of one transcript file into facts, in their order. What
// it keeps between lines is small and can be lost: a Transcript that begins in the
// middle of a file gives the same facts, a few of them twice.
type Transcript struct {
	src Source
}

// NewTranscript returns a Transcript of the file that src describes.
func NewTranscript(src Source) *Transcript { return &Transcript{src: src} }

// Events returns the facts in line n (counted from 1) of the file; a blank line has
// none. kind is the line's own type: "assistant", "system/turn_duration",
// "attachment/file"; unknown reports a type that this version does not know. An error
// says what is wrong with the line.
//
// Raw fields of the events alias line.
func (t *Transcript) Events(line []byte, n int64) (events []schema.Event, kind string, unknown bool, err error) {
	if len(line) == 0 {
		return nil, "", false, nil
	}
	if !json.Valid(line) {
		return nil, "", false, errors.New("not valid JSON")
	}
	return nil, schema.FieldString(line, "type"), false, nil
}

// OriginScan finds where the lines come from that a fork's file begins with.
type OriginScan struct{}

// Line adds a line of the file.
func (o *OriginScan) Line(line []byte) {}

// Origins returns the sessions whose lines the file holds copies of, in the order of
// Until; nil where it is no fork.
func (o *OriginScan) Origins() []Origin { return nil }

// AgentFact returns what agent-<id>.meta.json says: a fact of type context with
// metadata.agent, at the time of the agent's first line. False where meta is no JSON
// object.
func AgentFact(src Source, meta []byte, at time.Time) (schema.Event, bool) {
	return schema.Event{}, false
}
