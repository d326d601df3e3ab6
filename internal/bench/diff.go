package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

const (
	diffCalls  = 10_000 // of each of the two sessions; each has a result, which is an action, too
	diffWithin = 2 * time.Second
	diffMemory = 300e6
)

// diffs measures `diff` of two long sessions: two recordings of one task, and what is worst
// for an alignment. Process start, both folds and all output are included.
func (b *bench) diffs() error {
	home := filepath.Join(b.dir, "diff")
	calls := diffCalls / b.scale
	same := func(n int) string { return fmt.Sprintf("go test ./pkg%d -run Test%d", n%40, n) }
	for _, pair := range []struct {
		name string
		turn int // how many calls are in one
		a, b func(n int) (command, result string)
	}{
		{"two recordings of one task", 20,
			func(n int) (string, string) { return same(n), "ok" },
			func(n int) (string, string) { return same(n), map[bool]string{true: "FAIL", false: "ok"}[n%50 == 0] }},
		{"all calls equal", calls, func(int) (string, string) { return "go test", "ok" }, func(n int) (string, string) { return "go test", "ok" }},
		{"all inputs different", calls,
			func(n int) (string, string) { return fmt.Sprintf("a%d x%d y%d", n, n, n), "ok" },
			func(n int) (string, string) { return fmt.Sprintf("b%d z%d w%d", n, n, n), "ok" }},
		{"all results different", calls, func(n int) (string, string) { return "go test", fmt.Sprint("a", n) }, func(n int) (string, string) { return "go test", fmt.Sprint("b", n) }},
		{"one the other's reverse", calls, func(n int) (string, string) { return same(n), "ok" }, func(n int) (string, string) { return same(calls - 1 - n), "ok" }},
	} {
		var sessions []string
		for _, calling := range []func(int) (string, string){pair.a, pair.b} {
			session := fmt.Sprintf("%08x-0000-4000-8000-%012x", rand.Uint32(), len(sessions))
			if err := writeDiffed(home, session, calls, pair.turn, calling); err != nil {
				return err
			}
			sessions = append(sessions, session)
		}
		if _, err := b.sync(home); err != nil {
			return err
		}
		all, err := spawn(spawnSpec{Runs: 3, Commands: []command{{Args: []string{b.sessiond, "diff", sessions[0], sessions[1], "--home", home}, Exit: 3}}})
		if err != nil {
			return err
		}
		p50, most := quantile(all[0], 0.5), float64(peak(all[0]))
		b.table.add(fmt.Sprintf("diff of %d and %d calls with results, %s, p50", calls, calls, pair.name), "≤ 2 s, ≤ 300 MB",
			fmt.Sprintf("%s (%s of CPU), peak RSS %.0f MB", ms(p50), ms(all[0][0].CPU), most/1e6), p50 <= diffWithin && most <= diffMemory)
	}
	return nil
}

// writeDiffed writes the journal of a session of calls and their results, with a prompt before
// every so many of them.
func writeDiffed(home, session string, calls, turn int, calling func(n int) (command, result string)) error {
	dir := filepath.Join(home, "journal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	at := firstSession()
	var lines []byte
	add := func(e schema.Event) {
		at = at.Add(50 * time.Millisecond)
		e.SessionID, e.Timestamp, e.SourceSDK, e.Origin, e.WorkingDirectory = session, at, "claude-code", schema.OriginHook, "/home/dev/project"
		lines = append(e.AppendJSON(append(lines, '\n')), '\n')
	}
	for n := range calls {
		if n%turn == 0 {
			add(schema.Event{EventID: fmt.Sprintf("%s/prompt%d", session, n), EventType: schema.Message, Role: schema.RoleUser, Content: fmt.Sprintf("Go on with part %d.", n/turn)})
		}
		command, result := calling(n)
		id := fmt.Sprintf("toolu_%s%06d", session[:8], n)
		call := schema.Event{EventID: "hook/pre/" + id, EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: id, ToolInput: fmt.Appendf(nil, `{"command":%q}`, command)}
		add(call)
		call.EventID, call.EventType = "hook/post/"+id, schema.ToolEnd
		call.Result = fmt.Appendf(nil, `{"stdout":%q,"stderr":""}`, strings.Repeat("a line of what it printed\n", 8)+result)
		add(call)
	}
	return os.WriteFile(filepath.Join(dir, session+".jsonl"), lines, 0o600)
}
