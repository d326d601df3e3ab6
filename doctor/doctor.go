// Package doctor finds out whether sessions are recorded, and why not.
package doctor

import "context"

// Status is how a check went.
type Status string

const (
	OK   Status = "OK"
	Warn Status = "WARN"
	Fail Status = "FAIL"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`         // what was found
	Cure   string `json:"cure,omitempty"` // what to do about it
}

// Env is what is looked at.
type Env struct {
	Home string // of actiongraph
}

// Run makes every check. One that fails, panics or hangs keeps no other from being made.
func Run(ctx context.Context, env Env) []Check { panic("not yet") }
