package packed_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

func open(t testing.TB, home string) *journal.Journal {
	t.Helper()
	j, err := packed.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// line is an event of a session, with an id and a text of its own.
func line(session, id, text string) redact.Line {
	return redact.New(redact.Options{}).Event(schema.Event{
		V: schema.Version, EventID: id, EventType: schema.Message, SessionID: session,
		Timestamp: time.Unix(1, 0), SourceSDK: "test", Origin: schema.OriginAPI, Role: schema.RoleUser, Content: text,
	})
}

func add(t testing.TB, j *journal.Journal, lines ...redact.Line) {
	t.Helper()
	if err := j.Append(lines...); err != nil {
		t.Fatal(err)
	}
}

func pack(t testing.TB, j *journal.Journal, session string) {
	t.Helper()
	if err := j.Pack(t.Context(), session); err != nil {
		t.Fatal(err)
	}
}

// path is a file of a session.
func path(j *journal.Journal, session, suffix string) string {
	return filepath.Join(journal.Dir(j.Home()), session+".jsonl"+suffix)
}

// content is all that a session holds.
func content(t testing.TB, j *journal.Journal, session string) []byte {
	t.Helper()
	c, err := j.Content(session)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ids are the events behind a position, and the position at the end.
func ids(t testing.TB, j *journal.Journal, session string, from journal.Position) (ids []string, end journal.Position) {
	t.Helper()
	c, err := j.Read(session, from)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return next(t, c), c.Position()
}

// next are the events that a cursor has now.
func next(t testing.TB, c *journal.Cursor) (ids []string) {
	t.Helper()
	for {
		text, err := c.Next()
		if err == io.EOF {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := schema.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.EventID)
	}
}

// names are the files of the journal.
func names(t testing.TB, j *journal.Journal) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(journal.Dir(j.Home()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
	return all
}

// A journal of which sessions are packed now and then is read as one in which nothing ever
// was: the same bytes at the same offsets, the same positions, by readers that began before,
// in between and after.
func TestPackedReadsAsPlain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		j, plain := open(t, filepath.Join(dir, "a")), open(t, filepath.Join(dir, "b"))
		sessions := []string{"s", "s-1", "s_"} // neighbours in a folder
		n := 0
		type reader struct {
			session string
			packed  *journal.Cursor
			plain   *journal.Cursor
		}
		var readers []reader
		defer func() {
			for _, r := range readers {
				r.packed.Close()
				r.plain.Close()
			}
		}()
		positions := map[string][]journal.Position{}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				session := rapid.SampledFrom(sessions).Draw(rt, "session")
				size := rapid.SampledFrom([]int{0, 1, 100, 100, 3000, 3000, 5000, 5000, 9000, 300_000}).Draw(rt, "size")
				n++
				l := line(session, fmt.Sprint("e", n), strings.Repeat(fmt.Sprint(n, " "), size/7))
				add(t, j, l)
				add(t, plain, l)
			},
			"torn": func(rt *rapid.T) {
				session := rapid.SampledFrom(sessions).Draw(rt, "session")
				text := rapid.SampledFrom([]string{"\n", "\n{\"torn", "garbage\n", "\n\n{}"}).Draw(rt, "text")
				for _, home := range []*journal.Journal{j, plain} {
					raw(t, path(home, session, ""), text)
				}
			},
			"pack": func(rt *rapid.T) {
				session := rapid.SampledFrom(sessions).Draw(rt, "session")
				_, err := os.Stat(path(j, session, ""))
				switch packErr := j.Pack(t.Context(), session); {
				case err == nil && packErr != nil:
					rt.Fatal(packErr)
				case err != nil && !errors.Is(packErr, journal.ErrPacked) && !errors.Is(packErr, fs.ErrNotExist):
					rt.Fatalf("nothing to pack: %v", packErr)
				case packErr == nil && !bytes.Equal(content(t, j, session), content(t, plain, session)):
					rt.Fatal("the content differs")
				}
			},
			"begin": func(rt *rapid.T) {
				session := rapid.SampledFrom(sessions).Draw(rt, "session")
				if _, err := plain.Stat(session); err != nil {
					return
				}
				from := journal.Position{}
				if old := positions[session]; len(old) > 0 {
					from = rapid.SampledFrom(old).Draw(rt, "from")
				}
				a, err := j.Read(session, from)
				if err != nil {
					rt.Fatalf("from %v: %v", from, err)
				}
				b, err := plain.Read(session, from)
				if err != nil {
					rt.Fatal(err)
				}
				readers = append(readers, reader{session, a, b})
			},
			"read": func(rt *rapid.T) {
				if len(readers) == 0 {
					return
				}
				r := rapid.SampledFrom(readers).Draw(rt, "reader")
				for range rapid.IntRange(1, 5).Draw(rt, "records") {
					a, errA := r.packed.Next()
					b, errB := r.plain.Next()
					if !bytes.Equal(a, b) || errA != errB {
						rt.Fatalf("%.50q %v, not packed %.50q %v", a, errA, b, errB)
					}
				}
				p, want := r.packed.Position(), r.plain.Position()
				if p != want || r.packed.Torn() != r.plain.Torn() {
					rt.Fatalf("at %v, not packed %v", p, want)
				}
				if p.Offset > 0 {
					positions[r.session] = append(positions[r.session], p)
				}
			},
			"": func(rt *rapid.T) {
				got, err := j.Files()
				want, errWant := plain.Files()
				if err != nil || errWant != nil {
					rt.Fatal(err, errWant)
				}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(journal.File{}, "ModTime", "Stored", "Packed")); diff != "" {
					rt.Fatal(diff)
				}
				for i, f := range got {
					if one, err := j.Stat(f.Session); err != nil || one != f {
						rt.Fatalf("%v %v, listed %v", one, err, f)
					}
					end, err := j.End(f)
					wantEnd, errWant := plain.End(want[i])
					if end != wantEnd || err != nil || errWant != nil {
						rt.Fatalf("ends at %d %v, not packed %d", end, err, wantEnd)
					}
				}
			},
		})
	})
}

