package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// hostile are strings that do harm where text becomes code, or that a database, a driver
// or an index does not take. They are raw JSON strings.
func hostile() []string {
	return []string{
		"\"`}) MATCH (n) DETACH DELETE n //\"",
		`"') MATCH (n) DETACH DELETE n RETURN ('"`,
		`"\"}) MATCH (n) DETACH DELETE n //"`,
		"\"Bash:Canary`:Session {session_id: 's'}) SET n.x = 1 //\"",
		`"$rows"`, `"_LABELS_"`, `"..\/..\/..\/etc\/passwd"`, `"*:* AND (a OR [b TO c]) ~2 \\ \" ^ ! /x/"`,
		`"a\u0000b\u0000"`, `"\u0000"`,
		`"\ud800"`, `"x\udc00\ud800y"`, `"\ud83d\ude00"`, `"\ufffe\uffff\ufeff\u202e"`,
		`"\u001as2026-03-01T09:00:00.000000000Z"`, `"\u001ab!"`, `"\u001ac"`, `"2026-03-01T09:00:00.000000000Z"`,
		`"NaN"`, `"-Infinity"`, `"null"`, `""`, `" "`, `"\n\r\t"`, `"stub"`, `"JournalPosition"`,
		`"` + strings.Repeat("x", 1<<20) + `"`,
		`"` + strings.Repeat("é`", 20_000) + `"`,
		`"` + strings.Repeat("\xf0\x9f\x98\x80", 3000) + `"`,
		"\"not \xff\xfe UTF-8 \xc0\x80\"",
	}
}

// hostilePayloads are hook payloads of a session with hostile strings in every place that
// the runtime fills, and with values of every hostile shape.
func hostilePayloads(session string) (payloads []string) {
	call := func(format string, args ...any) {
		payloads = append(payloads, fmt.Sprintf(`{"session_id":%q,"cwd":"/w","hook_event_name":"PreToolUse",`, session)+fmt.Sprintf(format, args...)+"}")
	}
	for i, s := range hostile() {
		call(`"tool_name":%s,"tool_use_id":"name_%d","tool_input":{"command":"ls"}`, s, i)
		call(`"tool_name":"Bash","tool_use_id":"input_%d","tool_input":{"command":%s,"file_path":%s,"url":%s,"pattern":%s,%s:1}`, i, s, s, s, s, s)
		payloads = append(payloads, fmt.Sprintf(`{"session_id":%q,"cwd":"/w","hook_event_name":"UserPromptSubmit","prompt":%s}`, session, s))
		if len(s) > 1<<20 {
			continue // a second of work for each of the others
		}
		call(`"tool_name":"Write","tool_use_id":"path_%d","tool_input":{"file_path":%s,"content":%s}`, i, s, s)
		call(`"tool_name":"Bash","tool_use_id":%s,"tool_input":{"n":%d}`, s, i)
		call(`"tool_name":"Bash","tool_use_id":"lane_%d","agent_id":%s,"agent_type":%s,"tool_input":{}`, i, s, s)
		call(`"tool_name":"Bash","tool_use_id":"other_%d","prompt_id":%s,"permission_mode":%s,%s:%s,"tool_input":%s`, i, s, s, s, s, s)
		payloads = append(payloads,
			fmt.Sprintf(`{"session_id":%q,"cwd":%s,"transcript_path":%s,"hook_event_name":"SessionStart","source":%s,"model":%s}`, session, s, s, s, s),
			fmt.Sprintf(`{"session_id":%q,"cwd":"/w","hook_event_name":%s,"x":%s}`, session, s, s),
			fmt.Sprintf(`{"session_id":%q,"cwd":"/w","hook_event_name":"PostToolUseFailure","tool_name":"Bash","tool_use_id":"input_%d","tool_input":{},"error":%s,"is_interrupt":false}`, session, i, s),
		)
	}
	wide := make([]string, 10_000)
	for i := range wide {
		wide[i] = fmt.Sprintf("\"k`%d\":%d", i, i)
	}
	for i, v := range []string{
		"{" + strings.Join(wide, ",") + "}",
		strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000),
		strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"1e999", "-0", "123456789012345678901234567890", "1e-400", `{"a":1,"a":2}`, "null", "[]", "true",
		"NaN", "Infinity", "{'a':1}", `{"a":}`, "undefined",
	} {
		call(`"tool_name":"Bash","tool_use_id":"shape_%d","tool_input":%s`, i, v)
		call(`"tool_name":"Bash","tool_use_id":"in_shape_%d","tool_input":{"command":%s,"file_path":%s}`, i, v, v)
	}
	return payloads
}

