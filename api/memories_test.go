package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
)

const seedBatch = `{
  "grains": [
    {"grain_type": "action", "fields": {"tool_name": "fetch_data", "content": "200 OK, 1.2MB", "parent_task_id": "task-001"}},
    {"grain_type": "action", "fields": {"tool_name": "transform_data", "content": "processed 500 records", "parent_task_id": "task-001"}}
  ]
}`

func (c *client) added(r reply) added {
	c.t.Helper()
	var a added
	if err := json.Unmarshal([]byte(r.text), &a); err != nil || r.status != 200 {
		c.t.Fatalf("%d: %s", r.status, r.text)
	}
	return a
}

// The second seed's batch: each grain has a hash of its own, the same each time.
func TestBatchAdd(t *testing.T) {
	c := newClient(t)
	first := c.added(c.post("/api/memories/default/batch-add", seedBatch))
	if first.Added != 2 || first.Failed != 0 || len(first.Hashes) != 2 || first.Hashes[0] == first.Hashes[1] {
		t.Fatalf("%+v", first)
	}
	if again := c.added(c.post("/api/memories/default/batch-add", seedBatch)); !cmp.Equal(first, again) {
		t.Errorf("again: %+v, before %+v", again, first)
	}
	if g := c.store.grains[1]; g.ToolName != "transform_data" || g.Content != "processed 500 records" || g.ParentTaskID != "task-001" || g.Namespace != "default" {
		t.Errorf("recorded: %+v", g)
	}
	// The namespace is that of the path, but for a grain that names one.
	c.added(c.post("/api/memories/one%20two/batch-add", `{"grains":[{"grain_type":"action","fields":{"tool_name":"a"}},{"grain_type":"action","fields":{"tool_name":"a","namespace":"b"}}]}`))
	if g := c.store.grains; g[4].Namespace != "one two" || g[5].Namespace != "b" {
		t.Errorf("namespaces %q and %q", g[4].Namespace, g[5].Namespace)
	}
	if a := c.added(c.post("/api/memories/default/batch-add", `{"grains":[]}`)); a.Added != 0 || a.Hashes == nil {
		t.Errorf("none: %+v", a)
	}
	if h := c.server.Health(); h.Events != 12 {
		t.Errorf("health: %+v", h)
	}
}

// A batch of many is given to the store in parts, which the client does not see.
func TestBatchesInParts(t *testing.T) {
	c := newClient(t)
	const n = 2*atOnce + 1
	var grains, events []string
	for i := range n {
		grains = append(grains, fmt.Sprintf(`{"tool_name":"t%d"}`, i))
		events = append(events, fmt.Sprintf(`{"event_type":"context","session_id":"s","event_id":"e%d"}`, i))
	}
	a := c.added(c.post("/api/memories/default/batch-add", "["+strings.Join(grains, ",")+"]"))
	if a.Added != n || len(a.Hashes) != n || len(c.store.grains) != n {
		t.Fatalf("%d added, %d hashes, %d recorded", a.Added, len(a.Hashes), len(c.store.grains))
	}
	for i, g := range c.store.grains {
		if want := fmt.Sprintf("t%d", i); g.ToolName != want || g.Hash() != a.Hashes[i] {
			t.Fatalf("grain %d is %s, its hash %s", i, g.ToolName, a.Hashes[i])
		}
	}
	e := c.accepted(c.post("/v1/events", strings.Join(events, "\n"), "Content-Type: application/x-ndjson"))
	if e.Accepted != n || e.EventIDs[n-1] != fmt.Sprintf("e%d", n-1) || len(c.store.events) != n {
		t.Errorf("%d accepted, the last is %s", e.Accepted, e.EventIDs[n-1])
	}
	// One that is wrong in a later part keeps the first from being recorded, too.
	c = newClient(t)
	grains[n-1], events[n-1] = `{"content":"x"}`, `{"event_type":"context"}`
	if got := c.post("/api/memories/default/batch-add", "["+strings.Join(grains, ",")+"]"); got.status != 400 || *got.Error.Item != n-1 {
		t.Errorf("%s", got.text)
	}
	if got := c.post("/v1/events", "["+strings.Join(events, ",")+"]"); got.status != 400 || *got.Error.Item != n-1 {
		t.Errorf("%s", got.text)
	}
	if len(c.store.grains)+len(c.store.events) != 0 {
		t.Errorf("%d grains and %d events were recorded", len(c.store.grains), len(c.store.events))
	}
}

