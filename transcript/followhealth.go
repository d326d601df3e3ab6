package transcript

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Health is how a Follower is at one moment. Counts are since it began. Times are UTC.
type Health struct {
	Files   int       `json:"files"`        // that are followed
	Behind  int64     `json:"bytes_behind"` // of them, not read yet
	Lines   int64     `json:"lines"`        // read
	Events  int64     `json:"events"`       // appended
	Broken  int64     `json:"broken_lines"`
	ReadAt  time.Time `json:"read_at,omitzero"`  // when there was last something new
	Failing int       `json:"failing,omitempty"` // files that cannot be read now
	// LastError is what was wrong last with a file or line, also when that is over.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	// Unknown counts the lines of types that this version does not know. Nothing of them
	// is recorded.
	Unknown map[string]int64 `json:"unknown_kinds,omitempty"`
}

// Health says how the follower is. Any goroutine may ask.
func (f *Follower) Health() Health {
	h := &f.health
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now
	now.Files, now.Failing = len(h.files), len(h.failing)
	now.Unknown = maps.Clone(now.Unknown)
	return now
}

// health is what a Follower knows about itself.
type health struct {
	mu      sync.Mutex
	now     Health // but for Files and Failing
	files   map[string]bool
	failing map[string]bool
}

func (h *health) follows(path string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files == nil {
		h.files = map[string]bool{}
	}
	h.files[path] = true
}

func (h *health) left(path string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.files, path)
	delete(h.failing, path)
}

func (h *health) behind(bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Behind = bytes
}

func (h *health) failed(path string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing == nil {
		h.failing = map[string]bool{}
	}
	h.failing[path] = true
	h.now.LastError, h.now.LastErrorAt = err.Error(), time.Now().UTC()
}

func (h *health) recovered(path string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.failing, path)
}

// read counts what was read, and says what is new to somebody who looks after the
// daemon: lines that are broken, each type that is not known, a file that was replaced.
func (h *health) read(r *FileReport, log zerolog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Lines > 0 {
		h.now.ReadAt = time.Now().UTC()
	}
	h.now.Lines += r.Lines
	h.now.Events += r.Events
	h.now.Broken += r.Broken
	if i := slices.IndexFunc(r.Problems, func(p Problem) bool { return p.Line > 0 }); i >= 0 {
		p := r.Problems[i]
		h.now.LastError, h.now.LastErrorAt = p.String(), time.Now().UTC()
		log.Warn().Str("reason", "transcript.broken_line").Str("path", p.Path).Int64("line", p.Line).Int64("broken_lines", r.Broken).
			Str("error_message", p.Error).Msg("a transcript has broken lines, of which this is the first; they are passed over")
	}
	if r.Restart {
		log.Info().Str("reason", "transcript.replaced").Str("path", r.Path).Msg("a transcript is not the file it was; reading it from its beginning")
	}
	for kind, n := range r.unknown {
		if h.now.Unknown == nil {
			h.now.Unknown = map[string]int64{}
		}
		if h.now.Unknown[kind] == 0 && len(h.now.Unknown) < maxUnknown {
			log.Info().Str("reason", "transcript.unknown").Str("path", r.Path).Str("kind", kind).
				Msg("a transcript has lines of a type that this version does not know; they are counted")
		}
		if h.now.Unknown[kind] > 0 || len(h.now.Unknown) < maxUnknown {
			h.now.Unknown[kind] += n
		}
	}
}
