package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
	"github.com/actiongraph/actiongraph/journal"
)

// lockedBuffer is what a daemon logs into while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// of returns the lines about one store.
func (l *lockedBuffer) of(store string) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, `"store":"`+store+`"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// daemon is ag-sessiond run in this process.
type daemon struct {
	t    *testing.T
	home string
	log  lockedBuffer
	stop func() int // its exit code
}

func startDaemon(t *testing.T, home string, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, home: home}
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, append([]string{"run", "--log", "json", "--home", home}, args...), &bytes.Buffer{}, &d.log)
	}()
	d.stop = sync.OnceValue(func() int {
		cancel()
		select {
		case c := <-code:
			return c
		case <-time.After(20 * time.Second):
			t.Error("the daemon does not end")
			return -1
		}
	})
	t.Cleanup(func() {
		d.stop()
		checkLog(t, d.log.text())
	})
	return d
}

// logSchema is docs/log.schema.json, which every line of a log is held against.
var logSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile("../../docs/log.schema.json")
})

// checkLog fails where a line of a log is not what docs/logs.md says, or a reason none of
// package failure.
func checkLog(t *testing.T, log string) {
	t.Helper()
	lines, err := logSchema()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue // what the command itself says on stderr
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = lines.Validate(v)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, line)
			continue
		}
		if reason, ok := v.(map[string]any)["reason"].(string); ok && !slices.Contains(failure.Reasons(), failure.Reason(reason)) {
			t.Errorf("reason %q is none of docs/failures.md: %s", reason, line)
		}
	}
}

// status is what ag-sessiond status says of the stores.
func (d *daemon) status() map[string]storeHealth {
	d.t.Helper()
	var out bytes.Buffer
	execute(d.t.Context(), []string{"status", "--json", "--home", d.home}, &out, &bytes.Buffer{})
	var s statusReport
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		d.t.Fatalf("%v: %s", err, out.Bytes())
	}
	stores := map[string]storeHealth{}
	for _, h := range s.Stores {
		stores[h.Name] = h
	}
	return stores
}

// await waits until a store is in a state, as its daemon says, and returns how it is.
func (d *daemon) await(store string, state connector.State) storeHealth {
	d.t.Helper()
	var h storeHealth
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if h = d.status()[store]; h.Kept && h.State == state {
			return h
		}
	}
	d.t.Fatalf("store %s is not %s: %+v\n%s", store, state, h, strings.Join(d.log.of(store), ""))
	return h
}

func writeConfig(t *testing.T, home, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, config.FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// visible is how long it takes until the embedded store has what was recorded just now.
func visible(t *testing.T, home string) time.Duration {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for ; time.Since(began) < 20*time.Second; time.Sleep(2 * time.Millisecond) {
		store, err := sqlite.Open(filepath.Join(home, storeFile), sqlite.Options{ReadOnly: true})
		if err != nil {
			continue
		}
		lag, err := connector.Behind(t.Context(), j, store)
		store.Close()
		if err == nil && lag.Bytes == 0 {
			break
		}
	}
	return time.Since(began)
}

// record records n tool calls, and wants each in the embedded store within
// limit; 0 is not to look.
func record(t *testing.T, home string, n int, limit time.Duration) {
	t.Helper()
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for i := range n {
		_, err := h.Recorder("test").RecordToolCall(actiongraph.ToolCall{
			SessionID: fmt.Sprintf("session-%d", i%3), ToolName: "Read", ToolInput: map[string]any{"file_path": "/a"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if limit == 0 {
			continue
		}
		if took := visible(t, home); took > limit {
			t.Errorf("recorded call %d: in the embedded store after %v", i, took)
		}
	}
}

// A graph database that hangs, one with a wrong password and one that is not there
// delay neither the daemon's start nor the embedded store. Each says so, and catches up
// by itself when it can.
func TestDaemonBesideBrokenStores(t *testing.T) {
	// Less than any of the broken ones is waited for, and more than a busy machine takes.
	const prompt = 5 * time.Second
	const password, other = "right-password", "other-password"
	server := neo4jtest.Start(t, neo4jtest.Options{Password: password})
	// Not neo4j: the server locks out for seconds whoever gives a wrong password too often.
	administer(t, server.URL, password, "CREATE USER team SET PASSWORD $word CHANGE NOT REQUIRED", password)
	hung := neo4jtest.NewProxy(t, server.URL)
	hung.Break(func(neo4jtest.Piece) neo4jtest.Fate { return neo4jtest.Hold })
	leaks := goleak.IgnoreCurrent()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, home, fmt.Sprintf(`
