package actiongraph_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"compress/gzip"

	"github.com/google/go-cmp/cmp"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// capturedSessions are real sessions: hooks' payloads, and the session files beside them.
func capturedSessions(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("internal/e2e/testdata/captures/*")
	if err != nil || len(dirs) < 30 {
		t.Fatalf("%d captures: %v", len(dirs), err)
	}
	return dirs
}

// payloads returns what hooks were given, and when.
func payloads(t *testing.T, dir string) (out [][]byte, at []time.Time) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "hooks.jsonl"))
	var r io.Reader = f
	if err != nil {
		if f, err = os.Open(filepath.Join(dir, "hooks.jsonl.gz")); err != nil {
			t.Fatal(err)
		}
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	defer f.Close()
	for d := json.NewDecoder(bufio.NewReader(r)); d.More(); {
		var call struct {
			RecvNS int64  `json:"recv_ns"`
			Stdin  string `json:"stdin"`
		}
		if err := d.Decode(&call); err != nil {
			t.Fatal(err)
		}
		out, at = append(out, []byte(call.Stdin)), append(at, time.Unix(0, call.RecvNS))
	}
	return out, at
}

// homeWith makes a home with that configuration in force.
func homeWith(t *testing.T, toml string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	if _, err := journal.Open(dir); err != nil {
		t.Fatal(err)
	}
	configure(t, dir, toml)
	return dir
}

func configure(t *testing.T, home, toml string) {
	t.Helper()
	if toml == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(home, config.FileName), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	if state, err := config.CompilePolicy(home); err != nil || state.Stale {
		t.Fatalf("%+v, %v", state, err)
	}
}

