package transcript

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

const agentsDir = testdata + "/-home-dev-work-d-agent-error-repo"

// agentFacts counts the records of what agents' meta.json say.
func agentFacts(t *testing.T, r *Reader) (n int) {
	eachRecord(t, r.Journal, func(_ string, _ []byte, e *schema.Event) {
		if schema.Field(e.Metadata, schema.MetaAgent) != nil {
			n++
		}
	})
	return n
}

// tornMeta copies a session with a subagent whose record is cut in half.
func tornMeta(t *testing.T, dir string) (meta string, whole []byte) {
	copyTree(t, agentsDir, dir)
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".meta.json") {
			meta = path
		}
		return err
	})
	if err != nil || meta == "" {
		t.Fatal(meta, err)
	}
	if whole, err = os.ReadFile(meta); err != nil {
		t.Fatal(err)
	}
	old(t, write(t, string(whole[:len(whole)/2]), meta))
	return meta, whole
}

// TestImportOfATornMeta: the record of a subagent that is cut short is reported with its own
// name until it is whole, and read then, though its transcript has not changed.
func TestImportOfATornMeta(t *testing.T) {
	dir := realDir(t)
	meta, whole := tornMeta(t, dir)
	r := newReader(t, filepath.Join(realDir(t), "home"))
	for range 2 {
		report, err := r.Import(context.Background(), []string{dir}, Options{}, nil)
		if !errors.Is(err, ErrPartial) || len(report.PerFile) == 0 || !strings.Contains(err.Error(), meta+": ") {
			t.Errorf("%v, %+v", err, report)
		}
		if n := agentFacts(t, r); n != 0 {
			t.Errorf("%d facts of a torn record", n)
		}
	}
	old(t, write(t, string(whole), meta))
	r = newReader(t, r.Journal.Home()) // another process
	if clean(t, r, Options{}, dir); agentFacts(t, r) != 1 {
		t.Errorf("%d facts of the record, want 1", agentFacts(t, r))
	}
	before := state(t, r.Journal.Home())
	if again := clean(t, r, Options{}, dir); again.Unchanged != again.Files || len(before) != len(state(t, r.Journal.Home())) {
		t.Errorf("%+v", again)
	}
}

// TestFollowerOfATornMeta: it is tried again, and said to be failing meanwhile.
func TestFollowerOfATornMeta(t *testing.T) {
	dir := realDir(t)
	meta, whole := tornMeta(t, dir)
	f := start(t, &Follower{Reader: newReader(t, filepath.Join(realDir(t), "home")), Trees: []string{dir}})
	f.await("it fails", func() bool { return f.Health().Failing == 1 && strings.Contains(f.Health().LastError, meta) })
	write(t, string(whole), meta)
	f.await("it is read", func() bool { return agentFacts(t, f.Reader) == 1 && f.Health().Failing == 0 })
}
