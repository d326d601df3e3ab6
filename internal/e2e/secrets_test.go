package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/secrets"
	"github.com/actiongraph/actiongraph/secrets/secretstest"
)

// TestCleanCorpus: in all that was recorded of real sessions, by hooks and from session files,
// a scan finds no secret.
func TestCleanCorpus(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h := home(t)
	for _, dir := range scenarios(t) {
		root := t.TempDir()
		calls := move(t, dir, root, recorded(t, dir))
		play(t, hook, h, calls, now)
		if projects := put(t, dir, root, calls); projects != "" {
			importInto(t, sessiond, h, projects)
		}
	}
	var report struct {
		Findings, Apart, Unread []any
		Sessions                int
	}
	if err := json.Unmarshal(run(t, sessiond, h, "secrets", "scan", "--json"), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Findings)+len(report.Apart)+len(report.Unread) > 0 || report.Sessions < 36 {
		t.Errorf("%+v", report)
	}
}

// planted is a home into which secrets of every rule of gitleaks were planted, by every way into
// it: nothing was redacted before.
type planted struct {
	home, sessiond string
	samples        []secretstest.Sample
}

// plant plays real payloads in which a secret stands where a person or a tool would have put it.
func plant(t *testing.T) (p planted) {
	t.Helper()
	hook := build(t, "ag-hook")
	p = planted{home: home(t), sessiond: build(t, "ag-sessiond")}
	seed := secretstest.Seed()
	t.Logf("GITLEAKS_SEED=%d", seed)
	all, err := secretstest.Samples(seed)
	if err != nil {
		t.Fatal(err)
	}
	places := placesOf(t)
	byRule := map[string][]secretstest.Sample{}
	for _, s := range all {
		byRule[s.Rule] = append(byRule[s.Rule], s)
	}
	var transcript, events bytes.Buffer
	var playing sync.WaitGroup
	turns := make(chan struct{}, 4)
	for _, samples := range byRule {
		for i, place := range places {
			s := samples[i%len(samples)]
			p.samples = append(p.samples, s)
			text := place(s.Text, len(p.samples))
			switch {
			case text.hook != nil:
				turns <- struct{}{}
				playing.Go(func() {
					defer func() { <-turns }()
					cmd := exec.Command(hook, "claude", "--home", p.home)
					cmd.Stdin = bytes.NewReader(text.hook)
					if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
						t.Errorf("ag-hook: %v, %s", err, out)
					}
				})
			case text.line != nil:
				transcript.Write(append(text.line, '\n'))
			default:
				events.Write(append(text.event, '\n'))
			}
		}
	}
	playing.Wait()
	projects := filepath.Join(t.TempDir(), "-repo")
	must(t, os.MkdirAll(projects, 0o700))
	must(t, os.WriteFile(filepath.Join(projects, "7f1c0c1e-0000-4000-8000-00000000000a.jsonl"), transcript.Bytes(), 0o600))
	importInto(t, p.sessiond, p.home, projects)
	p.post(t, events.Bytes())
	return p
}

// placed is a payload of a hook, a line of a session file, or an event that is posted.
type placed struct{ hook, line, event []byte }

