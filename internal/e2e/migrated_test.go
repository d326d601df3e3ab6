package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/internal/postgrestest"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// exported is every session's lines at a URL, in order.
func exported(t *testing.T, url string) map[string][]string {
	t.Helper()
	store, err := eventstore.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	sessions, err := store.Sessions(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, s := range sessions {
		err := store.Lines(context.Background(), s.ID, func(line []byte) error {
			all[s.ID] = append(all[s.ID], string(line))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// recordedHome is a home with what hooks recorded, what was imported, and events that
// databases take offence at.
func recordedHome(t *testing.T, hook, sessiond string) string {
	t.Helper()
	h := home(t)
	for _, dir := range scenarios(t)[:3] {
		play(t, hook, h, recorded(t, dir), now)
	}
	run(t, sessiond, h, "import", "../bench/testdata/transcripts")
	j, err := journal.Open(h)
	if err != nil {
		t.Fatal(err)
	}
	redactor := j.Redactor("")
	for s := range 10 {
		for n := range 200 {
			text := strings.Repeat("x", 1+n*n%1500) + "\x00😀\u2028"
			if n == 0 {
				text = strings.Repeat("y", 1<<20)
			}
			e := schema.Event{V: 1, EventID: schema.NewID(fmt.Sprint(s, "/", n)), EventType: schema.Message, SessionID: fmt.Sprintf("made-%d", s),
				Timestamp: time.Unix(int64(1_790_000_000+n*7%100), int64(n)), Origin: schema.OriginAPI, Content: text,
				Metadata: json.RawMessage(fmt.Sprintf(`{"z":"\u0000 \ud800","a":%d,"a":1e400}`, n))}
			if err := j.Append(redactor.Event(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return h
}

// TestKilledMigrations takes a journal from its home to SQLite, on to PostgreSQL and into another
// home, and kills each migration ten times on the way. What arrives is what set out, byte for
// byte, and so it is in between.
func TestKilledMigrations(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	fileURL := func(dir string) string { return "file://" + filepath.ToSlash(dir) }
	urls := []string{fileURL(recordedHome(t, hook, sessiond)), "sqlite:///" + filepath.Join(t.TempDir(), "events.db"), postgrestest.URL(t), fileURL(home(t))}
	want := exported(t, urls[0])
	if len(want) < 14 {
		t.Fatalf("%d sessions set out, want some of each kind", len(want))
	}
	migrate := func(from, to string) *exec.Cmd {
		return exec.Command(sessiond, "migrate", "--home", home(t), "--from", from, "--to", to, "--json")
	}
	r := rand.New(rand.NewPCG(5, 6))
	for leg, from := range urls[:3] {
		to := urls[leg+1]
		begun := time.Now()
		trial := "sqlite:///" + filepath.Join(t.TempDir(), "trial.db")
		if out, err := migrate(from, trial).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		whole := time.Since(begun)
		for killed := 0; killed < 10; killed++ {
			cmd := migrate(from, to)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(r.Int64N(int64(whole / 2))))
			cmd.Process.Kill()
			cmd.Wait() // killed, or done: what is there decides
		}
		if out, err := migrate(from, to).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := cmp.Diff(want, exported(t, to)); diff != "" {
			t.Fatalf("in %s, -want +got:\n%.4000s", to, diff)
		}
		out, err := migrate(from, to).Output()
		var reports []eventstore.Report
		if err == nil {
			err = json.Unmarshal(out, &reports)
		}
		for _, r := range reports {
			if r.Status != eventstore.Unchanged {
				t.Errorf("once more: %+v", r)
			}
		}
		if err != nil || len(reports) != len(want) {
			t.Fatal(err, len(reports))
		}
	}
}

// TestInterruptedCopy: who reads an event store and interrupts that leaves no copy of it.
func TestInterruptedCopy(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h, archive := recordedHome(t, hook, sessiond), "sqlite:///"+filepath.Join(t.TempDir(), "events.db")
	run(t, sessiond, h, "migrate", "--from", "file://"+filepath.ToSlash(h), "--to", archive)
	tmp := t.TempDir()
	left := func() int {
		entries, err := os.ReadDir(tmp)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	cmd := exec.Command(sessiond, "sessions", "--events", archive, "--home", h)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if left() == 0 {
			return fmt.Errorf("no copy yet")
		}
		return nil
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if n := left(); n > 0 {
		t.Errorf("%d files or folders are left in %s", n, tmp)
	}
}
