package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tenth is n, a tenth of it unless AG_SOAK=1.
func tenth(n int) int {
	if os.Getenv("AG_SOAK") == "1" {
		return n
	}
	return n / 10
}

// printed is what `graph --json` prints.
type printed struct {
	Nodes []struct {
		Labels     []string       `json:"labels"`
		Key        string         `json:"key"`
		Properties map[string]any `json:"properties"`
	} `json:"nodes"`
	Edges []struct {
		Type     string `json:"type"`
		From, To struct{ Key string }
	} `json:"edges"`
}

// run runs ag-sessiond and wants exit code 0.
func run(t *testing.T, sessiond, home string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(sessiond, append(args, "--home", home)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ag-sessiond %v: %v\n%s%s", args, err, out, stderr.String())
	}
	return out
}

// payload is a PreToolUse of one lane of a session.
func payload(session, agent, toolUseID string) string {
	lane := ""
	if agent != "" {
		lane = fmt.Sprintf(`"agent_id":%q,"agent_type":"Explore",`, agent)
	}
	return fmt.Sprintf(`{"session_id":%q,"transcript_path":"/home/dev/t/%s.jsonl","cwd":"/home/dev/repo","prompt_id":"p1",%s`+
		`"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"echo %s"},"tool_use_id":%q}`+"\n",
		session, session, lane, strings.Repeat("x", 700), toolUseID)
}

// TestKilledHooksLoseNothing runs 64 writers of 200 real hook processes each, into one
// session and into many, and kills a third of the processes at any moment. What
// exited 0 was acknowledged: it is in the graph, once, in one chain a lane.
func TestKilledHooksLoseNothing(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	for _, sessions := range []int{1, 16} {
		t.Run(fmt.Sprintf("%d sessions", sessions), func(t *testing.T) {
			h := home(t)
			const writers = 64
			var mu sync.Mutex
			acknowledged := map[string]map[string]bool{}
			killed := 0
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					r := rand.New(rand.NewPCG(uint64(w), uint64(sessions)))
					for n := range tenth(200) {
						session, id := fmt.Sprintf("s%02d", w%sessions), fmt.Sprintf("toolu_%02d_%03d", w, n)
						cmd := exec.Command(hook, "claude", "--home", h)
						cmd.Stdin = strings.NewReader(payload(session, []string{"", "a1", "a2"}[r.IntN(3)], id))
						if err := cmd.Start(); err != nil {
							t.Error(err)
							return
						}
						if r.IntN(3) == 0 {
							time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
							cmd.Process.Kill()
						}
						err := cmd.Wait()
						mu.Lock()
						if err != nil {
							killed++
						} else {
							if acknowledged[session] == nil {
								acknowledged[session] = map[string]bool{}
							}
							acknowledged[session][id] = true
						}
						mu.Unlock()
					}
				})
			}
			all.Wait()
			run(t, sessiond, h, "sync")
			run(t, sessiond, h, "verify")
			n := 0
			for session, ids := range acknowledged {
				checkRecorded(t, run(t, sessiond, h, "graph", session, "--format", "json"), ids)
				n += len(ids)
			}
			t.Logf("%d acknowledged, %d killed before", n, killed)
			if n == 0 || killed == 0 {
				t.Error("nothing was tested")
			}
		})
	}
}

// checkRecorded holds that each id is one ToolCall, and each lane one chain.
func checkRecorded(t *testing.T, graphJSON []byte, ids map[string]bool) {
	t.Helper()
	var g printed
	if err := json.Unmarshal(graphJSON, &g); err != nil {
		t.Fatal(err)
	}
	calls, lane, actions := map[string]int{}, map[string]string{}, map[string]int{}
	for _, n := range g.Nodes {
		if n.Labels[0] != "Action" {
			continue
		}
		agent, _ := n.Properties["agent_id"].(string)
		lane[n.Key] = agent
		actions[agent]++
		if id, ok := n.Properties["tool_use_id"].(string); ok {
			calls[id]++
		}
	}
	for id := range ids {
		if calls[id] != 1 {
			t.Errorf("%s was acknowledged and is in the graph %d times", id, calls[id])
		}
	}
	next, hasPrev := map[string]string{}, map[string]bool{}
	for _, e := range g.Edges {
		if e.Type != "FOLLOWED_BY" {
			continue
		}
		if next[e.From.Key] != "" || hasPrev[e.To.Key] || lane[e.From.Key] != lane[e.To.Key] {
			t.Errorf("FOLLOWED_BY branches, or leaves its lane, at %s", e.From.Key)
		}
		next[e.From.Key], hasPrev[e.To.Key] = e.To.Key, true
	}
	for key, agent := range lane {
		if hasPrev[key] {
			continue
		}
		length := 0
		for at := key; at != ""; at = next[at] {
			length++
		}
		if length != actions[agent] {
			t.Errorf("lane %q: a chain of %d of its %d actions", agent, length, actions[agent])
		}
	}
}

// TestKilledDaemon kills the real daemon again and again while hooks report. After
// the last start the store is what a fresh fold gives.
func TestKilledDaemon(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h := home(t)
	stop := make(chan struct{})
	var hooks sync.WaitGroup
	reported := 0
	hooks.Go(func() {
		r := rand.New(rand.NewPCG(1, 2))
		for ; ; reported++ {
			select {
			case <-stop:
				return
			default:
			}
			cmd := exec.Command(hook, "claude", "--home", h)
			cmd.Stdin = strings.NewReader(payload(fmt.Sprintf("s%d", r.IntN(4)), []string{"", "a1"}[r.IntN(2)], fmt.Sprintf("toolu_%06d", reported)))
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("ag-hook: %v %s", err, out)
				return
			}
			time.Sleep(time.Duration(r.IntN(4)) * time.Millisecond)
		}
	})
	r := rand.New(rand.NewPCG(3, 4))
	for n := range tenth(200) {
		cmd := exec.Command(sessiond, "run", "--home", h, "--log", "json")
		log, err := os.Create(filepath.Join(t.TempDir(), "run.log"))
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+r.IntN(180)) * time.Millisecond)
		cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			out, _ := os.ReadFile(log.Name())
			t.Errorf("daemon %d ended by itself: %v\n%s", n, err, out)
		}
		log.Close()
	}
	close(stop)
	hooks.Wait()
	run(t, sessiond, h, "sync")
	run(t, sessiond, h, "verify")
	total := 0
	for s := range 4 {
		var g printed
		if err := json.Unmarshal(run(t, sessiond, h, "graph", fmt.Sprintf("s%d", s), "--format", "json"), &g); err != nil {
			t.Fatal(err)
		}
		for _, n := range g.Nodes {
			if n.Properties["action_type"] == "tool_call" {
				total++
			}
		}
	}
	if total != reported {
		t.Errorf("%d hooks reported, %d calls in the graph", reported, total)
	}
}
