package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// pretty is a batch as people read it: one JSON value over many lines.
func pretty(t testing.TB, value any) string {
	t.Helper()
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func grainBatch(t testing.TB, from, n int) string {
	var grains []any
	for i := from; i < from+n; i++ {
		grains = append(grains, map[string]any{"grain_type": "action", "fields": map[string]any{
			"tool_name": fmt.Sprint("tool ", i), "created_at": "2026-03-01T10:00:00Z", "content": fmt.Sprint("a \"quoted\" } ] text\n", i), "input": map[string]any{"n": []int{i, -1}, "e": nil, "f": 1.5e3},
		}})
	}
	return pretty(t, map[string]any{"grains": grains})
}

func eventArray(t testing.TB, from, n int) string {
	var all []json.RawMessage
	for line := range strings.Lines(events(from, n)) {
		all = append(all, json.RawMessage(line))
	}
	return pretty(t, all)
}

// scanned is what valueScan says of a text: what it said last, and how many bytes that took.
func scanned(text []byte) (verdict, int) {
	var v valueScan
	for i, c := range text {
		if what := v.next(c); what != goesOn {
			return what, i + 1
		}
	}
	return goesOn, len(text)
}

// holdScan compares with encoding/json: a value ends where that has it end, and what breaks
// off can be made no JSON by anything that follows.
func holdScan(text []byte) error {
	what, n := scanned(text)
	valid := json.Valid(text[:n])
	switch what {
	case ends, goesOn:
		if what == goesOn && valid {
			return fmt.Errorf("%q is a value, and does not end", text[:n])
		}
		for k := 1; k < n; k++ {
			if json.Valid(text[:k]) {
				return fmt.Errorf("%q is a value, and goes on until %q", text[:k], text[:n])
			}
		}
	case breaks:
		var value json.RawMessage
		err := json.Unmarshal(text[:n], &value)
		if err == nil || strings.Contains(err.Error(), "unexpected end") {
			return fmt.Errorf("%q breaks off, and encoding/json says %v", text[:n], err)
		}
	}
	return nil
}

func TestValueScan(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](true), rapid.Map(rapid.Float64(), func(f float64) any { return f }), rapid.Map(rapid.String(), func(s string) any { return s }))
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(value(depth-1), 0, 4), func(s []any) any { return s }),
			rapid.Map(rapid.MapOfN(rapid.String(), value(depth-1), 0, 4), func(m map[string]any) any { return m }))
	}
	rapid.Check(t, func(rt *rapid.T) {
		text, err := json.MarshalIndent([]any{value(3).Draw(rt, "value")}, "", rapid.SampledFrom([]string{"", " "}).Draw(rt, "indent"))
		if err != nil {
			rt.Skip(err)
		}
		if what, n := scanned(text); what != ends || n != len(text) {
			rt.Fatalf("%d at %d of %d: %s", what, n, len(text), text)
		}
		// One byte that is another, or is missing.
		at := rapid.IntRange(1, len(text)-1).Draw(rt, "at")
		other := bytes.Clone(text)
		if other[at] = rapid.SampledFrom([]byte("{}[],:\"\\ 1x\n")).Draw(rt, "byte"); rapid.Bool().Draw(rt, "without") {
			other = append(other[:at], other[at+1:]...)
		}
		if err := holdScan(other); err != nil {
			rt.Fatal(err)
		}
	})
}

