package transcript

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// copied are recordings of the real CLI of many versions, each of a session, one that was
// resumed or forked from it, and more of those: testdata/copies/README.md.
func copied(t *testing.T, fn func(t *testing.T, dir string)) {
	dirs, err := filepath.Glob("testdata/copies/*-*")
	if err != nil || len(dirs) < 7 {
		t.Fatal(dirs, err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { fn(t, dir) })
	}
}

// spent is what raw files say was spent: by message.id, and of one id by requestId, as somebody
// who makes up ids may use one twice. Copies of old versions have no requestId.
func spent(t *testing.T, dir string) (tokens, answers int64) {
	t.Helper()
	ids := map[string]map[string]int64{}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var l struct {
				Type, RequestID string
				Message         struct {
					ID, Model string
					Usage     map[string]any
				}
			}
			if json.Unmarshal(line, &l) != nil || l.Type != "assistant" || l.Message.Model == "<synthetic>" {
				continue
			}
			if ids[l.Message.ID] == nil {
				ids[l.Message.ID] = map[string]int64{}
			}
			out, _ := l.Message.Usage["output_tokens"].(float64)
			ids[l.Message.ID][l.RequestID] = max(ids[l.Message.ID][l.RequestID], int64(out))
		}
	}
	for _, requests := range ids {
		if len(requests) > 1 {
			delete(requests, "")
		}
		for _, n := range requests {
			tokens, answers = tokens+n, answers+1
		}
	}
	return tokens, answers
}

// told is what the graphs of a journal say was spent, and where each session came from.
func told(t *testing.T, r *Reader) (tokens, answers int64, from map[string]string, prompts map[string][]string) {
	t.Helper()
	g := folds(t, r.Journal)
	from, prompts = map[string]string{}, map[string][]string{}
	for _, n := range g.Nodes() {
		switch {
		case n.Type == graph.LLMCall:
			answers++
		case n.Label == graph.LabelSession:
			v, _ := n.Prop("total_output_tokens").(int64)
			tokens += v
		case n.Type == graph.UserMessage:
			id, _ := n.Prop("session_id").(string)
			text, _ := n.Prop("text").(string)
			prompts[id] = append(prompts[id], text)
		}
	}
	for _, e := range g.Edges() {
		if e.Type == graph.ForkedFrom {
			from[e.From.Key] = e.To.Key
		}
	}
	for _, all := range prompts {
		slices.Sort(all)
	}
	return tokens, answers, from, prompts
}

// TestCopiesAreCountedOnce: sessions that say nothing of it begin with the lines of others.
// Whichever file is read first, alone, or as all of them are there, each prompt and answer
// is a fact of the session that had it first, and a session says which it came from.
func TestCopiesAreCountedOnce(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		dir := realDir(t)
		copyTree(t, data, dir)
		wantTokens, wantAnswers := spent(t, dir)
		whole := newReader(t, filepath.Join(realDir(t), "home"))
		clean(t, whole, Options{}, dir)
		tokens, answers, from, prompts := told(t, whole)
		if tokens != wantTokens || answers != wantAnswers {
			t.Errorf("%d tokens of %d answers; in the files there are %d of %d", tokens, answers, wantTokens, wantAnswers)
		}
		paths, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		asked := slices.Concat(slices.Collect(maps.Values(prompts))...)
		slices.Sort(asked)
		if len(slices.Compact(slices.Clone(asked))) != len(asked) || len(asked) < len(paths) || len(from) != len(paths)-1 {
			t.Errorf("%d files, no two of which were asked the same: %v, from %v", len(paths), prompts, from)
		}
		for range 2 {
			slices.Reverse(paths)
			r := newReader(t, filepath.Join(realDir(t), "home"))
			for _, path := range paths {
				clean(t, r, Options{}, path)
				clean(t, r, Options{}, dir)
				clean(t, r, Options{}, path)
			}
			gotTokens, gotAnswers, gotFrom, gotPrompts := told(t, r)
			if gotTokens != tokens || gotAnswers != answers || !cmp.Equal(from, gotFrom) || !cmp.Equal(prompts, gotPrompts) {
				t.Errorf("one by one: %d tokens of %d answers, from %v, %v; want %d of %d, %v, %v",
					gotTokens, gotAnswers, gotFrom, gotPrompts, tokens, answers, from, prompts)
			}
		}
	})
}

