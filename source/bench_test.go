package source

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// manyDumps is the recorded dump over and over, with its runs' ids new each time: n bytes
// at least.
func manyDumps(tb testing.TB, n int) string {
	one := dumpText(tb)
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.ReplaceAll(one, "run-7-", fmt.Sprintf("run-%d-", i)))
	}
	return b.String()
}

// BenchmarkImport is a dump of 64 MB into a journal.
func BenchmarkImport(b *testing.B) {
	text := manyDumps(b, 64<<20)
	dir := b.TempDir()
	path := write(b, text, dir, "trace.jsonl")
	b.SetBytes(int64(len(text)))
	for i := range b.N {
		r := newReader(b, filepath.Join(dir, fmt.Sprint("home", i)))
		clean(b, r, Options{}, path)
	}
}

// BenchmarkSmallFiles is 300 dumps of one line each.
func BenchmarkSmallFiles(b *testing.B) {
	dir := b.TempDir()
	for i := range 300 {
		write(b, fmt.Sprintf(`{"type":"user_output","timestamp":"2026-03-01T10:30:00+01:00","role":"assistant","text":"%d"}`+"\n", i), dir, "in", fmt.Sprintf("trace-%d.jsonl", i))
	}
	for i := range b.N {
		r := newReader(b, filepath.Join(dir, fmt.Sprint("home", i)))
		clean(b, r, Options{}, filepath.Join(dir, "in"))
	}
}
