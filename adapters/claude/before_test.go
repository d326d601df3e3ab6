package claude

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// TestBefore: whoever begins in the middle of a file, and was shown what is before, tells of
// a prompt that was queued as one does who read it all.
func TestBefore(t *testing.T) {
	queued := func(events []schema.Event) (out []string) {
		for _, e := range events {
			if schema.Field(e.Extra, "queued") != nil {
				out = append(out, schema.FormatTime(e.Timestamp)+" "+e.PromptID+" "+e.Content)
			}
		}
		return out
	}
	files, err := filepath.Glob("testdata/transcripts/queue/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	late := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(text, []byte("\n"))
		for cut := range lines {
			whole, rest := NewTranscript(Source{}), NewTranscript(Source{})
			for n, line := range lines {
				want, _, _, _ := whole.Events(line, int64(n+1))
				if n < cut {
					rest.Before(line, int64(n+1))
					continue
				}
				got, _, _, _ := rest.Events(line, int64(n+1))
				if d := cmp.Diff(queued(want), queued(got)); d != "" {
					t.Errorf("%s read from line %d, line %d: %s", file, cut+1, n+1, d)
				}
				if n == cut && len(queued(want)) > 0 {
					late++
				}
			}
		}
	}
	if late == 0 {
		t.Error("no recording has a prompt that was queued")
	}
}
