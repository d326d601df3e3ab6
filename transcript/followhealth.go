package transcript

import (
	"slices"
	"time"
)

// Health is how a Follower is at one moment: an intake.Health. Counts are since it began.
// Times are UTC.
type Health struct {
	Files   int       `json:"files"`        // that are followed
	Behind  int64     `json:"bytes_behind"` // of them, not read yet
	Lines   int64     `json:"lines"`        // read
	Events  int64     `json:"events"`       // appended
	Broken  int64     `json:"broken_lines"`
	ReadAt  time.Time `json:"read_at,omitzero"`  // when there was last something new
	Failing int       `json:"failing,omitempty"` // files that cannot be read now
	// Waiting and WaitsFor are of package source: a transcript is lines.
	Waiting  int    `json:"waiting,omitempty"`
	WaitsFor string `json:"waits_for,omitempty"`
	// LastError is what was wrong last with a file or line, also when that is over.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	// Unknown counts the lines of types that this version does not know. Nothing of them
	// is recorded.
	Unknown   map[string]int64 `json:"unknown_kinds,omitempty"`
	Forgotten int              `json:"forgotten,omitempty"` // sessions of which nothing is recorded
}

// Health says how the follower is. Any goroutine may ask.
func (f *Follower) Health() Health { return Health(f.health.Health()) }

// count counts what was read, and says what is new to somebody who looks after the
// daemon: lines that are broken, each type that is not known, a file that was replaced.
func (s *following) count(r *FileReport) {
	var wrong *Problem
	if i := slices.IndexFunc(r.Problems, func(p Problem) bool { return p.Line > 0 }); i >= 0 {
		wrong = &r.Problems[i]
		s.Log.Warn().Str("reason", "transcript.broken_line").Str("path", wrong.Path).Int64("line", wrong.Line).Int64("broken_lines", r.Broken).
			Str("error_message", wrong.Error).Msg("a transcript has broken lines, of which this is the first; they are passed over")
	}
	if r.Restart {
		s.Log.Info().Str("reason", "transcript.replaced").Str("path", r.Path).Msg("a transcript is not the file it was; reading it from its beginning")
	}
	for _, kind := range s.health.Read(r.Lines, r.Events, r.Broken, wrong, r.unknown) {
		s.Log.Info().Str("reason", "transcript.unknown").Str("path", r.Path).Str("kind", kind).
			Msg("a transcript has lines of a type that this version does not know; they are counted")
	}
}