func raw(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is packed keeps the time at which the session was written to, takes less room, and is
// what zstd makes: whoever has only that reads it.
func TestPackKeepsTimes(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "home"))
	for i := range 500 { // with a record longer than a frame
		add(t, j, line("s", fmt.Sprint(i), strings.Repeat("much the same ", 20+200_000*(i/499))))
	}
	before := content(t, j, "s")
	at := time.Now().Add(-40 * 24 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path(j, "s", ""), at, at); err != nil {
		t.Fatal(err)
	}
	pack(t, j, "s")
	f, err := j.Stat("s")
	if err != nil || !f.ModTime.Equal(at) || f.Size != int64(len(before)) || f.Packed != f.Size || f.Stored == 0 || f.Stored > f.Size/10 {
		t.Errorf("%+v %v", f, err)
	}
	if got := names(t, j); !slices.Equal(got, []string{"s.jsonl.zst"}) {
		t.Errorf("files %q", got)
	}
	if got := unzstd(t, path(j, "s", ".zst")); !bytes.Equal(got, before) {
		t.Error("zstd has something else")
	}
	if err := j.Pack(t.Context(), "s"); !errors.Is(err, journal.ErrPacked) {
		t.Errorf("again: %v", err)
	}
	if err := j.Pack(t.Context(), "nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no session: %v", err)
	}
	if err := j.Pack(t.Context(), "../s"); err == nil {
		t.Error("no id")
	}
	if err := j.Sync("s"); err != nil {
		t.Errorf("sync: %v", err)
	}
}

