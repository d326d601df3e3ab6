package doctor

import (
	"context"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/secrets"
)

// scrubbed says whether a scrub of secrets was begun and not ended.
func scrubbed(_ context.Context, e *exam) []Check {
	m, is := secrets.Unfinished(e.Home)
	if !is {
		return ok("no scrub of secrets is unfinished")
	}
	if by, held, err := connector.Held(e.Home, connector.ScrubLock); err == nil && held {
		return ok("secrets are being scrubbed, by %s", by)
	}
	return warn("ag-sessiond secrets scrub", "a scrub of secrets of %s was not finished: some may still be there", m.Started.Local().Format(time.DateTime))
}
