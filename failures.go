package actiongraph

import (
	"context"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/schema"
)

// Failure is one thing that went wrong while a session was recorded: see package failure.
type Failure = failure.Failure

// Failures returns what went wrong while a session was recorded, the oldest first; of all
// sessions where session is "", and of none in particular where it is schema.Recorder. It reads
// the journal, and no store: of all sessions all of it. The daemon and
// the verbs that append record failures; a Home that only answers does not.
func (h *Home) Failures(ctx context.Context, session string) ([]Failure, error) {
	return connector.FindFailures(ctx, h.journal, connector.FailureFilter{Session: recorderOr(session)})
}

func recorderOr(session string) string {
	if session == schema.Recorder {
		return session
	}
	return safeOrAll(session)
}
