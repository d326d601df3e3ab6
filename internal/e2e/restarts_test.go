package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestRestarts has a server of its own, which it stops, kills and puts back.
func TestRestarts(t *testing.T) {
	const password = "a password of the tests"
	server := neo4jtest.Start(t, neo4jtest.Options{Password: password})
	d := connect(t, server.URL, "neo4j", password)
	h, backup := home(t), filepath.Join(t.TempDir(), "backup")
	t.Run("killed", func(t *testing.T) { testKilled(t, d, server, h, backup) })
	t.Run("restored", func(t *testing.T) { testRestored(t, d, server, h, backup) })
}

// post is what follows payload when the call is done.
func post(session, agent, toolUseID string) string {
	p := strings.Replace(payload(session, agent, toolUseID), `"PreToolUse"`, `"PostToolUse"`, 1)
	return strings.Replace(p, `"tool_use_id"`, `"tool_response":{"stdout":"done","stderr":"","interrupted":false},"tool_use_id"`, 1)
}

// flood runs 16 writers of real hook processes until the returned function is called,
// which tells how many calls were reported.
func flood(t *testing.T, hook, home string) (stop func() int) {
	end := make(chan struct{})
	var writers sync.WaitGroup
	var mu sync.Mutex
	reported, pace := 0, 1000
	if os.Getenv("AG_SOAK") == "1" {
		pace = 300
	}
	for w := range 16 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for n := 0; ; n++ {
				select {
				case <-end:
					return
				case <-time.After(time.Duration(r.IntN(pace)) * time.Millisecond):
				}
				session, agent, id := fmt.Sprintf("s%d", r.IntN(6)), []string{"", "a1"}[r.IntN(2)], fmt.Sprintf("toolu_%02d_%05d", w, n)
				for _, stdin := range []string{payload(session, agent, id), post(session, agent, id)} {
					cmd := exec.Command(hook, "claude", "--home", home)
					cmd.Stdin = strings.NewReader(stdin)
					if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
						t.Errorf("ag-hook: %v %s", err, out)
						return
					}
				}
				mu.Lock()
				reported++
				mu.Unlock()
			}
		})
	}
	var once sync.Once
	stop = func() int {
		once.Do(func() { close(end) })
		writers.Wait()
		return reported
	}
	t.Cleanup(func() { stop() })
	return stop
}

// testKilled kills the real daemon and stops and kills the database, while 16 writers
// report. A copy of the database goes to backup when it is stopped first.
func testKilled(t *testing.T, d *database, server *neo4jtest.Server, h, backup string) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	t.Setenv("AG_GRAPH_PASSWORD", d.password)
	reported := flood(t, hook, h)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 6))
	kills, stops := 5, 2
	if os.Getenv("AG_SOAK") == "1" {
		kills, stops = 50, 6 // three of them graceful
	}
	var wrote, before int64
	for n := range kills {
		log := filepath.Join(t.TempDir(), "run.log")
		stderr, err := os.Create(log)
		must(t, err)
		cmd := exec.Command(sessiond, "run", "--home", h, "--log", "json", "--graph", d.url)
		cmd.Stderr = stderr
		must(t, cmd.Start())
		somewhere := func() { time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond) }
		if n%2 == 0 { // or it may die before it has done anything
			eventually(t, func() error {
				if wrote = d.count(t, "MATCH (p:JournalPosition) RETURN sum(p.offset)"); wrote > before {
					return nil
				}
				out, _ := os.ReadFile(log)
				return fmt.Errorf("the daemon writes nothing:\n%s", out)
			})
			before = wrote
		}
		somewhere()
		if was := n * stops / kills; was < (n+1)*stops/kills {
			if was%2 == 0 {
				must(t, server.Stop())
			} else {
				server.Kill()
			}
			if was == 0 {
				must(t, os.CopyFS(backup, os.DirFS(filepath.Join(server.DataDir, "data"))))
			}
			somewhere()
			if r.IntN(2) == 0 { // else the daemon dies while the database is down
				must(t, server.Restart())
				somewhere()
			}
		}
		cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			out, _ := os.ReadFile(log)
			t.Errorf("daemon %d ended by itself: %v\n%s", n, err, out)
		}
		stderr.Close()
		if _, err := d.try("RETURN 1", nil); err != nil {
			must(t, server.Restart())
		}
	}
	inGraph := d.count(t, "MATCH (c:ToolCall) RETURN count(c)")
	calls := reported()
	run(t, sessiond, h, "sync", "--graph", d.url)
	run(t, sessiond, h, "verify", "--graph", d.url)
	d.holds(t, folded(t, h))
	d.chains(t)
	t.Logf("%d calls, of which %d were in the graph after the last kill", calls, inGraph)
	if n := d.count(t, "MATCH (c:ToolCall) RETURN count(c)"); n != int64(calls) {
		t.Errorf("%d calls were reported, %d are in the graph", calls, n)
	}
	if n := d.count(t, "MATCH (:ToolCall {status: 'completed'})-[:PARENT_OF]->(r:ToolResult) RETURN count(r)"); n != int64(calls) {
		t.Errorf("%d calls were reported, %d results are in the graph", calls, n)
	}
}

