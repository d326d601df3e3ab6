package cypher_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
	"github.com/actiongraph/actiongraph/schema"
)

// begin and finish tell of a call in two steps, so that others may run meanwhile.
func (s *story) begin(id, tool, input, agent string) {
	s.tell(schema.ToolStart, func(e *schema.Event) {
		e.ToolUseID, e.ToolName, e.ToolInput, e.AgentID = id, tool, []byte(input), agent
	})
}

func (s *story) finish(id, tool, input, agent, outcome string) {
	s.tell(schema.ToolEnd, func(e *schema.Event) {
		e.ToolUseID, e.ToolName, e.ToolInput, e.AgentID = id, tool, []byte(input), agent
		if outcome != "ok" {
			e.IsError, e.ErrorMessage = true, outcome
		}
	})
}

// do is a call of an agent, from its beginning to its end.
func (s *story) do(id, tool, input, agent, outcome string) {
	s.begin(id, tool, input, agent)
	s.finish(id, tool, input, agent, outcome)
}

func (s *story) shell(id, outcome string) {
	s.do(id, "Bash", fmt.Sprintf(`{"command":%q}`, id), "", outcome)
}

// chatter is what makes two calls of one lane far apart.
func (s *story) chatter(n int) {
	for i := range n {
		s.prompt(fmt.Sprint("go on ", i))
	}
}

// askAbout empties the database, writes one story into it, and asks a query about it:
// the columns named of each row.
func askAbout(t *testing.T, s *story, name string, columns ...string) (out []string) {
	t.Helper()
	url := neo4jtest.URL(t)
	store := loadedWith(t, url, []graph.Batch{batch(graph.NewSession(s.session, journalA), journalA, s.session, s.events)})
	q := query(t, name)
	return some(t, store, q.Text(cypher.Neo4j), arguments(t, q, sessionOf(q, s.session)), columns...)
}

func sessionOf(q cypher.Query, id string) map[string]string {
	if slices.ContainsFunc(q.Params, func(p cypher.Param) bool { return p.Name == "session" }) {
		return map[string]string{"session": id}
	}
	return nil
}

// some are rows with these columns only.
func some(t *testing.T, store *neo4j.Store, text string, params map[string]any, columns ...string) (out []string) {
	t.Helper()
	rows, err := ask(t.Context(), store, text, params)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		var values []string
		for _, want := range columns {
			i := slices.IndexFunc(r, func(v string) bool { return strings.HasPrefix(v, want+" ") })
			if i < 0 {
				t.Fatalf("no column %s in %q", want, r)
			}
			values = append(values, strings.TrimPrefix(r[i], want+" "))
		}
		out = append(out, strings.ReplaceAll(strings.Join(values, " "), `"`, ""))
	}
	return out
}

func TestRetries(t *testing.T) {
	for name, tc := range map[string]struct {
		tell func(s *story)
		want []string
	}{
		"the same batch is no retry": {func(s *story) {
			s.begin("a", "Bash", `{"command":"a"}`, "")
			s.begin("b", "Bash", `{"command":"b"}`, "")
			s.finish("a", "Bash", `{"command":"a"}`, "", "no")
			s.finish("b", "Bash", `{"command":"b"}`, "", "ok")
			s.shell("c", "ok")
		}, []string{"Bash: a Bash: c completed"}},
		"nor is one that was told of at the same time": {func(s *story) {
			now := s.now
			s.finish("a", "Bash", `{"command":"a"}`, "", "no")
			s.now = now
			s.finish("b", "Bash", `{"command":"b"}`, "", "no")
		}, nil},
		"far away": {func(s *story) {
			s.shell("a", "no")
			s.chatter(25)
			s.shell("b", "ok")
		}, []string{"Bash: a Bash: b completed"}},
		"another lane, another tool": {func(s *story) {
			s.shell("a", "no")
			s.do("b", "Bash", `{"command":"b"}`, "agent", "ok")
			s.do("c", "Read", `{"file_path":"c"}`, "", "ok")
		}, nil},
		"it never began": {func(s *story) {
			s.finish("a", "Edit", `{"file_path":"a"}`, "", "no")
			s.finish("b", "Edit", `{"file_path":"b"}`, "", "no")
			s.do("c", "Edit", `{"file_path":"c"}`, "", "ok")
		}, []string{"Edit: b Edit: c completed", "Edit: a Edit: b failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &story{session: "s", host: "h", now: day(1)}
			tc.tell(s)
			if d := cmp.Diff(tc.want, askAbout(t, s, "retries", "failed", "tried_next", "outcome")); d != "" {
				t.Errorf("-want +seen:\n%s", d)
			}
		})
	}
}

