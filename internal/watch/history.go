package watch

import (
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/live"
)

// history is the actions of one session that people follow, in the order of time.
type history struct {
	byID  map[string]*live.Action
	list  []*live.Action
	stale bool // list is not what byID has
}

// take takes over what a change says of the actions.
func (h *history) take(c *live.Change) {
	if c.Reset || h.byID == nil {
		*h = history{byID: map[string]*live.Action{}}
	}
	for i := range c.Actions {
		a := c.Actions[i]
		if a.Removed || !shown(&a) {
			delete(h.byID, a.ActionID)
		} else {
			h.byID[a.ActionID] = &a
		}
		h.stale = true
	}
}

// actions returns them; of more than live.Kept the oldest are forgotten.
func (h *history) actions() []*live.Action {
	if !h.stale {
		return h.list
	}
	h.stale, h.list = false, h.list[:0]
	for _, a := range h.byID {
		h.list = append(h.list, a)
	}
	slices.SortFunc(h.list, func(a, b *live.Action) int {
		if c := a.Timestamp.Compare(b.Timestamp); c != 0 {
			return c
		}
		return strings.Compare(a.ActionID, b.ActionID)
	})
	if extra := len(h.list) - live.Kept; extra > 0 {
		for _, a := range h.list[:extra] {
			delete(h.byID, a.ActionID)
		}
		h.list = slices.Delete(h.list, 0, extra)
	}
	return h.list
}

// lines is how many lines the actions take on the screen.
func (h *history) lines() (n int) {
	for _, a := range h.byID {
		if n++; a.Error != "" && a.ActionType == graph.ToolCall {
			n++
		}
	}
	return n
}
