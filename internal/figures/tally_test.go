package figures_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/figures"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

const captures = "../e2e/testdata/captures"

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sums are metrics that add up, over all daemons that there were.
type sums struct {
	mu     sync.Mutex
	sums   map[string]float64
	counts map[string]int
	gauges map[string]float64
}

func newSums() *sums {
	return &sums{sums: map[string]float64{}, counts: map[string]int{}, gauges: map[string]float64{}}
}

func key(name metrics.Name, labels []string) string {
	return strings.Join(append([]string{string(name)}, labels...), " ")
}

func (f *sums) Counter(name metrics.Name, add float64, labels ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if add < 0 {
		panic("a counter falls")
	}
	f.sums[key(name, labels)] += add
}

func (f *sums) Histogram(name metrics.Name, value float64, labels ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sums[key(name, labels)] += value
	f.counts[key(name, labels)]++
}

func (f *sums) Gauge(name metrics.Name, value float64, labels ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if metrics.IsGone(value) {
		delete(f.gauges, key(name, labels))
	} else {
		f.gauges[key(name, labels)] = value
	}
}

// daemon is what keeps a store and counts.
type daemon struct {
	replica *connector.Replica
	tally   *figures.Tally
	store   *sqlite.Store
	path    string
	journal *journal.Journal
}

func start(t *testing.T, j *journal.Journal, path string, m metrics.Metrics) *daemon {
	t.Helper()
	store := must(sqlite.Open(path, sqlite.Options{}))(t)
	prices := must(usage.ListPrices())(t)
	d := &daemon{tally: &figures.Tally{Journal: j, Reader: store, Metrics: m}, store: store, path: path, journal: j}
	d.tally.SetPrices(&prices)
	d.replica = &connector.Replica{Journal: j, Store: store, Name: "sqlite", Metrics: m, Observer: d.tally, MaxEvents: 40}
	return d
}

func (d *daemon) sync(t *testing.T) {
	t.Helper()
	must(d.replica.Sync(t.Context(), nil))(t)
}

// said is what the store answers, as the counters have it.
func (d *daemon) said(t *testing.T) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	add := func(n float64, name metrics.Name, labels ...string) {
		if n != 0 {
			out[key(name, labels)] += n
		}
	}
	var tools metrics.Tools
	for _, s := range must(d.store.Tools(t.Context(), ""))(t) {
		add(float64(s.UsageCount), metrics.ToolCalls, tools.Label(s.ToolName, s.MCPServer))
		add(float64(s.ErrorCount), metrics.ToolFailures, tools.Label(s.ToolName, s.MCPServer), "failed")
	}
	prices := must(usage.ListPrices())(t)
	for _, r := range must(d.store.Usage(t.Context(), graph.UsageFilter{}))(t) {
		if r.Calls == 0 {
			continue
		}
		model := new(metrics.Names).Label(usage.ShortName(r.Model))
		nanos, _ := prices.Cost(r)
		add(float64(r.Calls), metrics.ModelCalls, model)
		add(float64(r.Input), metrics.Tokens, model, "input")
		add(float64(r.Output), metrics.Tokens, model, "output")
		add(float64(r.CacheRead), metrics.Tokens, model, "cache_read")
		add(float64(r.CacheWrite), metrics.Tokens, model, "cache_write")
		add(nanos/1e9, metrics.Cost, model)
	}
	return out
}

// counted are those of the counters that the store can be asked for.
func (f *sums) counted() map[string]float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]float64{}
	for k, n := range f.sums {
		name, rest, _ := strings.Cut(k, " ")
		switch metrics.Name(name) {
		case metrics.ToolFailures:
			if strings.HasSuffix(rest, " failed") {
				out[k] = n
			}
		case metrics.ToolCalls, metrics.ModelCalls, metrics.Tokens, metrics.Cost:
			out[k] = n
		}
	}
	return out
}

func same(t *testing.T, what string, want, got map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
		t.Errorf("%s: the store (-) and the counters (+):\n%s", what, diff)
	}
}

