package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// call is one recorded hook call: what the hook process read, and when.
type call struct {
	RecvNS int64  `json:"recv_ns"`
	Stdin  string `json:"stdin"`
}

func scenarios(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/captures/*")
	if err != nil || len(dirs) < 36 {
		t.Fatalf("%d scenarios in testdata/captures, want 36: %v", len(dirs), err)
	}
	return dirs
}

func recorded(t *testing.T, dir string) []call {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "hooks.jsonl"))
	if err != nil {
		packed, err := os.Open(filepath.Join(dir, "hooks.jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		r, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var calls []call
	for line := range bytes.Lines(data) {
		var c call
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(dir, err)
		}
		calls = append(calls, c)
	}
	return calls
}

// build builds a command and returns its path.
func build(t *testing.T, name string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), name)
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/actiongraph/actiongraph/cmd/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// home returns a home with a fixed identity: what is hashed with its key, and so
// the keys of actions that have no other, must agree between runs.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, c := range map[string]string{"id": "1", "key": "2"} {
		n := 32
		if name == "key" {
			n = 64
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat(c, n)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// play runs one ag-hook process for each call, with the recorded clock.
func play(t *testing.T, hook, home string, calls []call, delay func() time.Duration) {
	t.Helper()
	for _, c := range calls {
		at := time.Unix(0, c.RecvNS).Add(delay()).UTC().Format(time.RFC3339Nano)
		cmd := exec.Command(hook, "claude", "--home", home, "--at", at)
		cmd.Stdin = strings.NewReader(c.Stdin)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("ag-hook: %v, printed %q", err, out)
		}
	}
	if log, err := os.ReadFile(filepath.Join(home, "hook.log")); err == nil {
		t.Errorf("hook.log:\n%s", log)
	}
}

func now() time.Duration { return 0 }

// folded returns the graph of every session in a home.
func folded(t *testing.T, home string) map[string]*graph.Graph {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*graph.Graph{}
	for _, f := range files {
		c, err := j.Read(f.Session, schema.Position{})
		if err != nil {
			t.Fatal(err)
		}
		g, s := graph.New(), graph.NewSession(f.Session, j.ID())
		for {
			line, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := schema.Decode(line)
			if err != nil {
				t.Fatalf("%s: %v", f.Session, err)
			}
			if err := e.Validate(); err != nil {
				t.Errorf("%s: %v", f.Session, err)
			}
			s.Apply(&e)
			g.Apply(s.Take()...)
		}
		c.Close()
		out[f.Session] = g
	}
	return out
}

// move puts a scenario's paths under root, and the runtime's records of its
// subagents where the payloads then say that they are.
func move(t *testing.T, dir, root string, calls []call) []call {
	t.Helper()
	moved := slices.Clone(calls)
	for i := range moved {
		moved[i].Stdin = strings.ReplaceAll(moved[i].Stdin, "/home/dev/", root+"/")
	}
	metas, err := filepath.Glob(filepath.Join(dir, "agent-*.meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, meta := range metas {
		id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(meta), "agent-"), ".meta.json")
		for _, c := range moved {
			var p struct {
				AgentID        string `json:"agent_id"`
				TranscriptPath string `json:"transcript_path"`
			}
			if json.Unmarshal([]byte(c.Stdin), &p) != nil || p.AgentID != id {
				continue
			}
			to := filepath.Join(strings.TrimSuffix(p.TranscriptPath, ".jsonl"), "subagents", filepath.Base(meta))
			data, err := os.ReadFile(meta)
			if err == nil {
				err = os.MkdirAll(filepath.Dir(to), 0o700)
			}
			if err == nil {
				err = os.WriteFile(to, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	return moved
}

// TestCapturesInAnyOrder plays every recorded scenario through the real ag-hook: in
// order, shuffled, and doubled with a later receive time. The graphs are the same.
func TestCapturesInAnyOrder(t *testing.T) {
	hook := build(t, "ag-hook")
	for n, dir := range scenarios(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(n), 3))
			calls := move(t, dir, t.TempDir(), recorded(t, dir))
			ordered := home(t)
			play(t, hook, ordered, calls, now)
			want := folded(t, ordered)

			mixed := home(t)
			shuffled := slices.Clone(calls)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			play(t, hook, mixed, shuffled, now)
			same(t, "shuffled", want, folded(t, mixed))

			twice := home(t)
			play(t, hook, twice, calls, now)
			play(t, hook, twice, calls, func() time.Duration { return time.Duration(r.IntN(300)) * time.Millisecond })
			same(t, "doubled", want, folded(t, twice))
		})
	}
}

func same(t *testing.T, how string, want, got map[string]*graph.Graph) {
	t.Helper()
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); d != "" {
		t.Fatalf("%s: sessions (-ordered +%s):\n%s", how, how, d)
	}
	for id := range want {
		for _, c := range graph.Diff(want[id], got[id]) {
			t.Errorf("%s: %s: %v", how, id, c)
		}
	}
}

// TestCapturesSayHowCallsEnded holds the status of every tool call that the
// recordings hold: "!" is never_ran.
func TestCapturesSayHowCallsEnded(t *testing.T) {
	data, err := os.ReadFile("testdata/statuses.txt")
	if err != nil {
		t.Fatal(err)
	}
	hook := build(t, "ag-hook")
	var got strings.Builder
	for _, dir := range scenarios(t) {
		h := home(t)
		play(t, hook, h, recorded(t, dir), now)
		var calls []string
		for id, g := range folded(t, h) {
			ended := g.Node(graph.Ref{Label: graph.LabelSession, Key: id}).Prop("ended_at") != nil
			for _, n := range g.Nodes() {
				if n.Type != graph.ToolCall {
					continue
				}
				status := fmt.Sprint(n.Prop("status"))
				if ended && status == schema.StatusInProgress {
					t.Errorf("%s: %v is in progress in a session that ended", dir, n.Prop("name"))
				}
				if n.Prop("never_ran") == true {
					status += "!"
				}
				calls = append(calls, fmt.Sprintf("%v %v:%s", n.Prop("timestamp"), n.Prop("tool_name"), status))
			}
		}
		slices.Sort(calls)
		fmt.Fprintf(&got, "%s:", filepath.Base(dir))
		for _, c := range calls {
			_, c, _ = strings.Cut(c, " ")
			fmt.Fprintf(&got, " %s", c)
		}
		got.WriteString("\n")
	}
	if d := cmp.Diff(strings.Split(string(data), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("-testdata/statuses.txt +seen:\n%s", d)
	}
}

// TestSubagentsHangUnderTheirCalls plays the subagents' scenarios with the runtime's
// record of each subagent in place, and without.
func TestSubagentsHangUnderTheirCalls(t *testing.T) {
	hook := build(t, "ag-hook")
	for _, dir := range scenarios(t) {
		name := filepath.Base(dir)
		if !strings.HasPrefix(name, "d_agent_") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			calls := recorded(t, dir)
			for _, records := range []bool{true, false} {
				h, played := home(t), calls
				if records {
					played = move(t, dir, t.TempDir(), calls)
				}
				play(t, hook, h, played, now)
				// A subagent that failed is named by nothing but its record.
				unknown := !records && name == "d_agent_error"
				for _, g := range folded(t, h) {
					checkSpawns(t, g, unknown)
				}
			}
		})
	}
}

func checkSpawns(t *testing.T, g *graph.Graph, unknown bool) {
	t.Helper()
	agents := 0
	for _, n := range g.Nodes() {
		if n.Type != graph.SubagentStart {
			continue
		}
		agents++
		id, _ := n.Prop("parent_action_id").(string)
		call := g.Node(graph.Ref{Label: graph.LabelAction, Key: id})
		switch {
		case unknown && (call != nil || n.Prop("parent_unknown") != true):
			t.Errorf("the parent of agent %v cannot be known, but is %v", n.Prop("agent_id"), id)
		case !unknown && (call == nil || call.Type != graph.ToolCall || call.Prop("tool_name") != "Agent" || n.Prop("parent_unknown") != nil):
			t.Errorf("agent %v hangs under %v", n.Prop("agent_id"), call)
		}
	}
	if agents == 0 {
		t.Error("no subagent")
	}
}
