package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// line returns a redacted event of a session, with an id and a text of its own.
func line(session, id, text string) redact.Line {
	return typed(schema.Message, session, id, text)
}

func typed(t schema.Type, session, id, text string) redact.Line {
	return redact.New(redact.Options{}).Event(schema.Event{
		V: schema.Version, EventID: id, EventType: t, SessionID: session,
		Timestamp: time.Unix(1, 0), SourceSDK: "test", Origin: schema.OriginAPI,
		Role: schema.RoleUser, Content: text,
	})
}

func open(t testing.TB) *Journal {
	t.Helper()
	j, err := Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func mustAppend(t testing.TB, j *Journal, lines ...redact.Line) {
	t.Helper()
	if err := j.Append(lines...); err != nil {
		t.Fatal(err)
	}
}

// file returns the path of a session's file.
func file(t testing.TB, j *Journal, session string) string {
	t.Helper()
	path, err := j.path(session)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// appendRaw writes bytes that no Append wrote.
func appendRaw(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// read returns the event ids in a session's file after from, and the position and
// the count of torn lines at its end.
func read(t testing.TB, j *Journal, session string, from Position) (ids []string, end Position, torn int) {
	t.Helper()
	c, err := j.Read(session, from)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for {
		line, err := c.Next()
		if err == io.EOF {
			return ids, c.Position(), c.Torn()
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := schema.Decode(line)
		if err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		ids = append(ids, e.EventID)
	}
}

func TestAppendThenRead(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "a", "one"), line("other", "x", "two"), line("s", "b", "three"))
	mustAppend(t, j, line("s", "c", "four"))
	ids, end, torn := read(t, j, "s", Position{})
	if diff := cmp.Diff([]string{"a", "b", "c"}, ids); diff != "" || torn != 0 {
		t.Errorf("torn %d, ids %s", torn, diff)
	}
	text, err := os.ReadFile(file(t, j, "s"))
	if err != nil {
		t.Fatal(err)
	}
	if end.Offset != int64(len(text)) {
		t.Errorf("position %d, size %d", end.Offset, len(text))
	}
	for i, record := range strings.SplitAfter(string(text), "}\n") {
		if record != "" && (!strings.HasPrefix(record, "\n{") || strings.Count(record, "\n") != 2) {
			t.Errorf("record %d is not framed: %q", i, record)
		}
	}
}

func TestRecordsSurviveTornTails(t *testing.T) {
	whole := string(line("s", "torn", "text with \"quotes\" and a \\ in it").Bytes())
	for cut := 1; cut < len(whole); cut++ {
		j := open(t)
		mustAppend(t, j, line("s", "a", "1"))
		appendRaw(t, file(t, j, "s"), "\n"+whole[:cut])
		mustAppend(t, j, line("s", "b", "2"))
		ids, _, torn := read(t, j, "s", Position{})
		if diff := cmp.Diff([]string{"a", "b"}, ids); diff != "" || torn != 1 {
			t.Fatalf("cut at %d: torn %d, want 1; ids %s", cut, torn, diff)
		}
	}
}

func TestNewlinesBetweenTokensDoNotTearARecord(t *testing.T) {
	got := string(frame(nil, []byte("{\n\"a\":\n\n[1,\n2]}\n")))
	if want := "\n{ \"a\":  [1, 2]} \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestShortWriteIsWrittenAgainWhole(t *testing.T) {
	j := open(t)
	writes := 0
	j.write = func(f *os.File, p []byte) (int, error) {
		if writes++; writes == 1 {
			return writeOnce(f, p[:len(p)/2])
		}
		return writeOnce(f, p)
	}
	mustAppend(t, j, line("s", "a", "1"))
	ids, _, torn := read(t, j, "s", Position{})
	if diff := cmp.Diff([]string{"a"}, ids); diff != "" || torn != 1 || writes != 2 {
		t.Errorf("writes %d, torn %d, ids %s", writes, torn, diff)
	}
}

// TestShortWritesOfManyRecords: wherever writes fall short, and whatever another process
// writes in between, each record of an Append is in its file once, but for those that were
// torn, and in order.
func TestShortWritesOfManyRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j := open(t)
		var lines []redact.Line
		var want []string
		for i := range rapid.IntRange(2, 30).Draw(rt, "records") {
			id := strconv.Itoa(i)
			n := rapid.SampledFrom([]int{1, 100, 3000, maxWrite - 300, maxWrite, 2 * maxWrite}).Draw(rt, "length")
			typ := rapid.SampledFrom([]schema.Type{schema.Message, schema.Message, schema.SessionEnd}).Draw(rt, "type")
			lines, want = append(lines, typed(typ, "s", id, strings.Repeat("x", n))), append(want, id)
		}
		short, torn, others := false, 0, 0
		j.write = func(f *os.File, p []byte) (int, error) {
			if short = !short && rapid.Bool().Draw(rt, "short"); !short {
				return writeOnce(f, p)
			}
			n, err := writeOnce(f, p[:rapid.IntRange(0, len(p)-1).Draw(rt, "written")])
			if err == nil && n > whole(p[:n]) {
				torn++
			}
			if err == nil && rapid.Bool().Draw(rt, "another process") {
				_, err = writeOnce(f, frame(nil, line("s", "other", "1").Bytes()))
				others++
			}
			return n, err
		}
		if err := j.Append(lines...); err != nil {
			rt.Fatal(err)
		}
		ids, _, lost := read(t, j, "s", Position{})
		got := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "other" })
		if lost > torn || len(got) > len(want)+torn || len(ids)-len(got) != others {
			rt.Fatalf("%q, %d torn, for %q, %d torn, %d others", ids, lost, want, torn, others)
		}
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// TestFewWrites: records that follow each other share a write.
func TestFewWrites(t *testing.T) {
	j := open(t)
	writes := 0
	j.write = func(f *os.File, p []byte) (int, error) {
		writes++
		return writeOnce(f, p)
	}
	var lines []redact.Line
	for i := range 1000 {
		lines = append(lines, line("s", strconv.Itoa(i), "text"))
	}
	mustAppend(t, j, lines...)
	if ids, _, torn := read(t, j, "s", Position{}); len(ids) != 1000 || torn != 0 || writes > 10 {
		t.Errorf("%d records, %d torn, by %d writes", len(ids), torn, writes)
	}
}