// TestHostileContent plays hostile payloads through the real hook and daemon: nothing is
// executed, nothing stalls, what was cut says so, and the graph is what a fold gives.
func TestHostileContent(t *testing.T) {
	d := emptied(t)
	d.ask(t, "CREATE (:Canary {sings: true})-[:SINGS]->(:Canary {sings: true})", nil)
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h := home(t)
	t.Setenv("AG_GRAPH_USER", d.user)
	t.Setenv("AG_GRAPH_PASSWORD", d.password)
	log, err := os.Create(filepath.Join(t.TempDir(), "run.log"))
	must(t, err)
	defer log.Close()
	daemon := exec.Command(sessiond, "run", "--home", h, "--log", "json", "--graph", d.url)
	daemon.Stderr = log
	must(t, daemon.Start())
	defer func() { daemon.Process.Kill(); daemon.Wait() }()

	reported := 0
	report := func(stdin string) {
		t.Helper()
		reported++
		cmd := exec.Command(hook, "claude", "--home", h)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("ag-hook: %v, printed %q", err, out)
		}
	}
	payloads := hostilePayloads("hostile")
	for _, p := range payloads {
		report(p)
	}
	ids := []string{"a'b\"c`d", "s~0123abcd", "../../x", "x\x00y", strings.Repeat("long", 1000), "session_id", "$session"}
	for i, id := range ids {
		quoted, _ := json.Marshal(id)
		report(fmt.Sprintf(`{"session_id":%s,"cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Bash","tool_use_id":"id_%d","tool_input":{}}`, quoted, i))
	}
	for _, tag := range []string{"`) DETACH DELETE n //", "a' b\"", "$tag", "{name: $x}"} {
		run(t, sessiond, h, "tag", "hostile", tag)
		reported++
	}
	report(payload("normal", "", "toolu_normal"))
	eventually(t, func() error {
		if d.count(t, "MATCH (:Session {session_id: 'normal'})-[:HAS_ACTION]->(c:ToolCall {tool_use_id: 'toolu_normal'}) RETURN count(c)") != 1 {
			out, _ := os.ReadFile(log.Name())
			return fmt.Errorf("the normal session does not arrive:\n%.5000s", out)
		}
		return nil
	})
	must(t, daemon.Process.Signal(os.Interrupt))
	must(t, daemon.Wait())

	run(t, sessiond, h, "sync", "--graph", d.url)
	run(t, sessiond, h, "verify", "--graph", d.url)
	want := folded(t, h)
	if len(want) != 3+len(ids) || want["unknown"] == nil { // where what is no JSON goes
		t.Errorf("%d sessions: %q", len(want), slices.Sorted(maps.Keys(want)))
	}
	if n := records(t, h); n != reported {
		t.Errorf("%d hooks and tags were reported, %d records are in the journal", reported, n)
	}
	d.intact(t)
	says(t, want["hostile"], "[cut: 1048576 bytes, sha256:", `\u0000`, "k`9999", "…[cut: ")
	for _, unread := range []string{"NaN", "Infinity", "undefined", "{'a':1}"} {
		if trace := run(t, sessiond, h, "trace", "unknown", "--json"); !bytes.Contains(trace, []byte(`\"tool_input\":`+unread)) {
			t.Errorf("what could not be read (%s) is nowhere", unread)
		}
	}
	d.ask(t, "MATCH (c:Canary) DETACH DELETE c", nil)
	d.holds(t, want)
	for id := range want {
		sqlite, neo := run(t, sessiond, h, "graph", id, "--format", "json"), run(t, sessiond, h, "graph", id, "--format", "json", "--graph", d.url)
		if string(sqlite) != string(neo) {
			t.Errorf("graph of %s differs:\n%.2000s\n%.2000s", id, sqlite, neo)
		}
	}
	if out, err := os.ReadFile(filepath.Join(h, "hook.log")); err == nil {
		t.Errorf("hook.log:\n%.3000s", out)
	}
}

// intact holds that nothing in the database was executed: the canaries are there, and
// there is no label, type or property that somebody's text made.
func (d *database) intact(t *testing.T) {
	t.Helper()
	if n := d.count(t, "MATCH (a:Canary {sings: true})-[:SINGS]->(b:Canary {sings: true}) RETURN count(*)"); n != 1 {
		t.Error("the canaries are gone")
	}
	labels := []string{"Canary", "JournalPosition"}
	for _, l := range []graph.Label{graph.LabelSession, graph.LabelAction, graph.LabelAgent, graph.LabelTool, graph.LabelTag, graph.LabelFile} {
		labels = append(labels, string(l))
	}
	for _, typ := range graph.ActionTypes() {
		labels = append(labels, typ.Labels()...)
	}
	for _, r := range d.ask(t, "MATCH (n) UNWIND labels(n) AS l RETURN DISTINCT l AS name, 'label' AS what UNION "+
		"MATCH ()-[r]->() RETURN DISTINCT type(r) AS name, 'type' AS what UNION "+
		"MATCH (n) UNWIND keys(n) AS k RETURN DISTINCT k AS name, 'property' AS what", nil) {
		name := r["name"].(string)
		switch r["what"] {
		case "label":
			if !slices.Contains(labels, name) {
				t.Errorf("label %q", name)
			}
		case "type":
			if name != "SINGS" && !slices.Contains(graph.EdgeTypes(), graph.EdgeType(name)) {
				t.Errorf("relationship type %q", name)
			}
		default:
			if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
				t.Errorf("property %q", name)
			}
		}
	}
}

// says holds that texts are somewhere in a graph: what did not come through whole says so.
func says(t *testing.T, g *graph.Graph, texts ...string) {
	t.Helper()
	var all strings.Builder
	for _, n := range g.Nodes() {
		for _, p := range n.Props {
			fmt.Fprintln(&all, p.Value)
		}
	}
	for _, text := range texts {
		if !strings.Contains(all.String(), text) {
			t.Errorf("the graph does not hold %q", text)
		}
	}
}

// records counts the records of a home's journal.
func records(t *testing.T, home string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(journal.Dir(home), "*"+journal.Suffix))
	must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for line := range bytes.Lines(text) {
			// What the daemon has to say of them is beside what was told.
			if e, err := schema.Decode(bytes.TrimSpace(line)); len(line) > 1 && (err != nil || !e.OfRecorder()) {
				n++
			}
		}
	}
	return n
}
