package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestForgetInGraph: what is forgotten is in no node and no relationship of a graph in
// config.toml, by a scan of all of them; another session is as it was. One that is down is
// said to be pending, and done by the sync that finds it up.
func TestForgetInGraph(t *testing.T) {
	d := emptied(t)
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h, root := home(t), t.TempDir()
	acme, other := filepath.Join(root, "acme-secret"), filepath.Join(root, "other")
	for where, names := range map[string][]string{acme: {"a_tools", "d_agent_fg"}, other: {"c_parallel"}} {
		for _, name := range names {
			dir := filepath.Join("testdata", "captures", name)
			play(t, hook, h, move(t, dir, where, recorded(t, dir)), now)
		}
	}
	t.Setenv("AG_TEST_TEAM_PASSWORD", d.password)
	team := []string{"graph.team.url", d.url}
	if d.user != "" {
		team = append(team, "graph.team.user", d.user, "graph.team.password_env", "AG_TEST_TEAM_PASSWORD")
	}
	run(t, sessiond, h, append([]string{"config", "set"}, team...)...)
	run(t, sessiond, h, "sync", "--graph", "team")
	run(t, sessiond, h, "sync")

	scan := func(texts ...string) (found []string) {
		t.Helper()
		for _, statement := range []string{"MATCH (n) RETURN properties(n) AS p", "MATCH ()-[r]->() RETURN properties(r) AS p"} {
			for _, row := range d.ask(t, statement, nil) {
				for _, text := range texts {
					if strings.Contains(fmt.Sprint(row["p"]), text) {
						found = append(found, text)
					}
				}
			}
		}
		return found
	}
	var texts []string
	words := said(t, h)
	texts = append(texts, acme)
	stays := ""
	for session := range words {
		if bytes.Contains(run(t, sessiond, h, "sessions", "--json", "--dir", acme), []byte(`"`+session+`"`)) {
			texts = append(texts, session)
		} else {
			stays = session
		}
	}
	if len(texts) < 3 || stays == "" || len(scan(texts...)) < 20 {
		t.Fatalf("too little is there to be forgotten: %q", texts)
	}
	want := run(t, sessiond, h, "graph", stays, "--format", "json", "--graph", "team")

	// It is down.
	run(t, sessiond, h, "config", "set", "graph.team.url", "bolt://127.0.0.1:1")
	cmd := exec.Command(sessiond, "forget", "project", acme, "--yes", "--home", h)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil || !bytes.Contains(stderr.Bytes(), []byte("pending: team has ")) || !bytes.Contains(out, []byte("forgotten: ")) {
		t.Errorf("%v\n%s%s", err, out, &stderr)
	}
	if left := tracesOf(t, h, texts); len(left) > 0 {
		t.Errorf("in the home: %q", left)
	}
	if status := run(t, sessiond, h, "status", "--json"); !bytes.Contains(status, []byte(`"team": `)) {
		t.Errorf("status does not say that it is pending: %s", status)
	}

	// It is back.
	run(t, sessiond, h, "config", "set", "graph.team.url", d.url)
	run(t, sessiond, h, "sync", "--graph", "team")
	if left := scan(texts...); len(left) > 0 {
		t.Errorf("in the graph: %q", left)
	}
	if got := run(t, sessiond, h, "graph", stays, "--format", "json", "--graph", "team"); !bytes.Equal(got, want) {
		t.Errorf("session %s is another one now", stays)
	}
	if status := run(t, sessiond, h, "status", "--json"); !bytes.Contains(status, []byte(`"pending": {}`)) {
		t.Errorf("status: %s", status)
	}
	run(t, sessiond, h, "verify", "--graph", "team")
}