func TestNeverAPartialAcknowledgement(t *testing.T) {
	j := open(t)
	j.write = func(f *os.File, p []byte) (int, error) { return writeOnce(f, p[:len(p)-1]) }
	if err := j.Append(line("s", "a", "1")); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("two short writes: %v", err)
	}
	full := &os.PathError{Op: "write", Path: "x", Err: fs.ErrInvalid}
	j.write = func(f *os.File, p []byte) (int, error) { return 0, full }
	if err := j.Append(line("s", "b", "1")); !errors.Is(err, full) || !strings.Contains(err.Error(), "session s") {
		t.Errorf("failed write: %v", err)
	}
	j.write = writeOnce
	mustAppend(t, j, line("s", "c", "1"))
	// "a" stands there but for its last newline, which the next record's first one
	// makes up for: read though not acknowledged, never the other way round.
	ids, _, _ := read(t, j, "s", Position{})
	if diff := cmp.Diff([]string{"a", "a", "c"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("SKIP: no /dev/full here")
	}
	j := open(t)
	if err := os.Symlink("/dev/full", file(t, j, "s")); err != nil {
		t.Fatal(err)
	}
	err := j.Append(line("s", "a", "1"))
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
	mustAppend(t, j, line("other", "a", "1")) // nothing else stops
}

// TestSyncsTheEndOfASession tells by a device that takes writes and refuses fsync.
func TestSyncsTheEndOfASession(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: only Linux refuses to sync /dev/null")
	}
	j := open(t)
	if err := os.Symlink(os.DevNull, file(t, j, "s")); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, line("s", "a", "1"), typed(schema.TurnEnd, "s", "b", ""))
	if err := j.Append(typed(schema.SessionEnd, "s", "c", "")); err == nil || !strings.Contains(err.Error(), "sync") {
		t.Errorf("%v, want an error of fsync", err)
	}
	if err := j.Sync("s"); err == nil {
		t.Error("Sync hides what fsync says")
	}
}

func TestRefusesWhatIsNoSessionID(t *testing.T) {
	j := open(t)
	for _, id := range []string{"", "../../etc/passwd", "a/b", "a.b", strings.Repeat("x", 129), "é"} {
		if _, err := j.Read(id, Position{}); err == nil {
			t.Errorf("Read(%q) opened", id)
		}
		if _, err := j.Stat(id); err == nil {
			t.Errorf("Stat(%q) answered", id)
		}
		if err := j.Sync(id); err == nil {
			t.Errorf("Sync(%q) synced", id)
		}
	}
}

func TestForeignSessionIDsStayInTheJournal(t *testing.T) {
	j := open(t)
	for i, id := range []string{"", "../../etc/passwd", "a/b", "é"} {
		mustAppend(t, j, line(id, "a", "1")) // redaction hashed the id
		files, err := j.Files()
		if err != nil || len(files) != i+1 {
			t.Errorf("%q: %v %v", id, files, err)
		}
	}
	if entries, err := os.ReadDir(j.Home()); err != nil || len(entries) != 3 {
		t.Errorf("home holds %v, want id, journal and key: %v", entries, err)
	}
}

func TestRefusesAnOverlongRecord(t *testing.T) {
	j := open(t)
	j.maxLine = 1000
	if err := j.Append(line("s", "a", strings.Repeat("x", 1000))); err == nil {
		t.Error("wrote a record that no reader would return")
	}
	mustAppend(t, j, line("s", "b", "1"))
}

