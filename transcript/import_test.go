package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

const testdata = "testdata/projects"

// TestImport: what an import leaves in the journal is what the files say, once.
func TestImport(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	r := newReader(t, home)
	var last Progress
	report, err := r.Import(context.Background(), []string{dir}, Options{}, func(p Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	want := oracle(t, r, dir)
	same(t, want, facts(t, r.Journal))
	if report.Files != 12 || report.Read != 12 || report.Sessions != 9 || report.Events == 0 || report.Bytes == 0 {
		t.Errorf("%+v", report)
	}
	if last.Bytes != report.Bytes || last.TotalBytes != report.Bytes || last.Lines != report.Lines {
		t.Errorf("progress %+v, report %d bytes, %d lines", last, report.Bytes, report.Lines)
	}
	if len(report.Unknown) > 0 {
		t.Errorf("unknown types: %v", report.Unknown)
	}

	before := state(t, home)
	again := clean(t, r, Options{}, dir)
	if again.Unchanged != 12 || again.Lines != 0 || again.Events != 0 || len(again.PerFile) != 0 {
		t.Errorf("again: %+v", again)
	}
	if d := cmp.Diff(before, state(t, home)); d != "" {
		t.Errorf("an import of the same writes: %s", d)
	}

	// Without the cache the journal is asked, and nothing is appended to it.
	size := journalSize(t, r.Journal)
	for _, index := range []string{"", "garbage", indexHeader + " \"host\"\ngarbage\n\tx\n"} {
		os.Remove(filepath.Join(home, IndexFile))
		if index != "" {
			write(t, index, home, IndexFile)
		}
		if again := clean(t, r, Options{}, dir); again.Unchanged != 12 || journalSize(t, r.Journal) != size {
			t.Errorf("with index %q: %+v, %d bytes more", index, again, journalSize(t, r.Journal)-size)
		}
	}
}

func journalSize(t testing.TB, j *journal.Journal) (n int64) {
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		n += f.Size
	}
	return n
}

// TestImportOfAnotherMachine: a position that came with another machine's journal says
// nothing of the files here.
func TestImportOfAnotherMachine(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	r := newReader(t, home)
	first := clean(t, r, Options{}, dir)
	r.Host = "another"
	if again := clean(t, r, Options{}, dir); again.Lines != first.Lines {
		t.Errorf("%d lines, want all %d", again.Lines, first.Lines)
	}
	r.Host = "host" // whose cache is gone, whose records are there
	if again := clean(t, r, Options{}, dir); again.Lines != 0 {
		t.Errorf("%d lines were read again", again.Lines)
	}
}

// TestImportWithoutItsJournal: the cache does not outlive the journal that it is of.
func TestImportWithoutItsJournal(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	r := newReader(t, home)
	clean(t, r, Options{}, dir)
	want := facts(t, r.Journal)
	files, _ := r.Journal.Files()
	if err := os.Remove(filepath.Join(journal.Dir(home), files[0].Session+journal.Suffix)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(journal.Dir(home), files[1].Session+journal.Suffix), files[1].Size/2); err != nil {
		t.Fatal(err)
	}
	clean(t, r, Options{}, dir)
	same(t, want, facts(t, r.Journal))
}

// TestImportOfChangedFiles: a file that shrank, was rewritten or replaced is read again
// from its beginning; one that grew from where it ended.
func TestImportOfChangedFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testdata, "-home-dev-work-a-tools-repo", "a775679a-ad01-47b1-a60d-82e9792d81b3.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(text))
	join := func(lines ...[]byte) string { return string(slices.Concat(lines...)) }
	half := join(lines[:len(lines)/2]...)
	for _, c := range []struct {
		name, before, after string
		restart             bool
	}{
		{"grown", half, string(text), false},
		{"shrunk", string(text), half, true},
		{"first line rewritten", half, " " + string(text), true},
		{"last line rewritten", half, strings.TrimSuffix(half, "\n") + " \n" + join(lines[len(lines)/2:]...), true},
		{"rewritten between its first and last line", string(text), strings.Replace(string(text), "hello", "HELLO", 1), true},
		{"replaced by a shorter one", string(text), join(lines[3:6]...), true},
		{"emptied", string(text), "", true},
		{"begun", "", string(text), false},
		{"only its time", string(text), string(text), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, home := realDir(t), filepath.Join(realDir(t), "home")
			path := write(t, c.before, dir, uuidA+".jsonl")
			r := newReader(t, home)
			clean(t, r, Options{}, dir)
			want := facts(t, r.Journal)
			write(t, c.after, path)
			report := clean(t, r, Options{}, dir)
			for session, lines := range oracle(t, r, dir) {
				if want[session] == nil {
					want[session] = map[string]bool{}
				}
				maps.Copy(want[session], lines)
			}
			same(t, want, facts(t, r.Journal))
			if len(report.PerFile) == 1 && report.PerFile[0].Restart != c.restart {
				t.Errorf("%+v", report.PerFile[0])
			}
			if !c.restart && report.Bytes != int64(len(c.after)-len(c.before)) {
				t.Errorf("%d bytes were read, %d are new", report.Bytes, len(c.after)-len(c.before))
			}
		})
	}
}

