package e2e

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUsageCountsOnceAcrossFiles: what usage adds up for all sessions together is what a
// count of the raw files by message.id says, once across all of them: of public transcripts,
// and of sessions that were resumed and forked by old versions, which copy lines without a mark.
func TestUsageCountsOnceAcrossFiles(t *testing.T) {
	root, sessiond := t.TempDir(), build(t, "ag-sessiond")
	for _, from := range []string{"../../adapters/claude/testdata/transcripts/public", "../../transcript/testdata/copies", "testdata/captures/g_resume", "testdata/captures/z_tui_resume"} {
		if err := os.CopyFS(filepath.Join(root, filepath.Base(from)), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	want, files := countRaw(t, root)
	home := home(t)
	if out, err := exec.Command(sessiond, "import", "--home", home, root).CombinedOutput(); !bytes.Contains(out, []byte("lines read")) {
		t.Fatalf("%v\n%s", err, out) // one public file has broken lines, which the exit code says
	}
	out, err := exec.Command(sessiond, "usage", "--json", "--home", home).Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Total struct {
			Calls int64 `json:"calls"`
			In    int64 `json:"input_tokens"`
			Out   int64 `json:"output_tokens"`
			Read  int64 `json:"cache_read_input_tokens"`
			Made  int64 `json:"cache_creation_input_tokens"`
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	got := [5]int64{report.Total.Calls, report.Total.In, report.Total.Out, report.Total.Read, report.Total.Made}
	if got != want || files < 45 || want[0] < 100 {
		t.Errorf("usage %v, in the %d files there are %v (calls, input, output, cache reads and writes)", got, files, want)
	}
}

// countRaw adds up the greatest figures of each message.id. Who made up a file made up ids, too:
// one id with two request ids is two messages.
func countRaw(t *testing.T, root string) (sum [5]int64, files int) {
	t.Helper()
	messages := map[string]map[string][5]int64{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jsonl") || filepath.Base(path) == "hooks.jsonl" {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			var l struct {
				Type, RequestID string
				Message         struct {
					ID, Model string
					Usage     map[string]any
				}
			}
			if json.Unmarshal(line, &l) != nil || l.Type != "assistant" || l.Message.Model == "<synthetic>" || l.Message.Usage == nil {
				continue
			}
			if messages[l.Message.ID] == nil {
				messages[l.Message.ID] = map[string][5]int64{}
			}
			was := messages[l.Message.ID][l.RequestID]
			now := [5]int64{1}
			for i, name := range []string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"} {
				n, _ := l.Message.Usage[name].(float64)
				now[1+i] = max(was[1+i], int64(n))
			}
			messages[l.Message.ID][l.RequestID] = now
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, requests := range messages {
		if len(requests) > 1 {
			delete(requests, "") // a copy of an old version, which leaves the request out
		}
		for _, m := range requests {
			for i, n := range m {
				sum[i] += n
			}
		}
	}
	return sum, files
}
