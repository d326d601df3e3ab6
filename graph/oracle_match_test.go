package graph

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// soak is how often more than by default the random tests run.
func soak() int {
	if os.Getenv("AG_SOAK") != "" {
		return 20
	}
	return 1
}

// matchAll holds the reducer against the oracle: events as they are, permuted, with
// duplicates (some of hooks received later), and cut off with a lagging checkpoint.
func matchAll(t testing.TB, what, session string, events []schema.Event, r *rand.Rand, rounds int) {
	t.Helper()
	want := mustMatch(t, what, session, events)
	for round := range rounds {
		at := fmt.Sprintf("%s, round %d", what, round)
		mix := shuffled(r, events, false)
		mustEqual(t, at+", permuted", want, fold(t, session, mix))
		again := append(slices.Clone(mix), mix[:r.IntN(len(mix))]...)
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		mustEqual(t, at+", duplicated and cut off", want, cutOff(t, r, session, again))
		later := shuffled(r, events, true)
		mustMatch(t, at+", received later", session, later)
	}
}

func TestCapturesMatchTheOracle(t *testing.T) {
	for name, sessions := range captured(t) {
		t.Run(name, func(t *testing.T) {
			for id, events := range sessions {
				matchAll(t, name, id, events, rand.New(rand.NewPCG(3, 7)), 2*soak())
			}
		})
	}
}

func TestRandomSessionsMatchTheOracle(t *testing.T) {
	sessions := 250 * soak()
	if testing.Short() {
		sessions = 40
	}
	for seed := range uint64(sessions) {
		r, d := seeded(seed)
		id := fmt.Sprintf("random%d", seed)
		matchAll(t, "seed "+id, id, randomSession(d, id, 2+r.IntN(80)), r, 2)
	}
}

// A transcript's line is at most ten seconds before the hook of the same prompt.
func TestPromptsPairWithinTenSeconds(t *testing.T) {
	for lead, want := range map[time.Duration]int{-time.Hour: 1, 0: 1, 10 * time.Second: 1, 10*time.Second + 1: 2} {
		hook := schema.Event{SessionID: "pair", EventID: "h", EventType: schema.Message, Role: schema.RoleUser, Content: "go on",
			PromptID: "p", Origin: schema.OriginHook, SourceSDK: "x", Timestamp: epoch}
		line := hook
		line.EventID, line.Origin, line.Seq, line.Timestamp = "l", schema.OriginTranscript, 3, epoch.Add(-lead)
		g := mustMatch(t, lead.String(), "pair", []schema.Event{line, hook})
		if n := g.Node(Ref{LabelSession, "pair"}).Prop("message_count"); n != int64(want) {
			t.Errorf("line %v before its hook: %v messages, want %d", lead, n, want)
		}
	}
}

// A prompt that was queued has its hook when it was typed, with the running turn's id, or
// when the agent took it up; it is one message, where the line says that it was taken up.
func TestQueuedPromptsPairHoweverLongTheyWaited(t *testing.T) {
	for _, c := range []struct {
		name, prompt, extra string
		hook                time.Duration // before the line
		want                int
	}{
		{"in the terminal, for the next turn", "p2", `{"prompt_source":"queued"}`, 3 * time.Hour, 1},
		{"in the terminal, into the turn", "p", `{"queued":true}`, 20 * time.Minute, 1},
		{"of a stream, by a line that says when it was typed", "p", `{"queued":true}`, -20 * time.Minute, 1},
		{"likewise, in a file read from the middle", "", `{"queued":true}`, -20 * time.Minute, 1},
		{"days apart", "p2", `{"prompt_source":"queued"}`, 25 * time.Hour, 2},
		{"typed when the agent was idle", "p2", `{"prompt_source":"typed"}`, 3 * time.Hour, 2},
	} {
		hook := schema.Event{SessionID: "queue", EventID: "h", EventType: schema.Message, Role: schema.RoleUser, Content: "go on",
			PromptID: "p", Origin: schema.OriginHook, SourceSDK: "x", Timestamp: epoch}
		line := hook
		line.EventID, line.Origin, line.Seq, line.PromptID = "l", schema.OriginTranscript, 3, c.prompt
		line.Timestamp, line.Extra = epoch.Add(c.hook), []byte(c.extra)
		g := mustMatch(t, c.name, "queue", []schema.Event{hook, line})
		if n := g.Node(Ref{LabelSession, "queue"}).Prop("message_count"); n != int64(c.want) {
			t.Errorf("%s: %v messages, want %d", c.name, n, c.want)
		}
		for _, n := range g.Nodes() {
			if at := n.Prop("timestamp"); c.want == 1 && n.Prop("role") == "user" && at != Time(line.Timestamp.UnixNano()) {
				t.Errorf("%s: it is at %v, want the line's time", c.name, at)
			}
		}
	}
}

// Where facts are a second apart, a repetition of one that a hook receives within
// half a second is that fact, whatever it says.
func TestReceivedTwiceIsReceivedOnce(t *testing.T) {
	for seed := range uint64(100 * soak()) {
		r, d := seeded(seed)
		id := fmt.Sprintf("twice%d", seed)
		events := randomSession(d, id, 2+r.IntN(50))
		for k, place := range r.Perm(len(events)) {
			events[k].Timestamp = epoch.Add(time.Duration(place) * time.Second)
		}
		mustEqual(t, id, oracle(id, events), oracle(id, shuffled(r, events, true)))
	}
}
