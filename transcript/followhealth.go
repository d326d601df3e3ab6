package transcript

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/schema"
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
		broken := s.wrong(failure.TranscriptBroken, File{Path: wrong.Path, Session: r.Session}, wrong.Line, wrong.Error)
		broken.Broken = r.Broken
		s.tell(broken, "a transcript has broken lines, of which this is the first; they are passed over")
	}
	for _, f := range r.tells { // each is an event already
		s.Log.Warn().Str("event_id", f.EventID).EmbedObject(logline.Of(f)).Msg("a transcript tells of a failure of the recording")
	}
	if r.Restart {
		s.Log.Info().EmbedObject(logline.Why(failure.TranscriptReplaced, nil)).Str("path", r.Path).Msg("a transcript is not the file it was; reading it from its beginning")
	}
	for _, kind := range s.health.Read(r.Lines, r.Events, r.Broken, wrong, r.unknown) {
		s.Log.Info().EmbedObject(logline.Why(failure.TranscriptUnknown, nil)).Str("path", r.Path).Str("kind", kind).
			Msg("a transcript has lines of a type that this version does not know; they are counted")
	}
}

// wrong is what went wrong with a file, or with one of its lines. A file of which nothing is
// known yet is named after its session.
func (s *following) wrong(reason failure.Reason, file File, line int64, message string) failure.Failure {
	session := file.Session
	if session == "" {
		s.mu.Lock()
		session = s.index[file.Path].session
		s.mu.Unlock()
	}
	if session == "" {
		session = schema.SafeID(strings.TrimSuffix(filepath.Base(file.Path), suffix))
	}
	key := message
	if line > 0 {
		key = fmt.Sprint(line)
	}
	f := failure.New(session, reason, file.Path, key)
	f.Message, f.Path, f.Line = message, file.Path, line
	return f
}

// tell has a failure recorded, which says it in the log, or says it there alone.
func (s *following) tell(f failure.Failure, message string) {
	if s.Failed == nil || !s.Failed(f, message) {
		s.Log.Warn().EmbedObject(logline.Of(f)).Msg(message)
	}
}
