package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/internal/forget"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

// forgottenStatus is what status says of sessions that were forgotten.
type forgottenStatus struct {
	Sessions int `json:"sessions"`
	// Pending is how many of them a store still has to drop, by its name; those with none are not in it.
	Pending map[string]int `json:"pending"`
	// Unfinished says that a forget was begun and not completed.
	Unfinished bool   `json:"unfinished"`
	Error      string `json:"error,omitempty"`
}

// forgottenState is nil where nothing was forgotten.
func forgottenState(j *journal.Journal, stores []storeHealth) *forgottenStatus {
	var names []string
	for _, h := range stores {
		names = append(names, h.Name)
	}
	s := &forgottenStatus{Unfinished: forget.Begun(j.Home())}
	var err error
	if s.Pending, s.Sessions, err = forget.Pending(j, names); err != nil {
		s.Error = err.Error()
	}
	if s.Sessions == 0 && !s.Unfinished && err == nil {
		return nil
	}
	return s
}

func (a *app) printForgotten(s *forgottenStatus, field func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	parts := []string{render.Plural(int64(s.Sessions), "session")}
	for _, name := range slices.Sorted(maps.Keys(s.Pending)) {
		parts = append(parts, fmt.Sprintf("%s has %s to drop yet", render.OneLine(name), render.Count(int64(s.Pending[name]))))
	}
	if s.Unfinished {
		parts = append(parts, "more is begun, and was stopped: any verb that writes completes it, as ag-sessiond sync")
	}
	if s.Error != "" {
		parts = append(parts, render.OneLine(s.Error))
	}
	field("forgotten", "%s", strings.Join(parts, "; "))
}
