// Package live tells what sessions are doing now: whether each works, waits for a
// permission or is idle, which call runs, since when, and what it has used so far.
//
// It asks no store. A Watcher folds the sessions that run from the journal itself, as any
// replica does, so that a daemon makes no difference, and the thousands that do not run cost
// a look at the end of their file each, once. Nothing is written.
//
// # States
//
//	waiting  a request for permission is pending, and no prompt came after it
//	working  else, a call or a subagent is in progress, or a prompt came after the last
//	         end of a turn
//	idle     else: the turn is over, and the runtime waits for a prompt
//	ended    the session ended, or was abandoned
//
// What ends a turn is a TurnEnd of the main thread, an error that the runtime gave the turn
// up for, the user's interruption where a transcript tells of it, or the runtime's own notice
// that it waits for input. No hook tells how a permission was answered: what was allowed is
// waiting until its call ends, what was refused with the escape key until the next prompt
// comes, or the transcript tells.
package live

import (
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// State is what a session is doing.
type State string

// The states.
const (
	Working State = "working"
	Waiting State = "waiting"
	Idle    State = "idle"
	Ended   State = "ended"
)

const (
	// Silence is how long after its last event a session counts as running: after that the
	// daemon calls it abandoned.
	Silence = 24 * time.Hour
	// Lately is how long what ended is still told of.
	Lately = 10 * time.Minute
	// Kept is how many actions of a session are known: the latest, and those that run.
	Kept = 5000
)

// Session is what one session is doing. Its row is a Reader's but for Tags, and for where it was
// forked from.
type Session struct {
	graph.SessionRow
	State State `json:"state"`
	// Since is when the state began: the turn, the request, the end of the turn or session.
	Since time.Time `json:"since,omitzero"`
	// Call is the call that a permission is waited for, else the latest of those that run.
	Call       *Action `json:"call,omitempty"`
	Calls      int     `json:"calls_in_progress"`
	LastPrompt string  `json:"last_prompt,omitempty"` // its first line
	// The turn is the latest prompt's; its end is absent while it goes on.
	TurnStartedAt time.Time `json:"turn_started_at,omitzero"`
	TurnEndedAt   time.Time `json:"turn_ended_at,omitzero"`
	// CostUSD is what its model calls cost, as far as prices are known, nil where none is;
	// CostLowerBound says that it may be short of the truth.
	CostUSD        *float64 `json:"cost_usd,omitempty"`
	CostLowerBound bool     `json:"cost_lower_bound,omitempty"`
	LastError      *Action  `json:"last_error,omitempty"`
	// Refused is how many lines of its file are no events of this version.
	Refused int `json:"refused_lines,omitempty"`
}

// Running reports whether the session is one of those that run at a time: an end, or
// silence, is long ago in others.
func (s *Session) Running(now time.Time) bool {
	if s.LastEventAt.IsZero() {
		return false
	}
	quiet := now.Sub(s.LastEventAt)
	return quiet < Lately || s.State != Ended && s.Status == "active" && quiet < Silence
}

// Action is one thing that a session did, without its content and FollowsID.
type Action struct {
	graph.ActionRow
	Gist  string `json:"gist,omitempty"`  // what it is about, in one line
	Error string `json:"error,omitempty"` // what went wrong, in one line
	// AgentStatus is that of the subagent whose start or end this is.
	AgentStatus string `json:"agent_status,omitempty"`
	// Depth is how many subagents deep its lane is: 0 is the main thread.
	Depth int `json:"depth"`
	// Removed says that there is no such action any more: what made it two was one.
	Removed bool `json:"removed,omitempty"`
}

// Change is what is new of one session.
type Change struct {
	Session Session
	// Actions are those that are new or changed, in the order of time.
	Actions []Action
	// Reset says that what was told of its actions before is void: they are all here.
	Reset bool
	// Gone says that the session is no longer one of those that run.
	Gone bool
	// Ready says, of no session, that all that was there has been told.
	Ready bool
	// Err is why the session's file could not be read, the others go on; of no session, why
	// Home.Watch ended.
	Err error
}
