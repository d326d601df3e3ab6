package connector

import (
	"maps"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// State is what a replica is doing.
type State string

// The states of a replica.
const (
	Connecting State = "connecting"  // its store has not answered yet
	CatchingUp State = "catching_up" // the store takes what it missed
	Up         State = "up"          // the store has what was there when it was last looked at
	Down       State = "down"        // the store failed, and is tried again and again
)

// Health is how a replica is at one moment. Times are UTC.
type Health struct {
	State State     `json:"state"`
	Since time.Time `json:"since,omitzero"` // of the state
	// BehindSince is when the store last had everything, while it has not.
	BehindSince time.Time `json:"behind_since,omitzero"`
	// LastError is what its store failed with last, also after it came back.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	// Refused is how many sessions the store refuses while it takes the others; LastError
	// names one of them.
	Refused  int   `json:"refused_sessions,omitempty"`
	Position int64 `json:"position_bytes"` // of journal that the store has
	// Rate is the events that the store took in the last minute, by the second.
	Rate      float64   `json:"events_per_second"`
	AppliedAt time.Time `json:"applied_at,omitzero"` // when the store last took something
}

// Health says how the replica is. Any goroutine may ask.
func (r *Replica) Health() Health { return r.health.at(time.Now()) }

// StorePositions returns what the store holds of each session of the journal, as far
// as the replica knows, or nil where the store has not answered yet.
func (r *Replica) StorePositions() map[string]schema.Position {
	r.health.mu.Lock()
	defer r.health.mu.Unlock()
	return maps.Clone(r.health.positions)
}

// StorePosition is StorePositions for one session; zero where the store holds nothing of it.
func (r *Replica) StorePosition(session string) schema.Position {
	r.health.mu.Lock()
	defer r.health.mu.Unlock()
	return r.health.positions[session]
}

// health is what a replica knows about itself. Its zero value is Connecting.
type health struct {
	mu        sync.Mutex
	now       Health // State "" is Connecting; Rate is in rate
	positions map[string]schema.Position
	rate      rate
	// silent says that the store failed at telling what it holds: once it tells, it is back.
	silent bool
}

func (h *health) at(now time.Time) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.now
	if v.State == "" {
		v.State = Connecting
	}
	v.Rate = h.rate.perSecond(now)
	return v
}

// become changes the state; to become what one is changes nothing. The caller holds mu.
func (h *health) become(s State) {
	if h.now.State == s {
		return
	}
	h.now.State, h.now.Since = s, time.Now().UTC()
	if s == Up {
		h.now.BehindSince = time.Time{}
	} else if h.now.BehindSince.IsZero() {
		h.now.BehindSince = h.now.Since
	}
}

// answered notes what the store said it holds, and returns what was known of that before, nil
// the first time; it reports whether the store is back. A store that
// told before that, and is down, stays so: it answers, and yet refuses to take anything, as
// a full disk does.
func (h *health) answered(positions map[string]schema.Position) (before map[string]schema.Position, back bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before = h.positions
	h.positions, h.now.Position = make(map[string]schema.Position, len(positions)), 0
	for session, p := range positions {
		h.positions[session] = p
		h.now.Position += p.Offset
	}
	back = h.now.State == Down && h.silent
	if h.silent = false; h.now.State != Down || back {
		h.become(CatchingUp)
	}
	return before, back
}

// unanswered notes that the store did not say what it holds.
func (h *health) unanswered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = true
}

// took notes what the store has taken.
func (h *health) took(batches []graph.Batch, events int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for i := range batches {
		b := &batches[i]
		h.now.Position += b.To.Offset - h.positions[b.Session].Offset
		h.positions[b.Session] = b.To
		if b.Forget {
			delete(h.positions, b.Session)
		}
	}
	h.now.AppliedAt = now.UTC()
	h.rate.add(now, events)
	if h.now.State == Down {
		h.become(CatchingUp)
	}
}

func (h *health) up() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.become(Up)
}

// refuses notes how many sessions the store refuses, and why; err is nil if none.
func (h *health) refuses(sessions int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.Refused = sessions; err != nil {
		h.now.LastError, h.now.LastErrorAt = err.Error(), time.Now().UTC()
	}
}

func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.become(Down)
	h.now.Refused = 0 // the next pass finds out again
	h.now.LastError, h.now.LastErrorAt = err.Error(), time.Now().UTC()
}

// rate counts events in the seconds of the last minute.
type rate struct {
	seconds [60]struct {
		unix   int64
		events int
	}
}

func (r *rate) add(now time.Time, events int) {
	slot := &r.seconds[now.Unix()%60]
	if slot.unix != now.Unix() {
		slot.unix, slot.events = now.Unix(), 0
	}
	slot.events += events
}

func (r *rate) perSecond(now time.Time) float64 {
	total := 0
	for _, s := range r.seconds {
		if now.Unix()-s.unix < 60 {
			total += s.events
		}
	}
	return float64(total) / 60
}