// testRestored stops the database, puts an older backup back and starts it, under a daemon
// that has nothing to write.
func testRestored(t *testing.T, d *database, server *neo4jtest.Server, h, backup string) {
	m := openMachine(t, h, d.watchful(t, d.url))
	stop := m.start(t)
	direct := d.store(t, "")
	m.await(t, direct)
	must(t, server.Stop())
	data := filepath.Join(server.DataDir, "data")
	must(t, os.RemoveAll(data))
	must(t, os.CopyFS(data, os.DirFS(backup)))
	must(t, server.Restart())
	if lag, err := connector.Behind(t.Context(), m.journal, direct); err != nil || lag.Sessions == 0 {
		t.Errorf("the backup is not older: %+v, %v", lag, err)
	}
	m.await(t, direct)
	stop()
	m.verify(t, direct)
	d.holds(t, folded(t, h))
}

// lane is one lane of a session as the database has it.
type lane struct{ session, agent string }

// chains holds that each lane is one chain, with one head and one tail.
func (d *database) chains(t *testing.T) {
	t.Helper()
	actions, next, hasPrev := map[lane][]string{}, map[string]string{}, map[string]bool{}
	for _, r := range d.ask(t, "MATCH (a:Action) OPTIONAL MATCH (a)-[:FOLLOWED_BY]->(b:Action) "+
		"RETURN a.session_id AS session, coalesce(a.agent_id, '') AS agent, a.action_id AS id, collect(b.action_id) AS next", nil) {
		l, id := lane{r["session"].(string), r["agent"].(string)}, r["id"].(string)
		actions[l] = append(actions[l], id)
		followers := r["next"].([]any)
		if len(followers) > 1 {
			t.Errorf("%s is followed by %d actions", id, len(followers))
		}
		for _, f := range followers {
			if hasPrev[f.(string)] {
				t.Errorf("%s follows two actions", f)
			}
			next[id], hasPrev[f.(string)] = f.(string), true
		}
	}
	if len(actions) == 0 {
		t.Error("no action: nothing was tested")
	}
	for l, ids := range actions {
		heads, length := 0, 0
		for _, id := range ids {
			if !hasPrev[id] {
				heads++
				for at := id; at != ""; at = next[at] {
					length++
				}
			}
		}
		if heads != 1 || length != len(ids) {
			t.Errorf("lane %v: %d heads, a chain of %d of its %d actions", l, heads, length, len(ids))
		}
	}
}

// TestHooksAtOnce: 24 hooks at the same instant are one chain a lane, under a running daemon.
func TestHooksAtOnce(t *testing.T) {
	d := emptied(t)
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h := home(t)
	t.Setenv("AG_GRAPH_USER", d.user)
	t.Setenv("AG_GRAPH_PASSWORD", d.password)
	daemon := exec.Command(sessiond, "run", "--home", h, "--log", "json", "--graph", d.url)
	must(t, daemon.Start())
	defer func() {
		daemon.Process.Signal(os.Interrupt)
		if err := daemon.Wait(); err != nil {
			t.Error(err)
		}
	}()
	const rounds, hooks = 5, 24
	for round := range rounds {
		var ready, all sync.WaitGroup
		ready.Add(1)
		for n := range hooks {
			cmd := exec.Command(hook, "claude", "--home", h)
			cmd.Stdin = strings.NewReader(payload("s", []string{"", "a1"}[n%2], fmt.Sprintf("toolu_%d_%02d", round, n)))
			all.Go(func() {
				ready.Wait()
				if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("ag-hook: %v %s", err, out)
				}
			})
		}
		ready.Done()
		all.Wait()
	}
	eventually(t, func() error {
		if n := d.count(t, "MATCH (c:ToolCall) RETURN count(c)"); n != rounds*hooks {
			return fmt.Errorf("%d of %d calls", n, rounds*hooks)
		}
		return nil
	})
	// Counts are of the transaction that is being committed, its nodes and edges perhaps not yet.
	run(t, sessiond, h, "verify", "--graph", d.url)
	d.chains(t)
	d.holds(t, folded(t, h))
	var report struct {
		Identical bool `json:"identical"`
		Sessions  int  `json:"sessions"`
	}
	if err := json.Unmarshal(run(t, sessiond, h, "verify", "--json", "--graph", d.url), &report); err != nil || !report.Identical || report.Sessions != 1 {
		t.Error(errors.Join(err, fmt.Errorf("verify says %+v", report)))
	}
}
