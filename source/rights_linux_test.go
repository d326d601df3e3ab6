package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/internal/nobody"
)

// TestUnreadable: what may not be read is said once, keeps nothing else out, and is read
// once it may be.
func TestUnreadable(t *testing.T) {
	if nobody.Run(t) {
		return
	}
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	closed := write(t, events(0, 3), dir, "in", "closed.jsonl")
	write(t, events(3, 3), dir, "in", "open.jsonl")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	report, err := r.Import(context.Background(), []string{filepath.Join(dir, "in")}, nil, Options{}, nil)
	if !errors.Is(err, ErrPartial) || report.Failed != 1 || report.Read != 1 || !strings.Contains(err.Error(), closed+": permission denied") {
		t.Errorf("%+v\n%v", report, err)
	}
	f := start(t, r, Spec{Path: filepath.Join(dir, "in")})
	f.await("it is failing", func() bool { return f.Health().Failing == 1 })
	if err := os.Chmod(closed, 0o600); err != nil {
		t.Fatal(err)
	}
	f.awaitFacts(6)
	f.await("it is well", func() bool { return f.Health().Failing == 0 })
	if n := strings.Count(f.log.String(), "source.unreadable"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, f.log)
	}
}
