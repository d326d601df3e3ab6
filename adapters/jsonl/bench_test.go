package jsonl_test

import (
	"bytes"
	"testing"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// BenchmarkDecode decodes a file of each format over and over, as a reader does: the recorded
// dump and trace, the grains of the hash's test, what a journal has of the dump. "order" is what
// the one goroutine does that reads, beside.
func BenchmarkDecode(b *testing.B) {
	_, audit := dump(b, "audit/trace-260301_101500.jsonl")
	_, traces := dump(b, "trace/agent-host-tools.jsonl")
	_, grains := dump(b, "grainhash.jsonl")
	var grain, protocol [][]byte
	for _, line := range grains {
		_, line, _ = bytes.Cut(line, []byte(" "))
		if _, _, err := jsonl.NewDecoder(auditSource(jsonl.OMS)).Append(nil, line, 1, received()); err == nil {
			grain = append(grain, line)
		}
	}
	for i, line := range audit {
		events, _ := decode(b, jsonl.Audit, string(line), int64(i+1))
		for _, e := range events {
			protocol = append(protocol, e.AppendJSON(nil))
		}
	}
	for _, c := range []struct {
		format jsonl.Format
		lines  [][]byte
	}{{jsonl.Audit, audit}, {jsonl.TraceEvents, traces}, {jsonl.OMS, grain}, {jsonl.Events, protocol}} {
		size := int64(len(bytes.Join(c.lines, []byte("\n"))) + 1)
		b.Run(string(c.format), func(b *testing.B) {
			d := jsonl.NewDecoder(auditSource(c.format))
			var events []schema.Event
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				for i, line := range c.lines {
					var err error
					if events, _, err = d.Append(events[:0], line, int64(i+1), received()); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		if c.format.OneSession() {
			b.Run(string(c.format)+"/order", func(b *testing.B) {
				order := jsonl.NewOrder(auditSource(c.format))
				b.SetBytes(size)
				b.ReportAllocs()
				for b.Loop() {
					for _, line := range c.lines {
						order.Next(line)
					}
				}
			})
		}
	}
}
