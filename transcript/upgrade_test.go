package transcript

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCopyOfACopy: a version that keeps uuids resumes a session that one had resumed that does
// not.
func TestCopyOfACopy(t *testing.T) {
	const a, b, c = "331633e4-1536-4635-82e7-4f971bb3d8d0", "9c96370c-05ee-490e-bb26-96d2a876449c", "cccccccc-05ee-490e-bb26-96d2a876449c"
	dir := realDir(t)
	for _, session := range []string{a, b} {
		text, err := os.ReadFile(filepath.Join("testdata/copies/resume-1.0.65", session+suffix))
		if err != nil {
			t.Fatal(err)
		}
		old(t, write(t, string(text), dir, session+suffix))
	}
	before := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, before, Options{}, dir)
	tokens, answers, from, prompts := told(t, before)

	text, err := os.ReadFile(filepath.Join(dir, b+suffix))
	if err != nil {
		t.Fatal(err)
	}
	copied := strings.ReplaceAll(string(text), b, c)
	copied = regexp.MustCompile(`"timestamp":"[^"]*"`).ReplaceAllString(copied, `"timestamp":"2026-11-22T11:00:00.000Z"`)
	copied = regexp.MustCompile(`,"requestId":"[^"]*"`).ReplaceAllString(copied, ``)
	copied = strings.TrimSuffix(copied, "\n") + "\n" + `{"parentUuid":null,"type":"user","sessionId":"` + c + `","uuid":"c1","timestamp":"2026-11-22T11:00:00.010Z","message":{"role":"user","content":"last"}}` + "\n"
	old(t, write(t, copied, dir, c+suffix))
	r := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, r, Options{}, dir)
	from[c], prompts[c] = b, []string{"last"}
	if gotTokens, gotAnswers, gotFrom, gotPrompts := told(t, r); gotTokens != tokens || gotAnswers != answers || !cmp.Equal(from, gotFrom) || !cmp.Equal(prompts, gotPrompts) {
		t.Errorf("%d tokens of %d answers, from %v, %v; want %d of %d, %v, %v", gotTokens, gotAnswers, gotFrom, gotPrompts, tokens, answers, from, prompts)
	}
}
