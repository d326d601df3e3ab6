package transcript

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
)

// TestLostTranscript: one that went before all of it was read is said, with its session; one that
// was read is not, nor is what only has a record beside it to be looked for.
func TestLostTranscript(t *testing.T) {
	var told []failure.Failure
	var log bytes.Buffer
	f := &Follower{Reader: &Reader{}, Log: zerolog.New(&log), Failed: func(f failure.Failure, _ string) bool {
		told = append(told, f)
		return len(told) > 1 // the first is not recorded
	}}
	s := &following{Follower: f, retries: map[string]time.Duration{}, index: map[string]entry{}}
	gone := filepath.Join(t.TempDir(), "s1.jsonl")
	for _, j := range []*job{{file: File{Path: gone}, behind: 7}, {file: File{Path: gone}}, {file: File{Path: gone}, behind: 7, meta: true}, {file: File{Path: gone, Session: "s2"}, behind: 1}} {
		if again := s.read(t.Context(), j); again != nil {
			t.Errorf("%+v is read again", again)
		}
	}
	if len(told) != 2 || told[0].SessionID != "s1" || told[1].SessionID != "s2" || told[0].Reason != failure.TranscriptLost || told[0].Path != gone {
		t.Errorf("%+v", told)
	}
	if n := strings.Count(log.String(), `"reason":"transcript.lost"`); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}
