package actiongraph_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

func millis(n float64) *float64 { return &n }

func TestAdd(t *testing.T) {
	home, ctx := open(t), context.Background()
	ok := actiongraph.Grain{ToolName: "web_search", Input: []byte(`{"query":"weather in tokyo"}`), Content: "72F, partly cloudy", DurationMS: millis(340)}
	failed := actiongraph.Grain{ToolName: "database_query", IsError: true, Error: "connection timeout after 5000ms", DurationMS: millis(5000), Namespace: "nightly"}
	first := must(home.Add(ok))(t)
	if again := must(home.Add(ok))(t); again != first || len(first) != 64 {
		t.Errorf("the hashes %s and %s", first, again)
	}
	ok.Namespace = "default"
	batch := must(home.AddBatch([]actiongraph.Grain{failed, ok, failed}))(t)
	if batch[1] != first || batch[0] != batch[2] || batch[0] == first {
		t.Errorf("the hashes %s, and %v of a batch", first, batch)
	}
	type row struct {
		Type         graph.ActionType
		Tool, Status string
		ID, Text     string
		MS           float64
	}
	rows := func(session string) (rows []row) {
		for _, a := range must(home.ActionSequence(ctx, session, true))(t) {
			r := row{a.ActionType, a.ToolName, a.Status, a.ToolUseID, a.Text, 0}
			if a.DurationMS != nil {
				r.MS = *a.DurationMS
			}
			rows = append(rows, r)
		}
		return rows
	}
	if diff := cmp.Diff([]row{
		{graph.ToolCall, "web_search", "completed", first, "", 340},
		{graph.ToolResult, "web_search", "completed", first, "72F, partly cloudy", 0},
	}, rows("ns-default")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]row{
		{graph.ToolCall, "database_query", "failed", batch[0], "", 5000},
		{graph.ToolResult, "database_query", "failed", batch[0], "connection timeout after 5000ms", 0},
	}, rows("ns-nightly")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAddGrainTypes: a call is one by each name that OMS has given it; of another type
// nothing is lost unseen.
func TestAddGrainTypes(t *testing.T) {
	home, ctx := open(t), context.Background()
	must(home.Add(actiongraph.Grain{GrainType: "ToolCall", ToolName: "x", Content: "y"}))(t)
	var fault *jsonl.LineError
	if _, err := home.Add(actiongraph.Grain{GrainType: "fact", ToolName: "x", Content: "y"}); !errors.As(err, &fault) || fault.Field != "tool_name" {
		t.Errorf("a fact with a tool: %v", err)
	}
	must(home.Add(actiongraph.Grain{GrainType: "fact", Namespace: "n", Extra: []byte(`{"subject":"s"}`)}))(t)
	calls := must(home.ActionSequence(ctx, "ns-default", true))(t)
	if len(calls) != 2 || calls[0].ToolName != "x" || calls[1].Text != "y" {
		t.Errorf("%+v", calls)
	}
}

// A batch keeps its order, although its grains are of one moment.
func TestAddBatchKeepsOrder(t *testing.T) {
	home, ctx := open(t), context.Background()
	var batch []actiongraph.Grain
	var want []string
	for i := range 300 {
		batch = append(batch, actiongraph.Grain{ToolName: fmt.Sprint("step", i), Content: "x"})
		want = append(want, fmt.Sprint("tool_call step", i), fmt.Sprint("tool_result step", i))
	}
	must(home.AddBatch(batch))(t)
	var got []string
	for _, a := range must(home.ActionSequence(ctx, "ns-default", false))(t) {
		got = append(got, fmt.Sprint(a.ActionType, " ", a.ToolName))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A batch with one bad grain writes nothing, and says which and what.
func TestAddBatchAllOrNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	home := must(actiongraph.Open(dir, actiongraph.Options{}))(t)
	good := actiongraph.Grain{ToolName: "x"}
	for _, bad := range []struct {
		field string
		grain actiongraph.Grain
	}{
		{"tool_name", actiongraph.Grain{Content: "x"}},
		{"input", actiongraph.Grain{ToolName: "x", Input: []byte(`[1]`)}},
		{"input", actiongraph.Grain{ToolName: "x", Input: []byte(`{`)}},
		{"duration_ms", actiongraph.Grain{ToolName: "x", DurationMS: millis(-1)}},
		{"confidence", actiongraph.Grain{ToolName: "x", Confidence: millis(2)}},
	} {
		_, err := home.AddBatch([]actiongraph.Grain{good, good, bad.grain})
		var e *jsonl.LineError
		if !errors.As(err, &e) || e.Item != 2 || e.Field != bad.field {
			t.Errorf("%s: got the error %v", bad.field, err)
		}
		if _, err = home.Add(bad.grain); !errors.As(err, &e) || e.Item != -1 || e.Field != bad.field {
			t.Errorf("%s: got the error %v", bad.field, err)
		}
	}
	if events := recordedLines(t, dir, "ns-default"); len(events) > 0 {
		t.Errorf("%d events are in the journal", len(events))
	}
	if hashes, err := home.AddBatch(nil); err != nil || len(hashes) > 0 {
		t.Error(hashes, err)
	}
}

// recordedLines returns the events in a home's journal of a session.
func recordedLines(t *testing.T, dir, session string) (events []schema.Event) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "journal", session+".jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) != "" {
			events = append(events, must(schema.Decode([]byte(line)))(t))
		}
	}
	return events
}

func TestAddEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	home := must(actiongraph.Open(dir, actiongraph.Options{}))(t)
	t.Cleanup(func() { home.Close() })
	ctx := context.Background()
	given := []schema.Event{
		{EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, Content: "one", Timestamp: minute(1)},
		{EventType: schema.Message, SessionID: "another/session", Role: schema.RoleUser, Content: "two"},
		{EventType: schema.ToolStart, SessionID: "s", ToolName: "Bash", ToolUseID: "t", EventID: "mine", Origin: schema.OriginAudit, SourceSDK: "x", Timestamp: minute(2)},
		{EventType: schema.Message, SessionID: "another/session", Role: schema.RoleUser, Content: "two"},
	}
	before := append([]schema.Event(nil), given...)
	for range 2 { // the second time as after an answer that was lost
		if err := home.AddEvents(given); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, given); diff != "" {
		t.Errorf("the caller's events (-want +got):\n%s", diff)
	}
	var got []string
	for _, e := range recordedLines(t, dir, "s")[:2] {
		got = append(got, fmt.Sprintf("%s %d %s %s %d %d", e.EventType, e.V, e.Origin, e.SourceSDK, len(e.EventID), e.Timestamp.Minute()))
	}
	if diff := cmp.Diff([]string{"message 1 api actiongraph-go 32 1", "tool_start 1 audit x 4 2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(must(home.ActionSequence(ctx, "s", false))(t)); n != 2 {
		t.Errorf("%d actions, want 2: the same event is one fact", n)
	}
	// Without a time nothing tells one from the other.
	if n := len(must(home.ActionSequence(ctx, "another/session", false))(t)); n != 4 {
		t.Errorf("%d actions, want 4", n)
	}
}

// A batch with one bad event writes nothing, and says which and what.
func TestAddEventsAllOrNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	home := must(actiongraph.Open(dir, actiongraph.Options{}))(t)
	good := schema.Event{EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, Content: "x"}
	for _, bad := range []struct {
		field string
		event schema.Event
	}{
		{"session_id", schema.Event{EventType: schema.Message, Role: schema.RoleUser}},
		{"event_type", schema.Event{EventType: "dance", SessionID: "s"}},
		{"event_type", schema.Event{EventType: schema.SourcePosition, SessionID: "s"}},
		{"event_id", schema.Event{EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, EventID: "../x"}},
		{"v", schema.Event{EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, V: 2}},
		{"origin", schema.Event{EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, Origin: "dream"}},
		{"timestamp", schema.Event{EventType: schema.Message, SessionID: "s", Role: schema.RoleUser, Timestamp: time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC)}},
		{"tool_use_id", schema.Event{EventType: schema.ToolEnd, SessionID: "s"}},
		{"extra", schema.Event{EventType: schema.Context, SessionID: "s", Extra: []byte(`[1]`)}},
		{"metadata", schema.Event{EventType: schema.Context, SessionID: "not an id", Metadata: []byte(`[1]`)}},
		{"duration_ms", schema.Event{EventType: schema.Context, SessionID: "s", DurationMS: millis(math.NaN())}},
		{"cost_usd", schema.Event{EventType: schema.Context, SessionID: "s", CostUSD: millis(math.Inf(1))}},
	} {
		err := home.AddEvents([]schema.Event{good, bad.event, good})
		var e *jsonl.LineError
		if !errors.As(err, &e) || e.Item != 1 || e.Field != bad.field || !errors.Is(err, schema.ErrInvalid) {
			t.Errorf("%s: got the error %v", bad.field, err)
		}
	}
	if events := recordedLines(t, dir, "s"); len(events) > 0 {
		t.Errorf("%d events are in the journal", len(events))
	}
	if err := home.AddEvents(nil); err != nil {
		t.Error(err)
	}
}

// Many callers at once, into few and into many sessions.
func TestAddEventsAtOnce(t *testing.T) {
	home, ctx := open(t), context.Background()
	const callers, batches, size = 16, 8, 50
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for b := range batches {
				events := make([]schema.Event, size)
				for i := range events {
					events[i] = schema.Event{
						EventType: schema.Context, SessionID: fmt.Sprint("s", (c*b+i)%(1+20*(b%2))), Content: "x",
						EventID: fmt.Sprintf("e%d-%d-%d", c, b, i), Timestamp: minute(b),
					}
				}
				if err := home.AddEvents(events); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if s := must(home.SessionSummary(ctx, ""))(t); s.ActionCount != callers*batches*size {
		t.Errorf("%d actions, want %d", s.ActionCount, callers*batches*size)
	}
}

// BenchmarkAddEvents adds batches of 500 from eight callers at once into one session:
// events per second, acknowledged.
func BenchmarkAddEvents(b *testing.B) {
	home, err := actiongraph.Open(filepath.Join(b.TempDir(), "home"), actiongraph.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const size = 500
	input := []byte(`{"query":"weather in tokyo","pages":[1,2,3]}`)
	var n atomic.Int64
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		events := make([]schema.Event, size)
		for pb.Next() {
			for i := range events {
				id := fmt.Sprint("toolu_", n.Add(1))
				events[i] = schema.Event{
					EventType: schema.ToolStart, SessionID: "s", ToolName: "web_search", ToolUseID: id, EventID: id,
					ToolInput: input, Timestamp: time.Now(),
				}
			}
			if err := home.AddEvents(events); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "events/s")
}
