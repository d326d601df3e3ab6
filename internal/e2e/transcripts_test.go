package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

var update = flag.Bool("update", false, "write testdata/graphs: read what changed, line by line")

// put writes a scenario's session files, which are packed where they are large, below
// root, and returns the directory of them; "" where the scenario left none. It is where
// calls that were moved to root say, and the files name that root then.
func put(t *testing.T, dir, root string, calls []call) (projects string) {
	t.Helper()
	from := filepath.Join(dir, "projects")
	if _, err := os.Stat(from); err != nil {
		return ""
	}
	projects = filepath.Join(root, "projects", "-repo")
	for _, c := range calls {
		if p := schema.FieldString([]byte(c.Stdin), "transcript_path"); p != "" {
			projects = filepath.Dir(p)
			break
		}
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		if packed, ok := strings.CutSuffix(rel, ".gz"); ok {
			rel = packed
			r, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return err
			}
			if data, err = io.ReadAll(r); err != nil {
				return err
			}
		}
		to := filepath.Join(projects, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if calls != nil {
			data = bytes.ReplaceAll(data, []byte("/home/dev/"), []byte(root+"/"))
		}
		return os.WriteFile(to, data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return projects
}

// importInto runs ag-sessiond import over session files.
func importInto(t *testing.T, sessiond, home, projects string) {
	t.Helper()
	if out, err := exec.Command(sessiond, "import", "--home", home, projects).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
}

// halve cuts every session file in the middle of a line.
func halve(t *testing.T, projects, to string) {
	t.Helper()
	err := filepath.WalkDir(projects, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".jsonl") {
			data = data[:len(data)/2]
		}
		rel, _ := filepath.Rel(projects, path)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHooksAndTranscripts plays every scenario's hooks and imports its session files: in
// any order and any number of times the graph is the same, and it is well formed.
func TestHooksAndTranscripts(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	for n, dir := range scenarios(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			calls := recorded(t, dir)
			projects := put(t, dir, t.TempDir(), nil)
			if projects == "" {
				return
			}
			hooksFirst := home(t)
			play(t, hook, hooksFirst, calls, now)
			hooksOnly := folded(t, hooksFirst)
			importInto(t, sessiond, hooksFirst, projects)
			want := folded(t, hooksFirst)
			for id, g := range want {
				wellFormed(t, id, g)
				if hooksOnly[id] != nil {
					agree(t, id, hooksOnly[id], g)
				}
			}

			filesFirst := home(t)
			importInto(t, sessiond, filesFirst, projects)
			importInto(t, sessiond, filesFirst, projects)
			alone := folded(t, filesFirst)
			for id, g := range alone {
				wellFormed(t, id, g)
			}
			play(t, hook, filesFirst, calls, now)
			same(t, "files first", want, folded(t, filesFirst))

			mixed, half := home(t), t.TempDir()
			halve(t, projects, half)
			r := rand.New(rand.NewPCG(uint64(n), 5))
			shuffled := slices.Clone(calls)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			play(t, hook, mixed, shuffled[:len(shuffled)/2], now)
			importInto(t, sessiond, mixed, half)
			play(t, hook, mixed, shuffled[len(shuffled)/2:], now)
			importInto(t, sessiond, mixed, projects)
			same(t, "interleaved", want, folded(t, mixed))

			spent(t, projects, want)
			spent(t, projects, alone)
			golden(t, filepath.Base(dir), map[string]map[string]*graph.Graph{"both": want, "transcript": alone})
		})
	}
}

// wellFormed checks what holds in every graph: one action a call, one chain a lane, a
// forest of parents, nobody without a session.
func wellFormed(t *testing.T, id string, g *graph.Graph) {
	t.Helper()
	calls := map[string]int{}
	lanes := map[string][2]int{} // actions, chain edges
	owned := map[graph.Ref]bool{}
	for _, e := range g.Edges() {
		switch e.Type {
		case graph.HasAction:
			if e.From.Label == graph.LabelSession {
				owned[e.To] = true
			}
		case graph.FollowedBy:
			lane := fmt.Sprint(g.Node(e.From).Prop("agent_id"))
			if other := fmt.Sprint(g.Node(e.To).Prop("agent_id")); other != lane {
				t.Errorf("%s: a chain goes from lane %s to %s", id, lane, other)
			}
			l := lanes[lane]
			lanes[lane] = [2]int{l[0], l[1] + 1}
		}
	}
	for _, n := range g.Nodes() {
		if n.Label != graph.LabelAction {
			continue
		}
		if !owned[n.Ref] {
			t.Errorf("%s: %v %v belongs to no session", id, n.Type, n.Prop("name"))
		}
		l := lanes[fmt.Sprint(n.Prop("agent_id"))]
		lanes[fmt.Sprint(n.Prop("agent_id"))] = [2]int{l[0] + 1, l[1]}
		if n.Type == graph.ToolCall {
			calls[fmt.Sprint(n.Prop("tool_use_id"))]++
		}
	}
	for call, n := range calls {
		if n != 1 {
			t.Errorf("%s: %d nodes for the call %s", id, n, call)
		}
	}
	for lane, l := range lanes {
		if l[1] != l[0]-1 {
			t.Errorf("%s: lane %s has %d actions and %d FOLLOWED_BY", id, lane, l[0], l[1])
		}
	}
}

// agree checks that a session's files do not contradict what its hooks said of a call: they
// only say how one ended whose end no hook told.
func agree(t *testing.T, id string, hooks, both *graph.Graph) {
	t.Helper()
	for _, n := range hooks.Nodes() {
		if n.Type != graph.ToolCall {
			continue
		}
		was, is := n.Prop("status"), both.Node(n.Ref).Prop("status")
		if was != is && was != schema.StatusUnknown && was != schema.StatusInProgress {
			t.Errorf("%s: %v is %v by its hooks, and %v with the session's file", id, n.Prop("name"), was, is)
		}
	}
}

// spent compares the tokens in the graphs with those in the raw files: once a message id,
// the greatest of each figure. It knows nothing of our parser.
func spent(t *testing.T, projects string, graphs map[string]*graph.Graph) {
	t.Helper()
	type figures struct{ in, out, read, made int64 }
	messages := map[string]figures{}
	err := filepath.WalkDir(projects, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			var l struct {
				Type    string
				Message struct {
					ID, Model string
					Usage     map[string]any
				}
			}
			if json.Unmarshal(line, &l) != nil || l.Type != "assistant" || l.Message.Model == "<synthetic>" {
				continue
			}
			n := func(name string) int64 { f, _ := l.Message.Usage[name].(float64); return int64(f) }
			m := messages[l.Message.ID]
			messages[l.Message.ID] = figures{max(m.in, n("input_tokens")), max(m.out, n("output_tokens")),
				max(m.read, n("cache_read_input_tokens")), max(m.made, n("cache_creation_input_tokens"))}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var want, got figures
	for _, m := range messages {
		want = figures{want.in + m.in, want.out + m.out, want.read + m.read, want.made + m.made}
	}
	for id, g := range graphs {
		s := g.Node(graph.Ref{Label: graph.LabelSession, Key: id})
		n := func(name string) int64 { v, _ := s.Prop(name).(int64); return v }
		got = figures{got.in + n("total_input_tokens"), got.out + n("total_output_tokens"),
			got.read + n("total_cache_read_input_tokens"), got.made + n("total_cache_creation_input_tokens")}
	}
	if got != want {
		t.Errorf("tokens %+v, in the files there are %+v", got, want)
	}
}

// golden compares what a person would look at with testdata/graphs/<scenario>.txt.
func golden(t *testing.T, scenario string, sources map[string]map[string]*graph.Graph) {
	t.Helper()
	var b strings.Builder
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		graphs := sources[source]
		ids := slices.Collect(maps.Keys(graphs))
		slices.SortFunc(ids, func(a, b string) int {
			return strings.Compare(startOf(graphs[a], a)+a, startOf(graphs[b], b)+b)
		})
		for _, id := range ids {
			fmt.Fprintf(&b, "== %s: %s\n", source, id)
			outline(&b, graphs[id], id)
		}
	}
	got := b.String()
	path := filepath.Join("testdata", "graphs", scenario+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("-%s +seen (-update writes it):\n%s", path, d)
	}
}

func startOf(g *graph.Graph, id string) string {
	return fmt.Sprint(g.Node(graph.Ref{Label: graph.LabelSession, Key: id}).Prop("started_at"))
}

// outline writes a session, its agents, and the actions of each lane in their order, each
// with its parent.
func outline(b *strings.Builder, g *graph.Graph, id string) {
	show := func(n *graph.Node, names ...string) {
		for _, name := range names {
			if v := n.Prop(name); v != nil {
				fmt.Fprintf(b, " %s=%v", name, v)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("session")
	show(g.Node(graph.Ref{Label: graph.LabelSession, Key: id}), "status", "title", "model", "git_branch", "action_count", "tool_call_count",
		"message_count", "error_count", "agent_count", "total_input_tokens", "total_output_tokens", "total_cache_read_input_tokens",
		"total_cache_creation_input_tokens", "total_lower_bound")
	for _, e := range g.Edges() {
		switch e.Type {
		case graph.ForkedFrom, graph.Continues, graph.HasTag:
			fmt.Fprintf(b, "  %s %s\n", e.Type, e.To.Key)
		}
	}
	byLane := map[string][]*graph.Node{}
	numbers := map[string]string{}
	var lanes []string
	for _, n := range g.Nodes() {
		if n.Label == graph.LabelAgent {
			b.WriteString("  agent")
			show(n, "agent_type", "status", "description", "model", "total_input_tokens", "total_output_tokens", "parent_unknown")
		}
		if n.Label == graph.LabelAction {
			lane, _ := n.Prop("agent_id").(string)
			if byLane[lane] == nil {
				lanes = append(lanes, lane)
			}
			byLane[lane] = append(byLane[lane], n)
		}
	}
	order := map[graph.Ref]graph.Ref{}
	second := map[graph.Ref]bool{}
	for _, e := range g.Edges() {
		if e.Type == graph.FollowedBy {
			order[e.From], second[e.To] = e.To, true
		}
	}
	slices.SortFunc(lanes, func(a, b string) int {
		return strings.Compare(fmt.Sprint(byLane[a][0].Prop("timestamp"))+a, fmt.Sprint(byLane[b][0].Prop("timestamp"))+b)
	})
	if i := slices.Index(lanes, ""); i > 0 {
		lanes = slices.Insert(slices.Delete(lanes, i, i+1), 0, "")
	}
	chains := map[string][]*graph.Node{}
	for k, lane := range lanes {
		var at *graph.Node
		for _, n := range byLane[lane] {
			if !second[n.Ref] {
				at = n
			}
		}
		for at != nil {
			chains[lane] = append(chains[lane], at)
			numbers[at.Key] = fmt.Sprintf("%c%d", 'a'+k, len(chains[lane]))
			at = g.Node(order[at.Ref])
		}
	}
	for k, lane := range lanes {
		fmt.Fprintf(b, "  lane %c\n", 'a'+k)
		for _, n := range chains[lane] {
			parent, _ := n.Prop("parent_action_id").(string)
			fmt.Fprintf(b, "    %s %s", numbers[n.Key], n.Type)
			if parent != "" {
				fmt.Fprintf(b, " ^%s", numbers[parent])
			}
			name := []rune(fmt.Sprint(n.Prop("name")))
			fmt.Fprintf(b, " %q", string(name[:min(len(name), 60)]))
			show(n, "status", "never_ran", "thinking", "parent_unknown", "duration_ms", "input_tokens", "output_tokens", "stop_reason", "lower_bound", "exit_code")
		}
	}
}