// placesOf are the places of secrets: each makes a real payload with a text in it.
func placesOf(t *testing.T) (places []func(text string, n int) placed) {
	t.Helper()
	const session = "7f1c0c1e-0000-4000-8000-00000000000b"
	hookOf := func(scenario, event, tool string, put func(payload map[string]any, text string)) {
		calls := recorded(t, filepath.Join("testdata/captures", scenario))
		i := slices.IndexFunc(calls, func(c call) bool {
			return schema.FieldString([]byte(c.Stdin), "hook_event_name") == event && schema.FieldString([]byte(c.Stdin), "tool_name") == tool
		})
		places = append(places, func(text string, n int) placed {
			var payload map[string]any
			must(t, json.Unmarshal([]byte(calls[i].Stdin), &payload))
			payload["session_id"] = session
			if tool != "" {
				payload["tool_use_id"] = fmt.Sprintf("toolu_%d", n)
			}
			put(payload, text)
			raw, err := json.Marshal(payload)
			must(t, err)
			return placed{hook: raw}
		})
	}
	in := func(keys ...string) func(map[string]any, string) {
		return func(payload map[string]any, text string) {
			for _, k := range keys[:len(keys)-1] {
				payload = payload[k].(map[string]any)
			}
			payload[keys[len(keys)-1]] = text
		}
	}
	hookOf("a_tools", "UserPromptSubmit", "", in("prompt"))
	hookOf("a_tools", "PreToolUse", "Bash", in("tool_input", "command"))
	hookOf("a_tools", "PostToolUse", "Bash", in("tool_response", "stdout"))
	hookOf("a_tools", "PreToolUse", "Write", in("tool_input", "content"))
	hookOf("a_tools", "PostToolUse", "Read", in("tool_response", "file", "content"))
	hookOf("b_failures", "PostToolUseFailure", "Bash", in("error"))

	lineOf := func(typ, block string, put func(line map[string]any, text string)) {
		paths, err := filepath.Glob("testdata/captures/a_tools/projects/*.jsonl")
		must(t, err)
		data, err := os.ReadFile(paths[0])
		must(t, err)
		var found []byte
		for line := range bytes.Lines(data) {
			if schema.FieldString(line, "type") == typ && bytes.Contains(line, []byte(block)) {
				found = bytes.Clone(line)
				break
			}
		}
		places = append(places, func(text string, n int) placed {
			var line map[string]any
			must(t, json.Unmarshal(found, &line))
			line["sessionId"], line["uuid"], line["parentUuid"] = "7f1c0c1e-0000-4000-8000-00000000000a", fmt.Sprintf("7f1c0c1e-0000-4000-9000-%012d", n), nil
			put(line, text)
			raw, err := json.Marshal(line)
			must(t, err)
			return placed{line: raw}
		})
	}
	lineOf("user", `"promptSource"`, in("message", "content"))
	lineOf("assistant", `"type": "text"`, func(line map[string]any, text string) {
		line["message"].(map[string]any)["content"] = []any{map[string]any{"type": "text", "text": text}}
	})
	lineOf("user", `"toolUseResult"`, func(line map[string]any, text string) {
		line["toolUseResult"] = map[string]any{"stdout": text, "stderr": "", "interrupted": false}
	})
	places = append(places, func(text string, n int) placed {
		raw, err := json.Marshal(map[string]any{"v": 1, "event_id": fmt.Sprintf("posted-%d", n), "event_type": "tool_end", "session_id": "posted",
			"timestamp": "2026-11-22T10:00:00Z", "source_sdk": "test", "tool_name": "Fetch", "tool_use_id": fmt.Sprintf("call-%d", n), "result": map[string]any{"body": text}})
		must(t, err)
		return placed{event: raw}
	})
	return places
}

// post has a daemon take in events over HTTP, and log what it does.
func (p planted) post(t *testing.T, events []byte) {
	t.Helper()
	cmd := exec.Command(p.sessiond, "run", "--home", p.home, "--log", "json", "--log-file", filepath.Join(p.home, "ag-sessiond.log"))
	must(t, cmd.Start())
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(p.home, "api.sock"))
	}}}
	list := "[" + strings.Join(strings.Split(strings.TrimSpace(string(events)), "\n"), ",") + "]"
	eventually(t, func() error {
		resp, err := client.Post("http://localhost/v1/events", "application/json", strings.NewReader(list))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return errors.New(resp.Status)
		}
		return nil
	})
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	must(t, cmd.Wait())
}

