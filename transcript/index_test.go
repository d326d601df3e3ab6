package transcript

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
)

func testJournal(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// TestIndexForgets: no session that was forgotten is in the index, whoever writes it, on
// whichever machine; the others stay as they were.
func TestIndexForgets(t *testing.T) {
	j := testJournal(t)
	path := filepath.Join(j.Home(), IndexFile)
	index := map[string]entry{"/p/gone.jsonl": {session: "gone"}, "/p/gone/agent.jsonl": {session: "gone"}, "/p/stays.jsonl": {session: "stays"}}
	if err := writeIndex(j, "host", index); err != nil {
		t.Fatal(err)
	}
	forget := func() {
		t.Helper()
		if err := j.Forget([]string{"gone"}, "forget", time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(j.Home(), IndexFile+".123.tmp"), []byte("gone"), 0o600)
		if err := DropForgotten(j); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(path + "*")
		text, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(text), "gone") || !strings.Contains(string(text), "stays") || len(files) != 1 {
			t.Errorf("%v, %v: %s", files, err, text)
		}
	}
	forget()
	// A follower that has them still writes the others.
	index["/p/new.jsonl"] = entry{session: "new"}
	if err := writeIndex(j, "host", index); err != nil {
		t.Fatal(err)
	}
	if got := readIndex(j.Home(), "host"); len(got) != 2 || got["/p/new.jsonl"].session != "new" {
		t.Errorf("%v", got)
	}
	if err := putIndex(j.Home(), "other host", index); err != nil {
		t.Fatal(err)
	}
	forget()
	if got := readIndex(j.Home(), "other host"); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

func TestIndexRoundTrip(t *testing.T) {
	j := testJournal(t)
	home := j.Home()
	want := map[string]entry{}
	r := rand.New(rand.NewPCG(1, 2))
	for _, path := range []string{"/a/b.jsonl", "/tab\there", "/new\nline", `/quo"te`, `"`, "/ä ö", "\xff\xfe", `C:\x\y`} {
		want[path] = entry{Position: Position{Offset: r.Int64(), Lines: r.Int64(), Sum: r.Uint64(), First: r.Uint64(), All: r.Uint32()}, session: "s", skipped: skipped{broken: r.Int64N(2), unknown: map[string]int64{"a/b": 1, "other types": 2}}, inode: r.Uint64(), mark: r.Uint64(), size: r.Int64(), modTime: r.Int64(), end: r.Int64()}
	}
	if err := writeIndex(j, "host", want); err != nil {
		t.Fatal(err)
	}
	got := readIndex(home, "host")
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	for path, e := range want {
		if !reflect.DeepEqual(got[path], e) {
			t.Errorf("%q: %+v, want %+v", path, got[path], e)
		}
	}
	if len(readIndex(home, "other host")) != 0 {
		t.Error("the index of another machine was read")
	}
	info, err := os.Stat(filepath.Join(home, IndexFile))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// What another import wrote meanwhile stays.
	if err := writeIndex(j, "host", map[string]entry{"/new": {session: "n"}}); err != nil {
		t.Fatal(err)
	}
	if got := readIndex(home, "host"); len(got) != len(want)+1 || got["/new"].session != "n" {
		t.Errorf("%d entries", len(got))
	}
	left, _ := filepath.Glob(filepath.Join(home, "*.tmp"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func FuzzIndexLine(f *testing.F) {
	f.Add("s\t1\t2\t3\t4\t5\tff\t0\t/a/b\n")
	f.Add("s\t1\t2\t3\t4\t5\tff\t0\t\"/a\\nb\"\n")
	f.Fuzz(func(t *testing.T, line string) {
		path, e, ok := parseEntry(line)
		if !ok {
			return
		}
		again, e2, ok := parseEntry(string(appendEntry(nil, path, e)))
		if !ok || again != path || !reflect.DeepEqual(e2, e) {
			t.Errorf("%q: %q %+v, then %q %+v %v", line, path, e, again, e2, ok)
		}
	})
}
