package source

import (
	"fmt"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// Health is how a Follower is: an intake.Health.
type Health struct {
	Files       int              `json:"files"`
	Behind      int64            `json:"bytes_behind"`
	Lines       int64            `json:"lines"`  // since it began
	Events      int64            `json:"events"` // likewise
	Broken      int64            `json:"broken"` // likewise, lines
	ReadAt      time.Time        `json:"read_at,omitzero"`
	Failing     int              `json:"failing"`
	Waiting     int              `json:"waiting,omitempty"`   // files that are one JSON value whose end is missing
	WaitsFor    string           `json:"waits_for,omitempty"` // one of them
	LastError   string           `json:"last_error,omitempty"`
	LastErrorAt time.Time        `json:"last_error_at,omitzero"`
	Unknown     map[string]int64 `json:"unknown_kinds,omitempty"`
	Forgotten   int              `json:"forgotten,omitempty"` // sessions of which nothing is recorded
}

// Health says how it is; it may be asked at any time.
func (f *Follower) Health() Health { return Health(f.health.Health()) }

// count counts what was read, and says what is new to somebody who looks after the
// daemon: the first of the lines that are bad, and each kind that is not known.
func (s *following) count(f *stream) {
	c := &f.counts
	for session := range c.sessions {
		if s.Reader.Journal.Forgotten(session) {
			s.health.Forgot(session)
		}
	}
	var problem *Problem
	if len(f.problems) > 0 {
		problem = &f.problems[0]
		broken := wrong(failure.SourceBroken, problem.Path, problem.Line, problem.Error)
		broken.Broken = c.broken
		s.tell(broken, "a file has bad lines, of which this is the first; they are passed over")
	}
	for _, kind := range s.health.Read(c.lines, c.events, c.broken, problem, c.unknown) {
		s.Log.Info().EmbedObject(logline.Why(failure.SourceUnknown, nil)).Str("path", f.path).Str("kind", kind).
			Msg("a file has lines of a kind that this version does not know; they are kept as they are")
	}
}

// follows notes a file, and that it can be looked at unless it is waited for.
func (s *following) follows(path string, f *followed) {
	s.health.Follows(path)
	if f.wait == 0 {
		s.health.Recovered(path)
	}
}

// wrong is what went wrong with a file, or with one of its lines: many sessions may be in it.
func wrong(reason failure.Reason, path string, line int64, message string) failure.Failure {
	key := message
	if line > 0 {
		key = fmt.Sprint(line)
	}
	f := failure.New("", reason, path, key)
	f.Message, f.Path, f.Line = message, path, line
	return f
}

// tell has a failure recorded, which says it in the log, or says it there alone.
func (s *following) tell(f failure.Failure, message string) {
	if s.Failed == nil || !s.Failed(f, message) {
		s.Log.Warn().EmbedObject(logline.Of(f)).Msg(message)
	}
}
