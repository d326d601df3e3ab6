package transcript

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// markCopies writes into the lines of one file that are in another what /branch says of them,
// or --fork-session, which says it of answers alone.
func markCopies(t *testing.T, path, parent string, branch bool) {
	t.Helper()
	text, err := os.ReadFile(parent)
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		theirs[schema.FieldString([]byte(line), "uuid")] = true
	}
	if text, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	marks := 0
	for line := range strings.Lines(string(text)) {
		if uuid := schema.FieldString([]byte(line), "uuid"); uuid != "" && theirs[uuid] {
			switch {
			case branch:
				line = `{"forkedFrom":{"sessionId":"` + named(parent) + `","messageUuid":"` + uuid + `"},` + line[1:]
			case schema.FieldString([]byte(line), "type") == "assistant":
				line = `{"requestSessionId":"` + named(parent) + `",` + line[1:]
			}
			marks++
		}
		b.WriteString(line)
	}
	if marks == 0 {
		t.Fatalf("%s has nothing of %s", path, parent)
	}
	old(t, write(t, b.String(), path))
}

// TestCopyOfABranch: an unmarked copy is of a fork that marks what it copied itself. What the
// fork had first is told by its file alone, and the rest by the session before, even where the
// file of that is gone.
func TestCopyOfABranch(t *testing.T) {
	for _, data := range []string{"fork-2.1.100", "fork-2.1.300"} {
		for _, branch := range []bool{false, true} {
			t.Run(fmt.Sprint(data, " branch ", branch), func(t *testing.T) {
				dir := realDir(t)
				copyTree(t, filepath.Join("testdata/copies", data), dir)
				births := byBirth(t, dir)
				wantTokens, want := spent(t, dir)
				plain := newReader(t, filepath.Join(realDir(t), "home"))
				clean(t, plain, Options{}, dir)
				_, _, from, prompts := told(t, plain)
				markCopies(t, births[1], births[0], branch)
				whole := newReader(t, filepath.Join(realDir(t), "home"))
				clean(t, whole, Options{}, dir)
				if tokens, answers, gotFrom, gotPrompts := told(t, whole); answers != want || tokens != wantTokens || !cmp.Equal(from, gotFrom) || !cmp.Equal(prompts, gotPrompts) {
					t.Errorf("%d tokens of %d answers, from %v, %v; want %d of %d, %v, %v", tokens, answers, gotFrom, gotPrompts, wantTokens, want, from, prompts)
				}
				for _, other := range whole.kin.of(births[0], headOf(births[0]), nil) {
					if other.marked {
						t.Errorf("%s is read to find copies of it in the session that it is a fork of", other.path)
					}
				}
				if !branch {
					return // of a prompt that says nothing only the first file knows
				}
				if err := os.Remove(births[0]); err != nil {
					t.Fatal(err)
				}
				alone := newReader(t, filepath.Join(realDir(t), "home"))
				clean(t, alone, Options{}, dir)
				if tokens, answers, gotFrom, gotPrompts := told(t, alone); answers != want || tokens != wantTokens || !cmp.Equal(prompts, gotPrompts) {
					t.Errorf("without the first file: %d tokens of %d answers, from %v, %v; want %d of %d, %v", tokens, answers, gotFrom, gotPrompts, wantTokens, want, prompts)
				}
			})
		}
	}
}
