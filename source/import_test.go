package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// TestDump: a recorded dump becomes what its lines say, one by one; to import it again is
// nothing, under any name, copied or packed.
func TestDump(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	text := dumpText(t)
	path := write(t, text, dir, "in", "trace-260301_101500.jsonl")
	report := clean(t, r, Options{}, filepath.Join(dir, "in"))
	first, _, _ := strings.Cut(text, "\n")
	session := jsonl.SessionID("trace-260301_101500", []byte(first))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	want := oracle(t, r, jsonl.Audit, session, path, text, info.ModTime())
	got := facts(t, r.Journal)
	lossless(t, want, got)
	once(t, got)
	if report.Files != 1 || report.Read != 1 || report.Sessions != 1 || report.Lines != 118 || report.Broken != 0 || report.Bytes != int64(len(text)) {
		t.Errorf("%+v", report)
	}
	diff(t, "sessions", []string{session}, report.PerFile[0].Sessions)
	diff(t, "format", jsonl.Audit, report.PerFile[0].Format)
	var lines int64
	for _, n := range report.Kinds {
		lines += n
	}
	diff(t, "lines by kind", report.Lines, lines)

	if files, err := r.Journal.Files(); err != nil || len(files) != 1 || files[0].Session != session {
		t.Errorf("the journal lists %+v, %v", files, err)
	}
	places, err := filepath.Glob(filepath.Join(journal.Dir(r.Journal.Home()), "source-*.jsonl"))
	if err != nil || len(places) != 1 {
		t.Fatalf("%v, %v", places, err)
	}
	if info, err := os.Stat(places[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	again := func(what string, paths ...string) {
		t.Helper()
		report := clean(t, r, Options{}, paths...)
		if report.Lines != 0 || report.Unchanged != report.Files || report.Files == 0 {
			t.Errorf("%s: %+v", what, report)
		}
		lossless(t, got, facts(t, r.Journal))
		once(t, facts(t, r.Journal))
	}
	again("again", path)
	again("twice", path, filepath.Join(dir, "in"))
	write(t, text, dir, "in", "copy.jsonl")
	write(t, packed(t, text), dir, "in", "trace.jsonl.gz")
	again("a copy, and one that is packed", filepath.Join(dir, "in"))
	again("they again", filepath.Join(dir, "in", "*"))
	if err := os.Rename(path, filepath.Join(dir, "in", "other.jsonl.1")); err != nil {
		t.Fatal(err)
	}
	again("renamed", filepath.Join(dir, "in", "other.jsonl.1"))

	// What is packed goes on where the plain file was, and the other way round.
	more := `{"type":"user_output","timestamp":"2026-03-01T10:30:00+01:00","role":"assistant","text":"more"}` + "\n"
	write(t, packed(t, text+more), dir, "in", "trace.jsonl.gz")
	if report := clean(t, r, Options{}, filepath.Join(dir, "in", "trace.jsonl.gz")); report.Lines != 1 || !slices.Equal(report.PerFile[0].Sessions, []string{session}) {
		t.Errorf("%+v", report)
	}
	appendTo(t, filepath.Join(dir, "in", "copy.jsonl"), more)
	appendTo(t, filepath.Join(dir, "in", "other.jsonl.1"), more+more)
	if report := clean(t, r, Options{}, filepath.Join(dir, "in")); report.Sessions != 1 || report.Lines > 3 {
		t.Errorf("%+v", report)
	}
	want = oracle(t, r, jsonl.Audit, session, path, text+more+more, info.ModTime())
	lossless(t, want, facts(t, r.Journal))
}

// TestWays: the same lines say the same, in whatever a file begins, ends or is packed
// with, and whatever folder, name or pipe they come by.
func TestWays(t *testing.T) {
	text := events(0, 500)
	dir := realDir(t)
	plain := newReader(t, filepath.Join(dir, "home"))
	clean(t, plain, Options{}, write(t, text, dir, "plain.jsonl"))
	want := facts(t, plain.Journal)
	if len(want) != 500 {
		t.Fatalf("%d facts", len(want))
	}
	crlf := strings.ReplaceAll(text, "\n", "\r\n")
	for name, content := range map[string]string{
		"mark.jsonl": byteOrderMark + text, "crlf.ndjson": crlf, "both.jsonl": byteOrderMark + crlf, "open.jsonl": strings.TrimSuffix(text, "\n"),
		"blank.jsonl": "\n\n" + strings.ReplaceAll(text, "\n", "\n\n \t\n"), "packed.jsonl.gz": packed(t, text), "packed": packed(t, crlf),
		"parts.gz": packed(t, text[:1000]) + packed(t, text[1000:]), "zeros.jsonl": strings.Repeat("\x00", 3<<20) + text,
		"array.json": "[" + strings.ReplaceAll(strings.TrimSpace(text), "\n", ",") + "]", "pretty.json": "[\n  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", ",\n  ") + "\n]\n",
		"rotated.jsonl.1": text, "dated.jsonl-20260301": text,
	} {
		r := newReader(t, filepath.Join(dir, "home-"+name))
		path := write(t, content, dir, "in-"+name, name)
		if name == "packed" || name == "parts.gz" {
			path = filepath.Dir(path) + "/" + name
		} else {
			path = filepath.Dir(path)
		}
		report := clean(t, r, Options{}, path)
		if t.Run(name, func(t *testing.T) { lossless(t, want, facts(t, r.Journal)); once(t, facts(t, r.Journal)) }); t.Failed() {
			t.Fatalf("%s: %+v", name, report)
		}
		if report := clean(t, r, Options{}, path); report.Lines != 0 || report.Unchanged != 1 {
			t.Errorf("%s again: %+v", name, report)
		}
	}
	for name, content := range map[string]string{"plain": text, "packed": packed(t, text)} {
		r := newReader(t, filepath.Join(dir, "home-stdin-"+name))
		report, err := r.Import(context.Background(), []string{"-"}, strings.NewReader(content), Options{}, nil)
		if err != nil || report.Lines != 500 || report.Files != 1 || report.PerFile[0].Path != "-" {
			t.Errorf("stdin, %s: %+v, %v", name, report, err)
		}
		lossless(t, want, facts(t, r.Journal))
	}
}

// TestDumpFromAPipe: a dump that is piped in after it was imported is that session's.
func TestDumpFromAPipe(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	clean(t, r, Options{}, write(t, dumpText(t), dir, "trace.jsonl"))
	want := keys(facts(t, r.Journal))
	if report, err := r.Import(context.Background(), []string{"-"}, strings.NewReader(dumpText(t)), Options{}, nil); err != nil || report.Sessions != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	got := keys(facts(t, r.Journal))
	if len(got) > len(want)+1 { // what the session is called is said once more
		t.Errorf("%d facts, %d before", len(got), len(want))
	}
	fresh := newReader(t, filepath.Join(dir, "fresh"))
	report, err := fresh.Import(context.Background(), []string{"-"}, strings.NewReader(dumpText(t)), Options{}, nil)
	if err != nil || len(report.PerFile) != 1 || !strings.HasPrefix(report.PerFile[0].Sessions[0], "stdin-") {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestCopiesAtOnce: of many copies that are read at a time each line is a fact once.
func TestCopiesAtOnce(t *testing.T) {
	dir := realDir(t)
	text := dumpText(t)
	for i := range 20 {
		write(t, text, dir, "in", fmt.Sprintf("%d.jsonl", i))
		write(t, packed(t, text), dir, "in", fmt.Sprintf("%d.jsonl.gz", i))
	}
	r := newReader(t, filepath.Join(dir, "home"))
	if report := clean(t, r, Options{}, filepath.Join(dir, "in")); report.Sessions != 1 || report.Files != 40 {
		t.Errorf("%+v", report)
	}
	once(t, facts(t, r.Journal))
	if report := clean(t, r, Options{}, filepath.Join(dir, "in")); report.Unchanged != 40 {
		t.Errorf("again: %+v", report)
	}
}

// TestSessionsOfDumps: a dump keeps its session under another name, also where nothing but
// its name was noted; two dumps that begin with a blank line are two.
func TestSessionsOfDumps(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	sessions := func(path string) []string {
		t.Helper()
		report := clean(t, r, Options{}, path)
		if len(report.PerFile) != 1 || report.Unchanged != 0 || report.PerFile[0].Restart {
			t.Fatalf("%+v", report)
		}
		return report.PerFile[0].Sessions
	}
	line := func(i int) string {
		return fmt.Sprintf(`{"type":"user_output","timestamp":"2026-03-01T10:30:%02d+01:00","role":"assistant","text":"t"}`+"\n", i)
	}
	a := sessions(write(t, "\n"+line(1), dir, "trace.jsonl"))
	b := sessions(write(t, "\n"+line(2), dir, "other", "trace.jsonl"))
	if slices.Equal(a, b) {
		t.Errorf("two dumps are %s", a)
	}
	path := write(t, line(3), dir, "third.jsonl")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s := (&importing{Reader: r}).stream(path)
	if _, err := s.identify(f, info); err != nil {
		t.Fatal(err)
	}
	if err := s.name(); err != nil { // and is killed
		t.Fatal(err)
	}
	for _, name := range []string{"fourth.jsonl", "copy.jsonl"} {
		if name == "copy.jsonl" {
			write(t, line(3)+line(4), dir, name)
		} else if err := os.Rename(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		diff(t, name, []string{s.src.Session}, sessions(filepath.Join(dir, name)))
	}
}

// TestHeadsOfDumps: what somebody kept of the beginning of a dump is the dump's session, however
// its lines end and whatever is in front of them.
func TestHeadsOfDumps(t *testing.T) {
	text := dumpText(t)
	first, _, _ := strings.Cut(text, "\n")
	head := strings.Join(strings.SplitAfter(text, "\n")[:20], "")
	crlf := strings.NewReplacer("\n", "\r\n")
	for name, c := range map[string][2]string{
		"CRLF": {crlf.Replace(text), crlf.Replace(head)}, "CRLF and LF": {crlf.Replace(text), head}, "LF and CRLF": {text, crlf.Replace(head)},
		"BOM": {byteOrderMark + text, byteOrderMark + head}, "BOM and none": {byteOrderMark + text, head}, "a blank line": {"\r\n\n" + text, head},
	} {
		for i := range c {
			dir := realDir(t)
			r := newReader(t, filepath.Join(dir, "home"))
			clean(t, r, Options{}, write(t, c[i], dir, "trace-1.jsonl"))
			clean(t, r, Options{}, write(t, c[1-i], dir, "other.jsonl"))
			files, err := r.Journal.Files()
			if want := jsonl.SessionID("trace-1", []byte(first)); err != nil || len(files) != 1 || files[0].Session != want {
				t.Errorf("%s, %d first: %+v, %v, want %s", name, i, files, err, want)
			}
		}
	}
}

// TestManyAlike: files that begin with the same line do not make each other slow, and what was
// read of each is known.
func TestManyAlike(t *testing.T) {
	for name, begin := range map[string]string{"blank": "\n", "banner": "# a log of a program that begins every file of its own alike\n"} {
		dir := realDir(t)
		const files = 600
		for i := range files {
			write(t, begin+events(2*i, 1+i%2), dir, "in", fmt.Sprintf("%d.jsonl", i))
		}
		r := newReader(t, filepath.Join(dir, "home"))
		for range 2 {
			began := time.Now()
			_, err := r.Import(context.Background(), []string{filepath.Join(dir, "in")}, nil, Options{}, nil)
			if err != nil && name == "blank" {
				t.Error(err)
			}
			t.Logf("%s: %s", name, time.Since(began))
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s: %d files took %s", name, files, took)
			}
		}
		if got := facts(t, r.Journal); len(got) != files*3/2 {
			t.Errorf("%s: %d facts", name, len(got))
		} else {
			once(t, got)
		}
		if report := clean(t, r, Options{}, filepath.Join(dir, "in")); report.Unchanged != files {
			t.Errorf("%s: %d unchanged", name, report.Unchanged)
		}
	}
}

// TestBadLines: each is named with file and line, and nothing else suffers.
func TestBadLines(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	all := strings.Split(events(0, 40), "\n")
	bad := map[int]string{3: "{", 9: "garbage", 10: "[1,2", 20: "\xff\xfe\x00", 30: `{"event_type":7}`, 31: `"text"`}
	for i, text := range bad {
		all[i] = text
	}
	path := write(t, strings.Join(all, "\n"), dir, "bad.jsonl")
	report, err := r.Import(context.Background(), []string{path}, nil, Options{}, nil)
	if !errors.Is(err, ErrPartial) || report.Broken != int64(len(bad)) || report.Lines != 40 || report.Failed != 0 {
		t.Errorf("%+v\n%v", report, err)
	}
	named := map[int]string{}
	for _, p := range report.PerFile[0].Problems {
		if p.Path != path || p.Error == "" {
			t.Errorf("%+v", p)
		}
		named[int(p.Line)-1] = bad[int(p.Line)-1]
	}
	diff(t, "lines that are named", bad, named)
	if got := facts(t, r.Journal); len(got) != 40-len(bad) {
		t.Errorf("%d facts", len(got))
	}
	// What is bad is said once: it is behind the position.
	if report, err := r.Import(context.Background(), []string{path}, nil, Options{}, nil); err != nil || report.Unchanged != 1 {
		t.Errorf("%+v\n%v", report, err)
	}
	strict := newReader(t, filepath.Join(dir, "strict"))
	report, err = strict.Import(context.Background(), []string{path}, nil, Options{Strict: true}, nil)
	if want := len(strings.Join(all[:4], "\n")) + 1; report.Bytes != int64(want) || report.Lines != 4 {
		t.Errorf("strict: %d bytes in %d lines, want %d in 4", report.Bytes, report.Lines, want)
	}
	if errors.Is(err, ErrPartial) || err == nil || !strings.Contains(err.Error(), path+":4: ") {
		t.Errorf("strict: %v", err)
	}
	if got := facts(t, strict.Journal); len(got) != 3 {
		t.Errorf("strict: %d facts before the first bad line", len(got))
	}
}

// TestRepaired: a bad line that somebody repairs in its place, while the file grows, is read;
// where nobody did, only what is new is.
func TestRepaired(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	good := events(0, 40)
	all := strings.SplitAfter(good, "\n")
	all[20] = "!" + all[20][1:]
	path := write(t, strings.Join(all, ""), dir, "log.jsonl")
	if report, err := r.Import(context.Background(), []string{path}, nil, Options{}, nil); !errors.Is(err, ErrPartial) || report.Broken != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	for i := range 2 {
		appendTo(t, path, events(40+5*i, 5))
		if report := clean(t, r, Options{}, path); report.Lines != 5 {
			t.Errorf("%+v", report)
		}
	}
	write(t, good+events(40, 20), path)
	if report := clean(t, r, Options{}, path); report.Lines != 60 || !report.PerFile[0].Restart {
		t.Errorf("%+v", report)
	}
	if got := facts(t, r.Journal); len(got) != 60 {
		t.Errorf("%d facts", len(got))
	}
	appendTo(t, path, events(60, 5))
	if report := clean(t, r, Options{}, path); report.Lines != 5 {
		t.Errorf("%+v", report)
	}
}

// TestBehindPacked: what follows compressed data is called that, once, and what is cut short
// is called that; all that is whole is read either way.
func TestBehindPacked(t *testing.T) {
	zip := packed(t, events(0, 20))
	for name, c := range map[string]struct {
		text  string
		facts int
		error string
	}{
		"one": {zip, 20, ""}, "two": {zip + packed(t, events(20, 20)), 40, ""}, "zeros": {zip + strings.Repeat("\x00", 1000), 20, ""},
		"garbage": {zip + "garbage that nobody packed", 20, "not compressed"}, "a byte": {zip + "g", 20, "not compressed"},
		"plain lines": {zip + events(20, 1), 20, "not compressed"}, "zeros and garbage": {zip + "\x00\x00g", 20, "not compressed"},
		"half a header": {zip + zip[:1], 20, "cut short"}, "a header": {zip + zip[:7], 20, "cut short"}, "a header and more": {zip + packed(t, events(20, 20))[:15], 20, "cut short"},
	} {
		dir := realDir(t)
		r := newReader(t, filepath.Join(dir, "home"))
		path := write(t, c.text, dir, "log.jsonl.gz")
		for i, from := range []string{"-", path, path} {
			want := c.error
			if i == 2 && want == "not compressed" {
				want = "" // that was said
			}
			_, err := r.Import(context.Background(), []string{from}, strings.NewReader(c.text), Options{}, nil)
			if bad := err != nil; bad != (want != "") || bad && !strings.Contains(err.Error(), want) {
				t.Errorf("%s from %s: %v", name, from, err)
			}
			if got := facts(t, r.Journal); len(got) != c.facts {
				t.Errorf("%s from %s: %d facts", name, from, len(got))
			}
		}
	}
}

// TestForeign: what nobody knows is named and left alone.
func TestForeign(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	write(t, `{"level":"info","msg":"started"}`+"\n", dir, "in", "log.jsonl")
	write(t, "# text\nmore\n", dir, "in", "readme.json")
	write(t, `{"type":"user","sessionId":"5ed853e6-0000-4000-8000-000000000000","uuid":"u","message":{}}`+"\n", dir, "in", "claude.jsonl")
	write(t, strings.Repeat("x", detectBytes+1), dir, "in", "blob.jsonl")
	write(t, "not looked at", dir, "in", "notes.txt")
	write(t, "", dir, "in", "empty.jsonl")
	write(t, `{"event_type":"mess`, dir, "in", "begun.jsonl")
	report := clean(t, r, Options{}, filepath.Join(dir, "in"))
	names := []string{}
	for _, path := range report.Foreign {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	diff(t, "foreign", []string{"blob.jsonl", "claude.jsonl", "log.jsonl", "readme.json"}, names)
	if report.PassedOver != 1 || report.Files != 6 || report.Lines != 0 || report.Waiting != 19 || report.Unchanged != 1 {
		t.Errorf("%+v", report)
	}
	if _, err := r.Import(context.Background(), []string{filepath.Join(dir, "in", "*.nothing"), filepath.Join(dir, "none")}, nil, Options{}, nil); !errors.Is(err, ErrPartial) {
		t.Errorf("paths that lead nowhere: %v", err)
	}
	if files, err := r.Journal.Files(); err != nil || len(files) > 0 {
		t.Errorf("%v, %v", files, err)
	}
}

// TestGrowing: a file that is cut anywhere, 1,000 times, is read once.
func TestGrowing(t *testing.T) {
	text := events(0, 60)
	text += strings.TrimSuffix(events(60, 1), "\n")
	dir := realDir(t)
	want := newReader(t, filepath.Join(dir, "want"))
	clean(t, want, Options{}, write(t, text, dir, "whole.jsonl"))
	r := newReader(t, filepath.Join(dir, "home"))
	path := filepath.Join(dir, "grown.jsonl")
	lines := int64(0)
	for cut := 1; cut <= 1000; cut++ {
		write(t, text[:len(text)*cut/1000], path)
		report := clean(t, r, Options{}, path)
		lines += report.Lines
	}
	if lines != 61 {
		t.Errorf("%d lines were read", lines)
	}
	got := facts(t, r.Journal)
	lossless(t, facts(t, want.Journal), got)
	once(t, got)
}

// TestReplaced: a file that was cut or rewritten is read from its beginning.
func TestReplaced(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	path := write(t, events(0, 20), dir, "log.jsonl")
	clean(t, r, Options{}, path)
	for i, text := range []string{events(0, 10) + events(100, 20), events(200, 30), events(200, 29) + strings.Replace(events(229, 1), "text 229", "text 922", 1)} {
		write(t, text, path)
		report := clean(t, r, Options{}, path)
		if report.Lines != int64(strings.Count(text, "\n")) {
			t.Errorf("%d: %+v", i, report)
		}
	}
	if got := facts(t, r.Journal); len(got) != 20+20+30+1 {
		t.Errorf("%d facts", len(got))
	}
}

// TestLongLines: 50 MB in one line are a line, and what is longer than a line can be is
// passed over.
func TestLongLines(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	long := strings.Replace(events(1, 1), "text 1", strings.Repeat("long ", 10<<20), 1)
	path := write(t, events(0, 1)+long+events(2, 1), dir, "long.jsonl")
	report := clean(t, r, Options{}, path)
	if report.Lines != 3 || len(facts(t, r.Journal)) != 3 {
		t.Errorf("%+v", report)
	}
}

// TestSession: how a file is kept does not change whose it is.
func TestSession(t *testing.T) {
	for _, name := range []string{"app.jsonl", "app.jsonl.1", "app.jsonl.12.gz", "app.jsonl.gz", "app.ndjson", "app.JSON", "app.jsonl-20260301", "app.jsonl-20260301.gz", "app.jsonl.old"} {
		if got := stem("/a/b.jsonl/" + name); got != "app" {
			t.Errorf("%s: %q", name, got)
		}
		if !wantedName.MatchString(name) {
			t.Errorf("%s is not looked at in folders", name)
		}
	}
	diff(t, "a dump", "trace-260301_101500", stem("trace-260301_101500.jsonl"))
	for _, name := range []string{"app.txt", "jsonl", "app.jsonl.tmp", "app.jsonlx", "a.jsonl~"} {
		if wantedName.MatchString(name) {
			t.Errorf("%s is looked at in folders", name)
		}
	}
}

// TestStopped: what ends an import loses nothing.
func TestStopped(t *testing.T) {
	dir := realDir(t)
	text := events(0, 20_000)
	path := write(t, text, dir, "log.jsonl")
	r := newReader(t, filepath.Join(dir, "home"))
	for i := range 5 {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		report, err := r.Import(ctx, []string{path}, nil, Options{}, func(Progress) {
			if n++; n > i {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	clean(t, r, Options{}, path)
	got := facts(t, r.Journal)
	if once(t, got); len(got) != 20_000 {
		t.Errorf("%d facts", len(got))
	}
}

// TestDryRun counts the same and writes nothing.
func TestDryRun(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	path := write(t, dumpText(t), dir, "trace.jsonl")
	dry := clean(t, r, Options{DryRun: true}, path)
	if files, err := r.Journal.Files(); err != nil || len(files) > 0 {
		t.Errorf("%v, %v", files, err)
	}
	wet := clean(t, r, Options{}, path)
	dry.Duration, wet.Duration = 0, 0
	diff(t, "report", wet, dry)
	none := &Reader{Redactor: r.Redactor, Host: r.Host, User: r.User}
	counted := clean(t, none, Options{}, path)
	counted.Duration = 0
	diff(t, "without a journal", wet, counted)
}

// TestSecrets: neither the journal nor a report has what redaction takes out.
func TestSecrets(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	secret := "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
	text := strings.Replace(events(0, 1), "text 0", "token "+secret, 1) + strings.Replace(events(1, 1), `"message"`, `"`+secret+`"`, 1) +
		`{"event_type":"message","session_id":"s","timestamp":"` + secret + `"}` + "\n"
	path := write(t, text, dir, "log.jsonl")
	report, err := r.Import(context.Background(), []string{path}, nil, Options{}, nil)
	if said := fmt.Sprintf("%+v %v", report, err); strings.Contains(said, secret) {
		t.Errorf("the report has the secret: %s", said)
	}
	for line := range maps.Keys(facts(t, r.Journal)) {
		if strings.Contains(line, secret) {
			t.Errorf("the journal has the secret: %s", line)
		}
	}
}

// TestNobodyHides: a session cannot have the name of what the journal does not list.
func TestNobodyHides(t *testing.T) {
	e := schema.Event{EventType: schema.Message, SessionID: schema.PositionsID(1)}
	if line := redact.New(redact.Options{}).Event(e); schema.IsPositionsID(line.Session()) {
		t.Errorf("%s has it", line.Session())
	}
}

// TestNames: what programs that rotate logs call a file is looked at, and known for that file.
func TestNames(t *testing.T) {
	for _, end := range []string{"", ".1", ".12.gz", "-20260301", "-20260301.gz", ".20260301", "-2026030113", ".2026-03-01", ".2026-03-01_13",
		".2026-03-01_13-05", ".2026-03-01_13-05-59", ".2026-03-01T13:05:59.gz", "-2026-03-01-1305", "-20260301-1772366400", ".OLD", ".1.bak"} {
		if name := "app.jsonl" + end; !Wanted("/logs/"+name) || stem(name) != "app" || end != "" && !isRotated(name, "app.jsonl") {
			t.Errorf("%s: wanted %v, stem %q", name, Wanted(name), stem(name))
		}
	}
	for _, end := range []string{".txt", ".12345", "-2026", ".2026-3-1", ".2026-03-01_", "-2026-03-01x", ".2026-03-01_13-05-59-11", ".tmp", "~"} {
		if name := "app.jsonl" + end; Wanted("/logs/"+name) || isRotated(name, "app.jsonl") {
			t.Errorf("%s is looked at", name)
		}
	}
}

// TestLongBatch: a batch in one line that is appended in pieces says what it says in one, all of
// it or, where its last item is wrong, nothing.
func TestLongBatch(t *testing.T) {
	var grains, protocol strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&grains, `,{"tool_name":"t%d","content":"%s","namespace":"n%d"}`, i, strings.Repeat("c", 200), i%3)
		fmt.Fprintf(&protocol, ",%s", strings.TrimSpace(events(i, 1)))
	}
	for name, text := range map[string]string{"oms": `{"grains":[` + grains.String()[1:] + `]}`, "events": `[` + protocol.String()[1:] + `]`} {
		for _, way := range []string{"line", "document", "bad"} {
			dir := realDir(t)
			r := newReader(t, filepath.Join(dir, "home"))
			line, in := text, text+"\n"
			switch way {
			case "document":
				in = strings.Replace(text, "[", "[\n", 1)
				line = in
			case "bad":
				in = text[:strings.LastIndexByte(text, '{')] + `{"tool_name":7}]` + map[string]string{"oms": "}"}[name] + "\n"
			}
			path := write(t, in, dir, "batch.jsonl")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			report, err := r.Import(context.Background(), []string{path}, nil, Options{Format: jsonl.Format(name)}, nil)
			got := facts(t, r.Journal)
			if way == "bad" {
				if report.Broken != 1 || report.Events != 0 || len(got) != 0 || !strings.Contains(fmt.Sprint(err), "item 5999") {
					t.Errorf("%s %s: %v: %d broken, %d facts", name, way, err, report.Broken, len(got))
				}
				continue
			}
			if err != nil || report.Events != int64(len(got)) || len(got) < 6000 {
				t.Errorf("%s %s: %v, %d facts, %d events", name, way, err, len(got), report.Events)
			}
			want := map[string]int{}
			all, _, err := jsonl.NewDecoder(jsonl.Source{Format: jsonl.Format(name), Path: path, Origin: schema.OriginAudit, Host: r.Host, User: r.User, HashKey: r.Journal.Key()}).
				Append(nil, []byte(strings.TrimSpace(line)), 1, info.ModTime())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				want[string(r.Redactor.Event(e).Bytes())]++
			}
			lossless(t, want, got)
			once(t, got)
		}
	}
}
