package transcript

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportOfReplacedFiles: a file that was renamed into the place of the one that was read,
// as an editor or a backup does, may begin with the same line, have the same line where the
// other one ended, and go on. Of one that only lost its inode nothing is read again.
func TestImportOfReplacedFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testdata, "-home-dev-work-a-tools-repo", "a775679a-ad01-47b1-a60d-82e9792d81b3.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	half, rest := strings.Join(lines[:len(lines)/2], ""), strings.Join(lines[len(lines)/2:], "")
	for _, c := range []struct {
		name, after string
		restart     bool
	}{
		{"rewritten", strings.Replace(half, "hello", "HELLO", 1) + rest, true},
		{"the same", half + rest, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, home := realDir(t), filepath.Join(realDir(t), "home")
			path := write(t, half, dir, uuidA+".jsonl")
			old(t, path)
			r := newReader(t, home)
			clean(t, r, Options{}, dir)
			if err := os.Rename(write(t, c.after, dir, "new"), path); err != nil {
				t.Fatal(err)
			}
			report := clean(t, r, Options{}, dir)
			if len(report.PerFile) != 1 || report.PerFile[0].Restart != c.restart {
				t.Errorf("%+v", report.PerFile)
			}
			got := facts(t, r.Journal)
			for session, lines := range oracle(t, r, dir) {
				for line := range lines {
					if !got[session][line] {
						t.Errorf("%s lacks %.300s", session, line)
					}
				}
			}
		})
	}
}
