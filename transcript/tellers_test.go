package transcript

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// TestWhatTellsCopiesIsRead: what a file holds under new uuids, of sessions that were not
// asked for or are older than Since, is told by their files, which are read for that: it is there,
// and once, and stays when they are deleted.
func TestWhatTellsCopiesIsRead(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		if !strings.HasSuffix(data, "resume-0.2.126") && !strings.HasSuffix(data, "resume-1.0.65") {
			return // its copies keep their uuids
		}
		births := byBirth(t, data)
		newest := filepath.Base(births[len(births)-1])
		for name, of := range map[string]func(dir string) (Options, string){
			"alone": func(dir string) (Options, string) { return Options{}, filepath.Join(dir, newest) },
			"since": func(dir string) (Options, string) {
				info, err := os.Stat(filepath.Join(dir, newest))
				if err != nil {
					t.Fatal(err)
				}
				return Options{Since: lastTime(filepath.Join(dir, newest), info.Size())}, dir
			},
		} {
			t.Run(name, func(t *testing.T) {
				dir := realDir(t)
				for _, path := range births { // their file times are as new as can be
					text, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					path = write(t, string(text), dir, filepath.Base(path))
					if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
				options, path := of(dir)
				r := newReader(t, filepath.Join(realDir(t), "home"))
				report := clean(t, r, options, path)
				read := realDir(t)
				for _, f := range report.PerFile {
					if err := os.Link(f.Path, filepath.Join(read, filepath.Base(f.Path))); err != nil {
						t.Fatal(err)
					}
				}
				tokens, answers, from, _ := told(t, r)
				if wantTokens, want := spent(t, read); answers != want || tokens != wantTokens || len(from) != report.Read-1 {
					t.Errorf("%d tokens of %d answers, in the %d files that were read there are %d of %d; from %v", tokens, answers, report.Read, wantTokens, want, from)
				}
				alone := realDir(t)
				if err := os.Link(filepath.Join(dir, newest), filepath.Join(alone, newest)); err != nil {
					t.Fatal(err)
				}
				if _, least := spent(t, alone); answers < least || report.Files != report.Read+report.Older {
					t.Errorf("%d answers, the file itself has %d; %d files, %d read, %d older", answers, least, report.Files, report.Read, report.Older)
				}
				if again := clean(t, r, options, path); again.Read != 0 {
					t.Errorf("%d files were read again", again.Read)
				}
			})
		}
	})
}

// TestCopyReadBehindAPrompt: a file is read before the answer to a prompt is copied into it. That
// the prompt is a copy, too, says what it says.
func TestCopyReadBehindAPrompt(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		if !strings.HasSuffix(data, "resume-0.2.126") && !strings.HasSuffix(data, "resume-1.0.65") {
			return // its copies keep their uuids
		}
		cuts, base := 0, realDir(t)
		for k, child := range byBirth(t, data) {
			whole := newReader(t, filepath.Join(realDir(t), "home"))
			text, err := os.ReadFile(child)
			if err != nil {
				t.Fatal(err)
			}
			old(t, write(t, string(text), base, filepath.Base(child)))
			clean(t, whole, Options{}, base)
			_, answers, from, prompts := told(t, whole)
			if k == 0 {
				continue
			}
			lines, seen := strings.SplitAfter(string(text), "\n"), false
			for cut, line := range lines {
				seen = seen || strings.Contains(line, `"assistant"`)
				if !seen || !strings.Contains(line, `"type":"user"`) {
					continue
				}
				cuts++
				dir := realDir(t)
				copyTree(t, base, dir)
				path := filepath.Join(dir, filepath.Base(child))
				old(t, write(t, strings.Join(lines[:cut+1], ""), path))
				r := newReader(t, filepath.Join(realDir(t), "home"))
				clean(t, r, Options{}, dir)
				old(t, write(t, string(text), path))
				clean(t, r, Options{}, dir)
				_, gotAnswers, gotFrom, gotPrompts := told(t, r)
				if gotAnswers != answers || !cmp.Equal(from, gotFrom) || !cmp.Equal(prompts, gotPrompts) {
					t.Errorf("%s read after %d lines: %d answers, from %v, %v; want %d, %v, %v",
						filepath.Base(child), cut+1, gotAnswers, gotFrom, gotPrompts, answers, from, prompts)
				}
			}
		}
		if cuts < 10 {
			t.Errorf("%d cuts", cuts)
		}
	})
}

// TestPromptAtTheTimeOfACopy: a session's own prompt may follow within the millisecond, also in
// a large family.
func TestPromptAtTheTimeOfACopy(t *testing.T) {
	for data, session := range map[string]string{
		"resume-0.2.126": "142e7503-e0af-4cd5-90f6-f80a80690b5a",
		"resume-1.0.65":  "62d75e84-199b-45e8-be27-649224891487",
	} {
		dir := realDir(t)
		copyTree(t, filepath.Join("testdata/copies", data), dir)
		path := filepath.Join(dir, session+suffix)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		end := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "third") })
		at := func(k int) string { return schema.FieldString([]byte(lines[k]), "timestamp") }
		lines[end] = strings.Replace(lines[end], at(end), at(end-1), 1)
		old(t, write(t, strings.Join(lines[:end+1], ""), path))
		r := newReader(t, filepath.Join(realDir(t), "home"))
		clean(t, r, Options{}, dir)
		if _, _, _, prompts := told(t, r); len(prompts[session]) != 1 || !strings.Contains(prompts[session][0], "third") {
			t.Errorf("%s: asked %v", data, prompts[session])
		}
	}
}
