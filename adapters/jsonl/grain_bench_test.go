package jsonl_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

func BenchmarkGrains(b *testing.B) {
	bare := []byte(`{"tool_name":"web_search","input":{"query":"weather in tokyo","limit":10},"content":"72F, partly cloudy, humidity 65%, and what else a page of results says in a few hundred bytes of text, more often than not","duration_ms":340,"parent_task_id":"task-001","tags":["api-call"],"namespace":"weather","created_at":1739980800000}`)
	wrapped := append(append([]byte(`{"grain_type":"action","fields":`), bare...), '}')
	batch := append(append([]byte(`{"grains":[`), bytes.Repeat(append(wrapped, ','), 99)...), append(wrapped, "]}"...)...)
	long := bytes.Replace(bare, []byte("72F"), bytes.Repeat([]byte("a page of results, "), 50), 1)
	for name, line := range map[string][]byte{"bare": bare, "batch": batch, "1kB": long} {
		b.Run(name, func(b *testing.B) {
			d := jsonl.NewDecoder(jsonl.Source{Format: jsonl.OMS, Origin: schema.OriginAudit, HashKey: []byte("key")})
			var events []schema.Event
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if events, _, err = d.Append(events[:0], line, 1, time.Unix(1, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
