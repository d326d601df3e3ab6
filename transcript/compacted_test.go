package transcript

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCompactedFoldersAreReadOnce: files that begin with the end of a compaction do not each
// read all the others; what a file grows by is seen.
func TestCompactedFoldersAreReadOnce(t *testing.T) {
	dir := realDir(t)
	ends := func(uuid string) string {
		return `{"parentUuid":null,"type":"system","subtype":"compact_boundary","uuid":"` + uuid + `"}` + "\n"
	}
	path := func(k int) string {
		return filepath.Join(dir, fmt.Sprintf("%08d-1111-4111-8111-111111111111.jsonl", k))
	}
	const files = 5
	for k := range files {
		old(t, write(t, ends(fmt.Sprint("own", k))+strings.Repeat(" \n", 100)+ends(fmt.Sprint("end", k)), path(k)))
	}
	var kin kin
	relatives := func(uuid string) (names []string) {
		for _, other := range kin.of(path(files), head{begins: begins{first: 1}, compacted: uuid}, nil) {
			names = append(names, other.path)
		}
		return names
	}
	for k := range files {
		if got := relatives(fmt.Sprint("end", k)); len(got) != 1 || got[0] != path(k) {
			t.Errorf("end%d is in %v", k, got)
		}
		if k == 0 { // whoever reads them again misses it
			for k := range files {
				old(t, write(t, strings.Repeat("x", len(ends("own0"))+200+len(ends("end0"))), path(k)))
			}
		}
	}
	appendTo(t, path(1), []byte("\n"+ends("later")))
	time.Sleep(compactedEvery)
	if got := relatives("later"); len(got) != 1 || got[0] != path(1) {
		t.Errorf("what was added is in %v", got)
	}
	if got := relatives("nobody"); len(got) != 0 {
		t.Error(got)
	}
}
