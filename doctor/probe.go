package doctor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	// arrival is how long after its end a hook's event may take to be in the journal.
	arrival = 2 * time.Second
	// rounds is how often a hook is called to see how long it takes, and slow what is
	// too long: people begin to feel it at some twenty calls a turn.
	rounds = 20
	slow   = 20 * time.Millisecond
	enough = 5 * time.Second // and no longer, where it is slow
	// maxHandlers bounds how many handlers are tried.
	maxHandlers = 4
	// leftover is the age from which a probe's file is one of a doctor that was killed.
	leftover = 10 * time.Minute
)

// probes calls each handler that is registered as Claude Code would, and looks for the
// event.
func probes(ctx context.Context, e *exam) []Check {
	e.sweep()
	all := handlers(e.ours())
	if len(all) == 0 {
		return ok("no hook is registered, none was called")
	}
	var found []Check
	for _, r := range all[:min(len(all), maxHandlers)] {
		found = append(found, newProbe(e, r).try(ctx)...)
	}
	if more := len(all) - maxHandlers; more > 0 {
		found = append(found, warn("ag-sessiond uninstall, then "+install, "%d more handlers of ours were not tried", more)...)
	}
	return found
}

// sweep removes what a doctor that was killed has left.
func (e *exam) sweep() {
	j, err := e.journal()
	if err != nil || j == nil {
		return
	}
	all, _ := j.Probes() // where they cannot be listed other checks say so
	for _, p := range all {
		if e.now.Sub(p.ModTime) > leftover {
			_ = j.DiscardProbe(p.Session) // nobody sees it
		}
	}
}

// probe is one handler that is tried.
type probe struct {
	*exam
	command
	session string
	dir     string // where it is called: not where anything of ours is
	// project is dir as the hook is told; the root, which no policy can leave out, where one leaves dir out.
	project string
}

func newProbe(e *exam, r registration) *probe {
	return &probe{exam: e, command: newCommand(e, r), session: schema.ProbeID(rand.Uint64())}
}

// try calls the handler, finds its event, and calls it some times more.
func (p *probe) try(ctx context.Context) (found []Check) {
	defer func() {
		if err := p.discard(); err != nil {
			found = append(found, warn("remove it", "the probe's file is left: %v", err)...)
		}
	}()
	var err error
	if p.dir, err = os.MkdirTemp("", "ag-doctor-"); err != nil {
		return fail("make the folder for temporary files writable", "%v", err)
	}
	defer os.RemoveAll(p.dir)
	p.project = p.dir
	if rules, _ := policy.Load(p.Home); rules != nil && rules.Project(p.dir) != 0 {
		p.project = filepath.VolumeName(p.dir) + string(os.PathSeparator)
	}
	if _, err := p.call(ctx, p.dir, p.project, p.payload(0)); err != nil {
		return fail(p.failure(install), "the hook of %s failed: %v", p.where(), err)
	}
	home, err := p.arrived(ctx)
	switch {
	case err != nil:
		return fail("see home and files above", "what the hook of %s recorded cannot be read: %v", p.where(), err)
	case home == "":
		return fail(p.failure("see hook.log in its home, and "+install), "the hook of %s ran, and nothing of it is in the journal after %v", p.where(), arrival)
	case !sameDir(home, p.Home):
		cure := fmt.Sprintf("set AG_HOME=%s where you ask, or ag-sessiond install --home %s", word(home), word(p.Home))
		if dir, from := p.settingsVariable("AG_HOME"); from != nil && dir != p.Home {
			cure += fmt.Sprintf(`; "env" in %s sets AG_HOME`, from.Path)
		}
		return fail(cure, "the hook of %s records into %s, and this looks at %s", p.where(), home, p.Home)
	}
	return append(ok("the hook of %s recorded a probe, which is taken away again", p.where()), p.latency(ctx, home)...)
}

// failure is what to do where the hook itself said what was wrong.
func (p *probe) failure(cure string) string {
	for _, home := range p.homes(p.exam) {
		if _, _, newest, err := readLog(home, p.now); err == nil && newest.Message != "" {
			return newest.Cure + " (" + newest.String() + ")"
		}
	}
	return cure
}

// payload is what Claude Code gives its hooks before a tool is run, which is what agents
// wait for most.
func (p *probe) payload(n int) string {
	dir := schema.AppendString(nil, p.project)
	return fmt.Sprintf(`{"session_id":"%s","transcript_path":"","cwd":%s,"permission_mode":"default","hook_event_name":"PreToolUse",`+
		`"tool_name":"Bash","tool_input":{"command":"true"},"tool_use_id":"toolu_doctor%d"}`+"\n", p.session, dir, n)
}

// arrived waits for the probe's event and returns the home that has it; "" is none.
func (p *probe) arrived(ctx context.Context) (home string, err error) {
	for deadline := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		var errs []error
		for _, home := range p.homes(p.exam) {
			n, err := recordedProbes(home, p.session)
			if n > 0 {
				return home, nil
			}
			errs = append(errs, err)
		}
		if !time.Now().Before(deadline) || ctx.Err() != nil {
			return "", errors.Join(errs...)
		}
	}
}

// latency calls the handler again and again, one after the other as an agent does.
func (p *probe) latency(ctx context.Context, home string) []Check {
	var took []time.Duration
	for begin := time.Now(); len(took) < rounds && time.Since(begin) < enough; {
		one, err := p.call(ctx, p.dir, p.project, p.payload(len(took)+1))
		if err != nil {
			return fail(p.failure(install), "the hook of %s recorded %s and then failed: %v", p.where(), plural(len(took)+1, "probe", "probes"), err)
		}
		took = append(took, one)
	}
	if n, err := recordedProbes(home, p.session); err != nil || n != len(took)+1 {
		return fail("see hook.log in "+home, "of %d probes %d are in the journal", len(took)+1, n)
	}
	return judgeLatency(took)
}

func judgeLatency(took []time.Duration) []Check {
	slices.Sort(took)
	median, most := took[len(took)/2], took[len(took)-1]
	detail := fmt.Sprintf("the hook takes %.1f ms (median of %d, at most %.1f)", ms(median), len(took), ms(most))
	check := Check{Name: "latency", Status: OK, Detail: detail}
	if median > slow {
		check.Status = Warn
		check.Cure = "look for what slows the start of programs: a scanner for viruses, a home on a network, a machine with too much to do; 2 ms are usual"
	}
	return []Check{check}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// discard takes away what the probe left in any home.
func (p *probe) discard() error {
	var errs []error
	for _, home := range p.homes(p.exam) {
		j, err := openJournal(home)
		if err != nil || j == nil {
			continue
		}
		errs = append(errs, j.DiscardProbe(p.session))
	}
	return errors.Join(errs...)
}

// sameDir reports whether two paths are one folder.
func sameDir(a, b string) bool {
	x, err := os.Stat(journal.Dir(a))
	y, errY := os.Stat(journal.Dir(b))
	return err == nil && errY == nil && os.SameFile(x, y)
}