// TestNoSecretGetsIn: of secrets of each of gitleaks' rules that has a vendor's shape, in prompts,
// inputs, outputs, contents of files and errors, through hooks, session files and HTTP, nothing
// is in the home, byte by byte, nor in what is exported, nor in a Neo4j; and a scan finds none.
func TestNoSecretGetsIn(t *testing.T) {
	d := emptied(t)
	t.Setenv("AG_GRAPH_USER", d.user)
	t.Setenv("AG_GRAPH_PASSWORD", d.password)
	p := plant(t)
	run(t, p.sessiond, p.home, "sync")
	run(t, p.sessiond, p.home, "sync", "--graph", d.url)
	places := map[string][]byte{"Neo4j": d.texts(t)}
	must(t, filepath.WalkDir(p.home, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	}))
	var sessions []struct {
		ID string `json:"session_id"`
	}
	must(t, json.Unmarshal(run(t, p.sessiond, p.home, "sessions", "--json"), &sessions))
	if len(sessions) != 3 {
		t.Fatalf("%d sessions, want those of hooks, of a session file and of posts", len(sessions))
	}
	for _, s := range sessions {
		for _, format := range []string{"md", "html"} {
			places[s.ID+"."+format] = run(t, p.sessiond, p.home, "export", s.ID, "--format", format)
		}
	}
	marks := 0
	for where, data := range places {
		if strings.HasSuffix(where, ".jsonl") {
			marks += bytes.Count(data, []byte("[REDACTED:"))
		}
		lower := bytes.ToLower(data) // the index of texts has no capitals
		for _, s := range p.samples {
			for _, part := range s.Parts() {
				if bytes.Contains(data, []byte(part)) || len(part) > 10 && bytes.Contains(lower, []byte(strings.ToLower(part))) {
					t.Errorf("%s: %q, planted in %.300q, is in %s", s.Rule, part, s.Text, where)
				}
			}
		}
	}
	if marks < len(p.samples) {
		t.Errorf("%d marks of %d secrets: not all texts were recorded", marks, len(p.samples))
	}
	if len(places["Neo4j"]) < 100_000 || len(places[filepath.Join(p.home, "graph.db")]) < 100_000 || len(places) < 14 {
		t.Errorf("%d places, of Neo4j %d bytes: too little was looked at", len(places), len(places["Neo4j"]))
	}
	run(t, p.sessiond, p.home, "secrets", "scan", "--graph", d.url)
}

// texts is every text that the database holds, of nodes and relationships.
func (d *database) texts(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, q := range []string{"MATCH (n) RETURN properties(n) AS p", "MATCH ()-[r]->() RETURN properties(r) AS p"} {
		for _, row := range d.ask(t, q, nil) {
			for name, v := range row["p"].(map[string]any) {
				fmt.Fprintf(&b, "%s=%v\n", name, v)
			}
		}
	}
	return b.Bytes()
}

