package graph_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// promptsOfOneInstant returns n different prompts, each with an answer, whose lines carry
// one time: a transcript that was written at once, or that states seconds.
func promptsOfOneInstant(n int) []schema.Event {
	var out []schema.Event
	emit := func(role string) {
		k := len(out) + 1
		out = append(out, schema.Event{V: schema.Version, SessionID: "burst", SourceSDK: "claude-code", Origin: schema.OriginTranscript,
			EventType: schema.Message, Role: role, HookEventName: role, Content: fmt.Sprint(role, k), EventID: fmt.Sprint(k),
			Timestamp: time.Unix(1e9, 0), Seq: int64(1000 * k), PromptID: fmt.Sprint(k)})
	}
	for range n {
		emit(schema.RoleUser)
		emit(schema.RoleAssistant)
	}
	return out
}

// Prompts of one instant that come in the order of their lines change no turn but their
// own: what each costs does not grow with what was before.
func TestPromptsOfOneInstantCostTheSame(t *testing.T) {
	ops := func(n int) (count int) {
		s := graph.NewSession("burst", "journal0")
		for _, e := range promptsOfOneInstant(n) {
			s.Apply(&e)
			count += len(s.Take())
		}
		return count
	}
	half, all := ops(2500), ops(5000)
	if each := float64(all) / 10_000; each > 20 {
		t.Errorf("%.1f ops a message, want at most 20", each)
	}
	if ratio := float64(all) / float64(half); ratio > 2.1 {
		t.Errorf("5000 prompts emit %.1f times the ops of 2500", ratio)
	}
}

// Prompts of one instant are numbered by their lines, in whatever order they come, and
// what lies between two is in the first one's turn.
func TestTurnsOfPromptsOfOneInstant(t *testing.T) {
	events := promptsOfOneInstant(50)
	turns := func(events []schema.Event) []int64 {
		s, g := graph.NewSession("burst", "journal0"), graph.New()
		for _, e := range events {
			s.Apply(&e)
			g.Apply(s.Take()...)
		}
		out := make([]int64, len(events))
		for _, n := range g.Nodes() {
			if n.Label == graph.LabelAction {
				seq, _ := n.Prop("seq").(int64)
				out[seq/1000-1], _ = n.Prop("turn").(int64)
			}
		}
		return out
	}
	var want []int64
	for k := range int64(50) {
		want = append(want, k+1, k+1)
	}
	if got := turns(events); !slices.Equal(got, want) {
		t.Errorf("in order: turns %v", got)
	}
	slices.Reverse(events)
	if got := turns(events); !slices.Equal(got, want) {
		t.Errorf("backwards: turns %v", got)
	}
}
