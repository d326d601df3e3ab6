package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/doctor"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
)

// olderSession is one of the sessions in the homes of make.sh.
const olderSession = "aa4d360b-5afa-4922-84a2-c4a030295b7d"

// TestKilledUpgrade kills ag-sessiond 50 times while it makes a store anew, at any moment, half
// of the times once the old file is out of the way: the next start has everything, once, and what
// only the old file has is kept.
func TestKilledUpgrade(t *testing.T) {
	dir := unpackOlder(t, "f90afce")
	t.Setenv("HOME", dir)
	before := sessionsIn(t, filepath.Join(dir, "home", sqlite.FileName))
	fresh := foldAfresh(t, filepath.Join(dir, "home"))
	copyHome := func(name string) string {
		home := filepath.Join(dir, name)
		if err := os.CopyFS(home, os.DirFS(filepath.Join(dir, "home"))); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(journal.Dir(home), "*"))
		for _, path := range files { // what is fresh is synced each time, which takes longer than all else
			err = errors.Join(err, os.Chtimes(path, time.Unix(1.7e9, 0), time.Unix(1.7e9, 0)))
		}
		if err != nil || len(files) < 5 {
			t.Fatal(err, files)
		}
		return home
	}
	began := time.Now()
	if out, err := exec.Command("ag-sessiond", "sync", "--home", copyHome("timed")).CombinedOutput(); err != nil { // this binary: TestMain
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(began)
	states := map[string]int{}
	for round := range 50 {
		home := copyHome(fmt.Sprint(round))
		orphan := round%4 < 2
		if orphan {
			if err := os.Remove(filepath.Join(journal.Dir(home), olderSession+journal.Suffix)); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("ag-sessiond", "sync", "--home", home)
		aside := awaitAside(t, home)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 {
			aside()
			time.Sleep(rand.N(took / 3))
		} else {
			time.Sleep(rand.N(took))
		}
		cmd.Process.Kill()
		cmd.Wait()
		states[stateOf(t, home)]++

		says(t, exitDone, home, "sync")
		left := before
		if orphan {
			left = slices.DeleteFunc(slices.Clone(before), func(id string) bool { return id == olderSession })
		}
		sameGraphs(t, left, home, fresh)
		asides, err := sqlite.Asides(filepath.Join(home, sqlite.FileName))
		if err != nil || orphan != (len(asides) == 1) || orphan && (asides[0].Err != nil || !slices.Equal(asides[0].Sessions, before)) {
			t.Fatalf("round %d: aside %+v, %v", round, asides, err)
		}
		if err := os.RemoveAll(home); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("killed: %v", states)
}

// awaitAside returns what waits until the store that is there now is out of the way. What it was
// put aside as may be gone again before this process has its turn to see it.
func awaitAside(t *testing.T, home string) (wait func()) {
	t.Helper()
	path := filepath.Join(home, sqlite.FileName)
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return func() { awaitOther(t, path, old) }
}

func awaitOther(t *testing.T, path string, old fs.FileInfo) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Microsecond) {
		if now, err := os.Stat(path); err != nil || !os.SameFile(old, now) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was put aside for 30 s")
		}
	}
}

func stateOf(t *testing.T, home string) string {
	t.Helper()
	path := filepath.Join(home, sqlite.FileName)
	_, err := os.Stat(path)
	asides, asideErr := sqlite.Asides(path)
	if asideErr != nil {
		t.Fatal(asideErr)
	}
	s, openErr := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "old aside, none at its place"
	case errors.Is(openErr, sqlite.ErrOlder):
		return "old at its place"
	case errors.Is(openErr, sqlite.ErrBeingMade):
		return "old aside, new empty"
	case openErr != nil:
		t.Fatal(openErr)
	}
	defer s.Close()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	lag, err := connector.Behind(t.Context(), j, s)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("old aside %t, new whole %t", len(asides) > 0, lag.Bytes == 0)
}

