package main

import (
	"os"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/figures"
)

// metricsHealth is where a daemon tells what it counts, beside its socket.
type metricsHealth struct {
	Address string `json:"address"`
}

// runtimeStatus is what a daemon is doing: the answer to /statusz. It is made of what is in
// memory, and has no text of what was recorded, and no error's: they may quote it.
type runtimeStatus struct {
	// State is connecting, catching_up, down, idle, or running: an event came within a minute.
	State        string            `json:"state"`
	PID          int               `json:"pid"`
	Version      string            `json:"version"`
	StartedAt    time.Time         `json:"started_at"`
	EventsFolded int64             `json:"events_folded"` // since it began
	QueueDepth   int64             `json:"queue_depth"`   // bytes of transcripts and sources that are not read yet
	Stores       []storeNow        `json:"stores"`
	Running      int               `json:"sessions_running"`
	Sessions     []figures.Running `json:"running_sessions"` // the latest of them
	Recent       []connector.Noted `json:"recent_events"`    // the latest last
}

// storeNow is how one store is.
type storeNow struct {
	Name       string          `json:"name"`
	State      connector.State `json:"state"`
	Since      time.Time       `json:"since,omitzero"`
	Position   int64           `json:"position_bytes"`
	LagSeconds float64         `json:"lag_seconds"`
	Rate       float64         `json:"events_per_second"`
	AppliedAt  time.Time       `json:"applied_at,omitzero"`
	Refused    int             `json:"refused_sessions"`
}

// mostSessions is how many running sessions a status names.
const mostSessions = 20

// Status is a runtimeStatus.
func (s *signals) Status(recent int) any {
	out := runtimeStatus{PID: os.Getpid(), Version: versions().Version, StartedAt: s.began, EventsFolded: s.tally.Events(), Recent: s.tally.Recent(recent)}
	out.Sessions, out.Running = s.tally.Running(mostSessions)
	for i, k := range s.keeper.keeps() {
		h := k.replica.Health()
		if i == 0 {
			out.State = doing(h)
		}
		out.Stores = append(out.Stores, storeNow{k.name, h.State, h.Since, h.Position, s.behind(h).Seconds(), h.Rate, h.AppliedAt, h.Refused})
	}
	b := s.keeper.beside()
	if b.Transcripts != nil {
		out.QueueDepth += b.Transcripts.Behind
	}
	if b.Sources != nil {
		out.QueueDepth += b.Sources.Behind
	}
	out.Recent, out.Sessions = list(out.Recent), list(out.Sessions)
	return out
}

// doing says in a word what a daemon does, by its embedded store.
func doing(h connector.Health) string {
	switch {
	case h.State != connector.Up:
		return string(h.State)
	case h.Rate > 0:
		return "running"
	}
	return "idle"
}