// TestScrubAmongHooks: while a scrub rewrites a session, and is killed 10 times on its way (50
// with AG_SOAK=1; package journal kills its part of it 50 times), 16 hooks write to it. Nothing that they recorded is lost, and in the end nothing is left of what
// had got into it, in any byte of the home.
func TestScrubAmongHooks(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h := home(t)
	leak := func(n int) {
		line := fmt.Sprintf(`{"v":1,"event_id":"leak-%d","event_type":"tool_start","session_id":"s","timestamp":"2026-11-22T10:00:00.%09dZ","source_sdk":"claude-code",`+
			`"origin":"hook","tool_name":"Bash","tool_use_id":"toolu_leak%d","tool_input":{"command":"mysql --password=hunter2%d!x"}}`, n, n, n, n)
		f, err := os.OpenFile(filepath.Join(h, "journal", "s.jsonl"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		must(t, err)
		_, err = f.WriteString("\n" + line + "\n")
		must(t, errors.Join(err, f.Close()))
	}
	must(t, os.MkdirAll(filepath.Join(h, "journal"), 0o700))
	for n := range 200 {
		leak(n)
	}
	run(t, sessiond, h, "sync")
	var stop atomic.Bool
	var hooks sync.WaitGroup
	acked := make([]int, 16)
	for w := range acked {
		hooks.Go(func() {
			for ; !stop.Load() && acked[w] < 100; time.Sleep(50 * time.Millisecond) {
				cmd := exec.Command(hook, "claude", "--home", h)
				cmd.Stdin = strings.NewReader(payload("s", "", fmt.Sprintf("toolu_%d_%d", w, acked[w])))
				if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("ag-hook: %v, %s", err, out)
					return
				}
				acked[w]++
			}
		})
	}
	kills := 10
	if os.Getenv("AG_SOAK") == "1" {
		kills = 50
	}
	unfinished := 0
	for n := range kills {
		leak(1000 + n)
		cmd := exec.Command(sessiond, "secrets", "scrub", "--yes", "--home", h)
		must(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for at := false; !at; time.Sleep(time.Millisecond) {
			if m, is := secrets.Unfinished(h); is && m.PID == cmd.Process.Pid {
				at = true
				unfinished++
				time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
				cmd.Process.Kill()
			}
			if len(ended) > 0 {
				at = true
			}
		}
		<-ended
	}
	stop.Store(true)
	hooks.Wait()
	if unfinished < kills/2 {
		t.Errorf("%d of %d were killed at work", unfinished, kills)
	}
	run(t, sessiond, h, "secrets", "scrub", "--yes")
	run(t, sessiond, h, "secrets", "scan")
	run(t, sessiond, h, "verify")
	data, err := os.ReadFile(filepath.Join(h, "journal", "s.jsonl"))
	must(t, err)
	for w, n := range acked {
		for i := range n {
			if id := fmt.Sprintf(`"toolu_%d_%d"`, w, i); !bytes.Contains(data, []byte(id)) {
				t.Errorf("%s was recorded and is lost", id)
			}
		}
	}
	for n := range kills {
		if id := fmt.Sprintf(`"toolu_leak%d"`, 1000+n); !bytes.Contains(data, []byte(id)) {
			t.Errorf("%s is lost with its secret", id)
		}
	}
	must(t, filepath.WalkDir(h, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("a secret is left in %s", path)
		}
		return err
	}))
}

// TestScrubbedGraph: what is scrubbed is gone from a Neo4j, too, the file with it that no other
// session names; and one that is down then is told, and scrubbed once it is caught up again.
func TestScrubbedGraph(t *testing.T) {
	d := emptied(t)
	t.Setenv("AG_GRAPH_USER", d.user)
	t.Setenv("AG_GRAPH_PASSWORD", d.password)
	sessiond, h := build(t, "ag-sessiond"), home(t)
	must(t, os.MkdirAll(filepath.Join(h, "journal"), 0o700))
	leak := func(n int) {
		line := fmt.Sprintf(`{"v":1,"event_id":"leak-%d","event_type":"tool_start","session_id":"s%d","timestamp":"2026-11-22T10:00:00.%09dZ","source_sdk":"claude-code","origin":"hook",`+
			`"tool_name":"Read","tool_use_id":"toolu_%d","tool_input":{"file_path":"/repo/password=hunter2%d!x/a","command":"mysql --password=hunter2%d!x"}}`, n, n, n, n, n, n)
		must(t, os.WriteFile(filepath.Join(h, "journal", fmt.Sprintf("s%d.jsonl", n)), []byte("\n"+line+"\n"), 0o600))
		run(t, sessiond, h, "sync")
		run(t, sessiond, h, "sync", "--graph", d.url)
		if !bytes.Contains(d.texts(t), []byte("hunter2")) {
			t.Fatal("nothing is to be scrubbed")
		}
	}
	leak(1)
	run(t, sessiond, h, "secrets", "scrub", "--yes", "--graph", d.url)
	if bytes.Contains(d.texts(t), []byte("hunter2")) {
		t.Errorf("a secret is left:\n%s", d.texts(t))
	}
	leak(2)
	const nobody = "bolt://127.0.0.1:1"
	out, err := exec.Command(sessiond, "secrets", "scrub", "--yes", "--graph", nobody, "--home", h).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("is pending")) {
		t.Errorf("with a database that is down: %v\n%s", err, out)
	}
	run(t, sessiond, h, "sync", "--graph", d.url)
	if bytes.Contains(d.texts(t), []byte("hunter2")) {
		t.Errorf("after it was caught up a secret is left:\n%s", d.texts(t))
	}
}
