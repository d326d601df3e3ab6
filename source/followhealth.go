package source

import (
	"maps"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Health says how it is; it may be asked at any time.
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
	now     Health          // but for Files and Failing
	files   map[string]bool // by path
	failing map[string]bool
}

// follows notes a file, and that it can be looked at.
func (h *health) follows(path string, failing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files == nil {
		h.files = map[string]bool{}
	}
	h.files[path] = true
	if !failing {
		delete(h.failing, path)
	}
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
// daemon: the first of the lines that are bad, and each kind that is not known.
func (h *health) read(s *stream, log zerolog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &s.counts
	if c.lines > 0 {
		h.now.ReadAt = time.Now().UTC()
	}
	h.now.Lines, h.now.Events, h.now.Broken = h.now.Lines+c.lines, h.now.Events+c.events, h.now.Broken+c.broken
	if len(s.problems) > 0 {
		p := s.problems[0]
		h.now.LastError, h.now.LastErrorAt = p.String(), time.Now().UTC()
		log.Warn().Str("reason", "source.broken_line").Str("path", p.Path).Int64("line", p.Line).Int64("broken_lines", c.broken).
			Str("error_message", p.Error).Msg("a file has bad lines, of which this is the first; they are passed over")
	}
	if h.now.Unknown == nil {
		h.now.Unknown = map[string]int64{}
	}
	for kind, n := range c.unknown {
		if h.now.Unknown[kind] == 0 && len(h.now.Unknown) < maxUnknown {
			log.Info().Str("reason", "source.unknown").Str("path", s.path).Str("kind", kind).
				Msg("a file has lines of a kind that this version does not know; they are kept as they are")
		}
		if h.now.Unknown[kind] > 0 || len(h.now.Unknown) < maxUnknown {
			h.now.Unknown[kind] += n
		}
	}
}
