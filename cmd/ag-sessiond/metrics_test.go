package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/usage"
)

// recordCapture records a capture's hooks as if they happened now, and what its transcripts tell.
func recordCapture(t *testing.T, home, name string) {
	t.Helper()
	dir := filepath.Join("..", "..", "internal", "e2e", "testdata", "captures", name)
	text, err := os.ReadFile(filepath.Join(dir, "hooks.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var call struct{ Stdin string }
		if err := json.Unmarshal(line, &call); err != nil {
			t.Fatal(err)
		}
		for _, e := range claude.Events([]byte(call.Stdin), claude.Env{Now: time.Now().UTC(), HashKey: j.Key()}) {
			if err := j.Append(j.Redactor("").Event(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "projects")); err == nil {
		var said bytes.Buffer
		if code := execute(t.Context(), []string{"import", filepath.Join(dir, "projects"), "--home", home}, io.Discard, &said); code != 0 {
			t.Fatalf("import: %s", said.String())
		}
	}
}

// askPort asks a daemon's port of metrics.
func askPort(t *testing.T, address, path string) (status int, text []byte) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	answer, err := client.Get("http://" + address + path)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, text
}

// told are the samples of some metrics, by name and labels.
func told(t *testing.T, address string, names ...metrics.Name) map[string]float64 {
	t.Helper()
	status, text := askPort(t, address, "/metrics")
	families, err := metricFamilies(text)
	if status != 200 || err != nil {
		t.Fatalf("%d, %v: %s", status, err, text)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, name := range names {
			if f.Name != string(name) {
				continue
			}
			for _, s := range f.Samples {
				if s.Value != nil && *s.Value != 0 {
					out[fmt.Sprint(f.Name, s.Labels)] = *s.Value
				}
			}
		}
	}
	return out
}

// answered is what a verb gives with --json.
func answered[T any](t *testing.T, home string, args ...string) (v T) {
	t.Helper()
	var out, said bytes.Buffer
	if code := execute(t.Context(), append(args, "--json", "--home", home), &out, &said); code != 0 {
		t.Fatalf("%v: %d %s", args, code, said.String())
	}
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return v
}

func askable() []metrics.Name {
	return []metrics.Name{metrics.ToolCalls, metrics.ModelCalls, metrics.Tokens, metrics.Cost}
}

// answers is what usage and tools say of a home, as the counters have it.
func answers(t *testing.T, home string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	add := func(n float64, name metrics.Name, labels map[string]string) {
		if n != 0 {
			out[fmt.Sprint(name, labels)] += n
		}
	}
	var tools metrics.Tools
	for _, s := range answered[[]graph.ToolStats](t, home, "tools") {
		add(float64(s.UsageCount), metrics.ToolCalls, map[string]string{"tool": tools.Label(s.ToolName, s.MCPServer)})
	}
	for _, r := range answered[usage.Report](t, home, "usage", "model").Rows {
		model := new(metrics.Names).Label(usage.ShortName(r.Key))
		add(float64(r.Calls), metrics.ModelCalls, map[string]string{"model": model})
		for kind, n := range map[string]int64{"input": r.Input, "output": r.Output, "cache_read": r.CacheRead, "cache_write": r.CacheWrite} {
			add(float64(n), metrics.Tokens, map[string]string{"model": model, "kind": kind})
		}
		if r.CostUSD != nil {
			add(*r.CostUSD, metrics.Cost, map[string]string{"model": model})
		}
	}
	return out
}

// A daemon that is fed real sessions tells what usage and tools tell; the next one begins at
// zero and counts what is new. A session that ended has no gauge, and the port goes where the
// configuration says.
func TestDaemonTellsWhatTheStoreSays(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	const port = "[transcripts]\nfollow = []\n[metrics]\nlisten = \"127.0.0.1:0\"\n"
	writeConfig(t, home, port)
	start := func() (*daemon, string) {
		t.Helper()
		d := startDaemon(t, home)
		s := d.until("the store is up", func(s statusReport) bool {
			return keptNames(s) == embedded && s.Stores[0].State == connector.Up && s.Metrics != nil
		})
		return d, s.Metrics.Address
	}
	d, at := start()
	for _, name := range []string{"a_tools", "b_failures", "c_parallel", "d_agent_fg", "e_denied_default"} {
		recordCapture(t, home, name)
	}
	visible(t, home)
	want := answers(t, home)
	if len(want) < 10 {
		t.Fatalf("the store says only %v", want)
	}
	var diff string
	for range 100 { // it is counted when the store has it, a moment later
		if diff = cmp.Diff(want, told(t, at, askable()...), cmpopts.EquateApprox(1e-9, 1e-9)); diff == "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if diff != "" {
		t.Errorf("the verbs (-) and the daemon (+):\n%s", diff)
	}
	_, text := askPort(t, at, "/metrics")
	if problems, err := promlint.New(bytes.NewReader(text)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	active := 0
	for _, s := range answered[[]graph.SessionRow](t, home, "sessions") {
		has := bytes.Contains(text, []byte(`{session="`+s.SessionID+`"}`))
		if s.Status == "active" {
			active++
		}
		if has != (s.Status == "active") {
			t.Errorf("session %s is %s and has a gauge: %v", s.SessionID, s.Status, has)
		}
	}
	if !bytes.Contains(text, fmt.Appendf(nil, "\nactiongraph_sessions_running %d\n", active)) {
		t.Errorf("not %d sessions run", active)
	}
	checkSignals(t, at)
	d.stop()

	d, at = start()
	if got := told(t, at, append(askable(), metrics.Events)...); len(got) > 0 {
		t.Errorf("a restart counts again: %v", got)
	}
	before := answers(t, home)
	record(t, home, 2, 0)
	for range 100 {
		if told(t, at, metrics.ToolCalls)["actiongraph_tool_calls_total"+fmt.Sprint(map[string]string{"tool": "Read"})] == 2 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	now := answers(t, home)
	for k, n := range before {
		if now[k] -= n; math.Abs(now[k]) < 1e-9 {
			delete(now, k)
		}
	}
	if diff := cmp.Diff(now, told(t, at, askable()...)); diff != "" {
		t.Errorf("what is new (-) and what the daemon says (+):\n%s", diff)
	}

	writeConfig(t, home, "[transcripts]\nfollow = []\n")
	d.until("the port is closed", func(s statusReport) bool { return s.Metrics == nil })
	if status, _ := askPort(t, at, "/healthz"); status != 0 {
		t.Errorf("somebody answers on the port: %d", status)
	}
	writeConfig(t, home, port)
	s := d.until("it is open again", func(s statusReport) bool { return s.Metrics != nil })
	if status, text := askPort(t, s.Metrics.Address, "/healthz"); status != 200 {
		t.Errorf("again: %d %s", status, text)
	}
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, d.log.text())
	}
	goleak.VerifyNone(t, leaks)
}

func checkSignals(t *testing.T, at string) {
	t.Helper()
	if status, text := askPort(t, at, "/readyz"); status != 200 || !bytes.Contains(text, []byte(`"ready":true`)) {
		t.Errorf("/readyz: %d %s", status, text)
	}
	status, text := askPort(t, at, "/statusz?recent=5")
	var s runtimeStatus
	if err := json.Unmarshal(text, &s); err != nil || status != 200 {
		t.Fatalf("/statusz: %d %s", status, text)
	}
	if s.PID != os.Getpid() || s.EventsFolded < 100 || len(s.Recent) != 5 || s.Recent[4].SessionID == "" || len(s.Stores) != 1 || s.Stores[0].Name != embedded {
		t.Errorf("/statusz: %s", text)
	}
	for _, secret := range []string{"/v1/events", "/openapi.json"} {
		if status, _ := askPort(t, at, secret); status != http.StatusNotFound {
			t.Errorf("%s is on the port: %d", secret, status)
		}
	}
}

// A database that is down is told of, by name, until the configuration has it no more; and the
// daemon is not ready.
func TestMetricsOfAStoreThatIsDown(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	const port = "[transcripts]\nfollow = []\n[metrics]\nlisten = \"127.0.0.1:0\"\n"
	writeConfig(t, home, port+"[[graph]]\nname = \"team\"\nurl = \"bolt://127.0.0.1:1\"\n")
	d := startDaemon(t, home)
	s := d.until("it is down", func(s statusReport) bool {
		return keptNames(s) == "sqlite team" && s.Metrics != nil && s.Stores[0].State == connector.Up && s.Stores[1].State == connector.Down
	})
	at := s.Metrics.Address
	team := fmt.Sprint(map[string]string{"store": "team"})
	all := []metrics.Name{metrics.StoreUp, metrics.StoreLagTime, metrics.Retries, metrics.StorePosition, metrics.StoreFailures}
	got := told(t, at, all...)
	if got["actiongraph_store_up"+team] != 0 || got["actiongraph_store_lag_seconds"+team] <= 0 || got["actiongraph_store_retries_total"+team] < 1 ||
		got["actiongraph_store_failures_total"+fmt.Sprint(map[string]string{"store": "team", "reason": "store.unreachable"})] < 1 {
		t.Errorf("of the database that is down: %v", got)
	}
	if got["actiongraph_store_up"+fmt.Sprint(map[string]string{"store": "sqlite"})] != 1 {
		t.Errorf("of the embedded store: %v", got)
	}
	if status, text := askPort(t, at, "/readyz"); status != http.StatusServiceUnavailable || !bytes.Contains(text, []byte(`{"name":"team","ready":false,"state":"down"}`)) {
		t.Errorf("/readyz: %d %s", status, text)
	}
	_, text := askPort(t, at, "/statusz")
	if bytes.Contains(text, []byte("127.0.0.1:1")) {
		t.Errorf("/statusz tells an error's text: %s", text)
	}
	writeConfig(t, home, port)
	d.until("it is gone", func(s statusReport) bool { return keptNames(s) == embedded })
	_, text = askPort(t, at, "/metrics")
	if bytes.Contains(text, []byte(`actiongraph_store_up{store="team"}`)) || bytes.Contains(text, []byte(`actiongraph_store_lag_seconds{store="team"}`)) {
		t.Error("a database that is not kept any more has gauges")
	}
	if status, text := askPort(t, at, "/readyz"); status != 200 {
		t.Errorf("/readyz: %d %s", status, text)
	}
}

// A port that somebody else has leaves what was in force.
func TestMetricsPortTaken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("two may listen on a port there")
	}
	home := filepath.Join(t.TempDir(), "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, home)
	d.until("the store is up", func(s statusReport) bool { return keptNames(s) == embedded && s.Stores[0].State == connector.Up })
	other := startDaemonWithPort(t)
	writeConfig(t, home, fmt.Sprintf("[metrics]\nlisten = %q\n", other))
	s := d.until("it is said", func(s statusReport) bool { return s.Config != nil && s.Config.Error != "" })
	if !strings.Contains(s.Config.Error, "[metrics]: listen on "+other) || s.Metrics != nil || s.API == nil {
		t.Errorf("%+v, %+v", s.Config, s.Metrics)
	}
	if _, err := http.Get("http://" + other + "/healthz"); err != nil {
		t.Errorf("the other daemon: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// startDaemonWithPort starts a daemon of another home, and returns its port.
func startDaemonWithPort(t *testing.T) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "other")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, home, "[metrics]\nlisten = \"127.0.0.1:0\"\n")
	d := startDaemon(t, home)
	return d.until("the other is up", func(s statusReport) bool { return s.Metrics != nil }).Metrics.Address
}
