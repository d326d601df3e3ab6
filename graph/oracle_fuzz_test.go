package graph

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// bytesDice makes the choices of the generator out of data: one byte each, two where
// there are more than 256 to choose from. When data is used up every choice is the
// first.
func bytesDice(data []byte) dice {
	next := func() int {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return int(b)
	}
	return func(n int) int {
		b := next()
		if n > 256 {
			b = b<<8 | next()
		}
		return b % n
	}
}

// decodeSession makes a session of a fuzz input. text and raw stand, in some of the
// events, where a payload has its own words and values: no record may upset the fold.
func decodeSession(choices []byte, text string, raw []byte) []schema.Event {
	d := bytesDice(choices)
	// Out of a journal comes valid UTF-8 only.
	text, raw = strings.ToValidUTF8(text, "\ufffd"), bytes.ToValidUTF8(raw, []byte("\ufffd"))
	events := randomSession(d, "fuzz", min(1+len(choices)/12, 40))
	for i := range events {
		e := &events[i]
		if len(text) > 0 && len(text) < 1000 && d.one(3) {
			for _, field := range []*string{&e.Content, &e.Title, &e.ToolName, &e.AgentType, &e.ErrorMessage, &e.Reason, &e.Model} {
				if *field != "" && d.one(2) {
					*field = text
				}
			}
		}
		if len(raw) > 0 && len(raw) < 1000 && d.one(3) {
			for _, field := range []*json.RawMessage{&e.ToolInput, &e.Result, &e.Metadata, &e.Extra} {
				if len(*field) > 0 && d.one(2) {
					*field = raw
				}
			}
			if e.InputHash != "" { // equal hashes mean equal inputs
				e.InputHash = schema.NewID(string(e.ToolInput))
			}
		}
		if d(64) == 63 {
			e.Timestamp = time.Time{}
		}
	}
	return events
}

func FuzzApply(f *testing.F) {
	raws := []string{"", `{"agentId":"a1","toolUseId":"t1"}`, `{"agent":{"toolUseId":"t1","parentAgentId":"a1"}}`,
		`[{"type":"text","text":"x"},3]`, `"str\u0000ing"`, `{"a":{"b":[1,2,{"c":"d"}]}`, `{"file":{"content":"x"},"content":[{}],"stdout":1}`, "\xff{"}
	for k, raw := range raws {
		r := rand.New(rand.NewPCG(uint64(k), 5))
		choices := make([]byte, 100+60*k)
		for i := range choices {
			choices[i] = byte(r.IntN(256))
		}
		f.Add(choices, []string{"", "done", "mcp__s__t", "\xffbad\x00", "<command-name>x</command-name>"}[k%5], []byte(raw))
	}
	f.Fuzz(func(t *testing.T, choices []byte, text string, raw []byte) {
		events := decodeSession(choices, text, raw)
		r := rand.New(rand.NewPCG(uint64(len(choices)), 11))
		want := mustMatch(t, "as decoded", "fuzz", events)
		mix := shuffled(r, events, false)
		mustEqual(t, "permuted", want, fold(t, "fuzz", mix))
		mustEqual(t, "cut off", want, cutOff(t, r, "fuzz", mix))
	})
}
