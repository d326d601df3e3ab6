package main

import (
	"bytes"
	"testing"
	"testing/iotest"

	"github.com/actiongraph/actiongraph/schema"
)

// FuzzObjectScanner holds the scanner of pieces against the scanner of the whole.
func FuzzObjectScanner(f *testing.F) {
	for _, seed := range []string{
		"", "{}", " {} ", `{"a":"}\"{"}x`, `{"a":"\\"}`, `{"a":[{}]}{}`, "[{}]", `"{}"`, "{", `{"a":"\`, "}{}", "x{}",
	} {
		for i := range len(seed) + 1 {
			f.Add([]byte(seed), uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		want := -1
		if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
			if end, ok := schema.ValueEnd(data); ok {
				want = end
			}
		}
		var s objectScanner
		n := min(int(cut), len(data))
		got := s.end(data[:n])
		if got < 0 {
			if got = s.end(data[n:]); got >= 0 {
				got += n
			}
		}
		if got != want {
			t.Errorf("%q cut at %d: %d, want %d", data, n, got, want)
		}
	})
}

func TestReadStopsAtTheEndOfTheObject(t *testing.T) {
	const text = ` {"a":"}{\"","b":[{}]}`
	for name, more := range map[string]string{"alone": "", "newline": "\n", "another": "{}"} {
		var in input
		got, _ := in.read(iotest.OneByteReader(bytes.NewReader([]byte(text+more))), func() {})
		if string(got) != text {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadIsBounded(t *testing.T) {
	var in input
	got, more := in.read(zeros{}, func() {})
	if len(got) != maxPayload || !more {
		t.Errorf("%d bytes, more %v", len(got), more)
	}
}
