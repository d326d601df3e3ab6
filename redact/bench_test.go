package redact

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// BenchmarkClean redacts real payloads that hold nothing, as a hook does: the whole
// event (encoding and validation included), and the look for secrets alone. The
// metric "x-valid" is the speed in units of json.Valid's on the same bytes, measured
// in the same run: it holds on any machine.
func BenchmarkClean(b *testing.B) {
	all := payloads(b)
	size := 0
	for _, p := range all {
		size += len(p)
	}
	r := New(Options{})
	var clean [][]byte
	for _, p := range all {
		if !r.mayHold(marshal(string(p))) {
			clean = append(clean, p)
		}
	}
	big := bytes.Join(clean, []byte("\n"))
	big = bytes.Repeat(big, 800_000/len(big))
	run := func(name string, size int, raws [][]byte, work func(raw []byte)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			var valid, spent time.Duration
			for b.Loop() {
				start := time.Now()
				for _, raw := range raws {
					work(raw)
				}
				spent += time.Since(start)
				b.StopTimer()
				start = time.Now()
				for _, raw := range raws {
					json.Valid(raw)
				}
				valid += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(valid.Seconds()/spent.Seconds(), "x-valid")
		})
	}
	text := marshal(string(big))
	if len(text) > DefaultMaxString || r.mayHold(text) {
		b.Fatal("the large text is too large, or not clean")
	}
	run("event", size, all, func(raw []byte) { r.Event(schema.Event{SessionID: "s", Extra: raw}) })
	run("event-800kB", len(text), [][]byte{text}, func(raw []byte) { r.Event(schema.Event{SessionID: "s", Result: raw}) })
	run("look-800kB", len(text), [][]byte{text}, func(raw []byte) { r.mayHold(raw) })
}

// BenchmarkStart is what one hook process pays: a new Redactor and one event.
func BenchmarkStart(b *testing.B) {
	payload := object("command", string(bytes.Repeat([]byte("go test ./... && git commit -m 'x' "), 60))[:1900])
	secret := schema.Event{SessionID: "s", Extra: payload, Content: "password=hunter2! " + token()}
	for name, e := range map[string]schema.Event{"clean-2kB": {SessionID: "s", Extra: payload}, "secret-2kB": secret} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				New(Options{}).Event(e)
			}
		})
	}
}

// BenchmarkSecrets redacts texts in each of which something is found.
func BenchmarkSecrets(b *testing.B) {
	var texts []string
	size := 0
	for _, g := range goldens(b) {
		if g.found {
			text, _ := expand(g.template, "bench")
			texts, size = append(texts, text), size+len(text)
		}
	}
	r := New(Options{})
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, s := range texts {
			r.Text(s)
		}
	}
}