// One wrong grain, and nothing is added: its index and field are named.
func TestBatchIsAtomic(t *testing.T) {
	c := newClient(t)
	grain := func(fields string) string { return `{"grain_type":"action","fields":{` + fields + `}}` }
	good := grain(`"tool_name":"a"`)
	for body, want := range map[string]string{
		`{"grains":[` + good + `,` + grain(`"content":"x"`) + `]}`:                                              "400 item=1 field=tool_name",
		`{"grains":[` + grain(`"tool_name":""`) + `]}`:                                                          "400 item=0 field=tool_name",
		`{"grains":[` + good + `,` + good + `,` + grain(`"tool_name":7`) + `]}`:                                 "400 item=2 field=tool_name",
		`{"grains":[` + good + `,` + grain(`"tool_name":"a","input":[]`) + `]}`:                                 "400 item=1 field=input",
		`{"grains":[` + good + `,` + grain(`"tool_name":"a","duration_ms":-1`) + `]}`:                           "400 item=1 field=duration_ms",
		`{"grains":[` + good + `,` + grain(`"tool_name":"a","is_error":"no"`) + `]}`:                            "400 item=1 field=is_error",
		`{"grains":[` + good + `,` + grain(`"tool_name":"a","confidence":2`) + `]}`:                             "400 item=1 field=confidence",
		`{"grains":[` + good + `,{"grain_type":"belief","fields":{"subject":"john"}}]}`:                         "400 item=1 field=grain_type",
		`{"grains":[` + good + `,{"grain_type":"action"}]}`:                                                     "400 item=1",
		`{"grains":[` + good + `,null]}`:                                                                        "400 item=1",
		`{"grains":[` + good + `,` + grain(`"tool_name":"a","namespace":"`+strings.Repeat("n", 257)+`"`) + `]}`: "400 item=1 field=namespace",
		`{"namespace":"a\u0000","grains":[` + good + `]}`:                                                       "400 field=namespace line=1 column=14",
		`{"grains":[` + good + `],"grains":[` + good + `]}`:                                                     "400 field=grains",
		`{"grains":[],"gr\u0061ins":[` + good + `]}`:                                                            "400 field=grains",
		`{"namespace":"a","grains":[` + good + `],"namespace":"b"}`:                                             "400 field=namespace",
		`{"grain_type":"action","fields":{"tool_name":"a","tool_name":"b"}}`:                                    "400 field=tool_name",
		`{"grain_type":"action","grain_type":"action","fields":{"tool_name":"b"}}`:                              "400 field=grain_type",
		`{"grains":{}}`:   "400",
		`{"grains":null}`: "400",
		`"grains"`:        "400",
	} {
		got := c.post("/api/memories/default/batch-add", body)
		if parts := got.parts(); !strings.HasPrefix(parts, want) {
			t.Errorf("%s: %s, want %s: %s", body, parts, want, got.text)
		}
	}
	if len(c.store.grains) != 0 {
		t.Errorf("%d grains were added", len(c.store.grains))
	}
}

