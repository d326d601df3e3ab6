package transcript

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWhatTellsCopiesIsRead: what a file holds under new uuids, of sessions that were not
// asked for or are older than Since, is told by their files, which are read for that: it is there,
// and once, and stays when they are deleted.
func TestWhatTellsCopiesIsRead(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		if !strings.HasSuffix(data, "resume-0.2.126") && !strings.HasSuffix(data, "resume-1.0.65") {
			t.Skip("its copies keep their uuids")
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