// TestKeptAside: what only the old store has is told, until somebody puts the journal's file back.
func TestKeptAside(t *testing.T) {
	dir := unpackOlder(t, "95cc23b")
	t.Setenv("HOME", dir)
	home := filepath.Join(dir, "home")
	file, away := filepath.Join(journal.Dir(home), olderSession+journal.Suffix), filepath.Join(dir, "away")
	if err := os.Rename(file, away); err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(home, sqlite.FileName+".v5")
	says(t, exitDone, home, "sync")
	status, _ := says(t, exitDone, home, "status")
	if want := "1 session in it of which the journal has no file: put that back from a backup, or remove " + aside; !strings.Contains(status, want) {
		t.Errorf("status does not say %q:\n%s", want, status)
	}
	store := func() doctor.Check {
		for _, c := range doctor.Run(t.Context(), doctor.Env{Home: home}) {
			if c.Name == "store" {
				return c
			}
		}
		t.Fatal("no check of the store")
		return doctor.Check{}
	}
	if c := store(); c.Status != doctor.Warn || !strings.Contains(c.Detail, olderSession) || !strings.Contains(c.Cure, aside) {
		t.Errorf("doctor: %+v", c)
	}
	if err := os.Rename(away, file); err != nil {
		t.Fatal(err)
	}
	// Nor is it removed while a session is held that a newer version has written to.
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Replace(text, []byte(`"v":1`), []byte(`"v":9`), 1)
	for _, now := range [][]byte{newer, text} {
		if _, err := os.Lstat(aside); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, now, 0o600); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(now, newer) {
			says(t, exitFailed, home, "sync")
		}
	}
	says(t, exitDone, home, "sessions")
	if _, err := os.Lstat(aside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", aside, err)
	}
	if c := store(); c.Status != doctor.OK {
		t.Errorf("doctor: %+v", c)
	}

	// To forget one of the sessions in it removes it, whatever else only it has.
	s := filepath.Join(home, sqlite.FileName)
	if text, err = os.ReadFile(s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(aside, text, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(journal.Dir(home), "cda1ca12-4360-461b-95b9-fc3f5d9534a1"+journal.Suffix)); err != nil {
		t.Fatal(err)
	}
	says(t, exitDone, home, "sync")
	if _, err := os.Lstat(aside); err != nil {
		t.Fatal(err)
	}
	if err := j.Forget([]string{olderSession}, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	says(t, exitDone, home, "sync")
	if _, err := os.Lstat(aside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a store is kept that holds what was forgotten: %v", err)
	}
}

// TestScanOfOlder: a scan may be the first that comes upon an older store.
func TestScanOfOlder(t *testing.T) {
	dir := unpackOlder(t, "95cc23b")
	t.Setenv("HOME", dir)
	if _, note := says(t, exitDone, filepath.Join(dir, "home"), "secrets", "scan"); !strings.Contains(note, "making it anew") {
		t.Errorf("it says %q", note)
	}
}

// TestKeptByOlderDaemon: a daemon that runs since before the update keeps the store; who asks is
// told, and not that it is being made.
func TestKeptByOlderDaemon(t *testing.T) {
	dir := unpackOlder(t, "95cc23b")
	t.Setenv("HOME", dir)
	home := filepath.Join(dir, "home")
	for _, name := range []string{connector.RunLock, connector.GraphLock} {
		lock, err := connector.LockHome(home, name, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Unlock()
	}
	_, said := says(t, exitUnavailable, home, "sessions")
	if !strings.Contains(said, fmt.Sprintf("the daemon (process %d ", os.Getpid())) || !strings.Contains(said, "stop it and start it again") {
		t.Errorf("sessions says %q", said)
	}
	status, _ := says(t, exitDone, home, "status")
	if !strings.Contains(status, "the daemon is of that one: stop it and start it again") {
		t.Errorf("status:\n%s", status)
	}
}

// TestNewerHome: nothing of this program reads or writes a home that a later version has changed,
// but the hook, which appends.
func TestNewerHome(t *testing.T) {
	dir := unpackOlder(t, "f90afce")
	t.Setenv("HOME", dir)
	home := filepath.Join(dir, "home")
	says(t, exitDone, home, "sync")
	if err := os.WriteFile(filepath.Join(home, "version"), []byte("3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, home)
	a := &app{env: os.Getenv}
	for _, words := range verbs(a.rootCmd(), nil) {
		args := strings.Fields(words)
		if args[0] == "quickstart" {
			continue // it has a home of its own alone
		}
		code, said := refused(t, home, args)
		if free := slices.Contains([]string{"version", "schema", "completion"}, args[0]); free {
			if code != exitDone {
				t.Errorf("%s, which needs no home: exit code %d: %s", words, code, said)
			}
			continue
		}
		if code != exitUnavailable || !strings.Contains(said, home+" is of format 3, this program knows 2") || strings.Count(said, "\n") != 2 || !strings.HasSuffix(said, "  home.newer: "+errcode.HomeNewer.Doc()+"\n") {
			t.Errorf("%s: exit code %d: %s", words, code, said)
		}
	}
	if _, err := actiongraph.Open(home, actiongraph.Options{}); !errors.Is(err, journal.ErrNewerHome) {
		t.Errorf("Open: %v", err)
	}
	if _, err := actiongraph.RemoveHome(home); !errors.Is(err, journal.ErrNewerHome) {
		t.Errorf("RemoveHome: %v", err)
	}
	if checks := doctor.Run(t.Context(), doctor.Env{Home: home}); len(checks) != 1 || checks[0].Status != doctor.Fail {
		t.Errorf("doctor: %+v", checks)
	}
	if _, said := says(t, exitFailed, t.TempDir(), "import", home); !strings.Contains(said, "is of format 3") {
		t.Errorf("import of it says %q", said)
	}
	if after := tree(t, home); !slices.Equal(before, after) {
		t.Errorf("files were\n%s\nand are\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	callHook(t, home, `{"session_id":"s","hook_event_name":"Stop","cwd":"/w"}`)
	if _, err := os.Stat(filepath.Join(journal.Dir(home), "s.jsonl")); err != nil {
		t.Errorf("the hook: %v", err)
	}

	for _, text := range []string{"", "two\n", "0\n", "-1"} {
		if err := os.WriteFile(filepath.Join(home, "version"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, said := says(t, exitUnavailable, home, "sessions"); !strings.Contains(said, filepath.Join(home, "version")) || !strings.Contains(said, "write 2 into it") {
			t.Errorf("%q: %s", text, said)
		}
	}
}

// verbs are all commands that do something, each as one types it.
func verbs(c *cobra.Command, above []string) (all []string) {
	for _, sub := range c.Commands() {
		words := append(slices.Clone(above), sub.Name())
		if sub.Runnable() && !sub.HasSubCommands() {
			all = append(all, strings.Join(words, " "))
		}
		all = append(all, verbs(sub, words)...)
	}
	return all
}

// refused runs a verb with as many arguments as it takes.
func refused(t *testing.T, home string, args []string) (code int, said string) {
	t.Helper()
	for _, more := range [][]string{nil, {"latest"}, {"latest", "x"}, {"capture.content", "full"}} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		var out, errs bytes.Buffer
		code = execute(ctx, append(slices.Concat(args, more), "--home", home), &out, &errs)
		cancel()
		if code != exitUsage {
			return code, errs.String()
		}
		said = errs.String()
	}
	return code, said
}

// tree lists what is in a folder, with sizes and times.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		all = append(all, fmt.Sprint(path, " ", info.Mode(), " ", info.Size(), " ", info.ModTime().UnixNano()))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDaemonUpgrade: so does a daemon, which says it once, and who asks meanwhile is answered.
func TestDaemonUpgrade(t *testing.T) {
	dir := unpackOlder(t, "c1465aa")
	t.Setenv("HOME", dir)
	home := filepath.Join(dir, "home")
	before := sessionsIn(t, filepath.Join(home, sqlite.FileName))
	fresh := foldAfresh(t, home)
	for _, want := range []int{1, 0} {
		d := startDaemon(t, home)
		d.await(embedded, connector.Up)
		out, note := says(t, exitDone, home, "sessions", "--json")
		if n := strings.Count(out, `"session_id"`); n != len(before) || note != "" {
			t.Errorf("%d sessions, want %d; %q", n, len(before), note)
		}
		if code := d.stop(); code != exitDone {
			t.Errorf("the daemon's exit code is %d", code)
		}
		if n := strings.Count(d.log.b.String(), `"reason":"store.older"`); n != want {
			t.Errorf("the log says %d times that the store is made anew, want %d:\n%s", n, want, d.log.b.String())
		}
	}
	if asides, err := sqlite.Asides(filepath.Join(home, sqlite.FileName)); err != nil || len(asides) > 0 {
		t.Errorf("left aside: %+v, %v", asides, err)
	}
	sameGraphs(t, before, home, fresh)
}