func TestQuestions(t *testing.T) {
	c := newClient(t)
	day := time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	in := func(session string, q graph.SearchQuery) graph.SearchQuery {
		q.Recall, q.Session = true, session
		if q.Limit == 0 {
			q.Limit = defaultLimit
		}
		q.Limit++
		return q
	}
	const here = "ns-default"
	for body, want := range map[string]graph.SearchQuery{
		`{}`: in(here, graph.SearchQuery{}),
		`{"query": "web_search weather", "grain_type": "action", "limit": 10}`:              in(here, graph.SearchQuery{Words: "web_search weather"}),
		`{"query": "error timeout", "is_error": true}`:                                      in(here, graph.SearchQuery{Words: "error timeout", Failed: true}),
		`{"parent_task_id": "task-001", "limit": 1000}`:                                     in(here, graph.SearchQuery{Task: "task-001", Limit: 1000}),
		`{"tags": ["api-call"], "tool_name": "web_search"}`:                                 in(here, graph.SearchQuery{Tags: []string{"api-call"}, Tool: "web_search"}),
		`{"tags": ["api-call"], "related_to": "abc"}`:                                       in(here, graph.SearchQuery{Tags: []string{"api-call"}, RelatedTo: "abc"}),
		`{"tags": ["b", "a", "b"]}`:                                                         in(here, graph.SearchQuery{Tags: []string{"b", "a"}}),
		`{"since": "2026-03-01T14:00:00Z", "until": "2026-03-01T16:00:00.000000000+01:00"}`: in(here, graph.SearchQuery{Since: day, Until: day.Add(time.Hour)}),
		`{"namespace": "other", "limit": 1e2}`:                                              in("ns-other", graph.SearchQuery{Limit: 100}),
		`{"query": null, "grain_type": null, "tags": [], "limit": null, "is_error": null}`:  in(here, graph.SearchQuery{}),
	} {
		c.store.asked = nil
		if got := c.post("/api/memories/default/recall", body); got.status != 200 {
			t.Errorf("%s: %s", body, got.text)
		} else if diff := cmp.Diff([]graph.SearchQuery{want}, c.store.asked); diff != "" {
			t.Errorf("%s:\n%s", body, diff)
		}
	}
	many := make([]string, mostWords+1)
	for i := range many {
		many[i] = fmt.Sprintf("w%d", i)
	}
	most := strings.Join(many[:mostWords], " ")
	c.store.asked = nil
	if got := c.post("/api/memories/default/recall", `{"query": "`+most+"\u3000"+strings.Repeat(most+" ", 200)+`"}`); got.status != 200 || c.store.asked[0].Words != most {
		t.Errorf("words again and again: %s, %+v", got.text, c.store.asked)
	}
	c.store.asked = nil
	for body, field := range map[string]string{
		`{"query": "` + strings.Join(many, " ") + `"}`: "query",
		`{"query": 7}`: "query", `{"query": ["a"]}`: "query", `{"tool_name": {}}`: "tool_name",
		`{"limit": 0}`: "limit", `{"limit": 1001}`: "limit", `{"limit": 1.5}`: "limit", `{"limit": "10"}`: "limit", `{"limit": -1}`: "limit",
		`{"limit": 1e400}`: "limit", `{"limit": true}`: "limit",
		`{"tags": ["` + strings.Join(many, `", "`) + `"]}`: "tags", `{"tags": [""]}`: "tags", `{"tags": ["a", 1]}`: "tags", `{"tags": [1]}`: "tags", `{"tags": "a"}`: "tags", `{"tags": [null]}`: "tags", `{"tags": {}}`: "tags",
		`{"is_error": false}`: "is_error", `{"is_error": 1}`: "is_error",
		`{"since": "yesterday"}`: "since", `{"until": 5}`: "until",
		`{"grain_type": "belief"}`: "grain_type", `{"grain_type": 1}`: "grain_type",
		`{"namespace": "a\u0000"}`: "namespace", `{"namespace": " "}`: "namespace", `{"namespace": ""}`: "namespace", `{"namespace": "` + strings.Repeat("a", 257) + `"}`: "namespace", `{"namespace": 1}`: "namespace",
		`{"query": "a", "query": "b"}`: "query", `{"tags": null, "t\u0061gs": ["a"]}`: "tags",
		`{"subject": "john"}`: "subject", `{"Query": "x"}`: "Query", `{"rerank": false}`: "rerank",
	} {
		if got := c.post("/api/memories/default/recall", body); got.parts() != "400 field="+field {
			t.Errorf("%s: %s, want field %s: %s", body, got.parts(), field, got.text)
		}
	}
	if len(c.store.asked) != 0 {
		t.Errorf("asked: %+v", c.store.asked)
	}
}

