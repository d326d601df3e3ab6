package graph

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// decoded returns the events of the JSONL of adapters/jsonl/testdata, by session.
func decoded(t testing.TB, format jsonl.Format, file string) map[string][]schema.Event {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../adapters/jsonl/testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	stem := strings.TrimSuffix(filepath.Base(file), ".jsonl")
	d := jsonl.NewDecoder(jsonl.Source{
		Format: format, Session: jsonl.SessionID(stem, first), Title: stem, Path: "/dumps/" + stem, Origin: schema.OriginAudit, Host: "h",
	})
	var all []schema.Event
	n := int64(0)
	for line := range bytes.Lines(data) {
		n++
		if all, _, err = d.Append(all, bytes.TrimSpace(line), n, epoch); err != nil {
			t.Fatalf("%s:%d: %v", file, n, err)
		}
	}
	out := map[string][]schema.Event{}
	for _, e := range all {
		out[e.SessionID] = append(out[e.SessionID], e)
	}
	return out
}

func TestRecordsMatchTheOracle(t *testing.T) {
	r, _ := seeded(9)
	for file, format := range map[string]jsonl.Format{
		"audit/trace-260301_101500.jsonl": jsonl.Audit, "trace/agent-host.jsonl": jsonl.TraceEvents, "events/reference.jsonl": jsonl.Events,
	} {
		for id, events := range decoded(t, format, file) {
			if len(events) == 0 {
				t.Fatal(file, "has no events")
			}
			matchAll(t, file, id, events, r, 3*soak())
		}
	}
}

// Each event of a record matters: dropped, another graph comes out.
func TestEveryEventOfARecordMatters(t *testing.T) {
	for id, events := range decoded(t, jsonl.Audit, "audit/trace-260301_101500.jsonl") {
		want := oracle(id, events)
		for i := range events {
			some := append(append([]schema.Event{}, events[:i]...), events[i+1:]...)
			if len(Diff(want, oracle(id, some))) == 0 {
				t.Errorf("%s", events[i].AppendJSON(nil))
			}
		}
	}
}

// Grains as the adapter has them: batches of one namespace, in any order, any of them twice.
func TestGrainsMatchTheOracle(t *testing.T) {
	r, d := seeded(10)
	var events []schema.Event
	var hashes []string
	for i := range 40 {
		g := jsonl.Grain{
			ToolName: d.pick("web_search", "fetch_data"), Content: fmt.Sprint("200 OK, ", i), IsError: d.one(4), ParentTaskID: d.pick("", "task-001", "task-002"),
			Tags: [][]string{nil, {"api-call"}, {"a", "b"}}[d(3)], Namespace: "n",
		}
		if len(hashes) > 0 && d.one(2) {
			g.RelatedTo = []string{d.pick(hashes...), "0123"}
		}
		hashes = append(hashes, g.Hash())
		src := jsonl.Source{Format: jsonl.OMS, Origin: schema.Origin(d.pick("audit", "api")), Host: "h"}
		events = g.AppendEvents(events, &src, epoch)
	}
	id := jsonl.NamespaceSession("n")
	matchAll(t, "grains", id, events, r, 4)
	g := apply(id, events)
	for _, hash := range hashes {
		call := g.Node(Ref{LabelAction, ToolCallID(id, hash)})
		if st := call.Prop("status"); st != "completed" && st != "failed" {
			t.Errorf("grain %s is %v", hash, st)
		}
	}
}