// TestCopyWithoutItsOrigin: where the session that was resumed is gone, its copies keep what
// it said, and the first of them has it for all.
func TestCopyWithoutItsOrigin(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		dir := realDir(t)
		copyTree(t, data, dir)
		for _, path := range byBirth(t, dir) {
			_, want := spent(t, dir)
			r := newReader(t, filepath.Join(realDir(t), "home"))
			clean(t, r, Options{}, dir)
			if _, answers, from, _ := told(t, r); answers != want {
				t.Errorf("%d answers, in the files that are left there are %d; %v", answers, want, from)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// byBirth are the files in the order in which they were written.
func byBirth(t *testing.T, dir string) []string {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	last := map[string]time.Time{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		last[path] = lastTime(path, info.Size())
	}
	slices.SortFunc(paths, func(a, b string) int { return last[a].Compare(last[b]) })
	return paths
}

// TestCopiesGrowWhileTheyAreFollowed: the files appear one after the other, and grow.
func TestCopiesGrowWhileTheyAreFollowed(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		dir := realDir(t)
		whole := newReader(t, filepath.Join(realDir(t), "home"))
		clean(t, whole, Options{}, data)
		tokens, answers, from, _ := told(t, whole)
		f := start(t, &Follower{Reader: newReader(t, filepath.Join(realDir(t), "home")), Trees: []string{dir}})
		var read int64
		for _, path := range byBirth(t, data) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := 3
			if strings.Contains(data, "resume-0") || strings.HasSuffix(data, "1.0.65") {
				parts = 1 // a prompt that has a new uuid is told by the answers behind it
			}
			lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
			for chunk := range slices.Chunk(lines, len(lines)/parts+1) {
				appendTo(t, filepath.Join(dir, filepath.Base(path)), []byte(strings.Join(chunk, "")))
				time.Sleep(30 * time.Millisecond)
			}
			appendTo(t, filepath.Join(dir, filepath.Base(path)), []byte("\n"))
			read += int64(len(lines))
		}
		f.await("all lines", func() bool { return f.Health().Lines == read })
		f.stop()
		gotTokens, gotAnswers, gotFrom, _ := told(t, f.Reader)
		if gotTokens != tokens || gotAnswers != answers || !cmp.Equal(from, gotFrom) {
			t.Errorf("%d tokens of %d answers, from %v; want %d of %d, %v", gotTokens, gotAnswers, gotFrom, tokens, answers, from)
		}
	})
}

// TestNoCopies: two sessions that somebody made up say the same ids of other requests: they
// are two.
func TestNoCopies(t *testing.T) {
	dir := realDir(t)
	line := func(session, typ, uuid, at, message string) string {
		return `{"parentUuid":null,"type":"` + typ + `","sessionId":"` + session + `","uuid":"` + uuid + `","timestamp":"2025-06-14T10:` + at + `Z","message":` + message + "}\n"
	}
	answer := func(request string) string {
		return `{"id":"msg_002","role":"assistant","model":"claude","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":1,"output_tokens":7}},"requestId":"` + request + `"`
	}
	a, b := "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	old(t, write(t, line(a, "user", "u1", "00:00", `{"role":"user","content":"hi"}`)+line(a, "assistant", "u2", "00:10", answer("req_1")), dir, a+suffix))
	old(t, write(t, line(b, "user", "v1", "00:05", `{"role":"user","content":"hi"}`)+line(b, "assistant", "v2", "00:12", answer("req_2")), dir, b+suffix))
	r := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, r, Options{}, dir)
	if tokens, answers, from, _ := told(t, r); tokens != 14 || answers != 2 || len(from) != 0 {
		t.Errorf("%d tokens of %d answers, %v", tokens, answers, from)
	}
	eachRecord(t, r.Journal, func(session string, _ []byte, e *schema.Event) {
		if e.EventType == schema.Fork {
			t.Errorf("%s is a fork of %s", session, e.ParentSessionID)
		}
	})
}

