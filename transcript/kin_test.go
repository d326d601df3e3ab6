package transcript

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
)

// TestIndexOfNegativeNumbers: an index that somebody spoilt is none, and costs nobody anything.
func TestIndexOfNegativeNumbers(t *testing.T) {
	good := entry{session: "s", size: 5, modTime: lookAgain, end: 4, Position: Position{Offset: 3, Lines: 2}}
	line := string(appendEntry(nil, "/a", good))
	if _, _, ok := parseEntry(line); !ok {
		t.Fatalf("%q is none", line)
	}
	fields := strings.Split(line, "\t")
	for _, k := range []int{1, 3, 4, 5} {
		bad := append([]string{}, fields...)
		bad[k] = "-300"
		if _, _, ok := parseEntry(strings.Join(bad, "\t")); ok {
			t.Errorf("%q is one", bad)
		}
	}
}

// TestLostIndex: the index is lost, and a session that was copied is gone later: how its file
// began is noted again while that is there.
func TestLostIndex(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		wantTokens, wantAnswers := spent(t, data)
		dir, home := realDir(t), filepath.Join(realDir(t), "home")
		var r *Reader
		for k, path := range byBirth(t, data) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			there := filepath.Join(dir, filepath.Base(path))
			old(t, write(t, string(text), there))
			r = newReader(t, home)
			clean(t, r, Options{}, dir)
			if k == 0 { // what is gone is known from the index alone
				if err := os.Remove(filepath.Join(home, IndexFile)); err != nil {
					t.Fatal(err)
				}
				clean(t, newReader(t, home), Options{}, dir)
			}
			if err := os.Remove(there); err != nil {
				t.Fatal(err)
			}
		}
		if tokens, answers, _, _ := told(t, r); tokens != wantTokens || answers != wantAnswers {
			t.Errorf("%d tokens of %d answers, want %d of %d", tokens, answers, wantTokens, wantAnswers)
		}
	})
}

// TestHeadOfAnotherProgramsFile: where no answer comes nothing is read to the end, nor again.
func TestHeadOfAnotherProgramsFile(t *testing.T) {
	dir := realDir(t)
	path := write(t, strings.Repeat(`{"timestamp":"2026-01-01T00:00:00Z","text":"`+strings.Repeat("x", 1000)+"\"}\n", 2*mostOther/1000), dir, "other.jsonl")
	l := &counted{}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l.r = bytes.NewReader(text)
	h, err := readHead(lines.Peek(l), "")
	if err != nil || !h.vain || l.n > mostOther+2*lines.BufferSize {
		t.Errorf("%v, %+v, %d of %d bytes were read", err, h, l.n, len(text))
	}
	conversation := `{"parentUuid":null,"type":"user","uuid":"u"}` + "\n"
	long := strings.Repeat(conversation, 1000) + strings.Repeat("x", mostOther+1) + "\n" + `{"parentUuid":"u","type":"assistant","uuid":"v","requestId":"r","message":{"id":"m"}}` + "\n"
	if h, err := readHead(lines.Peek(strings.NewReader(long)), ""); err != nil || h.vain || h.answer != hashOf("m") {
		t.Errorf("%v, %+v", err, h)
	}
	d := &folder{heads: map[string]head{}, alike: map[uint64][]string{}}
	d.look(dir+"/", nil)
	was := d.heads["other.jsonl"].size
	appendTo(t, path, []byte(conversation))
	d.looked = time.Time{}
	if d.look(dir+"/", nil); was == 0 || d.heads["other.jsonl"].size != was {
		t.Errorf("it was read at %d bytes, and again at %d", was, d.heads["other.jsonl"].size)
	}
}

// counted counts what is read.
type counted struct {
	r *bytes.Reader
	n int64
}

func (c *counted) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(b, off)
	c.n += int64(n)
	return n, err
}

// TestTimesToCome: nobody waits for files of the future, nor lists their folders again and again.
func TestTimesToCome(t *testing.T) {
	dir := realDir(t)
	copyTree(t, "testdata/copies/fork-2.1.100", dir)
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	future := time.Now().Add(24 * time.Hour)
	for _, path := range append(paths, dir) {
		if err := os.Chtimes(path, future, future); err != nil {
			t.Fatal(err)
		}
	}
	r := newReader(t, filepath.Join(realDir(t), "home"))
	began := time.Now()
	clean(t, r, Options{}, dir)
	if took := time.Since(began); took > forkPatience {
		t.Errorf("it took %v", took)
	}
	for name, d := range r.kin.folders {
		if d.listed.IsZero() {
			t.Error(fmt.Sprint(name, " is to be listed again"))
		}
	}
}

// TestHeadOfAGrowingFile: how a file begins is noted once it has an answer, though what is kept
// of it since its prompt spares to look at its beginning.
func TestHeadOfAGrowingFile(t *testing.T) {
	paths := chain(t, realDir(t), 1)
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	prompt, rest, _ := bytes.Cut(text, []byte("\n"))
	write(t, string(prompt)+"\n", paths[0])
	r, live, e := newReader(t, filepath.Join(realDir(t), "home")), &live{}, entry{}
	for range 2 {
		file, err := Stat(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		e.remind(&file)
		report, at, err := r.read(t.Context(), file, e.Position, nil, live)
		if err != nil || report.failed || live.at(at) == nil {
			t.Fatal(err, report)
		}
		e = newEntry(file, at, &report)
		appendTo(t, paths[0], rest)
	}
	if e.first == 0 || e.answer != hashOf("m0-0") {
		t.Errorf("%+v", e.begins)
	}
}