func TestResults(t *testing.T) {
	c := newClient(t)
	took := 5000.0
	hit := graph.SearchHit{
		Rank: 2.5, Snippet: "connection timeout",
		Action: graph.ActionRow{
			ActionID: "a1", SessionID: "ns-default", ToolName: "database_query", ToolUseID: "ab12", DurationMS: &took, IsError: true, Status: "failed",
			Timestamp: time.Date(2026, 3, 1, 15, 0, 0, 0, time.FixedZone("", 3600)), Metadata: json.RawMessage(`{"confidence":0.9,"grain_type":"action","namespace":"default"}`),
			Properties: map[string]any{"properties": `{"tool_input":{"sql":"SELECT * FROM users","n":1}}`, "url": "http://db", "turn": 3},
		},
		Result: &graph.ActionRow{Text: "connection timeout after 5000ms", Properties: map[string]any{"error_message": "connection timeout after 5000ms"}},
	}
	for range 3 {
		c.store.hits = append(c.store.hits, hit)
	}
	const want = `{"blob_hash":"ab12","grain_type":"action","score":2.5,"namespace":"default","created_at":"2026-03-01T14:00:00Z",` +
		`"fields":{"confidence":0.9,"duration_ms":5000,"error":"connection timeout after 5000ms","input":{"n":1,"sql":"SELECT * FROM users","url":"http://db"},` +
		`"is_error":true,"tool_name":"database_query"},"action_id":"a1","session_id":"ns-default"}`
	for limit, more := range map[int]bool{2: true, 3: false, 10: false} {
		n := min(limit, 3)
		got := c.post("/api/memories/default/recall", fmt.Sprintf(`{"limit":%d}`, limit))
		all := strings.Repeat(want+",", n)
		if want := fmt.Sprintf(`{"results":[%s],"count":%d,"has_more":%v}`+"\n", all[:len(all)-1], n, more); got.text != want {
			t.Errorf("limit %d:\n%s\nwant\n%s", limit, got.text, want)
		}
	}
	// A task is what a call is part of; what else a parent is, is no task.
	c.store.actions = map[string]graph.ActionRow{
		"t": {ActionType: graph.Task, Properties: map[string]any{"task_id": "task-001"}}, "call": {ActionType: graph.ToolCall},
	}
	for parent, want := range map[string]int{"t": 3, "call": 0, "gone": 0} {
		c.store.looked = 0
		for i := range c.store.hits {
			c.store.hits[i].Action.ParentActionID = parent
		}
		if got := c.post("/api/memories/default/recall", `{}`); strings.Count(got.text, `"parent_task_id":"task-001"`) != want || c.store.looked != 1 {
			t.Errorf("parent %s, looked for %d times: %s", parent, c.store.looked, got.text)
		}
	}
	c.store.err = fmt.Errorf("2 s: %w", ErrBehind)
	if got := c.post("/api/memories/default/recall", `{"limit":1}`); got.status != 200 || !strings.Contains(got.text, `"behind":true`) || !strings.Contains(got.text, "ab12") {
		t.Errorf("behind: %s", got.text)
	}
	c.store.err = errors.New("the store is closed")
	if got := c.post("/api/memories/default/recall", `{}`); got.status != 500 {
		t.Errorf("%d: %s", got.status, got.text)
	}
}

// A grain comes back with the fields that it has: an error is there once and whole, and
// no content that nobody sent.
func TestErrorsComeBack(t *testing.T) {
	long := strings.Repeat("a long error,\n\tof lines ", 40)
	for _, test := range []struct{ what, err, content string }{
		{"short", "timeout", ""},
		{"over lines", "timeout\n  at line 3\n", ""},
		{"long", long, ""},
		{"with its own dots", "waiting…", ""},
		{"with content", "timeout", "no rows"},
		{"with content that begins like it", "timeout", "timeout after 3 rows: a, b, c"},
		{"long, with content", long, "no rows"},
		{"none", "", "72F"},
	} {
		g := jsonl.Grain{ToolName: "a", Namespace: "n", Error: test.err, Content: test.content, IsError: test.err != ""}
		hit := hitOf(t, &g)
		var fields struct{ Error, Content string }
		text, err := json.Marshal(fieldsOf(hit))
		if err == nil {
			err = json.Unmarshal(text, &fields)
		}
		if err != nil || fields.Error != test.err || fields.Content != test.content {
			t.Errorf("%s: %v, error %q, content %q", test.what, err, fields.Error, fields.Content)
		}
	}
}

// hitOf is a grain as a store gives it back.
func hitOf(t *testing.T, grain *jsonl.Grain) (hit graph.SearchHit) {
	t.Helper()
	session, g := graph.NewSession("ns-n", "j"), graph.New()
	for _, e := range grain.AppendEvents(nil, &jsonl.Source{}, time.Unix(1e9, 0)) {
		session.Apply(&e)
	}
	g.Apply(session.Take()...)
	for _, n := range g.Nodes() {
		row := graph.ActionRow{Properties: map[string]any{}}
		for _, p := range n.Props {
			row.Properties[p.Name] = p.Value
		}
		switch n.Type {
		case graph.ToolCall:
			row.ToolName, _ = row.Properties["tool_name"].(string)
			hit.Action = row
		case graph.ToolResult:
			row.Text, _ = row.Properties["text"].(string)
			hit.Result = &row
		}
	}
	return hit
}
