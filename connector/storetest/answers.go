package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// testRandom applies random batches, several a call, and compares every session and
// every answer.
func testRandom(rt *rapid.T, p *pair) {
	w := newWorld(rt, rapid.IntRange(1, 3).Draw(rt, "sessions"))
	var ids []string
	for _, l := range w.sessions {
		ids = append(ids, l.id)
	}
	for range rapid.IntRange(1, 6).Draw(rt, "calls") {
		var batches []graph.Batch
		for range rapid.IntRange(1, 3).Draw(rt, "batches") {
			batches = append(batches, w.batch(pick(w, w.sessions)))
		}
		p.applyBatches(batches...)
	}
	for _, id := range ids {
		p.compare(id)
	}
	p.compareAnswers(ids...)
}

// compareAnswers holds a Reader's answers about sessions, and about the whole store,
// against the reference's.
func (p *pair) compareAnswers(sessions ...string) {
	p.t.Helper()
	r, ok := p.store.(connector.Reader)
	if !ok {
		return
	}
	ctx := context.Background()
	for _, f := range sessionFilters() {
		same(p.t, fmt.Sprintf("Sessions(%+v)", f), p.memory.Sessions, r.Sessions, f)
	}
	for _, f := range fileFilters(sessions) {
		same(p.t, fmt.Sprintf("Files(%+v)", f), p.memory.Files, r.Files, f)
	}
	for _, id := range append(sessions, "") {
		same(p.t, "Tools "+id, p.memory.Tools, r.Tools, id)
		same(p.t, "Summary "+id, p.memory.Summary, r.Summary, id)
	}
	for _, f := range profileFilters(sessions) {
		same(p.t, fmt.Sprintf("Profile(%+v)", f), p.memory.Profile, r.Profile, f)
	}
	for _, id := range sessions {
		same(p.t, "Agents "+id, p.memory.Agents, r.Agents, id)
		for _, f := range actionFilters(id) {
			same(p.t, fmt.Sprintf("Actions(%+v)", f), p.memory.Actions, r.Actions, f)
		}
		all, _ := p.memory.Actions(ctx, graph.ActionFilter{Session: id})
		for _, a := range all[:min(3, len(all))] {
			same(p.t, "Action "+a.ActionID, p.memory.Action, r.Action, a.ActionID)
		}
	}
	if _, err := r.Action(ctx, "nonesuch"); !errors.Is(err, graph.ErrNotFound) {
		p.t.Fatalf("an unknown action: %v", err)
	}
	for _, q := range searches(sessions) {
		p.compareSearch(r, q)
	}
	_, slow := r.(EngineRanked) // each question is several round trips: a few at a time
	for i, q := range p.recalls(sessions) {
		if !slow || (i+p.asked)%8 == 0 {
			p.compareRecall(r, q)
		}
	}
	p.asked++
}

// same compares one answer; an error on both sides is the same answer.
func same[Q, A any](t failer, what string, want, got func(context.Context, Q) (A, error), q Q) {
	t.Helper()
	a, errA := want(context.Background(), q)
	b, errB := got(context.Background(), q)
	if (errA == nil) != (errB == nil) || errors.Is(errA, graph.ErrNotFound) != errors.Is(errB, graph.ErrNotFound) {
		t.Fatalf("%s: %v, reference %v", what, errB, errA)
	}
	if errA != nil {
		return
	}
	if d := cmp.Diff(a, b, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-reference +store):\n%s", what, d)
	}
}

func (p *pair) compareSearch(r connector.Reader, q graph.SearchQuery) {
	p.t.Helper()
	want, err := p.memory.Search(context.Background(), q)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := r.Search(context.Background(), q)
	if err != nil {
		p.t.Fatalf("Search(%+v): %v", q, err)
	}
	byID := func(a, b graph.SearchHit) int { return strings.Compare(a.Action.ActionID, b.Action.ActionID) }
	for i, h := range got {
		if i > 0 && h.Rank > got[i-1].Rank {
			p.t.Fatalf("Search(%+v): hit %d is better than the one before it", q, i)
		}
		checkMarks(p.t, h)
	}
	slices.SortFunc(want, byID)
	slices.SortFunc(got, byID)
	onlyAction := cmpopts.IgnoreFields(graph.SearchHit{}, "Rank", "Snippet", "Marks")
	if d := cmp.Diff(want, got, onlyAction, cmpopts.EquateEmpty()); d != "" {
		p.t.Fatalf("Search(%+v) (-reference +store):\n%s", q, d)
	}
}

// checkMarks makes sure that what is marked is in the snippet.
func checkMarks(t failer, h graph.SearchHit) {
	t.Helper()
	end := 0
	for _, m := range h.Marks {
		if m[0] < end || m[1] <= m[0] || m[1] > len(h.Snippet) || utf8.ValidString(h.Snippet) && !utf8.ValidString(h.Snippet[m[0]:m[1]]) {
			t.Fatalf("mark %v of %q", m, h.Snippet)
		}
		end = m[1]
	}
}