// Each set of files that a kill can leave is read as one content, and completed.
func TestEveryState(t *testing.T) {
	// old is what was packed before, aside what is being packed, late what was written to that
	// after it was packed, now what was written since.
	old, aside, late, now := "", "", "", ""
	for i := range 3 {
		old += "\n" + string(line("s", fmt.Sprint("old", i), "x").Bytes()) + "\n"
		aside += "\n" + string(line("s", fmt.Sprint("aside", i), "x").Bytes()) + "\n"
	}
	late = "\n" + string(line("s", "late", "x").Bytes()) + "\n"
	now = "\n" + string(line("s", "now", "x").Bytes()) + "\n"
	type files map[string]string // by suffix
	for name, c := range map[string]struct {
		files files
		want  string // what it holds, before and after it is completed
		after string // where that differs
	}{
		"a piece of a pack":             {files{".zst.tmp": "piece", "": aside}, aside, ""},
		"put aside":                     {files{".packing": aside}, aside, ""},
		"put aside, and more":           {files{".packing": aside, "": now}, aside + now, ""},
		"put aside, a piece":            {files{".packing": aside, ".zst.tmp": "piece", "": now}, aside + now, ""},
		"packed":                        {files{".zst.new": aside, ".packing": aside, "": now}, aside + now, ""},
		"packed, late lines":            {files{".zst.new": aside, ".packing": aside + late, "": now}, aside + now, aside + now + late},
		"packed, a line half":           {files{".zst.new": aside + late[:20], ".packing": aside + late, "": now}, aside + late[:20] + now, aside + late[:20] + now + "\n" + late[1:]},
		"packed, nothing since":         {files{".zst.new": aside, ".packing": aside}, aside, ""},
		"the aside gone":                {files{".zst.new": aside, "": now}, aside + now, ""},
		"again":                         {files{".zst": old, "": now}, old + now, ""},
		"again, a piece":                {files{".zst": old, "": now, ".zst.tmp": "piece"}, old + now, ""},
		"again, put aside":              {files{".zst": old, ".packing": aside, "": now}, old + aside + now, ""},
		"again, packed":                 {files{".zst": old, ".zst.new": old + aside, ".packing": aside, "": now}, old + aside + now, ""},
		"again, the same once more":     {files{".zst": old, ".zst.new": old + old, ".packing": old, "": now}, old + old + now, ""},
		"again, the same is put aside":  {files{".zst": old, ".packing": old, "": now}, old + old + now, ""},
		"again, packed, late lines":     {files{".zst": old, ".zst.new": old + aside, ".packing": aside + late}, old + aside, old + aside + late},
		"again, packed, the aside gone": {files{".zst": old, ".zst.new": old + aside, "": now}, old + aside + now, ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t, filepath.Join(t.TempDir(), "home"))
			add(t, j, line("other", "x", "x"))
			for suffix, text := range c.files {
				if suffix == ".zst" || suffix == ".zst.new" {
					text = zstd(t, text)
				}
				raw(t, path(j, "s", suffix), text)
			}
			check := func(when, want string) {
				t.Helper()
				if got := string(content(t, j, "s")); got != want {
					t.Errorf("%s it holds\n%s\nwant\n%s", when, got, want)
				}
				all, err := j.Files()
				if err != nil || len(all) != 2 || all[1].Session != "s" || all[1].Size != int64(len(want)) {
					t.Errorf("%s: %+v %v, want %d bytes", when, all, err, len(want))
				}
				if one, err := j.Stat("s"); err != nil || one != all[1] {
					t.Errorf("%s: %+v %v, listed %+v", when, one, err, all[1])
				}
			}
			check("before", c.want)
			reading, err := j.Read("s", journal.Position{})
			if err != nil {
				t.Fatal(err)
			}
			defer reading.Close()
			next(t, reading)
			n, err := j.CompletePacks(t.Context())
			if err != nil || n > 1 {
				t.Fatal(n, err)
			}
			if c.after == "" {
				c.after = c.want
			}
			check("completed,", c.after)
			next(t, reading) // goes on where it was
			if got, at := reading.Position(), int64(len(c.want)); got.Offset > at && c.after == c.want {
				t.Errorf("read twice, up to %v of %d", got, at)
			}
			if got := names(t, j); slices.ContainsFunc(got, func(s string) bool {
				return strings.HasSuffix(s, ".tmp") || strings.HasSuffix(s, ".new") || strings.HasSuffix(s, ".packing")
			}) {
				t.Errorf("left %q", got)
			}
			if err := j.Pack(t.Context(), "s"); err != nil && !errors.Is(err, journal.ErrPacked) {
				t.Fatal(err)
			}
			check("packed,", c.after)
			if got := names(t, j); !slices.Equal(got, []string{"other.jsonl", "s.jsonl.zst"}) {
				t.Errorf("files %q", got)
			}
		})
	}
}

// Forgetting takes every file, and a session that was forgotten is not brought back by its pack.
func TestForgetPacked(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "home"))
	for _, suffix := range []string{"", ".zst", ".packing", ".zst.new", ".zst.tmp"} {
		raw(t, path(j, "s", suffix), zstd(t, "x"))
	}
	if err := j.Forget([]string{"s"}, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, j); len(got) > 0 {
		t.Errorf("left %q", got)
	}
	// As if the pack had come between: the next look takes it away.
	raw(t, path(j, "s", ".zst.new"), zstd(t, "x"))
	if _, err := j.CompletePacks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, j); len(got) > 0 {
		t.Errorf("left %q", got)
	}
}

// A program that does not unpack says so: to take the session for gone or for another would
// have a store fold it again, or drop it.
func TestWithoutCodec(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	j := open(t, home)
	add(t, j, line("s", "a", "x"), line("t", "b", "x"))
	_, end := ids(t, j, "s", journal.Position{})
	pack(t, j, "s")
	plain, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []journal.Position{{}, end} {
		_, err := plain.Read("s", from)
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, journal.ErrReplaced) || !strings.Contains(err.Error(), "s.jsonl.zst: the session is packed") {
			t.Errorf("read from %v: %v", from, err)
		}
	}
	if _, err := plain.Stat("s"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
	if all, err := plain.Files(); err != nil || len(all) != 2 || all[0].Session != "s" || all[0].Size == 0 {
		t.Errorf("listed %+v %v", all, err)
	}
	if err := plain.Pack(t.Context(), "t"); err == nil {
		t.Error("it packs")
	}
	// A hook goes on, and nobody takes the session for a new one.
	add(t, plain, line("s", "c", "x"))
	if got, _ := ids(t, j, "s", end); !slices.Equal(got, []string{"c"}) {
		t.Errorf("after the hook: %q", got)
	}
}

