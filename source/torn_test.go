package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
)

func grainLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"tool_name":"t","content":"c%d","created_at":"2026-03-01T10:00:00Z"}`+"\n", i)
	}
	return b.String()
}

// TestTornOpening: lines whose first was torn off right behind its opening are lines, in each
// format, named or not, packed or not, and when they come in pieces: the first is one bad line.
func TestTornOpening(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	openings := []string{"{", "[", "[{", "[[", `{"grains":[`, `{"grains": [{`, `{"grains":[{"fields":{`, byteOrderMark + "{", "\n\n{", "{\r", "{\n\n", "\x00\x00{"}
	for format, text := range map[jsonl.Format]string{
		jsonl.OMS: grainLines(50), jsonl.Events: events(0, 50), jsonl.Audit: strings.Join(strings.SplitAfter(dumpText(t), "\n")[:20], ""), jsonl.TraceEvents: strings.Join(strings.SplitAfter(tracedText(t, 1), "\n")[:20], ""),
	} {
		for i, opening := range openings {
			dir := realDir(t)
			whole := opening + "\n" + text
			if strings.HasPrefix(opening, `{"grains"`) && format != jsonl.OMS {
				continue // that line says what the file is
			}
			key := ""
			home := func(name string) *Reader {
				newReader(t, filepath.Join(dir, name))
				if key == "" {
					b, err := os.ReadFile(filepath.Join(dir, name, "key"))
					if err != nil {
						t.Fatal(err)
					}
					key = string(b)
				}
				write(t, key, dir, name, "key")
				return newReader(t, filepath.Join(dir, name))
			}
			// What the same lines give behind a first one that nobody takes for an opening.
			other := home("other")
			if _, err := other.Import(t.Context(), []string{write(t, "#\n"+text, dir, "other.jsonl")}, nil, Options{}, nil); !errors.Is(err, ErrPartial) {
				t.Fatal(err)
			}
			n := len(facts(t, other.Journal))
			var want map[string]int
			path := filepath.Join(dir, "in", "trace-260301_101500.jsonl")
			for _, o := range []Options{{}, {Format: format}} {
				for _, form := range []string{whole, packed(t, whole), strings.TrimSuffix(whole, "\n")} {
					r := home(fmt.Sprint("home", o.Format, len(form)))
					report, err := r.Import(t.Context(), []string{write(t, form, path)}, nil, o, nil)
					got := facts(t, r.Journal)
					if !errors.Is(err, ErrPartial) || report.Broken != 1 || len(report.Foreign) > 0 || len(got) != n {
						t.Errorf("%s %q: %v, %d facts, want %d: %+v", format, opening, err, len(got), n, report)
					}
					if want == nil {
						want = got
					}
					lossless(t, want, got)
				}
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if random.IntN(4) > 0 {
				continue
			}
			spec := Spec{Path: filepath.Dir(path)}
			if i%2 == 0 {
				spec.Options.Format = format
			}
			r := home("followed")
			live := start(t, r, spec)
			for k, piece := range torn(random, whole, 12) {
				appendTo(t, path, piece)
				time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
				if random.IntN(8) == 0 {
					time.Sleep(80 * time.Millisecond) // it is quiet
				}
				if k == 6 {
					live.stop()
					live = start(t, r, spec)
				}
			}
			live.awaitFacts(n)
			live.stop()
			got := facts(t, r.Journal)
			lossless(t, want, got)
			if t.Failed() {
				t.Fatalf("%s %q\n%s", format, opening, live.log)
			}
		}
	}
}

// TestListOfLines: a list that is written one value a line is a document, and what is wrong with
// it is said so, not one bad line for each of it.
func TestListOfLines(t *testing.T) {
	list := strings.Split(strings.TrimSpace(grainLines(100)), "\n")
	good := "[\n" + strings.Join(list, ",\n") + "\n]\n"
	dir := realDir(t)
	path := write(t, strings.Replace(good, `"c70",`, `"c70" `, 1), dir, "in", "a.json")
	r := newReader(t, filepath.Join(dir, "home"))
	report, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil)
	if want := ":72: column 34: not valid JSON"; !errors.Is(err, ErrPartial) || report.Broken != 0 || !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%v: %+v", err, report)
	}
	f := start(t, r, Spec{Path: filepath.Dir(path)})
	f.await("it is said", func() bool { return strings.Contains(f.Health().LastError, ":72: column 34") })
	write(t, good, path)
	f.awaitFacts(200)
	f.stop()
	if !json.Valid([]byte(good)) {
		t.Error(good)
	}
}

// TestLinesBehindSettings: lines that follow something else over many lines are read.
func TestLinesBehindSettings(t *testing.T) {
	dir := realDir(t)
	path := write(t, "{\n  \"level\": 1\n}\n"+events(0, 3), dir, "in", "app.jsonl")
	r := newReader(t, filepath.Join(dir, "home"))
	if report, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil); !errors.Is(err, ErrPartial) || report.Broken != 3 || len(facts(t, r.Journal)) != 3 {
		t.Errorf("%v: %+v", err, report)
	}
}