[[graph]]
name = "hung"
url = %q
password = %q
[[graph]]
name = "wrong"
url = %q
user = "team"
password = %q
`, hung.URL, password, server.URL, other))
	record(t, home, 1, 0) // nobody keeps the embedded store yet
	began := time.Now()
	before := (&daemon{t: t, home: home}).status()
	if took := time.Since(began); took > 2*answerPatience {
		t.Errorf("status takes %v beside a database that hangs", took)
	}
	if h := before["hung"]; h.Kept || h.State != connector.Down || h.LastError != "no answer within 2s" {
		t.Errorf("asked, without a daemon: %+v", h)
	}
	if h := before["wrong"]; h.State != connector.Down || !strings.Contains(h.LastError, "user or password is wrong") {
		t.Errorf("asked, without a daemon: %+v", h)
	}

	d := startDaemon(t, home, "--graph", "bolt://127.0.0.1:1")
	record(t, home, 10, prompt)

	if h := d.await("127.0.0.1:1", connector.Down); !strings.Contains(h.LastError, "connection refused") || h.Lag != nil {
		t.Errorf("nobody listens there: %+v", h)
	}
	if h := d.await("wrong", connector.Down); !strings.Contains(h.LastError, "user or password is wrong") || !strings.Contains(h.LastError, "config.toml") {
		t.Errorf("wrong password: %+v", h)
	}
	if h := d.await("hung", connector.Down); h.LastError == "" || h.Since.IsZero() {
		t.Errorf("no answer: %+v", h)
	}
	// The daemon writes its report once a second.
	embedded := d.await(embedded, connector.Up)
	if embedded.LastError != "" || embedded.Lag == nil || embedded.Lag.Bytes != 0 || embedded.Position == 0 || embedded.Rate == 0 {
		t.Errorf("the embedded store: %+v", embedded)
	}
	record(t, home, 5, prompt)
	if info, err := os.Stat(filepath.Join(home, reportFile)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the daemon's report: %v, %v", info, err)
	}
	if lines := d.log.of("127.0.0.1:1"); len(lines) != 1 || !strings.Contains(lines[0], "connection refused") {
		t.Errorf("a store that is not there is said %d times:\n%s", len(lines), strings.Join(lines, ""))
	}

	hung.Break(nil)
	if h := d.await("hung", connector.Up); h.Lag == nil || h.Lag.Bytes != 0 || h.Position == 0 || h.Kind != "Neo4j" || h.Version == "" || h.LastError == "" {
		t.Errorf("back: %+v", h)
	}
	if lines := d.log.of("hung"); !strings.Contains(lines[len(lines)-1], "up to date again") {
		t.Errorf("it is not said that it is back:\n%s", strings.Join(lines, ""))
	}
	var out, errs bytes.Buffer
	if code := execute(t.Context(), []string{"verify", "--graph", "hung", "--home", home}, &out, &errs); code != exitDone || out.String() != "identical: 3 sessions\n" {
		t.Errorf("verify: exit code %d\n%s%s", code, &out, &errs)
	}
	if lines := d.log.of("wrong"); len(lines) != 1 || !strings.Contains(lines[0], `"reason":"store.login"`) {
		t.Errorf("a wrong password is said %d times:\n%s", len(lines), strings.Join(lines, ""))
	}

	administer(t, server.URL, password, "ALTER USER team SET PASSWORD $word CHANGE NOT REQUIRED", other)
	d.await("wrong", connector.Up)
	record(t, home, 5, prompt)
	if code := d.stop(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(filepath.Join(home, reportFile)); !os.IsNotExist(err) {
		t.Errorf("the daemon's report is still there: %v", err)
	}
	goleak.VerifyNone(t, leaks)
}

// administer runs a statement about users as neo4j.
func administer(t *testing.T, url, password, statement, word string) {
	t.Helper()
	d, err := driver.NewDriverWithContext(url, driver.BasicAuth("neo4j", password, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(t.Context())
	_, err = driver.ExecuteQuery(t.Context(), d, statement,
		map[string]any{"word": word}, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase("system"))
	if err != nil {
		t.Fatal(err)
	}
}
