package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// hooks measures what an agent waits for at each of its steps.
func (b *bench) hooks() error {
	truth, err := exec.LookPath("true")
	if err != nil {
		b.table.skip("ag-hook, spawn to exit", "a ratio to /bin/true", err.Error())
		return nil
	}
	for _, c := range []struct {
		name string
		size int
		runs int
	}{{"2 kB", 2 << 10, 500}, {"64 kB", 64 << 10, 500}, {"1 MB", 1 << 20, 100}} {
		payload := filepath.Join(b.dir, "payload")
		if err := os.WriteFile(payload, hookPayload(c.size), 0o600); err != nil {
			return err
		}
		hook := []string{b.hook, "claude", "--home", filepath.Join(b.dir, "hook-home")}
		all, err := spawn(spawnSpec{Runs: max(c.runs/b.scale, 50), Commands: []command{
			{Args: []string{truth}}, {Args: hook, Stdin: payload},
		}})
		if err != nil {
			return err
		}
		b.hookRows("ag-hook, "+c.name+" payload, ", c.size, all[0], all[1])
	}
	return nil
}

func (b *bench) hookRows(name string, size int, truth, hook []usage) {
	base, p50, p99 := quantile(truth, 0.5), quantile(hook, 0.5), quantile(hook, 0.99)
	seen := fmt.Sprintf("%.1f × (%s; true %s)", ratio(p50, base), ms(p50), ms(base))
	switch {
	case size < 10<<10:
		b.table.add(name+"p50", "≤ 3 × true", seen, ratio(p50, base) <= 3)
		b.table.add(name+"p99", "≤ 8 ms, idle core", fmt.Sprintf("%s (true %s)", ms(p99), ms(quantile(truth, 0.99))), p99 <= 8*time.Millisecond)
		b.rss(name+"peak RSS", 15, peak(hook))
		if peak(hook) == peak(truth) {
			b.table[len(b.table)-1][2] += " or less: what started it has as much"
		}
	case size < 1<<20:
		b.table.add(name+"p50", "≤ 6 × true", seen, ratio(p50, base) <= 6)
	default:
		b.table.add(name+"p50", "≤ 30 ms", fmt.Sprintf("%s (peak RSS %.1f MB)", ms(p50), float64(peak(hook))/1e6), p50 <= 30*time.Millisecond)
	}
}

// rss adds a row of peak memory.
func (b *bench) rss(name string, most float64, bytes int64) {
	reach := fmt.Sprintf("≤ %.0f MB", most)
	if bytes == 0 {
		b.table.skip(name, reach, "this system does not say")
		return
	}
	b.table.add(name, reach, fmt.Sprintf("%.1f MB", float64(bytes)/1e6), float64(bytes) <= most*1e6)
}

// The session and call of hookPayload.
const (
	hookSession = "c0ffee00-65d1-4e9d-862a-93d73e9c8e13"
	hookCall    = "toolu_01MRVkuHGFTguoDsvWLOKee7"
)

// hookPayload is a PostToolUse of about size bytes: a Bash call whose output is most
// of it. Source code is what output mostly is, and it has what redaction looks at:
// words like token and key, and no secret.
func hookPayload(size int) []byte {
	const line = "func (s *Server) authorize(token string) error { return s.keys.Verify(token) } // sk, ghp, AKIA\n"
	const fixed = 700 // bytes, of everything but the output
	output := strings.Repeat(line, max(size-fixed, 0)/len(line)+1)[:max(size-fixed, 1)]
	input := map[string]any{"command": "git show HEAD", "description": "Show the last commit"}
	payload, err := json.Marshal(map[string]any{
		"session_id":      hookSession,
		"transcript_path": "/home/dev/.claude/projects/-home-dev-work-repo/" + hookSession + ".jsonl",
		"cwd":             "/home/dev/work/repo", "prompt_id": "449c3d6c-9b21-4beb-89ec-5b94ace61fae",
		"permission_mode": "default", "hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": input,
		"tool_response": map[string]any{"stdout": output, "stderr": "", "interrupted": false, "isImage": false},
		"tool_use_id":   hookCall, "duration_ms": 12,
	})
	if err != nil {
		panic(err) // a map of strings
	}
	return append(payload, '\n')
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
