package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// The year of usage: what a busy person's sessions come to.
const (
	yearSessions = 5000
	yearCalls    = 33 // model calls a session, on average
	usageWithin  = 100 * time.Millisecond
)

// usageReports measures `usage` over a year of sessions, process start and the look for
// new journal included.
func (b *bench) usageReports() error {
	home := filepath.Join(b.dir, "usage")
	sessions := yearSessions / b.scale
	calls, err := writeYear(home, sessions)
	if err != nil {
		return err
	}
	if _, err := b.sync(home); err != nil {
		return err
	}
	for _, by := range []string{"day", "agent"} {
		all, err := spawn(spawnSpec{Runs: 20, Commands: []command{{Args: []string{b.sessiond, "usage", by, "--home", home, "--json"}}}})
		if err != nil {
			return err
		}
		p50 := quantile(all[0], 0.5)
		b.table.add(fmt.Sprintf("usage %s, %d sessions of a year, %d model calls, p50", by, sessions, calls), "≤ 100 ms, spawn to exit",
			fmt.Sprintf("%s (p95 %s, peak RSS %.0f MB)", ms(p50), ms(quantile(all[0], 0.95)), float64(peak(all[0]))/1e6), p50 <= usageWithin)
	}
	return nil
}

// writeYear writes the journals of sessions spread over a year: each mostly of one model,
// a third of its calls by up to three subagents.
func writeYear(home string, sessions int) (calls int, err error) {
	dir := filepath.Join(home, "journal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	r := rand.New(rand.NewPCG(5, 5000))
	models := []string{"claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-5-20251101"}
	for i := range sessions {
		session := fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), i)
		at := firstSession().Add(time.Duration(r.Int64N(int64(365 * 24 * time.Hour))))
		model := models[r.IntN(len(models))]
		var lines []byte
		for range 1 + r.IntN(2*yearCalls) {
			at = at.Add(time.Duration(r.ExpFloat64() * float64(40*time.Second)))
			e := usageEvent(r, session, at, calls)
			if e.Model = model; r.IntN(20) == 0 {
				e.Model = models[r.IntN(len(models))]
			}
			lines = append(e.AppendJSON(append(lines, '\n')), '\n')
			calls++
		}
		file := filepath.Join(dir, session+".jsonl")
		if err := os.WriteFile(file, lines, 0o600); err != nil {
			return calls, err
		}
		if err := os.Chtimes(file, at, at); err != nil { // not one of an open session
			return calls, err
		}
	}
	return calls, nil
}

func usageEvent(r *rand.Rand, session string, at time.Time, n int) schema.Event {
	tokens := func(most int64) *int64 { v := r.Int64N(most); return &v }
	message := fmt.Sprintf("msg_%d", n)
	e := schema.Event{EventID: schema.EventID("transcript", "llm_end", message), EventType: schema.LLMEnd, SessionID: session, Timestamp: at,
		SourceSDK: "claude-code", Origin: schema.OriginTranscript, MessageID: message, Reason: "end_turn", WorkingDirectory: fmt.Sprintf("/home/dev/project-%d", n%12),
		InputTokens: tokens(3000), OutputTokens: tokens(2000), CacheReadInputTokens: tokens(150_000), CacheCreationInputTokens: tokens(20_000)}
	if r.IntN(3) == 0 {
		e.AgentID = fmt.Sprintf("a%d", r.IntN(3))
	}
	return e
}