// TestImportOfGrowingFiles: 1,000 times, a transcript is imported while it is written,
// cut at random bytes. Nothing is lost, and the graph is that of one import.
func TestImportOfGrowingFiles(t *testing.T) {
	whole := realDir(t)
	copyTree(t, testdata, whole)
	want := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, want, Options{}, whole)
	wantFacts, wantGraph := facts(t, want.Journal), folds(t, want.Journal)

	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	newReader(t, home)
	if err := os.WriteFile(filepath.Join(home, "key"), must(os.ReadFile(filepath.Join(want.Journal.Home(), "key")))(t), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, home)
	files, _ := Find(context.Background(), []string{whole})
	texts := map[string][]byte{}
	for _, f := range files {
		texts[f.Path] = must(os.ReadFile(f.Path))(t)
	}
	random := rand.New(rand.NewPCG(7, 7))
	written := map[string]int{}
	for cut := range 1000 {
		f := files[random.IntN(len(files))]
		rel, _ := filepath.Rel(whole, f.Path)
		text := texts[f.Path]
		n := min(written[f.Path]+random.IntN(1+2*len(text)*len(files)/1000), len(text))
		if fork := strings.Contains(rel, "a5ed853e"); fork || cut > 990 {
			n = len(text) // a fork is written at once: see Reader
		}
		if meta, err := os.ReadFile(f.metaPath()); err == nil {
			write(t, string(meta), strings.TrimSuffix(filepath.Join(dir, rel), suffix)+".meta.json")
		}
		write(t, string(text[:n]), dir, rel)
		written[f.Path] = n
		paths := []string{filepath.Join(dir, rel)}
		if cut%100 == 0 {
			os.Remove(filepath.Join(home, IndexFile))
			paths = []string{dir}
		}
		clean(t, r, Options{}, paths...)
	}
	copyTree(t, testdata, dir)
	clean(t, r, Options{}, dir)
	same(t, wantFacts, facts(t, r.Journal))
	if d := graph.Diff(wantGraph, folds(t, r.Journal)); len(d) > 0 {
		for _, change := range d[:min(len(d), 20)] {
			t.Errorf("another graph: %v", change)
		}
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestImportsAtOnce: importers that know nothing of each other leave one record.
func TestImportsAtOnce(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	want := oracle(t, newReader(t, home), dir)
	var wg sync.WaitGroup
	for range 4 {
		r := newReader(t, home)
		wg.Go(func() {
			if _, err := r.Import(context.Background(), []string{dir}, Options{}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r := newReader(t, home)
	same(t, want, facts(t, r.Journal))
	if again := clean(t, r, Options{}, dir); again.Unchanged != again.Files {
		t.Errorf("%+v", again)
	}
}

// TestImportOfBrokenFiles: what is broken is named by file and line, and costs nothing
// else.
func TestImportOfBrokenFiles(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	good := `{"type":"user","uuid":"u%d","parentUuid":null,"sessionId":"` + uuidA + `","timestamp":"2026-01-01T00:00:0%d.000Z","message":{"role":"user","content":"hello %d"}}` + "\n"
	line := func(n int) string { return fmt.Sprintf(good, n, n, n) }
	text := line(1) + "\n" + "{broken\n" + line(2) + "[1]\n" + `{"type":"from-the-future","sessionId":"x"}` + "\n" + "\x00\x00\n" + line(3) + `{"type":"us`
	path := write(t, text, dir, uuidA+".jsonl")
	write(t, line(4), dir, uuidB+".jsonl")
	notes := write(t, "{\"a\":1}\n", dir, "notes.jsonl")
	r := newReader(t, home)
	report, err := r.Import(context.Background(), []string{dir, notes + ".missing"}, Options{}, nil)
	if !errors.Is(err, ErrPartial) {
		t.Errorf("error %v", err)
	}
	if report.Broken != 3 || report.Blank != 1 || report.Unknown["from-the-future"] != 1 || report.Waiting != 11 || report.Files != 2 {
		t.Errorf("%+v", report)
	}
	var lines []int64
	for _, f := range report.PerFile {
		for _, p := range f.Problems {
			if p.Path != path || p.Error == "" {
				t.Errorf("%+v", p)
			}
			lines = append(lines, p.Line)
		}
	}
	if !slices.Equal(lines, []int64{3, 5, 7}) {
		t.Errorf("broken lines %v", lines)
	}
	n := 0
	eachRecord(t, r.Journal, func(_ string, _ []byte, e *schema.Event) {
		if e.EventType == schema.Message {
			n++
		}
	})
	if n != 4 {
		t.Errorf("%d messages, want 4", n)
	}
	if len(report.Problems) != 1 || !strings.HasSuffix(report.Problems[0].Path, ".missing") {
		t.Errorf("problems: %v", report.Problems)
	}
	if report, err := r.Import(context.Background(), []string{notes}, Options{}, nil); report.Files != 0 || !slices.Equal(report.Foreign, []string{notes}) || err != nil {
		t.Errorf("a file that is no transcript, named: %+v, %v", report, err)
	}
	// Of a folder it is those that are named like one, and those that somebody asks for.
	other := write(t, "{}\n", dir, "other.ndjson")
	write(t, "{}\n", dir, "other.txt")
	report, err = r.Import(context.Background(), []string{dir, other}, Options{Other: func(path string) bool { return strings.HasSuffix(path, ".ndjson") }}, nil)
	if slices.Sort(report.Foreign); !slices.Equal(report.Foreign, []string{notes, other}) {
		t.Errorf("%v, %v", report.Foreign, err)
	}
	// The rest of the line that was cut short is read when it is there.
	write(t, strings.TrimSuffix(text, `{"type":"us`)+line(5), path)
	if report := clean(t, r, Options{}, dir); report.Lines != 1 || report.Restart() || report.Waiting != 0 {
		t.Errorf("%+v", report)
	}
}

func (r Report) Restart() bool {
	return slices.ContainsFunc(r.PerFile, func(f FileReport) bool { return f.Restart })
}

func TestDryRun(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	r := newReader(t, home)
	before := state(t, home)
	dry := clean(t, r, Options{DryRun: true}, dir)
	if d := cmp.Diff(before, state(t, home)); d != "" {
		t.Errorf("a dry run writes: %s", d)
	}
	without := clean(t, &Reader{Host: "host", User: "user"}, Options{}, dir)
	wet := clean(t, r, Options{}, dir)
	for _, other := range []Report{dry, without} {
		if other.Lines != wet.Lines || other.Events != wet.Events || other.Read != wet.Read || !maps.Equal(other.Kinds, wet.Kinds) {
			t.Errorf("counted %+v, read %+v", other, wet)
		}
	}
	if dry := clean(t, r, Options{DryRun: true}, dir); dry.Lines != 0 || dry.Unchanged != dry.Files {
		t.Errorf("of what is there: %+v", dry)
	}
}

// TestSince: a session is taken whole if any of its files is as new, by the file
// system and by its lines.
func TestSince(t *testing.T) {
	dir := realDir(t)
	copyTree(t, testdata, dir)
	at := func(s string) time.Time { return must(time.Parse(time.RFC3339, s))(t) }
	for _, c := range []struct {
		since string
		files int
	}{
		{"2026-11-22T02:00:00Z", 0}, // after every file's time
		{"2026-11-22T00:00:00Z", 0}, // after every line's
		{"2026-11-21T00:00:00Z", 12},
	} {
		r := newReader(t, filepath.Join(realDir(t), "home"))
		report := clean(t, r, Options{Since: at(c.since)}, dir)
		if report.Read != c.files || report.Older != 12-c.files {
			t.Errorf("since %s: %d read, %d older", c.since, report.Read, report.Older)
		}
	}
	// An agent that worked on makes its session new, and all of it.
	agent := filepath.Join(dir, "-home-dev-work-d-agent-error-repo/cda1ca12-4360-461b-95b9-fc3f5d9534a1/subagents/agent-ad26363d25c9ce231.jsonl")
	f := must(os.OpenFile(agent, os.O_APPEND|os.O_WRONLY, 0))(t)
	fmt.Fprintf(f, `{"type":"user","uuid":"late","sessionId":"cda1ca12-4360-461b-95b9-fc3f5d9534a1","agentId":"ad26363d25c9ce231","timestamp":"2026-12-24T00:00:00Z","message":{"role":"user","content":"late"}}`+"\n")
	f.Close()
	r := newReader(t, filepath.Join(realDir(t), "home"))
	if report := clean(t, r, Options{Since: at("2026-11-22T01:30:00Z")}, dir); report.Read != 2 || report.Sessions != 1 {
		t.Errorf("%+v", report)
	}
}

// TestImportStopped: what was read before a stop stays, and the next import goes on.
func TestImportStopped(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	r := newReader(t, home)
	want := oracle(t, r, dir)
	for stops := 0; ; stops++ {
		ctx, stop := context.WithCancel(context.Background())
		n := 0
		report, err := r.Import(ctx, []string{dir}, Options{Workers: 1}, func(Progress) {
			if n++; n == 2 {
				stop()
			}
		})
		stop()
		if err == nil {
			if stops < 3 {
				t.Errorf("only %d stops: %+v", stops, report)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || stops > 20 {
			t.Fatalf("stop %d: %v", stops, err)
		}
	}
	same(t, want, facts(t, r.Journal))
}