func FuzzValueScan(f *testing.F) {
	for _, text := range []string{`{"a":[1,{"b":"c\""}]}`, "[\n]", "{\"a\"\n:1}", `[1 2]`, `{"a" "b"}`, `[{]`, "[\"a\nb\"]", `[tru e]`, `{,}`, `[,]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || len(text) > 1<<10 || text[0] != '{' && text[0] != '[' {
			return
		}
		if err := holdScan(text); err != nil {
			t.Error(err)
		}
	})
}

// TestFollowDocument: a document that is written in pieces, torn anywhere, while a follower
// reads it that is stopped now and then, is what one import makes of it, once.
func TestFollowDocument(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	compact := "[" + strings.ReplaceAll(strings.TrimSpace(events(300, 40)), "\n", ",") + "]"
	for name, text := range map[string]string{
		"batch.json": grainBatch(t, 0, 60), "events.json": eventArray(t, 0, 60), "blank.json": byteOrderMark + "\n \r\n" + strings.ReplaceAll(eventArray(t, 100, 60), "\n", "\r\n") + "\n\n",
		"compact.json": compact,
	} {
		t.Run(name, func(t *testing.T) {
			dir := realDir(t)
			path := write(t, text, dir, "in", name)
			want := newReader(t, filepath.Join(dir, "want"))
			clean(t, want, Options{}, path)
			if report := clean(t, newReader(t, want.Journal.Home()), Options{}, path); report.Unchanged != 1 {
				t.Errorf("imported again: %+v", report)
			}
			wanted := facts(t, want.Journal)
			if len(wanted) < 40 {
				t.Fatalf("%d facts", len(wanted))
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			home := filepath.Join(dir, "home")
			key, err := os.ReadFile(filepath.Join(dir, "want", "key"))
			if err != nil {
				t.Fatal(err)
			}
			newReader(t, home)
			write(t, string(key), home, "key")
			live := start(t, newReader(t, home), Spec{Path: filepath.Join(dir, "in")})
			for i, piece := range torn(random, text, 200) {
				appendTo(t, path, piece)
				if random.IntN(4) == 0 {
					time.Sleep(time.Duration(random.IntN(2)) * time.Millisecond)
				}
				if i%61 == 60 {
					live.stop()
					live = start(t, newReader(t, home), Spec{Path: filepath.Join(dir, "in")})
				}
			}
			live.awaitFacts(len(wanted))
			live.stop()
			live = start(t, newReader(t, home), Spec{Path: filepath.Join(dir, "in")})
			live.await("it is known", func() bool { return live.Health().Files == 1 })
			write(t, events(5000, 1), dir, "in", "later.jsonl")
			live.awaitFacts(len(wanted) + 1)
			live.stop()
			got := facts(t, live.Reader.Journal)
			once(t, got)
			for line := range wanted {
				if got[line] == 0 {
					t.Fatalf("missing: %.300s", line)
				}
			}
			if h := live.Health(); h.Broken != 0 || h.Waiting != 0 || h.Failing != 0 {
				t.Errorf("%+v", h)
			}
		})
	}
}

// TestDocumentsOfAFolder: what is dropped into a folder, written anew, appended to, packed.
func TestDocumentsOfAFolder(t *testing.T) {
	dir := realDir(t)
	in := filepath.Join(dir, "in")
	r := newReader(t, filepath.Join(dir, "home"))
	write(t, "", in, "empty.json")
	f := start(t, r, Spec{Path: in})
	n := func() int { return len(facts(t, r.Journal)) }
	await := func(what string, more int, do func()) {
		t.Helper()
		before := n()
		do()
		f.await(what, func() bool { return n() == before+more })
		time.Sleep(50 * time.Millisecond)
		if got := n(); got != before+more {
			t.Errorf("%s: %d facts more, want %d", what, got-before, more)
		}
	}
	doc := filepath.Join(in, "a.json")
	await("whole", 2*5, func() { write(t, grainBatch(t, 0, 5), dir, "tmp"); os.Rename(filepath.Join(dir, "tmp"), doc) })
	await("a copy", 0, func() { write(t, grainBatch(t, 0, 5), in, "copy.json") })
	await("packed", 0, func() { write(t, packed(t, grainBatch(t, 0, 5)), in, "a.json.1.gz") })
	await("packed and new", 2*2, func() { write(t, packed(t, grainBatch(t, 50, 2)), in, "b.json.gz") })
	await("in its place, with more", 2*2, func() { write(t, grainBatch(t, 0, 7), doc) })
	await("in its place, as long", 2, func() { write(t, strings.Replace(grainBatch(t, 0, 7), "tool 3", "tool x", 1), doc) })
	await("lines in its place", 3, func() { write(t, events(0, 3), doc) })
	await("and a document again", 2*2, func() { write(t, grainBatch(t, 20, 2), doc) })
	// Somebody who appends to it is told.
	await("a second value", 0, func() {
		appendTo(t, doc, grainBatch(t, 30, 1))
		f.await("said", func() bool { return strings.Contains(f.Health().LastError, "something follows the JSON value") })
	})
	await("put right", 2, func() { write(t, grainBatch(t, 30, 1), doc) })
	// A list that is replaced by a longer one, over and over.
	for i := range 5 {
		await("a longer list", 2, func() {
			write(t, grainBatch(t, 60, i+1), dir, "tmp")
			if err := os.Rename(filepath.Join(dir, "tmp"), filepath.Join(in, "list.json")); err != nil {
				t.Fatal(err)
			}
		})
	}
	f.stop()
	once(t, facts(t, r.Journal)) // though what is written anew is read anew
}

// TestDocumentWaits: a document that never ends is said, also by the next follower, and is read when it does.
func TestDocumentWaits(t *testing.T) {
	dir := realDir(t)
	text := grainBatch(t, 0, 10)
	for cut := 2; cut < len(text)-2; cut += len(text) / 7 {
		r := newReader(t, filepath.Join(dir, fmt.Sprint("home", cut)))
		path := write(t, text[:cut], dir, fmt.Sprint("in", cut), "a.json")
		_, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil)
		if !errors.Is(err, ErrPartial) || !strings.Contains(fmt.Sprint(err), "its end is missing") {
			t.Errorf("import of %d bytes: %v", cut, err)
		}
		for range 2 {
			f := start(t, r, Spec{Path: filepath.Dir(path)})
			f.await("it waits", func() bool { return f.Health().Waiting == 1 })
			if h := f.Health(); h.WaitsFor != path || h.Behind != int64(cut) && h.Behind != 0 || h.Broken > 0 || h.Failing > 0 {
				t.Errorf("%+v", h)
			}
			appendTo(t, path, "") // nothing
			f.stop()
			if n := strings.Count(f.log.String(), "source.waiting"); n != 1 {
				t.Errorf("said %d times:\n%s", n, f.log)
			}
			if n := len(facts(t, r.Journal)); n > 0 {
				t.Fatalf("%d facts", n)
			}
		}
		f := start(t, r, Spec{Path: filepath.Dir(path)})
		appendTo(t, path, text[cut:])
		f.awaitFacts(20)
		f.await("nothing waits", func() bool { h := f.Health(); return h.Waiting == 0 && h.Behind == 0 })
		f.stop()
	}
}

// TestBrokenDocument: what is wrong with a document is said with its line and column, by an
// import as by a follower, each time; nothing of it is recorded, and it is read once it is right.
func TestBrokenDocument(t *testing.T) {
	good := "{\n  \"grains\": [\n    {\"tool_name\":\"a\"},\n    {\"tool_name\":\"b\"}\n  ]\n}\n"
	for _, c := range []struct{ from, to, want string }{
		{`"b"}`, `7}`, `:4: column 18: item 1: tool_name: want a string, got a number`},
		{"},\n", "}\n", `:4: column 5: not valid JSON: invalid character '{' after array element`},
		{`"b"}`, `"b"]`, `:4: column 21: not valid JSON: invalid character ']' after object key:value pair`},
		{`:"b"`, ` "b"`, `:4: column 18: not valid JSON: invalid character '"' after object key`},
		{"]\n}", "]\n}}", `:6: column 2: something follows the JSON value`},
		{`"b"`, "\"b\n", `:4: column 20: not valid JSON: invalid character '\n' in string literal`},
	} {
		dir := realDir(t)
		path := write(t, strings.Replace(good, c.from, c.to, 1), dir, "in", "a.json")
		r := newReader(t, filepath.Join(dir, "home"))
		for range 2 {
			if _, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil); err == nil || !strings.Contains(err.Error(), path+c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		}
		f := start(t, r, Spec{Path: filepath.Dir(path)})
		f.await("it is said", func() bool { return strings.HasPrefix(f.Health().LastError, path+c.want) })
		time.Sleep(30 * time.Millisecond)
		if h := f.Health(); h.Broken != 1 || h.Behind != 0 || h.Failing != 0 || h.Waiting != 0 {
			t.Errorf("%+v", h)
		}
		if n := len(facts(t, r.Journal)); n > 0 {
			t.Fatalf("%d facts", n)
		}
		write(t, good, path)
		f.awaitFacts(4)
		f.stop()
	}
}

// TestTornFirstLine: lines whose first was torn off, wherever, are lines, if it looks as if
// a document began.
func TestTornFirstLine(t *testing.T) {
	first := `{"v":1,"event_type":"message","session_id":"s1","extra":{"a":[1,{"b":"c"}]},"content":"x"}`
	for cut := 1; cut < len(first); cut++ {
		dir := realDir(t)
		path := write(t, first[:cut]+"\n"+events(0, 3), dir, "in", "a.jsonl")
		r := newReader(t, filepath.Join(dir, "home"))
		if _, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil); !errors.Is(err, ErrPartial) || len(facts(t, r.Journal)) != 3 {
			t.Errorf("%q: %v, %d facts", first[:cut], err, len(facts(t, r.Journal)))
		}
	}
}

// TestForeignDocument: what is of no format is left alone, in however many lines.
func TestForeignDocument(t *testing.T) {
	dir := realDir(t)
	write(t, "{\n  \"name\": \"x\",\n  \"files\": [\"a\"]\n}\n", dir, "in", "package.json")
	write(t, "{\n  // a comment\n  \"name\": \"x\"\n}\n", dir, "in", "tsconfig.json")
	r := newReader(t, filepath.Join(dir, "home"))
	if report := clean(t, r, Options{}, filepath.Join(dir, "in")); len(report.Foreign) != 2 {
		t.Errorf("%+v", report)
	}
	f := start(t, r, Spec{Path: filepath.Join(dir, "in")})
	f.await("both are known to be foreign", func() bool { return strings.Count(f.log.String(), "source.foreign") == 2 })
	f.stop()
	if h := f.Health(); h.Broken+int64(h.Waiting+h.Failing) != 0 {
		t.Errorf("%+v", h)
	}
}
