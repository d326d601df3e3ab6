package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// One event that is recorded again, later, is one fact: as who posts an event with an event_id
// and no timestamp, and got no answer, posts it again.
func TestSentAgainLater(t *testing.T) {
	for name, sessions := range captured(t) {
		for id, events := range sessions {
			again := slices.Clone(events)
			for _, e := range events {
				e.Timestamp = e.Timestamp.Add(time.Duration(1+rand.IntN(50)) * time.Minute)
				again = append(again, e)
			}
			rand.Shuffle(len(again), func(i, k int) { again[i], again[k] = again[k], again[i] })
			got, want := fold(t, id, again), fold(t, id, events)
			for _, g := range []*Graph{got, want} { // these are of the latest record
				g.Node(Ref{LabelSession, id}).Props = nil
			}
			mustEqual(t, name+" "+id, want, got)
		}
	}
}

// What is received thrice within half a second is one fact, until the one in the middle turns
// out to be of an earlier time.
func TestSentAgainEarlier(t *testing.T) {
	prompt := func(id string, at time.Duration) schema.Event {
		return schema.Event{EventID: id, EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, Content: "go",
			Origin: schema.OriginHook, SourceSDK: "x", Timestamp: epoch.Add(at)}
	}
	events := []schema.Event{
		prompt("a", time.Minute), prompt("b", time.Minute+400*time.Millisecond), prompt("c", time.Minute+800*time.Millisecond),
	}
	for _, c := range []struct{ messages int64 }{{1}, {3}} {
		g := mustMatch(t, "sent again", "s", events)
		if got := g.Node(Ref{LabelSession, "s"}).Prop("message_count"); got != c.messages {
			t.Errorf("%v messages of %d records, want %d", got, len(events), c.messages)
		}
		events = append(events, prompt("b", 0))
	}
}