func sessionFilters() []graph.SessionFilter {
	t := func(s int) time.Time { return time.Date(2026, 1, 1, 0, 0, s, 1, time.UTC) }
	return []graph.SessionFilter{
		{}, {Limit: 1}, {IDPrefix: "s"}, {IDPrefix: "session-1"}, {IDPrefix: "x"}, {Status: "failed"}, {HasErrors: true},
		{Tag: "étiquette"}, {Tag: "release", HasErrors: true}, {Since: t(2)}, {Until: t(2)}, {Since: t(1), Until: t(4)},
		{Dir: "/home/me"}, {Dir: "/home/me/"}, {Dir: "/"}, {Dir: `C:\src`}, {User: "Bash", Status: "active"}, {Host: "Read", Limit: 2},
		{Since: year(1600)}, {Since: year(2300)}, {Until: year(1600)}, {Until: year(2300)},
	}
}

func actionFilters(session string) []graph.ActionFilter {
	main, sub := "", "agent-1"
	return []graph.ActionFilter{
		{Session: session}, {Session: session, Content: true}, {Session: session, Limit: 2}, {Session: session, Type: graph.ToolCall},
		{Session: session, Tool: "Bash", Content: true}, {Session: session, Status: "failed"}, {Session: session, Agent: &main},
		{Session: session, Agent: &sub, Limit: 1}, {Session: session, Type: graph.ToolCall, Tool: "Read", Status: "completed"},
	}
}

func searches(sessions []string) []graph.SearchQuery {
	out := []graph.SearchQuery{
		{Words: "bash", Failed: true}, {Words: "alpha", Tool: "Bash"}, {Words: "alpha", Type: graph.ToolCall},
		{Words: "the", Since: time.Date(2026, 1, 1, 0, 0, 3, 1, time.UTC)}, {Words: "alpha", All: true}, {Words: "alpha", Session: "nobody"},
		{Words: "alpha", Session: sessions[0]}, {Words: "the", Until: time.Date(2026, 1, 1, 0, 0, 3, 1, time.UTC)},
		{Words: "the", Since: year(1600)}, {Words: "the", Since: year(2300)}, {Words: "the", Until: year(1600)}, {Words: "the", Until: year(2300)},
	}
	for _, words := range []string{"", "alpha", "ALPHA beta", "cafe", "Café", "naive", "gamma-delta", "delta-gamma", "main.go", "x_y", "日本",
		`"quoted"`, "AND", "alpha AND beta", "NEAR(", "alpha*", "al", "al*", "a*", "gamma-d*", "gam* bet*", "GAM*", "lph*", "*", "-*", "al*pha", "x_y*", "main.g*", "tool*", "caf*", `al"*`, "tool_name:bash", "^alpha", "-alpha", "--", "{text}:alpha", `a"b`, "it's"} {
		out = append(out, graph.SearchQuery{Words: words})
	}
	return out
}

// testThoughts: what the model thought is no answer, and marked as such in any list.
func testThoughts(t *testing.T, p *pair) {
	r, ok := p.store.(connector.Reader)
	if !ok {
		return // the store does not read
	}
	p.apply("s", small("s")...)
	p.apply("s", put(message, graph.AssistantMessage, graph.Prop{Name: "thinking", Value: true}))
	p.compareAnswers("s")
	for _, content := range []bool{false, true} {
		rows, err := r.Actions(context.Background(), graph.ActionFilter{Session: "s", Content: content})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.Thinking != (row.ActionID == message.Key) || row.Properties["thinking"] != nil {
				t.Errorf("content %v: thinking of %s is %v, its properties %v", content, row.ActionID, row.Thinking, row.Properties)
			}
		}
	}
}