// playHooks does what the hook does with payloads: one process each.
func playHooks(t *testing.T, home, dir string) {
	t.Helper()
	in, at := payloads(t, dir)
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	r := j.Redactor("")
	for i, payload := range in {
		if i%7 == 0 {
			r = j.Redactor("") // nothing may depend on what a process remembers
		}
		env := claude.Env{Now: at[i], Host: "host", User: "dev", HashKey: j.Key()}
		if id := schema.FieldString(payload, "agent_id"); id != "" {
			env.AgentMeta, _ = os.ReadFile(filepath.Join(dir, "agent-"+id+".meta.json"))
		}
		for _, e := range claude.Events(payload, env) {
			if err := j.Append(r.Event(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func importFiles(t *testing.T, home, dir string) {
	t.Helper()
	h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
	defer h.Close()
	if _, err := os.Stat(filepath.Join(dir, "projects")); err == nil {
		must(h.ImportTranscripts(context.Background(), []string{filepath.Join(dir, "projects")}, actiongraph.TranscriptOptions{}, nil))(t)
	}
}

// shape is what a policy of contents must not change: what happened, when, by whom, how it
// ended, what it cost.
func shape(t *testing.T, home string) map[string][]string {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, f := range must(j.Files())(t) {
		s, g := graph.NewSession(f.Session, j.ID()), graph.New()
		c := must(j.Read(f.Session, journal.Position{}))(t)
		for {
			record, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e := must(schema.Decode(record))(t)
			s.Apply(&e)
		}
		c.Close()
		g.Apply(s.Take()...)
		kept := []string{"status", "timestamp", "duration_ms", "started_at", "ended_at", "tool_name", "tool_use_id", "is_error", "exit_code",
			"model", "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "total_input_tokens",
			"total_output_tokens", "total_cost_usd", "turn", "prompt_id", "agent_id", "parent_unknown", "never_ran", "error_count"}
		for _, n := range g.Nodes() {
			if n.Label == graph.LabelFile {
				continue
			}
			line := fmt.Sprint(n.Label, " ", n.Type)
			if n.Label == graph.LabelAgent || n.Label == graph.LabelSession {
				line += " " + n.Key
			}
			for _, name := range kept {
				if v := n.Prop(name); v != nil {
					line += fmt.Sprintf(" %s=%v", name, v)
				}
			}
			out[f.Session] = append(out[f.Session], line)
		}
		edges := map[graph.EdgeType]int{}
		for _, e := range g.Edges() {
			if e.Type != graph.Read && e.Type != graph.Wrote {
				edges[e.Type]++
			}
		}
		out[f.Session] = append(out[f.Session], fmt.Sprint(edges))
		slices.Sort(out[f.Session])
	}
	return out
}

const (
	nothingKept  = "[capture]\ncontent = \"none\"\n"
	gistKept     = "[capture]\ncontent = \"gist\"\n"
	shortKept    = "[capture]\nmax_chars = 256\n"
	toolsLeftOut = "[capture]\nexclude_tools = [\"Bash\", \"R*d\", \"mcp__*\", \"Agent\", \"Task\"]\n"
	otherLeftOut = "[capture]\nexclude_tools = [\"Read\"]\n" // hooks know of no call, a session's file of all
)

// TestPolicyKeepsTheShape: with any policy of contents the graph of a session, from hooks,
// from its files and from both, says that the same things happened.
func TestPolicyKeepsTheShape(t *testing.T) {
	for _, dir := range capturedSessions(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"hooks", "files", "both"} {
				record := func(toml string) map[string][]string {
					home := homeWith(t, toml)
					if how != "files" {
						playHooks(t, home, dir)
					}
					if how != "hooks" {
						importFiles(t, home, dir)
					}
					return shape(t, home)
				}
				want := record("")
				for _, toml := range []string{nothingKept, gistKept, shortKept, toolsLeftOut, otherLeftOut} {
					if diff := cmp.Diff(want, record(toml)); diff != "" {
						t.Errorf("%s, %s: -full +kept\n%s", how, toml, diff)
					}
				}
			}
		})
	}
}

// said collects every text of a JSON value under a name, and the texts under names whose
// values stay: ids, names, times, places.
func said(v any, name string, texts, stays map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, v := range v {
			said(v, k, texts, stays)
		}
	case []any:
		for _, v := range v {
			said(v, name, texts, stays)
		}
	case string:
		switch name {
		case "session_id", "sessionId", "transcript_path", "agent_transcript_path", "cwd", "hook_event_name", "permission_mode", "permissionMode", "tool_name",
			"tool_use_id", "toolUseID", "parentToolUseID", "agent_id", "agentId", "agent_type", "agentType", "subagent_type", "prompt_id",
			"promptId", "model", "resolvedModel", "uuid", "parentUuid", "requestId", "id", "version", "timestamp", "name", "type", "toolUseId", "requestShape",
			"sourceToolUseID", "sourceToolAssistantUUID", "subtype", "stop_reason", "service_tier", "messageId", "leafUuid", "interruptedMessageId",
			"notification_type", "source", "entrypoint", "toolDenialKind", "promptSource", "load_reason", "memory_type", "level", "command_name":
			stays[v] = true
		default:
			texts[v] = true
		}
	}
}

var word = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// pieces adds the eights of bytes of s to a set.
func pieces(s string, to map[string]bool) {
	for i := 0; i+8 <= len(s); i++ {
		to[s[i:i+8]] = true
	}
}

// skeleton is a line of JSON without the texts of its strings: the names of its members.
func skeleton(line []byte) string {
	var out strings.Builder
	for i := 0; i < len(line); {
		if line[i] != '"' {
			out.WriteByte(line[i])
			i++
			continue
		}
		n, _ := schema.ValueEnd(line[i:])
		if i+n < len(line) && line[i+n] == ':' {
			out.Write(line[i : i+n])
		} else {
			out.WriteString(`"` + "\x00" + `"`)
		}
		i += n
	}
	return out.String()
}

// TestNothingOfATextIsKept: with content = "none" no eight bytes of any text of real payloads
// are anywhere in the home, but where they are in an id or a name, too.
func TestNothingOfATextIsKept(t *testing.T) {
	searched := 0
	for _, dir := range capturedSessions(t) {
		home := homeWith(t, nothingKept)
		playHooks(t, home, dir)
		importFiles(t, home, dir)
		texts, stays := map[string]bool{}, map[string]bool{}
		in, _ := payloads(t, dir)
		filepath.WalkDir(filepath.Join(dir, "projects"), func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".jsonl") && strings.Contains(path, "projects") {
				data := must(os.ReadFile(path))(t)
				in = append(in, bytes.Split(data, []byte("\n"))...)
			}
			return nil
		})
		for _, payload := range in {
			var v any
			if json.Unmarshal(payload, &v) == nil {
				said(v, "", texts, stays)
			}
		}
		// What a record says by itself, and what says how a call ended.
		own := []string{"[left out: ", " bytes, ", "<tool_use_error>", "Exit code 143\n", "Exit code 1\n", "Exit code 2\n", "Exit code 3\n", "Exit code 4",
			"<task-notification>", "<command-message></command-message><command-name>/[", "</command-name>", "<task-notification><task-id>", "<status>completed</status>", "background", "</task-notification>"}
		for s := range stays {
			own = append(own, s, "<task-id>"+s+"</task-id><status>")
		}
		kept := map[string]bool{}
		j := must(journal.Open(home))(t)
		for _, f := range must(j.Files())(t) {
			data := must(os.ReadFile(filepath.Join(journal.Dir(home), f.Session+journal.Suffix)))(t)
			pieces(string(data), kept)
			for line := range bytes.Lines(data) {
				own = append(own, skeleton(line))
				for _, name := range []string{"timestamp", "event_id", "input_hash", "event_type", "source_sdk", "status", "reason", "error_type"} {
					own = append(own, schema.FieldString(line, name))
				}
				for _, name := range []string{"status", "permission_mode", "prompt_source", "trigger", "source"} {
					own = append(own, schema.FieldString(schema.Field(line, "result"), name), schema.FieldString(schema.Field(line, "extra"), name))
				}
				if path := schema.FieldString(schema.Field(line, "metadata"), "source"); path != "" {
					own = append(own, path)
				}
			}
		}
		may := map[string]bool{}
		for _, s := range own {
			pieces(s, may)
		}
		for text := range texts {
			if word.MatchString(text) {
				continue // a reason, a status, a class of errors
			}
			for i := 0; i+8 <= len(text); i++ {
				searched++
				if piece := text[i : i+8]; kept[piece] && !may[piece] && !strings.Contains(piece, `"`) {
					t.Errorf("%s: %q of %.200q is in the journal", filepath.Base(dir), piece, text)
					break
				}
			}
		}
	}
	if searched < 100_000 {
		t.Errorf("only %d pieces were searched for", searched)
	}
}

