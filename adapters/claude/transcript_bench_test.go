package claude_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// BenchmarkTranscript reads recorded transcripts: those of testdata, whose lines that
// hold no fact are cut down: real files read faster; and one with large
// answers and results, where the cost of a byte shows.
func BenchmarkTranscript(b *testing.B) {
	b.Run("recorded", func(b *testing.B) {
		var all [][]byte
		for _, r := range transcripts(b) {
			all = append(all, r.lines...)
		}
		benchLines(b, all)
	})
	b.Run("large", func(b *testing.B) {
		text := schema.AppendString(nil, string(bytes.Repeat([]byte("A line of \"code\" that is read: x = y * 2\n"), 400)))
		benchLines(b, [][]byte{
			[]byte(`{"parentUuid":"p","isSidechain":false,"message":{"id":"m","model":"x","content":[{"type":"text","text":` + string(text) + `}],"usage":{"input_tokens":1}},"type":"assistant","uuid":"a","timestamp":"2026-01-01T00:00:00Z","sessionId":"s"}`),
			[]byte(`{"parentUuid":"a","isSidechain":false,"type":"user","message":{"role":"user","content":[{"tool_use_id":"t","type":"tool_result","content":` + string(text) + `}]},"uuid":"b","timestamp":"2026-01-01T00:00:01Z","toolUseResult":{"type":"text","file":{"content":` + string(text) + `}},"sessionId":"s"}`),
			[]byte(`{"parentUuid":"a","isSidechain":false,"attachment":{"type":"prompt_snapshot","systemPrompt":[` + string(text) + `]},"type":"attachment","uuid":"c","timestamp":"2026-01-01T00:00:01Z","sessionId":"s"}`),
		})
	})
	if path := os.Getenv("AG_TRANSCRIPT"); path != "" {
		b.Run("file", func(b *testing.B) {
			file, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			benchLines(b, bytes.Split(file, []byte("\n")))
		})
	}
}

func benchLines(b *testing.B, lines [][]byte) {
	var size int64
	for _, l := range lines {
		size += int64(len(l)) + 1
	}
	b.SetBytes(size)
	b.ReportAllocs()
	events := 0
	for b.Loop() {
		t := claude.NewTranscript(claude.Source{Session: "s", HashKey: env(nil).HashKey})
		for i, l := range lines {
			got, _, _, _ := t.Events(l, int64(i+1))
			events += len(got)
		}
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