// record are the lines of a capture's hooks, a hook each.
func record(t testing.TB, j *journal.Journal, name string) (all [][]redact.Line) {
	t.Helper()
	dir := filepath.Join(captures, name)
	redactor := j.Redactor("")
	for line := range bytes.Lines(must(os.ReadFile(filepath.Join(dir, "hooks.jsonl")))(t)) {
		var call struct {
			At    int64  `json:"recv_ns"`
			Stdin string `json:"stdin"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			t.Fatal(err)
		}
		env := claude.Env{Now: time.Unix(0, call.At).UTC(), Host: "host", User: "dev", HashKey: j.Key()}
		if id := schema.FieldString([]byte(call.Stdin), "agent_id"); id != "" {
			env.AgentMeta, _ = os.ReadFile(filepath.Join(dir, "agent-"+id+".meta.json"))
		}
		var lines []redact.Line
		for _, e := range claude.Events([]byte(call.Stdin), env) {
			lines = append(lines, redactor.Event(e))
		}
		all = append(all, lines)
	}
	return all
}

// Of every capture, hooks and then transcripts, with daemons that come and go: what was
// counted is what the store says, and it is said once.
func TestAsTheStoreHasIt(t *testing.T) {
	dirs := must(filepath.Glob(captures + "/*/hooks.jsonl"))(t)
	if len(dirs) < 30 {
		t.Fatalf("%d captures", len(dirs))
	}
	calls, costs := 0, 0
	for i, path := range dirs {
		name := filepath.Base(filepath.Dir(path))
		home := filepath.Join(t.TempDir(), "home")
		j := must(journal.Open(home))(t)
		db, m := filepath.Join(t.TempDir(), "graph.db"), newSums()
		d := start(t, j, db, m)
		d.sync(t) // what comes is no history
		events := 0
		for n, lines := range record(t, j, name) {
			if err := j.Append(lines...); err != nil {
				t.Fatal(err)
			}
			events += len(lines)
			if n%3 == i%3 {
				d.sync(t)
			}
			// A restart, also in the midst of calls, and with something to catch up.
			if n > 3 && n%7 == i%7 {
				d.store.Close()
				d = start(t, j, db, m)
			}
		}
		d.sync(t)
		if got := sumOf(m, metrics.Events); got != float64(events) {
			t.Errorf("%s: %v events counted of %d", name, got, events)
		}
		projects := filepath.Join(filepath.Dir(path), "projects")
		if _, err := os.Stat(projects); err == nil {
			h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
			must(h.ImportTranscripts(t.Context(), []string{projects}, actiongraph.TranscriptOptions{}, nil))(t)
			h.Close()
		}
		d.sync(t)
		said := d.said(t)
		same(t, name, said, m.counted())
		for k := range said {
			calls += strings.Count(k, string(metrics.ToolCalls))
			costs += strings.Count(k, string(metrics.Cost))
		}
		d.store.Close()
	}
	if calls < 30 || costs < 10 {
		t.Errorf("%d figures of calls, %d of costs", calls, costs)
	}
}

func sumOf(m *sums, name metrics.Name) (n float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, v := range m.sums {
		if first, _, _ := strings.Cut(k, " "); first == string(name) {
			n += v
		}
	}
	return n
}

// What is folded again is not counted again: the store was deleted, or put back from a backup,
// under a daemon or between two, or the session's file was replaced. What comes after is.
func TestFoldedAgain(t *testing.T) {
	lose := func(t *testing.T, d *daemon) {
		for _, end := range []string{"", "-wal", "-shm"} {
			os.Remove(d.path + end)
		}
	}
	scrub := func(t *testing.T, d *daemon, session string) { // another file, whose beginning differs
		path := filepath.Join(journal.Dir(d.journal.Home()), session+".jsonl")
		text := must(os.ReadFile(path))(t)
		text = bytes.ReplaceAll(text, []byte(`"host":"host"`), []byte(`"host":"h"`))
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	for name, again := range map[string]func(*testing.T, *daemon, string, metrics.Metrics) *daemon{
		"lost under the daemon": func(t *testing.T, d *daemon, _ string, _ metrics.Metrics) *daemon {
			lose(t, d)
			put(t, d.journal, event("other", "noticed by this", schema.SessionStart, time.Now(), nil))
			return d
		},
		"lost between two": func(t *testing.T, d *daemon, _ string, m metrics.Metrics) *daemon {
			d.store.Close()
			lose(t, d)
			return start(t, d.journal, d.path, m)
		},
		"replaced": func(t *testing.T, d *daemon, session string, _ metrics.Metrics) *daemon {
			scrub(t, d, session)
			return d
		},
		"replaced between two": func(t *testing.T, d *daemon, session string, m metrics.Metrics) *daemon {
			d.store.Close()
			scrub(t, d, session)
			return start(t, d.journal, d.path, m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
			m := newSums()
			d := start(t, j, filepath.Join(t.TempDir(), "graph.db"), m)
			d.replica.Thorough = true
			d.sync(t)
			events := 0
			if name == "lost under the daemon" {
				events++ // the one by which it is noticed
			}
			lines := record(t, j, "a_tools")
			half := len(lines) / 2
			for n, l := range lines {
				if n == half {
					d.sync(t)
					d = again(t, d, l[0].Session(), m)
					d.replica.Thorough = true
					d.sync(t)
				}
				if err := j.Append(l...); err != nil {
					t.Fatal(err)
				}
				events += len(l)
			}
			d.sync(t)
			if got := sumOf(m, metrics.Events); got != float64(events) {
				t.Errorf("%v events counted of %d", got, events)
			}
			same(t, name, d.said(t), m.counted())
			d.store.Close()
		})
	}
}

// What is there when a store is empty is history.
func TestHistory(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	for _, l := range record(t, j, "a_tools") {
		if err := j.Append(l...); err != nil {
			t.Fatal(err)
		}
	}
	m := newSums()
	d := start(t, j, filepath.Join(t.TempDir(), "graph.db"), m)
	defer d.store.Close()
	d.sync(t)
	if len(d.said(t)) == 0 {
		t.Fatal("the store has nothing")
	}
	if got := m.counted(); len(got) > 0 || sumOf(m, metrics.Events) > 0 {
		t.Errorf("counted: %v", got)
	}
	for _, l := range record(t, j, "c_parallel") {
		if err := j.Append(l...); err != nil {
			t.Fatal(err)
		}
	}
	before := d.said(t)
	d.sync(t)
	now := d.said(t)
	for k, n := range before {
		if now[k] -= n; now[k] == 0 {
			delete(now, k)
		}
	}
	same(t, "what came after", now, m.counted())
}

// event makes an event of a session that runs.
func event(session, id string, typ schema.Type, at time.Time, more func(*schema.Event)) schema.Event {
	e := schema.Event{V: schema.Version, SessionID: session, EventID: id, EventType: typ, Origin: schema.OriginHook, Timestamp: at}
	if more != nil {
		more(&e)
	}
	return e
}

func put(t *testing.T, j *journal.Journal, events ...schema.Event) {
	t.Helper()
	for _, e := range events {
		if err := j.Append(j.Redactor("").Event(e)); err != nil {
			t.Fatal(err)
		}
	}
}

// A session has gauges while it runs, and again when it was resumed; the latest events are
// known by id, but for those of a session that was forgotten.
func TestRunning(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	m := newSums()
	path := filepath.Join(t.TempDir(), "graph.db")
	d := start(t, j, path, m)
	d.sync(t)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for i := range 3 {
		s := fmt.Sprint("s", i)
		put(t, j, event(s, s+"-start", schema.SessionStart, at, nil), event(s, s+"-prompt", schema.Message, at.Add(time.Duration(i)*time.Second), func(e *schema.Event) { e.Role, e.Content = "user", "hello" }))
	}
	d.sync(t)
	put(t, j, event("s1", "s1-end", schema.SessionEnd, at.Add(time.Minute), nil))
	d.sync(t)
	sessions := func() string {
		d.tally.Gauges()
		running, all := d.tally.Running(10)
		out := fmt.Sprintf("%d %v:", all, m.gauges[key(metrics.SessionsRunning, nil)])
		for _, r := range running {
			out += fmt.Sprintf(" %s@%v", r.SessionID, m.gauges[key(metrics.SessionLast, []string{r.SessionID})]-float64(at.Unix()))
		}
		return fmt.Sprint(out, " ", len(m.gauges))
	}
	if got, want := sessions(), "2 2: s2@2 s0@0 7"; got != want {
		t.Errorf("running %q, want %q", got, want)
	}
	put(t, j, event("s1", "s1-resumed", schema.SessionStart, at.Add(2*time.Minute), func(e *schema.Event) { e.Reason = "resume" }))
	d.sync(t)
	if got, want := sessions(), "3 3: s1@120 s2@2 s0@0 10"; got != want {
		t.Errorf("after a resume %q, want %q", got, want)
	}
	d.store.Close()
	d = start(t, j, path, m) // which asks the store
	defer d.store.Close()
	d.sync(t)
	if got, want := sessions(), "3 3: s1@120 s2@2 s0@0 10"; got != want {
		t.Errorf("after a restart %q, want %q", got, want)
	}
	put(t, j, event("s0", "s0-end", schema.SessionEnd, at.Add(3*time.Minute), nil), event("s2", "s2-end", schema.SessionEnd, at.Add(3*time.Minute), nil))
	d.sync(t)
	var ids []string
	for _, n := range d.tally.Recent(2) {
		ids = append(ids, n.EventID+" "+n.SessionID+" "+string(n.EventType))
	}
	if diff := cmp.Diff([]string{"s0-end s0 session_end", "s2-end s2 session_end"}, ids); diff != "" {
		t.Error(diff)
	}
	if got := len(d.tally.Recent(1000)); got != 2 {
		t.Errorf("%d events of this process are known", got)
	}
}

// Ten thousand tools with hostile names make no more series than a hundred.
func TestHostileTools(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	m := newSums()
	d := start(t, j, filepath.Join(t.TempDir(), "graph.db"), m)
	defer d.store.Close()
	d.replica.MaxEvents = 0
	d.sync(t)
	at := time.Now()
	var lines []redact.Line
	r := j.Redactor("")
	for i := range 10_000 {
		names := []string{"t%d", "mcp__s%d__do", "a\"b\"\n%d", "{x=\"%d\"} 1\n"}
		e := event("s", fmt.Sprint("e", i), schema.ToolStart, at.Add(time.Duration(i)*time.Millisecond), func(e *schema.Event) {
			e.ToolName, e.ToolUseID = fmt.Sprintf(names[i%len(names)], i), fmt.Sprint("u", i)
		})
		lines = append(lines, r.Event(e))
	}
	if err := j.Append(lines...); err != nil {
		t.Fatal(err)
	}
	d.sync(t)
	if n := sumOf(m, metrics.ToolCalls); n != 10_000 {
		t.Errorf("%v calls", n)
	}
	if n := len(m.counted()); n > 103 {
		t.Errorf("%d series", n)
	}
}

// A failure of the recording counts by its reason, and an error of a session's own does not.
func TestFailures(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	m := newSums()
	d := start(t, j, filepath.Join(t.TempDir(), "graph.db"), m)
	defer d.store.Close()
	d.sync(t)
	for i, of := range []struct {
		origin schema.Origin
		reason string
	}{{schema.OriginAPI, "journal.torn"}, {schema.OriginAPI, "journal.torn"}, {schema.OriginAPI, "of my own"}, {schema.OriginHook, "journal.torn"}} {
		put(t, j, event("s", fmt.Sprint("e", i), schema.Error, time.Now(), func(e *schema.Event) { e.Origin, e.Reason = of.origin, of.reason }))
	}
	d.sync(t)
	if n, all := m.sums[key(metrics.Failures, []string{"journal.torn"})], sumOf(m, metrics.Failures); n != 2 || all != 2 {
		t.Errorf("%v failures of %v", n, all)
	}
}

// What somebody wrote to the journal by hand is no label and no id.
func TestHandwritten(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	m := newSums()
	d := start(t, j, filepath.Join(t.TempDir(), "graph.db"), m)
	defer d.store.Close()
	put(t, j, event("s", "first", schema.SessionStart, time.Now(), nil))
	d.sync(t)
	path := filepath.Join(journal.Dir(j.Home()), "s.jsonl")
	f := must(os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0))(t)
	for i := range 5 {
		fmt.Fprintf(f, "\n"+`{"v":1,"event_id":"my secret is %d","event_type":"type of %d","session_id":"s","timestamp":"2026-11-20T09:00:00Z","origin":"door %d"}`+"\n", i, i, i)
	}
	fmt.Fprint(f, "\nnothing\n\n{\"v\":1}\n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	d.sync(t)
	if n := m.sums[key(metrics.Events, []string{"other", "other"})]; n != 5 {
		t.Errorf("%v events of no type", m.sums)
	}
	if m.sums[key(metrics.Torn, nil)] != 1 || m.sums[key(metrics.Refused, nil)] != 1 {
		t.Errorf("torn %v, refused %v", m.sums[key(metrics.Torn, nil)], m.sums[key(metrics.Refused, nil)])
	}
	for _, n := range d.tally.Recent(5) {
		if n.EventID != "unknown" || n.EventType != schema.Unknown {
			t.Errorf("told: %+v", n)
		}
	}
}

// A transaction that the store did not take counts when it has.
func TestFailedWrite(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	m := newSums()
	d := start(t, j, filepath.Join(t.TempDir(), "graph.db"), m)
	defer d.store.Close()
	d.sync(t)
	for _, l := range record(t, j, "a_tools") {
		if err := j.Append(l...); err != nil {
			t.Fatal(err)
		}
	}
	d.replica.Store = &failing{Store: d.store, times: 2}
	for {
		if _, err := d.replica.Sync(t.Context(), nil); err == nil {
			break
		}
		if got := sumOf(m, metrics.Events); got > 0 {
			t.Fatalf("%v events counted that no store has", got)
		}
	}
	same(t, "after the failures", d.said(t), m.counted())
	if n := m.sums[key(metrics.StoreFailures, []string{"sqlite", "store.failed"})]; n != 2 {
		t.Errorf("%v failures", n)
	}
}

type failing struct {
	*sqlite.Store
	times int
}

func (f *failing) Apply(ctx context.Context, batches []graph.Batch) error {
	if f.times--; f.times >= 0 {
		return errors.New("the disk is full")
	}
	return f.Store.Apply(ctx, batches)
}
