package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestUndatedHead: lines at the head of a file that have no time have the first one that follows, however
// many or long they are, and in however many goes the file is read, each by somebody who was
// not there before.
func TestUndatedHead(t *testing.T) {
	line := func(i int, member string, long int) string {
		return fmt.Sprintf(`{%s"type":"user_output","role":"assistant","text":"m%d %s"}`+"\n", member, i, strings.Repeat("x", long))
	}
	timed := line(1, `"timestamp":"2020-01-02T03:04:05Z",`, 10)
	var many strings.Builder
	for i := range 3000 {
		many.WriteString(line(i, "", 100))
	}
	for name, head := range map[string]string{"many lines": many.String(), "a long line": line(0, "", longLine+1) + line(2, `"timestamp":null,`, 1), "both": line(0, "", longLine+1) + many.String()} {
		for _, form := range []func(string) string{func(s string) string { return s }, func(s string) string { return packed(t, s) }} {
			dir := realDir(t)
			path := write(t, form(head+timed+line(4000, "", 1)), dir, "trace-1.jsonl")
			r := newReader(t, filepath.Join(dir, "home"))
			clean(t, r, Options{Format: "audit"}, path)
			want := facts(t, r.Journal)
			if len(want) < 3 {
				t.Errorf("%s: %d facts", name, len(want))
			}
			for fact := range want {
				if !strings.Contains(fact, `"timestamp":"2020-01-02T03:04:05.000000000Z"`) {
					t.Fatalf("%s: %.300s", name, fact)
				}
			}
			if err := os.Chtimes(path, time.Time{}, time.Unix(1.6e9, 0)); err != nil {
				t.Fatal(err)
			}
			again := newReader(t, filepath.Join(dir, "again"))
			for more, goes := true, 0; more; goes++ {
				if goes > 100 {
					t.Fatal("it does not end")
				}
				more = oneGo(t, again, path)
			}
			lossless(t, want, facts(t, again.Journal))
		}
	}
}

// oneGo reads a block or so of a dump, and says whether there is more.
func oneGo(t *testing.T, r *Reader, path string) (more bool) {
	t.Helper()
	s := &stream{Reader: r, o: Options{Format: "audit"}, path: path, followed: true, patient: time.Hour, counts: newCounts()}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		_, err = s.identify(f, info)
	}
	if err == nil {
		more, err = s.read(t.Context(), f, info, 1)
	}
	if err == nil {
		err = s.note()
	}
	if err != nil {
		t.Fatal(err)
	}
	return more
}
