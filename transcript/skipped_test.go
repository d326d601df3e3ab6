package transcript

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSkippedIsKept: what imports and a daemon passed over is known afterwards, once, however
// often they look; of a file that was replaced only what is in the new one. A name that may be
// a secret is none.
func TestSkippedIsKept(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	known := `{"type":"user","uuid":"u1","sessionId":"` + uuidA + `","timestamp":"2026-01-01T00:00:00Z","message":{"role":"user","content":"hi"}}` + "\n"
	foo := `{"type":"foo","sessionId":"` + uuidA + `"}` + "\n"
	path := write(t, known+foo+"{broken\n"+foo, dir, uuidA+suffix)
	old(t, path)
	r := newReader(t, home)
	look := func(want Skipped) {
		t.Helper()
		for range 2 {
			if _, err := r.Import(context.Background(), []string{dir}, Options{}, nil); err != nil && !errors.Is(err, ErrPartial) {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, SkippedIn(home, "host")); d != "" {
				t.Error(d)
			}
		}
	}
	look(Skipped{Files: 1, Broken: 1, Unknown: map[string]int64{"foo": 2}})
	appendTo(t, path, []byte(foo+`{"type":"a b"}`+"\n"+`{"type":"ghp_abcdefghijklmnopqrstuvwxyz0123456789"}`+"\n"))
	old(t, path)
	look(Skipped{Files: 1, Broken: 1, Unknown: map[string]int64{"foo": 3, otherTypes: 2}})
	write(t, known+foo, path)
	look(Skipped{Files: 1, Unknown: map[string]int64{"foo": 1}})

	f := start(t, &Follower{Reader: r, Trees: []string{dir}})
	appendTo(t, path, []byte(foo+"{\n"))
	f.await("lines", func() bool { return f.Health().Broken == 1 })
	f.stop()
	if d := cmp.Diff(Skipped{Files: 1, Broken: 1, Unknown: map[string]int64{"foo": 2}}, SkippedIn(home, "host")); d != "" {
		t.Error(d)
	}
	if none := SkippedIn(home, "other"); none.Files != 0 {
		t.Error(none)
	}
}
