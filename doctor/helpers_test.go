package doctor

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/settings"
)

// hookVariable names the ag-hook that tests call; it is built once, and a test that runs
// again as another user finds it there.
const hookVariable = "AG_TEST_DOCTOR_HOOK"

func TestMain(m *testing.M) {
	if os.Getenv(hookVariable) != "" {
		os.Exit(m.Run())
	}
	os.Exit(withHook(m))
}

func withHook(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ag-hook-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // another user is to run it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, programName("ag-hook"))
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/ag-hook").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build ag-hook: %v\n%s", err, out)
		return 1
	}
	os.Setenv(hookVariable, bin)
	return m.Run()
}

// patient is a machine that is well: a user whose settings call a real ag-hook, and a home with one
// session that is in the store.
type patient struct {
	*testing.T
	Env
	dir, hook string
}

// events are those that are registered.
func events() []string { return []string{"SessionStart", "PreToolUse", "SessionEnd"} }

func newPatient(t *testing.T) *patient {
	t.Helper()
	dir := t.TempDir()
	p := &patient{T: t, dir: dir, hook: os.Getenv(hookVariable)}
	p.Home = filepath.Join(dir, "home")
	p.Claude = settings.Env{
		UserHome: filepath.Join(dir, "user"), Project: filepath.Join(dir, "project"),
		ManagedDir: filepath.Join(dir, "managed"), GOOS: runtime.GOOS,
	}
	for _, d := range []string{"user/.claude/sessions", "user/.claude/plugins", "project/.claude", "managed"} {
		p.check(os.MkdirAll(filepath.Join(dir, d), 0o700))
	}
	env := map[string]string{"PATH": os.Getenv("PATH"), "AG_HOME": p.Home, "SystemRoot": os.Getenv("SystemRoot"), "TMPDIR": os.Getenv("TMPDIR")}
	p.Getenv = func(name string) string { return env[name] }
	p.Events = events()
	p.write("user/.claude/settings.json", registers(p.hook, events()...))
	p.write("user/.claude.json", fmt.Sprintf(`{"projects":{%q:{"hasTrustDialogAccepted":true}}}`, filepath.ToSlash(p.Claude.Project)))
	p.record("SessionStart", "well", time.Now())
	p.record("SessionEnd", "well", time.Now())
	p.sync()
	return p
}

func (p *patient) check(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *patient) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p *patient) write(name, text string) {
	p.Helper()
	p.check(os.MkdirAll(filepath.Dir(p.path(name)), 0o700))
	p.check(os.WriteFile(p.path(name), []byte(text), 0o600))
}

func (p *patient) remove(name string) { p.Helper(); p.check(os.RemoveAll(p.path(name))) }

// registers are settings that call a program at events, in exec form.
func registers(program string, events ...string) string {
	return registersLine(map[string]any{"type": "command", "command": program, "args": []string{"claude"}}, events...)
}

func registersLine(handler map[string]any, events ...string) string {
	groups := map[string]any{}
	for _, event := range events {
		groups[event] = []any{map[string]any{"hooks": []any{handler}}}
	}
	text, err := json.Marshal(map[string]any{"hooks": groups})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// record calls ag-hook as an agent does.
func (p *patient) record(event, session string, at time.Time) {
	p.Helper()
	cmd := exec.Command(p.hook, "claude", "--home", p.Home, "--at", at.UTC().Format(time.RFC3339Nano))
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`{"session_id":%q,"hook_event_name":%q,"cwd":"/nowhere","reason":"exit"}`, session, event))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		p.Fatalf("ag-hook: %v: %s", err, out)
	}
}

func (p *patient) file(session string) string {
	return filepath.Join(journal.Dir(p.Home), session+journal.Suffix)
}

// sync folds the journal into the store.
func (p *patient) sync() {
	p.Helper()
	j, err := journal.Open(p.Home)
	p.check(err)
	s, err := sqlite.Open(filepath.Join(p.Home, sqlite.FileName), sqlite.Options{})
	p.check(err)
	_, err = (&connector.Replica{Journal: j, Store: s, Name: "sqlite", Log: zerolog.Nop()}).Sync(p.Context(), nil)
	p.check(err)
	p.check(s.Close())
}

// look makes one check of the list, and returns the worst that it found.
func (p *patient) look(name string) Check {
	p.Helper()
	i := slices.IndexFunc(checks(), func(c check) bool { return c.name == name })
	if i < 0 {
		p.Fatalf("there is no check %s", name)
	}
	all := run(p.Context(), newExam(p.Env), checks()[i:i+1])
	all = slices.DeleteFunc(all, func(c Check) bool { return c.Name == "latency" }) // of a machine with much to do
	if len(all) == 0 {
		p.Fatalf("%s found nothing", name)
	}
	rank := []Status{OK, Warn, Fail}
	return slices.MaxFunc(all, func(a, b Check) int { return slices.Index(rank, a.Status) - slices.Index(rank, b.Status) })
}

// want looks, and wants a status and words of the finding or its cure.
func (p *patient) want(name string, status Status, words ...string) {
	p.Helper()
	c := p.look(name)
	if c.Status != status {
		p.Errorf("%s: %+v, want %s", name, c, status)
	}
	for _, w := range words {
		if !strings.Contains(c.Detail+" -> "+c.Cure, w) {
			p.Errorf("%s: %+v, want %q in it", name, c, w)
		}
	}
	if c.Status != OK && c.Cure == "" {
		p.Errorf("%s: %+v, without a cure", name, c)
	}
}

// tree is every file of the home with its content, but for what SQLite keeps beside the
// store while it is read.
func (p *patient) tree() map[string]string {
	p.Helper()
	all := map[string]string{}
	p.check(filepath.WalkDir(p.Home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += string(b)
		}
		all[path] = text
		return nil
	}))
	return all
}
