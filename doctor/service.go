package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/service"
)

// installedService asks whether a service that is installed does what it is there for.
// That there is none is nothing wrong.
func installedService(ctx context.Context, e *exam) []Check {
	h, err := service.Here()
	if err != nil {
		return fail("set HOME", "%v", err)
	}
	return serviceOf(ctx, h, e.Home)
}

func serviceOf(ctx context.Context, h service.Host, home string) []Check {
	s, err := h.State(ctx, home)
	if errors.Is(err, service.ErrNoManager) {
		return ok("%v", err)
	}
	if err != nil {
		return warn("look at the file that is named", "%v", err)
	}
	if !s.Installed {
		return ok("none is installed; ag-sessiond service install has the daemon run by itself")
	}
	what := s.Name + " of " + s.Manager
	if s.BinaryGone {
		return fail("ag-sessiond service install", "%s runs %s, and %s is gone: the daemon does not begin again", what, s.Daemon.Binary, s.Daemon.Binary)
	}
	by, running, err := connector.HeldBy(home, connector.RunLock)
	if err != nil {
		return fail("make it readable for this user, and keep the home on a local disk", "%v", err)
	}
	said := strings.Join(nonEmpty(s.Active, s.Detail), ", ")
	switch {
	case !running:
		return warn("ag-sessiond service start; if it ends again, ag-sessiond service logs says why", "%s is installed and does not run (%s)", what, said)
	case s.PID != 0 && s.PID != by.PID:
		return warn("stop that one, and then: ag-sessiond service start", "%s is installed, and %s runs in its place", what, by)
	case s.Active != "" && !s.Enabled:
		return warn("ag-sessiond service install", "%s runs, and does not begin at the next login", what)
	case !s.Current:
		return warn("ag-sessiond service install", "%s runs, and its file %s is not as this version writes it", what, s.Path)
	}
	return ok("%s is installed and runs: %s", what, by)
}

func nonEmpty(texts ...string) (some []string) {
	for _, t := range texts {
		if t != "" {
			some = append(some, t)
		}
	}
	return some
}
