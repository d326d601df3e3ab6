package transcript

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
)

// A fork of a session that was forgotten is read on as a session of its own: it has no link to the
// other, and nothing that it copied of it. What somebody says in it of the other is its own.
func TestForkOfAForgottenSession(t *testing.T) {
	const captured = "../internal/e2e/testdata/captures/b_branch/projects/9e66d835-4d2b-45f6-92fc-2a066addf189.jsonl"
	const parent = "c48c94e4-d42c-49dc-83d4-7bdc0c25a270"
	text, err := os.ReadFile(captured)
	if err != nil {
		t.Fatal(err)
	}
	fork := filepath.Join(realDir(t), filepath.Base(captured))
	if err := os.WriteFile(fork, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, filepath.Join(realDir(t), "home"))
	if err := r.Journal.Forget([]string{parent}, "test", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	clean(t, r, Options{}, fork)
	files, err := r.Journal.Files()
	if err != nil || len(files) != 1 {
		t.Fatalf("%+v, %v", files, err)
	}
	record, err := os.ReadFile(filepath.Join(journal.Dir(r.Journal.Home()), files[0].Session+journal.Suffix))
	if err != nil || strings.Contains(string(record), `"parent_session_id"`) || strings.Contains(string(record), "d_fg") || !strings.Contains(string(record), "one_bash") {
		t.Errorf("%s, %v", record, err)
	}
}