func testSearch(t *testing.T, p *pair) {
	r, ok := p.store.(connector.Reader)
	if !ok {
		return // the store does not read
	}
	p.apply("s", small("s")...)
	deep := strings.Repeat("word ", 700) + "needle " + strings.Repeat("long ", 200) + "toolate"
	p.apply("s", put(message, graph.AssistantMessage, graph.Prop{Name: "text", Value: deep}))
	p.compareAnswers("s")
	for words, want := range map[string]graph.Ref{
		"gamma": call, "LS": call, "alpha/beta": call, "cafe": result, "delta": result, "42 such": result, "日本": spare, "needle": message,
		"gam*": call, "alpha/be*": call, "CAF*": result, "eps*": spare, "eps* 日本*": spare, "need*": message,
	} {
		hits, err := r.Search(context.Background(), graph.SearchQuery{Words: words})
		if err != nil || len(hits) != 1 || hits[0].Action.ActionID != want.Key || hits[0].Rank <= 0 {
			// BM25 of a word in half of few documents may be tiny, but it is positive.
			t.Errorf("search %q: %v %v, want %v", words, hits, err, want.Key)
			continue
		}
		if len(hits[0].Marks) == 0 {
			t.Errorf("search %q: nothing is marked in %q", words, hits[0].Snippet)
		}
	}
	for want, tags := range [][]string{{"slow", "nonesuch"}, {"slow", "api-call"}} {
		if hits, err := r.Search(context.Background(), graph.SearchQuery{Recall: true, Tags: tags}); err != nil || len(hits) != want {
			t.Errorf("recall of the tags %q: %d hits, want %d (%v)", tags, len(hits), want, err)
		}
	}
	if hits, _ := r.Search(context.Background(), graph.SearchQuery{Words: "toolate"}); len(hits) > 0 {
		t.Error("more than the first 4 kB are searched")
	}
	for _, words := range []string{"gam", "e*", "gam*ma", "*amma", "amma*", "al*/beta"} {
		if hits, err := r.Search(context.Background(), graph.SearchQuery{Words: words}); err != nil || len(hits) > 0 {
			t.Errorf("search %q finds %v %v: only a * at the end of a longer word stands for an ending", words, hits, err)
		}
	}
	p.apply("s", put(result, graph.ToolResult, graph.Prop{Name: "error_message", Value: "exit 4 theta"},
		graph.Prop{Name: "text", Value: "exit 4\n\ttheta\niota"}))
	p.compareAnswers("s")
	hits, err := r.Search(context.Background(), graph.SearchQuery{Words: "theta"})
	if err != nil || len(hits) != 1 || len(hits[0].Marks) != 1 || strings.Count(hits[0].Snippet, "exit") != 1 {
		t.Errorf("an error that the text repeats is shown twice: %v %v", hits, err)
	}
	testLongQuestions(t, r)
	// The text changes, then the action goes.
	p.apply("s", put(message, graph.AssistantMessage, graph.Prop{Name: "text", Value: "zeta now"}))
	p.compareAnswers("s")
	for words, n := range map[string]int{"needle": 0, "zeta": 1} {
		if hits, err := r.Search(context.Background(), graph.SearchQuery{Words: words}); err != nil || len(hits) != n {
			t.Errorf("search %q after the change: %v %v", words, hits, err)
		}
	}
	p.apply("s", delNode(message))
	if hits, err := r.Search(context.Background(), graph.SearchQuery{Words: "zeta"}); err != nil || len(hits) > 0 {
		t.Errorf("a deleted action is found: %v %v", hits, err)
	}
}

// testLongQuestions: what is asked for again and again is asked for once, and nobody asks
// for more than 64 words.
func testLongQuestions(t *testing.T, r connector.Reader) {
	many := ""
	for i := range 64 {
		many += fmt.Sprintf("w%d ", i)
	}
	for _, recall := range []bool{false, true} {
		search := func(words string) ([]graph.SearchHit, error) {
			return r.Search(context.Background(), graph.SearchQuery{Words: words, Recall: recall})
		}
		want, err := search("theta")
		if err != nil {
			t.Fatal(err)
		}
		got, err := search(strings.Repeat("theta THETA ", 50_000))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("recall %v: to ask for a word again gives %v\n%s", recall, err, d)
		}
		if _, err := search(many); err != nil {
			t.Errorf("recall %v: 64 words: %v", recall, err)
		}
		for _, words := range []string{many + "more", "x" + strings.Repeat("-x", 64)} {
			if hits, err := search(words); !errors.Is(err, graph.ErrLongQuestion) {
				t.Errorf("recall %v: %.20q…: %d hits, %v", recall, words, len(hits), err)
			}
		}
	}
}

func testNewestFirst(t *testing.T, p *pair) {
	for i, s := range []float64{5, 1, 9, 9} {
		id := fmt.Sprintf("s%d", i)
		p.apply(id, put(ref(graph.LabelSession, id), "", graph.Prop{Name: "started_at", Value: at(s)}))
	}
	p.apply("unborn", put(ref(graph.LabelSession, "unborn"), ""))
	r, ok := p.store.(connector.Reader)
	if !ok {
		return // the store does not read
	}
	rows, err := r.Sessions(context.Background(), graph.SessionFilter{})
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.SessionID)
	}
	if want := []string{"s2", "s3", "s0", "s1", "unborn"}; err != nil || !slices.Equal(ids, want) {
		t.Fatalf("have %v, want %v, %v", ids, want, err)
	}
}

func testToolStats(t *testing.T, p *pair) {
	var ops []graph.Op
	for i := 1; i <= 20; i++ {
		ops = append(ops, put(action(fmt.Sprint("c", i)), graph.ToolCall, graph.Prop{Name: "tool_name", Value: "Bash"},
			graph.Prop{Name: "duration_ms", Value: float64(i)}, graph.Prop{Name: "status", Value: []string{"failed", "denied", "blocked", "completed"}[i%4]}))
	}
	p.apply("s", ops...)
	r, ok := p.store.(connector.Reader)
	if !ok {
		return // the store does not read
	}
	avg, p50, p95, top := 10.5, 10.0, 19.0, 20.0
	want := []graph.ToolStats{{ToolName: "Bash", UsageCount: 20, ErrorCount: 5, DeniedCount: 10, AvgDurationMS: &avg,
		P50DurationMS: &p50, P95DurationMS: &p95, MaxDurationMS: &top}}
	got, err := r.Tools(context.Background(), "s")
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Fatalf("%v\n%s", err, d)
	}
}
