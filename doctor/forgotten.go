package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/internal/forget"
	"github.com/actiongraph/actiongraph/internal/render"
)

// forgotten looks whether what was to be forgotten is gone.
func forgotten(_ context.Context, e *exam) []Check {
	j, err := e.journal()
	if err != nil || j == nil {
		return ok("nothing was forgotten")
	}
	stores := []string{sqlite.Name}
	if c, err := e.config(); err == nil {
		for _, g := range c.Graph {
			stores = append(stores, g.Name)
		}
	}
	pending, all, err := forget.Pending(j, stores)
	switch {
	case err != nil:
		return warn("make it readable for this user", "%v", err)
	case forget.Begun(e.Home):
		return warn("run ag-sessiond sync, which completes it", "a forget was begun, and stopped before it was done")
	case len(pending) > 0:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(pending)) {
			parts = append(parts, fmt.Sprintf("%s has %s to drop yet", render.OneLine(name), plural(pending[name], "session", "sessions")))
		}
		return warn("let the daemon, or ag-sessiond sync (with --graph NAME), catch it up", "%s", strings.Join(parts, "; "))
	case all == 0:
		return ok("nothing was forgotten")
	}
	return ok("%s forgotten, and gone from every store", plural(all, "session is", "sessions are"))
}
