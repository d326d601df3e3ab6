package transcript

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// conversation is a transcript of prompts that are answered half a minute later, as somebody
// writes it who says no requests: ids are those of the answers.
func conversation(session, hour string, ids ...string) string {
	var b strings.Builder
	for k, id := range ids {
		fmt.Fprintf(&b, `{"parentUuid":null,"type":"user","sessionId":%q,"uuid":"%.4s-u%d","timestamp":"2025-06-14T%s:%02d:00Z","message":{"role":"user","content":"prompt %.4s %d"}}`+"\n",
			session, session, k, hour, k, session, k)
		fmt.Fprintf(&b, `{"parentUuid":null,"type":"assistant","sessionId":%q,"uuid":"%.4s-a%d","timestamp":"2025-06-14T%s:%02d:30Z","message":{"id":%q,"role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":1,"output_tokens":7}}}`+"\n",
			session, session, k, hour, k, id)
	}
	return b.String()
}

// TestSessionsOfOneIDs: gateways, local models and mocks count their answers, or draw lots. What
// two sessions have in common is then no sign that one has lines of the other.
func TestSessionsOfOneIDs(t *testing.T) {
	const a, b = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	for name, ids := range map[string][2][]string{
		"constant": {{"msg_0", "msg_0", "msg_0"}, {"msg_0", "msg_0", "msg_0"}},
		"counted":  {{"msg_0", "msg_1", "msg_2"}, {"msg_0", "msg_1", "msg_2", "msg_3"}},
		"drawn":    {{"chatcmpl-17", "chatcmpl-300", "chatcmpl-44"}, {"chatcmpl-17", "chatcmpl-500", "chatcmpl-44"}},
	} {
		t.Run(name, func(t *testing.T) {
			alone := func(text, session string) (answers int64, prompts int) {
				dir := realDir(t)
				old(t, write(t, text, dir, session+suffix))
				r := newReader(t, filepath.Join(realDir(t), "home"))
				clean(t, r, Options{}, dir)
				_, answers, _, asked := told(t, r)
				return answers, len(asked[session])
			}
			dir := realDir(t)
			first, second := conversation(a, "10", ids[0]...), conversation(b, "12", ids[1]...)
			old(t, write(t, first, dir, a+suffix))
			old(t, write(t, second, dir, b+suffix))
			r := newReader(t, filepath.Join(realDir(t), "home"))
			report := clean(t, r, Options{}, dir)
			_, answers, from, prompts := told(t, r)
			wantA, promptsA := alone(first, a)
			wantB, promptsB := alone(second, b)
			if answers != wantA+wantB || len(prompts[a]) != promptsA || len(prompts[b]) != promptsB || len(from) != 0 || report.Copied != 0 {
				t.Errorf("%d answers, asked %v, from %v, %d lines copied; alone %d and %d", answers, prompts, from, report.Copied, wantA, wantB)
			}
		})
	}
}