// TestPolicyKeepsTheShapeOfDumps is TestPolicyKeepsTheShape for the JSONL of other agents.
func TestPolicyKeepsTheShapeOfDumps(t *testing.T) {
	files, err := filepath.Glob("adapters/jsonl/testdata/*/*.jsonl")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		record := func(toml string) map[string][]string {
			home := homeWith(t, toml)
			h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
			defer h.Close()
			must(h.ImportJSONL(context.Background(), []string{path}, nil, actiongraph.JSONLOptions{}, nil))(t)
			return shape(t, home)
		}
		want := record("")
		if len(want) == 0 {
			t.Errorf("%s: nothing was read", path)
		}
		for _, toml := range []string{nothingKept, gistKept, shortKept, toolsLeftOut} {
			if diff := cmp.Diff(want, record(toml)); diff != "" {
				t.Errorf("%s, %s: -full +kept\n%s", path, toml, diff)
			}
		}
	}
}

// TestPolicyOfAnOpenHome: who has a home open writes by the policy that is in force, soon
// after it changes; what was recorded before stays.
func TestPolicyOfAnOpenHome(t *testing.T) {
	home := homeWith(t, "")
	h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
	defer h.Close()
	r := h.Recorder("test")
	say := func(text string) {
		t.Helper()
		must(r.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: text}))(t)
	}
	say("before")
	configure(t, home, nothingKept)
	time.Sleep(600 * time.Millisecond) // policy.File looks twice a second
	say("the needle in between")
	configure(t, home, gistKept)
	time.Sleep(600 * time.Millisecond)
	say("after")
	data := string(must(os.ReadFile(filepath.Join(journal.Dir(home), "s.jsonl")))(t))
	if !strings.Contains(data, "before") || !strings.Contains(data, "after") || strings.Contains(data, "needle") || strings.Count(data, "[left out: 21 bytes") != 1 {
		t.Error(data)
	}
}
