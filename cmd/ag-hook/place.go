package main

import (
	"os"
	"path/filepath"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// way returns the way into the journal of an event: r, but for one that does not say where
// it is from, or not wholly, while the policy leaves folders out. The runtime starts its
// hooks where the agent works, so that folder decides. It is never recorded.
func (h *hook) way(j *journal.Journal, r *redact.Redactor, e *schema.Event) *redact.Redactor {
	p := j.CapturePolicy()
	if len(p.Rules().ExcludeProjects) == 0 || filepath.IsAbs(e.WorkingDirectory) {
		return r
	}
	if h.started == nil {
		h.started = []string{}
		if dir, err := os.Getwd(); err == nil {
			h.started = append(h.started, dir)
			if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
				h.started = append(h.started, real)
			}
		}
	}
	for _, dir := range h.started {
		for _, at := range []string{dir, filepath.Join(dir, e.WorkingDirectory)} {
			if p.Project(at) != 0 {
				return j.Redactor(at)
			}
		}
	}
	return r
}