func TestFilesAndStat(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("b", "1", "1"), line("a", "2", "2"))
	appendRaw(t, filepath.Join(j.dir(), "not a session.jsonl"), "x")
	appendRaw(t, filepath.Join(j.dir(), "a.jsonl.tmp"), "x")
	if err := os.Mkdir(filepath.Join(j.dir(), "dir.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	var want []File
	for _, session := range []string{"a", "b"} {
		f, err := j.Stat(session)
		if err != nil || f.Size == 0 || f.ModTime.IsZero() {
			t.Fatal(f, err)
		}
		want = append(want, f)
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	if _, err := j.Stat("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := j.Read("none", Position{}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrReplaced) {
		t.Error(err)
	}
}

func TestSync(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "a", "1"), typed(schema.SessionEnd, "s", "b", ""))
	for range 2 {
		if err := j.Sync("s"); err != nil {
			t.Error(err)
		}
	}
	if err := j.Sync("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a session without a file: %v", err)
	}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			session := fmt.Sprint("s", w%3)
			mustAppend(t, j, line(session, fmt.Sprint(w), ""))
			if err := j.Sync(session); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(j.fileSyncs) > 0 {
		t.Errorf("nobody waits any more, and %d sessions are kept", len(j.fileSyncs))
	}
}

// TestSharedRuns: whoever asks gets a run that began after that, and few are made.
func TestSharedRuns(t *testing.T) {
	var s shared
	var began atomic.Int64
	failed := errors.New("an odd run")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				before, mine := began.Load(), int64(0)
				err := s.run(func() error {
					mine = began.Add(1)
					time.Sleep(100 * time.Microsecond)
					if mine%2 == 1 {
						return failed
					}
					return nil
				})
				if after := began.Load(); after == before || mine > 0 && (err == failed) != (mine%2 == 1) {
					t.Errorf("%d runs had begun before, %d after, own run %d: %v", before, after, mine, err)
				}
			}
		})
	}
	wg.Wait()
	if n := began.Load(); n > 16*50/2 {
		t.Errorf("%d runs for %d calls", n, 16*50)
	}
}

func TestOpenRacesToOneIdentity(t *testing.T) {
	home := filepath.Join(t.TempDir(), "deep", "home")
	const n = 32
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			j, err := Open(home)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = j.ID() + fmt.Sprintf("%x", j.Key())
			if err := j.Append(line("s", fmt.Sprint("id", i), "1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || len(id) != 32+64 {
			t.Fatalf("%s and %s", ids[0], id)
		}
	}
	j, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := read(t, j, "s", Position{}); len(got) != n {
		t.Errorf("%d of %d records", len(got), n)
	}
	entries, err := os.ReadDir(home)
	if err != nil || len(entries) != 3 {
		t.Errorf("home holds %v, want id, journal and key: %v", entries, err)
	}
}

func TestOpenHealsAnEmptyIdentity(t *testing.T) {
	j := open(t)
	for _, name := range []string{"id", "key"} {
		if err := os.Truncate(filepath.Join(j.Home(), name), 0); err != nil {
			t.Fatal(err)
		}
	}
	first, err := Open(j.Home())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(j.Home())
	if err != nil || again.ID() != first.ID() || len(first.ID()) != 32 || len(first.Key()) != 32 {
		t.Errorf("%q %q %v", first.ID(), again.ID(), err)
	}
}

func TestAppendMakesWhatWasRemoved(t *testing.T) {
	j := open(t)
	if err := os.RemoveAll(j.Home()); err != nil {
		t.Fatal(err)
	}
	if files, err := j.Files(); err != nil || len(files) != 0 {
		t.Errorf("%v %v", files, err)
	}
	mustAppend(t, j, line("s", "a", "1"))
	if ids, _, _ := read(t, j, "s", Position{}); len(ids) != 1 {
		t.Error(ids)
	}
}

func TestUnusableHomes(t *testing.T) {
	dir := t.TempDir()
	appendRaw(t, filepath.Join(dir, "file"), "x")
	homes := []string{"", filepath.Join(dir, "file"), filepath.Join(dir, "file", "below")}
	if runtime.GOOS == "linux" {
		homes = append(homes, "/proc/ag", "/sys/ag/home") // refused even to root
	}
	for _, home := range homes {
		if _, err := Open(home); err == nil || !strings.Contains(err.Error(), "AG_HOME") {
			t.Errorf("Open(%q): %v, want an error that names the cure", home, err)
		}
	}
}

func TestDefaultHome(t *testing.T) {
	t.Setenv("AG_HOME", "/x/y")
	if got := DefaultHome(); got != "/x/y" {
		t.Error(got)
	}
	t.Setenv("AG_HOME", "")
	t.Setenv("HOME", "/h")
	t.Setenv("USERPROFILE", "/h")
	if got := DefaultHome(); got != filepath.Join("/h", ".actiongraph") {
		t.Error(got)
	}
}
