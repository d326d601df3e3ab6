package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/schema"
)

// tracesOf returns the files of a home that have one of some texts, in their bytes or names.
func tracesOf(t *testing.T, home string, texts []string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) || strings.Contains(path[len(home):], text) {
				found = append(found, filepath.Base(path)+": "+text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// said are the words of sessions, long ones, by the session.
func said(t *testing.T, home string) map[string]map[string]bool {
	t.Helper()
	j, err := packed.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]map[string]bool{}
	for _, f := range files {
		words[f.Session] = map[string]bool{}
		c, err := j.Read(f.Session, journal.Position{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			line, err := c.Next()
			if err != nil {
				break
			}
			if e, err := schema.Decode(line); err == nil {
				for _, text := range []string{e.Content, string(e.ToolInput), string(e.Result), e.ToolUseID, e.EventID, e.AgentID} {
					for _, word := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \"\\\n\t,{}:", c) }) {
						if len(word) >= 12 && len(word) < 200 {
							words[f.Session][word] = true
						}
					}
				}
			}
		}
		c.Close()
	}
	return words
}

// TestForgetLeavesNothing: of a project that was recorded with all there is (hooks, transcripts,
// a dump, tags, a daemon that logs), no file of the home has anything after it was forgotten
// under that daemon: not an id, not the path, no word that only its sessions said. What other sessions
// have is as it was. Hooks, imports and the daemon bring nothing back.
func TestForgetLeavesNothing(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h, root := home(t), t.TempDir()
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		t.Fatal(err)
	}
	acme, other := filepath.Join(root, "acme-secret"), filepath.Join(root, "other")
	var calls []call
	var projects []string
	for where, names := range map[string][]string{acme: {"a_tools", "d_agent_fg", "l_cd", "k_big_write"}, other: {"c_parallel", "f_mcp"}} {
		for _, name := range names {
			dir := filepath.Join("testdata", "captures", name)
			moved := move(t, dir, where, recorded(t, dir))
			if where == acme {
				calls = append(calls, moved...)
			}
			play(t, hook, h, moved, now)
			if p := put(t, dir, where, moved); p != "" && !slices.Contains(projects, p) {
				projects = append(projects, p)
				importInto(t, sessiond, h, p)
			}
		}
	}
	if err := os.MkdirAll(acme, 0o700); err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(acme, "dump.jsonl")
	lines := ""
	for n := range 3 {
		lines += fmt.Sprintf(`{"event_type":"message","session_id":"posted-in-acme","timestamp":"2026-03-01T10:00:0%dZ","role":"user","content":"unspeakable-word-%d","working_directory":%q}`+"\n", n, n, acme)
	}
	if err := os.WriteFile(dump, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	importInto(t, sessiond, h, dump)
	run(t, sessiond, h, "sync")

	words := said(t, h)
	var texts, gone, stay []string
	for session := range words {
		row := string(run(t, sessiond, h, "sessions", "--json", "--dir", acme))
		if strings.Contains(row, `"`+session+`"`) {
			gone = append(gone, session)
		} else {
			stay = append(stay, session)
		}
	}
	if len(gone) < 5 || len(stay) < 2 {
		t.Fatalf("%d sessions in the project, %d others", len(gone), len(stay))
	}
	texts = append(texts, acme)
	for _, session := range gone {
		run(t, sessiond, h, "tag", session, "tag-of-acme-alone")
		texts = append(texts, session)
		most := len(texts) + 60 // each is looked for in every file, again and again
		for word := range words[session] {
			if len(texts) < most && !slices.ContainsFunc(stay, func(s string) bool { return words[s][word] }) && len(tracesOfOthers(t, h, stay, word)) == 0 {
				texts = append(texts, word)
			}
		}
	}
	texts = append(texts, "tag-of-acme-alone")
	run(t, sessiond, h, "sync")
	if len(texts) < 100 || len(tracesOf(t, h, texts)) < 100 {
		t.Fatalf("%d texts, too few to be tested with", len(texts))
	}
	before := map[string]string{}
	for _, s := range stay {
		before[s] = string(run(t, sessiond, h, "graph", s, "--format", "json"))
	}

	// A transcript whose lines are bad has the daemon log its path. The dump's session, the last
	// by name, has no name of a transcript.
	slices.Sort(gone)
	broken := filepath.Join(projects[0], gone[0]+".jsonl")
	if f, err := os.OpenFile(broken, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		fmt.Fprintln(f, `{"type":"user", this is no JSON`)
		f.Close()
	}
	args := []string{"--log", "json", "--log-file", filepath.Join(h, "ag-sessiond.log"), "--source", dump}
	for _, p := range projects {
		args = append(args, "--transcripts="+p)
	}
	stop := following(t, sessiond, h, args...)
	eventually(t, func() error {
		log, _ := os.ReadFile(filepath.Join(h, "ag-sessiond.log"))
		if !bytes.Contains(log, []byte(gone[0])) || !bytes.Contains(log, []byte("following the journal")) {
			return fmt.Errorf("the daemon has not logged it: %s", log)
		}
		return nil
	})
	out := run(t, sessiond, h, "forget", "project", acme, "--yes")
	if !bytes.Contains(out, []byte("forgotten: ")) {
		t.Errorf("%s", out)
	}
	eventually(t, func() error { // the daemon's status file is written anew each second
		if left := tracesOf(t, h, texts); len(left) > 0 {
			return fmt.Errorf("left: %q", left[:min(len(left), 20)])
		}
		return nil
	})

	// Nothing brings it back.
	play(t, hook, h, calls, now)
	for _, path := range append(projects, dump) {
		out, err := exec.Command(sessiond, "import", "--home", h, path).CombinedOutput()
		if strings.HasPrefix(path, acme) && !bytes.Contains(out, []byte("forgotten before, and stay so")) {
			t.Errorf("import %s: %v\n%s", path, err, out)
		}
	}
	stop(os.Interrupt)
	run(t, sessiond, h, "sync")
	run(t, sessiond, h, "verify")
	if left := tracesOf(t, h, texts); len(left) > 0 {
		t.Errorf("afterwards: %q", left[:min(len(left), 20)])
	}
	for _, s := range stay {
		if after := string(run(t, sessiond, h, "graph", s, "--format", "json")); after != before[s] {
			t.Errorf("session %s is another one now", s)
		}
	}
	status := run(t, sessiond, h, "status", "--json")
	if !bytes.Contains(status, []byte(`"pending": {}`)) || !bytes.Contains(status, []byte(`"unfinished": false`)) {
		t.Errorf("status: %s", status)
	}
}