func TestFailureLoops(t *testing.T) {
	run := func(s *story, id, agent, outcome string) { s.do(id, "Bash", `{"command":"go test"}`, agent, outcome) }
	for name, tc := range map[string]struct {
		tell func(s *story)
		want []string
	}{
		"it succeeded in between": {func(s *story) {
			run(s, "a", "", "no")
			run(s, "b", "", "ok")
			run(s, "c", "", "no")
		}, nil},
		"two runs": {func(s *story) {
			for i, outcome := range strings.Fields("no no ok no no no ok no") {
				run(s, fmt.Sprint(i), "", outcome)
			}
		}, []string{
			"3 go test 2026-11-01T09:06:00.000000000Z 2026-11-01T09:10:00.000000000Z ",
			"2 go test 2026-11-01T09:00:00.000000000Z 2026-11-01T09:02:00.000000000Z ",
		}},
		"two lanes": {func(s *story) {
			run(s, "a", "", "no")
			run(s, "b", "agent", "no")
		}, nil},
		"another call in between": {func(s *story) {
			run(s, "a", "", "no")
			s.do("b", "Edit", `{"file_path":"x"}`, "", "ok")
			run(s, "c", "", "no")
		}, []string{"2 go test 2026-11-01T09:00:00.000000000Z 2026-11-01T09:04:00.000000000Z "}},
		"the same file, another edit": {func(s *story) {
			s.do("a", "Edit", `{"file_path":"x","old_string":"1"}`, "", "no")
			s.do("b", "Edit", `{"file_path":"x","old_string":"2"}`, "", "no")
		}, nil},
		// The start of the subagent, of the same moment, comes before the first call.
		"the same edit": {func(s *story) {
			s.do("a", "Edit", `{"file_path":"x","old_string":"1"}`, "agent", "no")
			s.do("b", "Edit", `{"file_path":"x","old_string":"1"}`, "agent", "no")
		}, []string{"2 x 2026-11-01T09:00:00.000000001Z 2026-11-01T09:02:00.000000000Z agent"}},
		"a command in other words": {func(s *story) {
			s.do("a", "Bash", `{"command":"make","description":"build"}`, "", "no")
			s.do("b", "Bash", `{"command":"make","description":"build again"}`, "", "no")
		}, []string{"2 make 2026-11-01T09:00:00.000000000Z 2026-11-01T09:02:00.000000000Z "}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &story{session: "s", host: "h", now: day(1)}
			tc.tell(s)
			if d := cmp.Diff(tc.want, askAbout(t, s, "failure-loops", "times", "input", "first", "last", "agent")); d != "" {
				t.Errorf("-want +seen:\n%s", d)
			}
		})
	}
}

// A pair is one however much was said between the two calls.
func TestTransitionsHaveNoHorizon(t *testing.T) {
	s := &story{session: "s", host: "h", now: day(1)}
	s.shell("a", "ok")
	s.chatter(40)
	s.do("b", "Read", `{"file_path":"x"}`, "", "ok")
	s.do("c", "Grep", `{"pattern":"x"}`, "agent", "ok") // alone in its lane
	got := askAbout(t, s, "tool-transitions", "tool", "next_tool", "times", "percent")
	if want := []string{"Bash Read 1 100"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A turn begins with its prompt, also where other facts are of the same moment.
func TestTurnsShowTheirPrompts(t *testing.T) {
	s := &story{session: "s", host: "h", now: day(1)}
	for i := range 8 {
		now := s.now
		for range 3 {
			s.now = now
			s.tell(schema.Context, func(e *schema.Event) { e.Content = fmt.Sprint("loaded ", i) })
		}
		s.now = now
		s.prompt(fmt.Sprint("do ", i))
		s.now = s.now.Add(time.Second)
	}
	got := askAbout(t, s, "session-turns", "turn", "prompt")
	for i, row := range got {
		if want := fmt.Sprintf("%d do %d", i+1, i); row != want {
			t.Errorf("%q, want %q", row, want)
		}
	}
	if len(got) != 8 {
		t.Errorf("%d turns: %q", len(got), got)
	}
}

// TestSubagentTreeOfUnknownSpawner: what nobody is known to have spawned is shown all the
// same, whether it is asked for or not.
func TestSubagentTreeOfUnknownSpawner(t *testing.T) {
	store := loaded(t, neo4jtest.URL(t))
	q := query(t, "subagent-tree")
	want := []string{
		"0 subagent start true", "1 Bash: echo before-error false", "2 Bash result false",
		"1 StopFailure: unknown API Error: 400 mock subagent 400 false",
	}
	for _, agent := range []string{"", "ad26363d25c9ce231"} {
		params := arguments(t, q, map[string]string{"session": orphan, "agent": agent})
		if d := cmp.Diff(want, some(t, store, q.Text(cypher.Neo4j), params, "depth", "action", "parent_unknown")); d != "" {
			t.Errorf("agent %q: -want +seen:\n%s", agent, d)
		}
	}
	params := arguments(t, q, map[string]string{"session": orphan, "agent": "another"})
	if got := some(t, store, q.Text(cypher.Neo4j), params, "action"); got != nil {
		t.Errorf("another agent: %q", got)
	}
}

// TestQueriesTakeFloats: Neo4j Browser makes a float of every number in :params.
func TestQueriesTakeFloats(t *testing.T) {
	store := loaded(t, neo4jtest.URL(t))
	args := asked()
	for _, q := range queries(t) {
		params := arguments(t, q, args[q.Name])
		for name, v := range params {
			if n, ok := v.(int64); ok {
				params[name] = float64(n)
			}
		}
		if rows, err := ask(t.Context(), store, q.Text(cypher.Neo4j), params); err != nil || len(rows) == 0 {
			t.Errorf("%s: %d rows, %v", q.Name, len(rows), err)
		}
	}
}