// TestForkReadWhileItIsCopied: a file that is read before all was copied into it, however far
// that had come, in the end says what one that was read at once does.
func TestForkReadWhileItIsCopied(t *testing.T) {
	dir := filepath.Join(testdata, "-home-dev-work-g-resume-repo")
	const fork = "a5ed853e-e32b-4642-9efd-df4a9ded5e70"
	text, err := os.ReadFile(filepath.Join(dir, fork+suffix))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for cut := 1; cut < len(lines); cut++ {
		to := realDir(t)
		copyTree(t, dir, to)
		path := filepath.Join(to, fork+suffix)
		old(t, write(t, strings.Join(lines[:cut], ""), path))
		r := newReader(t, filepath.Join(realDir(t), "home"))
		clean(t, r, Options{}, to)
		old(t, write(t, string(text), path))
		clean(t, r, Options{}, to)
		want, got := oracle(t, r, to), facts(t, r.Journal)
		for session := range union(want, got) {
			for line := range union(want[session], got[session]) {
				if !want[session][line] && strings.Contains(line, `"event_type":"fork"`) {
					continue // told with an earlier boundary: the later one stands
				}
				if want[session][line] != got[session][line] {
					t.Errorf("read after %d lines: %s wants %v: %.300s", cut, session, want[session][line], line)
				}
			}
		}
	}
}

// TestImportWaitsForAFork: where nothing else can tell, an import lets a fork's file settle.
func TestImportWaitsForAFork(t *testing.T) {
	const fork = "a5ed853e-e32b-4642-9efd-df4a9ded5e70"
	text, err := os.ReadFile(filepath.Join(testdata, "-home-dev-work-g-resume-repo", fork+suffix))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	dir := realDir(t)
	path := write(t, strings.Join(lines[:18], ""), dir, fork+suffix)
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(forkSettles / 2)
		appendTo(t, path, []byte(strings.Join(lines[18:], "")))
	}()
	r := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, r, Options{}, dir)
	<-done
	clean(t, r, Options{}, dir)
	same(t, oracle(t, r, dir), facts(t, r.Journal))
}

// TestCopyOfARecordedSession: the file of a session that was read is deleted, as the runtime does
// after 30 days, before the one is read that has copies of its lines.
func TestCopyOfARecordedSession(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		wantTokens, wantAnswers := spent(t, data)
		dir, home := realDir(t), filepath.Join(realDir(t), "home")
		whole := newReader(t, filepath.Join(realDir(t), "home"))
		clean(t, whole, Options{}, data)
		_, _, from, prompts := told(t, whole)
		var r *Reader
		for _, path := range byBirth(t, data) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			there := filepath.Join(dir, filepath.Base(path))
			old(t, write(t, string(text), there))
			r = newReader(t, home) // another process
			clean(t, r, Options{}, dir)
			if err := os.Remove(there); err != nil {
				t.Fatal(err)
			}
		}
		tokens, answers, gotFrom, gotPrompts := told(t, r)
		if tokens != wantTokens || answers != wantAnswers || !cmp.Equal(from, gotFrom) || !cmp.Equal(prompts, gotPrompts) {
			t.Errorf("%d tokens of %d answers, from %v, %v; want %d of %d, %v, %v", tokens, answers, gotFrom, gotPrompts, wantTokens, wantAnswers, from, prompts)
		}
	})
}