// tracesOfOthers returns the journals of sessions that have a word.
func tracesOfOthers(t *testing.T, home string, sessions []string, word string) (found []string) {
	t.Helper()
	for _, s := range sessions {
		text, err := os.ReadFile(filepath.Join(journal.Dir(home), s+journal.Suffix))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(word)) {
			found = append(found, s)
		}
	}
	return found
}

// TestKilledForget kills forget and prune at any moment while hooks append to the very sessions.
// After the next run nothing is left of those of which the forgetting was begun, and all is left
// that was acknowledged of every other.
func TestKilledForget(t *testing.T) {
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	begun, spared := 0, 0
	for round := range tenth(500) / 2 * 2 { // half of them forget, half prune
		h := home(t)
		r := rand.New(rand.NewPCG(uint64(round), 1))
		names := []string{"gone-aaaa-1", "gone-bbbb-2", "stay-cccc-3", "stay-dddd-4"}
		acknowledged := map[string]map[string]bool{}
		var mu sync.Mutex
		call := func(ctx context.Context, session string, n int) {
			id := fmt.Sprintf("toolu_%s_%d", session, n)
			at, dir := "2026-01-01T10:00:00Z", "/w/gone"
			if strings.HasPrefix(session, "stay") {
				at, dir = time.Now().UTC().Format(time.RFC3339), "/w/stay"
			}
			cmd := exec.CommandContext(ctx, hook, "claude", "--home", h, "--at", at)
			cmd.Stdin = strings.NewReader(strings.ReplaceAll(payload(session, "", id), "/home/dev/repo", dir))
			if cmd.Run() == nil {
				mu.Lock()
				defer mu.Unlock()
				if acknowledged[session] == nil {
					acknowledged[session] = map[string]bool{}
				}
				acknowledged[session][id] = true
			}
		}
		for _, s := range names {
			call(t.Context(), s, 0)
		}
		run(t, sessiond, h, "sync")
		ctx, stop := context.WithCancel(t.Context())
		var hooks sync.WaitGroup
		for _, s := range names {
			hooks.Go(func() {
				for n := 1; ctx.Err() == nil; n++ {
					call(context.WithoutCancel(ctx), s, n)
				}
			})
		}
		args := []string{"forget", "project", "/w/gone", "--yes", "--home", h}
		if round%2 == 1 {
			args = []string{"prune", "--older-than", "30d", "--yes", "--home", h}
		}
		cmd := exec.Command(sessiond, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if round%4 < 2 { // on a busy machine it may take longer than that to begin
			eventually(t, func() error {
				if len(ended) > 0 {
					return nil
				}
				_, err := os.Stat(journal.ForgottenDir(h))
				return err
			})
			time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
		} else {
			time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
		}
		cmd.Process.Kill()
		<-ended
		stop()
		hooks.Wait()
		run(t, sessiond, h, "sync") // the next run
		j, err := packed.Open(h)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range names {
			if j.Forgotten(s) {
				begun++
				if left := tracesOf(t, h, []string{s}); len(left) > 0 || strings.HasPrefix(s, "stay") {
					t.Errorf("round %d: of %s is left: %q", round, s, left)
				}
				continue
			}
			spared++
			text, err := os.ReadFile(filepath.Join(journal.Dir(h), s+journal.Suffix))
			if err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			for id := range acknowledged[s] {
				if !bytes.Contains(text, []byte(`"`+id+`"`)) {
					t.Errorf("round %d: %s lost %s", round, s, id)
				}
			}
		}
		if j.Forgotten(names[0]) != j.Forgotten(names[1]) {
			t.Errorf("round %d: half of them are forgotten", round)
		}
		run(t, sessiond, h, "verify")
	}
	t.Logf("%d sessions were forgotten, %d spared", begun, spared)
	if begun == 0 {
		t.Error("nothing was begun: this test proves nothing")
	}
}
