package actiongraph

import (
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/transcript"
)

// TranscriptFollower returns what reads the session files of Claude Code into a journal as
// they grow, beside what hooks record: give it to connector.Follow, or run it. Announced
// and Trees say which files.
func TranscriptFollower(j *journal.Journal) *transcript.Follower {
	return &transcript.Follower{Reader: transcriptReader(j, j.Redactor(""))}
}
