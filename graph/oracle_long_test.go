package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Long sessions reach what few events do not: blocks of a lane, requests that have
// settled, turns that are numbered again from the middle.

// sameCommands returns the facts of n calls of two commands, most of which are asked
// permission for, many before the ones before them have ended.
func sameCommands(r *rand.Rand, session string, n int) []schema.Event {
	var out []schema.Event
	at := epoch
	for i := range n {
		at = at.Add(time.Duration(r.IntN(1500)) * time.Millisecond)
		emit := func(t schema.Type, id, kind string, after int) {
			e := schema.Event{V: schema.Version, SessionID: session, SourceSDK: "claude-code", Origin: schema.OriginHook,
				EventType: t, Timestamp: at.Add(time.Duration(after) * time.Millisecond), PromptID: fmt.Sprint(i / 40),
				ToolName: "Bash", ToolUseID: id, ToolInput: json.RawMessage([]string{`{"command":"ls"}`, `{"command":"pwd"}`}[i%2])}
			if e.EventID = receivedID(&e); kind != "" {
				e.EventID = schema.EventID(e.Origin, kind, id)
			}
			out = append(out, e)
		}
		id := fmt.Sprint("t", i)
		if i%40 == 0 {
			out = append(out, schema.Event{V: schema.Version, SessionID: session, SourceSDK: "claude-code", Origin: schema.OriginHook,
				EventType: schema.Message, Role: schema.RoleUser, Content: "go on", Timestamp: at, EventID: id, PromptID: fmt.Sprint(i / 40)})
		}
		emit(schema.ToolStart, id, "pre", 0)
		if r.IntN(5) > 0 {
			emit(schema.Permission, "", "", r.IntN(1200))
		}
		if r.IntN(8) > 0 {
			emit(schema.ToolEnd, id, "post", 100+r.IntN(3000))
		}
	}
	for range n / 30 { // a lesser record of an old fact: another input, another time
		e := out[r.IntN(len(out))]
		if e.EventType == schema.ToolStart || e.EventType == schema.ToolEnd {
			e.Timestamp = e.Timestamp.Add(-time.Duration(r.IntN(4000)) * time.Millisecond)
			e.ToolInput = json.RawMessage(`{"command":"ls"}`)
			out = append(out, e)
		}
	}
	return out
}

func TestRepeatedCommandsMatchTheOracle(t *testing.T) {
	for seed := range uint64(2 * soak()) {
		r, _ := seeded(seed)
		id := fmt.Sprintf("same%d", seed)
		events := sameCommands(r, id, 300)
		want := mustMatch(t, id, id, events)
		slices.SortStableFunc(events, func(a, b schema.Event) int { return a.Timestamp.Compare(b.Timestamp) })
		mustEqual(t, id+", by time", want, fold(t, id, events))
		for i := range events { // a few facts overtake others, some by far
			if k := i + r.IntN(6); r.IntN(4) == 0 && k < len(events) {
				events[i], events[k] = events[k], events[i]
			}
		}
		for range 5 {
			i, k := r.IntN(len(events)), r.IntN(len(events))
			events[i], events[k] = events[k], events[i]
		}
		mustEqual(t, id+", nearly by time", want, fold(t, id, events))
		mustEqual(t, id+", permuted", want, fold(t, id, shuffled(r, events, false)))
	}
}

// A call that comes late, of a time when requests have settled and calls without one
// are over, is claimed by the next request, and every later one claims anew.
func TestLateCallAmongSettledRequests(t *testing.T) {
	var events []schema.Event
	emit := func(kind schema.Type, id string, seconds float64) {
		e := schema.Event{V: schema.Version, SessionID: "late", SourceSDK: "x", Origin: schema.OriginHook, EventType: kind,
			Timestamp: epoch.Add(time.Duration(seconds * float64(time.Second))), ToolName: "Bash", ToolUseID: id,
			ToolInput: json.RawMessage(`{"command":"ls"}`)}
		e.EventID = receivedID(&e)
		events = append(events, e)
	}
	for i := range 3 * unsettled {
		at := float64(10 * i)
		emit(schema.ToolStart, fmt.Sprint("t", i), at+6)
		emit(schema.Permission, "", at+7)
		emit(schema.ToolEnd, fmt.Sprint("t", i), at+8)
		emit(schema.ToolStart, fmt.Sprint("short", i), at+10)
		emit(schema.ToolEnd, fmt.Sprint("short", i), at+11)
	}
	for i := 0; i < 3*unsettled; i += 3 {
		late := slices.Clone(events)
		emit(schema.ToolStart, "late", float64(10*i)+9)
		late = append(late, events[len(events)-1])
		events = events[:len(events)-1]
		mustMatch(t, fmt.Sprint("late ", i), "late", late)
	}
}

func TestLongLanesMatchTheOracle(t *testing.T) {
	var events []schema.Event
	for i := range 2500 {
		e := schema.Event{V: schema.Version, SessionID: "long", SourceSDK: "x", Origin: schema.OriginAPI,
			EventType: schema.Notification, EventID: fmt.Sprint(i), Timestamp: epoch.Add(time.Duration(i/3) * time.Second)}
		if i%50 == 0 {
			e.EventType, e.Role = schema.Message, schema.RoleUser
		}
		events = append(events, e)
	}
	want := mustMatch(t, "in order", "long", events)
	slices.Reverse(events)
	mustEqual(t, "backwards", want, fold(t, "long", events))
	r, _ := seeded(1)
	mustEqual(t, "permuted", want, fold(t, "long", shuffled(r, events, false)))
}