// A file that is damaged costs itself, and says so by its name.
func TestDamaged(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "home"))
	add(t, j, line("t", "b", "x"))
	for i := range 50 {
		add(t, j, line("s", fmt.Sprint(i), strings.Repeat(fmt.Sprint(i), 1000)))
	}
	_, end := ids(t, j, "s", journal.Position{})
	pack(t, j, "s")
	whole, err := os.ReadFile(path(j, "s", ".zst"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int, b byte) []byte { c := bytes.Clone(whole); c[i] ^= b; return c }
	cases := map[string][]byte{"empty": {}, "cut": whole[:len(whole)/2], "no table": whole[:len(whole)-9], "text": []byte("hello"), "table": at(len(whole)-14, 0x80),
		"frames": at(len(whole)-7, 0xff), "sizes": at(len(whole)-9-11, 0xff), "lengths": at(len(whole)-9-5, 0xff), "content": at(len(whole)/2, 1)}
	for name, text := range cases {
		if err := os.WriteFile(path(j, "s", ".zst"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		j := open(t, j.Home())
		var c *journal.Cursor
		for _, from := range []journal.Position{{}, end} {
			if c, err = j.Read("s", from); err == nil {
				for err == nil {
					_, err = c.Next()
				}
				c.Close()
			}
			if errors.Is(err, io.EOF) && from == end && name == "content" {
				continue // what it reads of it is whole
			}
			if err == nil || !strings.Contains(err.Error(), "s.jsonl.zst is damaged") || errors.Is(err, fs.ErrNotExist) || errors.Is(err, journal.ErrReplaced) {
				t.Errorf("%s, from %d: %v", name, from.Offset, err)
			}
		}
		all, err := j.Files()
		if err != nil || len(all) != 2 {
			t.Errorf("%s: listed %+v %v", name, all, err)
		}
		if got, _ := ids(t, j, "t", journal.Position{}); len(got) != 1 {
			t.Errorf("%s: the other session has %q", name, got)
		}
		add(t, j, line("s", "more", "x"))
		if err := j.Pack(t.Context(), "s"); err == nil {
			t.Errorf("%s: packed over it", name)
		}
		if _, err := os.Stat(path(j, "s", "")); err != nil {
			t.Errorf("%s: what was not packed: %v", name, err)
		}
		os.Remove(path(j, "s", ""))
	}
}

// Rewrite reaches what is packed.
func TestRewritePacked(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "home"))
	for i := range 9 {
		if i == 3 {
			raw(t, path(j, "s", ""), "\n{\"torn\":\"secret")
		}
		add(t, j, line("s", fmt.Sprint("e", i), "my secret word"))
		if i == 5 {
			pack(t, j, "s")
		}
	}
	hide := func(line []byte) []byte {
		if bytes.Contains(line, []byte("e4")) {
			return nil
		}
		return bytes.ReplaceAll(line, []byte("secret"), []byte("[REDACTED]"))
	}
	open, err := j.Read("s", journal.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	next(t, open)
	for want := range []int{10, 0} {
		n, err := j.Rewrite("s", hide)
		if err != nil || want == 0 && n != 10 || want == 1 && n != 0 {
			t.Errorf("rewrote %d %v", n, err)
		}
	}
	if got := content(t, j, "s"); bytes.Contains(got, []byte("secret")) || bytes.Count(got, []byte("[REDACTED]")) != 9 {
		t.Errorf("holds\n%s", got)
	}
	if got, _ := ids(t, j, "s", journal.Position{}); !slices.Equal(got, []string{"e0", "e1", "e2", "e3", "e5", "e6", "e7", "e8"}) {
		t.Errorf("events %q", got)
	}
	if _, err := open.Next(); !errors.Is(err, journal.ErrReplaced) {
		t.Errorf("who read what was there before: %v", err)
	}
	if got := names(t, j); !slices.Equal(got, []string{"s.jsonl", "s.jsonl.zst"}) {
		t.Errorf("files %q", got)
	}
}

// A session that is forgotten at any moment of its packing is gone.
func TestForgetWhilePacking(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "home"))
	for i := range 100 {
		session := fmt.Sprint("s", i)
		add(t, j, line(session, "a", "x"))
		if i%2 == 0 {
			pack(t, j, session)
			add(t, j, line(session, "b", "x"))
		}
		packing := make(chan error, 1)
		go func() { packing <- j.Pack(t.Context(), session) }()
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		if err := j.Forget([]string{session}, "test", time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := <-packing; err != nil {
			t.Errorf("the pack: %v", err)
		}
	}
	if got := names(t, j); len(got) > 0 {
		t.Errorf("left %q", got)
	}
}
