package transcript

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// copiesOf is what a file of a folder has of others.
type copiesOf struct {
	Copies []claude.Copies
	Parent []claude.Origin
}

// ask finds the copies in a file, by a family that is kept or one that is not.
func ask(t *testing.T, r *Reader, path string, kept bool) (c copiesOf) {
	t.Helper()
	file, info, err := lines.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h, err := readHead(lines.Peek(file), named(path))
	if err != nil {
		t.Fatal(err)
	}
	h.size = info.Size()
	p := &reading{Reader: r, file: File{Path: path, Session: named(path)}}
	relatives := r.kin.of(path, h, r.Journal)
	f, release := p.small(h, relatives), func() {}
	if kept {
		f, release = p.large(h, relatives)
	}
	defer release()
	if c.Copies, c.Parent, err = f.copies(lines.Peek(file)); err != nil || len(p.report.Problems) > 0 {
		t.Fatal(err, p.report.Problems)
	}
	return c
}

// TestKeptFamilies: what is kept of a family says of each of its files what its relatives, read
// for it alone, do, in any order and while they grow.
func TestKeptFamilies(t *testing.T) {
	copied(t, func(t *testing.T, data string) {
		dir := realDir(t)
		r := newReader(t, filepath.Join(realDir(t), "home"))
		paths := byBirth(t, data)
		found := 0
		for _, part := range []int{2, 1} {
			for _, path := range paths {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				old(t, write(t, string(text[:len(text)/part]), dir, filepath.Base(path)))
				for _, path := range paths {
					path = filepath.Join(dir, filepath.Base(path))
					if _, err := os.Stat(path); err != nil {
						continue
					}
					want, got := ask(t, &Reader{}, path, false), ask(t, r, path, true)
					if !cmp.Equal(want, got) {
						t.Errorf("%s: %s", path, cmp.Diff(want, got))
					}
					found += len(got.Copies)
				}
			}
		}
		if found == 0 {
			t.Error("there were no copies")
		}
	})
}

// chain writes sessions each of which begins with all lines of the one before.
func chain(t *testing.T, dir string, files int) (paths []string) {
	var lines string
	for k := range files {
		session := fmt.Sprintf("%08d-1111-4111-8111-111111111111", k)
		for n := range 3 {
			lines += fmt.Sprintf(`{"parentUuid":null,"type":"user","sessionId":"SESSION","uuid":"u%d-%d","timestamp":"2026-06-14T10:%02d:%02dZ","message":{"role":"user","content":"hi"}}`+"\n", k, n, k, n)
			lines += fmt.Sprintf(`{"parentUuid":null,"type":"assistant","sessionId":"SESSION","uuid":"a%d-%d","timestamp":"2026-06-14T10:%02d:%02dZ","requestId":"r%d-%d","message":{"id":"m%d-%d","role":"assistant","model":"claude","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":1,"output_tokens":7}}}`+"\n", k, n, k, 10+n, k, n, k, n)
		}
		path := write(t, strings.ReplaceAll(lines, "SESSION", session), dir, session+suffix)
		old(t, path)
		paths = append(paths, path)
	}
	return paths
}

// TestLargeFamiliesAreReadOnce: a session that was resumed often is not read whole for each of
// its files; whose is deleted is read from the journal, and whose is replaced anew.
func TestLargeFamiliesAreReadOnce(t *testing.T) {
	dir := realDir(t)
	paths := chain(t, dir, largeFamily+3)
	r := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, r, Options{}, dir)
	tokens, answers := spent(t, dir)
	if gotTokens, gotAnswers, from, _ := told(t, r); gotTokens != tokens || gotAnswers != answers || len(from) != len(paths)-1 {
		t.Errorf("%d tokens of %d answers from %v, want %d of %d", gotTokens, gotAnswers, from, tokens, answers)
	}
	last := paths[len(paths)-1]
	want := ask(t, r, last, true)
	texts := map[string]string{}
	for _, path := range paths[:len(paths)-1] {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
		old(t, write(t, strings.Repeat("x", len(text)), path)) // who reads it again finds nothing
	}
	if got := ask(t, r, last, true); len(want.Copies) == 0 || !cmp.Equal(want, got) {
		t.Errorf("they were read again: %s", cmp.Diff(want, got))
	}
	for path, text := range texts { // what has become shorter is another file
		old(t, write(t, text[:len(text)/2], path))
	}
	if want, got := ask(t, r, last, false), ask(t, r, last, true); !cmp.Equal(want, got) {
		t.Errorf("replaced: %s", cmp.Diff(want, got))
	}
	for path := range texts {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if want, got := ask(t, r, last, false), ask(t, r, last, true); !cmp.Equal(want, got) {
		t.Errorf("gone: %s", cmp.Diff(want, got))
	}
	if got := len(r.kin.kept); got != 1 {
		t.Errorf("%d families are kept of one", got)
	}
	if r.kin.bound(r.kin.kept[0], mostKept+1); len(r.kin.kept) != 0 {
		t.Error("too many names are kept")
	}
}
