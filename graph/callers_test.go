package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// dump is the events of an audit dump, each a second after the one before it.
type dump []schema.Event

func (d *dump) add(t schema.Type, run string, e schema.Event) *schema.Event {
	n := len(*d)
	e.V, e.SessionID, e.SourceSDK, e.Origin, e.EventType, e.AgentID = schema.Version, "dump", "agent-framework", schema.OriginAudit, t, run
	e.Timestamp, e.Seq = epoch.Add(time.Duration(n)*time.Second), int64(n+1)*1000
	e.EventID = schema.EventID(e.Origin, string(t), fmt.Sprint(n))
	*d = append(*d, e)
	return &(*d)[n]
}

// run adds a run of that name that was called by another one, or a name; "" is by nobody.
func (d *dump) run(id, name, caller string) {
	e := schema.Event{AgentName: name, AgentType: name, ParentAgentName: caller, Extra: json.RawMessage(`{"caller_id":null}`)}
	if caller != "" {
		e.Extra = json.RawMessage(fmt.Sprintf(`{"caller_id":%q}`, caller))
	}
	d.add(schema.AgentStart, id, e)
	d.add(schema.AgentEnd, id, schema.Event{Status: schema.StatusCompleted, Extra: json.RawMessage(`{"end_time":"unknown"}`)})
}

func (d *dump) delegate(run, to string) *schema.Event {
	return d.add(schema.Decision, run, schema.Event{Title: "delegate", ToAgent: to, Content: "look into it"})
}

// The parent of each run, "?" where it is unknown, "-" where it has none; "!" is one that
// spawned it by a decision.
func TestCallers(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(d *dump)
		want map[string]string
	}{
		{"a run names its caller, whose record comes later", func(d *dump) {
			d.run("r2", "tester", "r1")
			d.run("r1", "planner", "")
		}, map[string]string{"r1": "-", "r2": "r1"}},
		{"its caller decided to delegate to it", func(d *dump) {
			d.run("r2", "tester", "r1")
			d.run("r1", "planner", "")
			d.delegate("r1", "tester")
		}, map[string]string{"r1": "-", "r2": "r1!"}},
		{"by its id", func(d *dump) {
			d.delegate("r1", "r2")
			d.run("r1", "planner", "")
			d.run("r2", "tester", "r1")
		}, map[string]string{"r1": "-", "r2": "r1!"}},
		{"another run's decision is not its caller's", func(d *dump) {
			d.run("r1", "planner", "")
			d.run("r2", "tester", "r1")
			d.run("r3", "planner", "")
			d.delegate("r3", "tester")
		}, map[string]string{"r1": "-", "r2": "r1", "r3": "-"}},
		{"a caller that never comes", func(d *dump) {
			d.run("r2", "tester", "r1")
			d.delegate("r1", "tester") // and of which no start tells
		}, map[string]string{"r1": "?", "r2": "?"}},
		{"the only run of a name", func(d *dump) {
			d.run("r1", "planner", "")
			d.run("r2", "tester", "planner")
		}, map[string]string{"r1": "-", "r2": "r1"}},
		{"which began at the same time", func(d *dump) {
			d.run("r2", "tester", "planner")
			d.run("r1", "planner", "")
			(*d)[2].Timestamp = (*d)[0].Timestamp
		}, map[string]string{"r1": "-", "r2": "r1"}},
		{"which began later", func(d *dump) {
			d.run("r2", "tester", "planner")
			d.run("r1", "planner", "")
			d.delegate("r1", "tester")
		}, map[string]string{"r1": "-", "r2": "?"}},
		{"which began again later", func(d *dump) {
			d.run("r1", "planner", "")
			d.run("r2", "tester", "planner")
			d.run("r1", "planner", "")
		}, map[string]string{"r1": "-", "r2": "r1"}},
		{"an outer run whose record is missing", func(d *dump) {
			d.run("r2", "tester", "planner")
			d.delegate("r2", "planner")
			d.run("r3", "planner", "tester")
		}, map[string]string{"r2": "?", "r3": "r2!"}},
		{"one of two runs of a name", func(d *dump) {
			d.run("r2", "tester", "planner")
			d.run("r1", "planner", "")
			d.run("r3", "planner", "")
		}, map[string]string{"r1": "-", "r2": "?", "r3": "-"}},
		{"an id goes before a name", func(d *dump) {
			d.run("r3", "tester", "r1")
			d.run("r2", "r1", "")
			d.run("r1", "planner", "")
		}, map[string]string{"r1": "-", "r2": "-", "r3": "r1"}},
		{"a run that calls itself", func(d *dump) { d.run("r1", "planner", "r1") }, map[string]string{"r1": "?"}},
		{"by its name", func(d *dump) { d.run("r1", "planner", "planner") }, map[string]string{"r1": "?"}},
		{"a circle of callers, and one that hangs on it", func(d *dump) {
			d.run("r1", "planner", "r3")
			d.run("r2", "tester", "r1")
			d.run("r3", "writer", "r2")
			d.run("r4", "reader", "r2")
			d.delegate("r1", "tester")
		}, map[string]string{"r1": "?", "r2": "?", "r3": "?", "r4": "r2"}},
		{"a circle of decisions", func(d *dump) {
			d.run("r1", "planner", "r2")
			d.run("r2", "tester", "r1")
			d.delegate("r1", "tester")
			d.delegate("r2", "planner")
		}, map[string]string{"r1": "?", "r2": "?"}},
		{"a circle that a call closes", func(d *dump) {
			d.run("r2", "tester", "r1")
			d.run("r1", "planner", "")
			d.add(schema.ToolEnd, "r2", schema.Event{ToolName: "Agent", ToolUseID: "t1", Result: json.RawMessage(`{"agentId":"r1"}`)})
		}, map[string]string{"r1": "?", "r2": "?"}},
		{"who spawned it is known better", func(d *dump) {
			d.run("r1", "planner", "")
			d.run("r2", "tester", "r1")
			d.add(schema.ToolEnd, "", schema.Event{ToolName: "Agent", ToolUseID: "t1", Result: json.RawMessage(`{"agentId":"r2"}`)})
		}, map[string]string{"r1": "-", "r2": "t1!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d dump
			c.make(&d)
			r, _ := seeded(3)
			matchAll(t, c.name, "dump", d, r, 6)
			g := apply("dump", d)
			for id, want := range c.want {
				if got := parentOf(g, id); got != want {
					t.Errorf("%s hangs under %s, want %s", id, got, want)
				}
			}
		})
	}
}

// parentOf says under what a run hangs, as TestCallers does.
func parentOf(g *Graph, run string) string {
	agent := Ref{LabelAgent, AgentKey("dump", run)}
	start := g.Node(Ref{LabelAction, schema.NewID("subagent_start", "dump", run, "0")})
	unknown := start.Prop("parent_unknown") != nil
	if unknown != (g.Node(agent).Prop("parent_unknown") != nil) {
		return "its start and its Agent differ"
	}
	for _, e := range g.Edges() {
		if unknown && e.Type == Spawned && e.To == agent {
			return "its parent is unknown, and it was spawned"
		}
	}
	id, _ := start.Prop("parent_action_id").(string)
	switch {
	case id == "" && unknown:
		return "?"
	case id == "":
		return "-"
	}
	p := g.Node(Ref{LabelAction, id})
	name, _ := p.Prop("agent_id").(string)
	if name == "" {
		name, _ = p.Prop("tool_use_id").(string)
	}
	if g.HasEdge(EdgeKey{Spawned, p.Ref, agent}) {
		name += "!"
	}
	return name
}

// The record of a run has no end time: it completed, nobody knows when.
func TestRunsWithoutAnEndTime(t *testing.T) {
	var d dump
	d.run("r1", "planner", "")
	a := mustMatch(t, "run", "dump", d).Node(Ref{LabelAgent, AgentKey("dump", "r1")})
	if a.Prop("status") != "completed" || a.Prop("ended_at") != nil || a.Prop("started_at") != Time(epoch.UnixNano()) {
		t.Errorf("agent %v", a.Props)
	}
	d.add(schema.AgentEnd, "r1", schema.Event{Status: schema.StatusCompleted})
	a = mustMatch(t, "run with an end", "dump", d).Node(Ref{LabelAgent, AgentKey("dump", "r1")})
	if a.Prop("ended_at") != Time(epoch.Add(2*time.Second).UnixNano()) {
		t.Errorf("agent with an end %v", a.Props)
	}
}

// A request that names neither its call nor an input claims none, even where there is only
// one call of its tool.
func TestAnsweredRequestsClaimNothing(t *testing.T) {
	var d dump
	d.add(schema.ToolStart, "", schema.Event{ToolName: "write_file", ToolUseID: "t1"})
	e := d.add(schema.Permission, "", schema.Event{ToolName: "write_file", Content: "may I", Reason: "write", Status: schema.StatusDenied,
		Extra: json.RawMessage(`{"action":"write","resource":"src/b.py","allowed":false,"remember_for_session":true}`)})
	g := mustMatch(t, "request", "dump", d)
	n := g.Node(Ref{LabelAction, schema.NewID("answered permission", "dump", e.EventID)})
	for name, want := range map[string]any{
		"action_type": "permission_request", "status": "denied", "parent_unknown": true, "parent_action_id": nil, "tool_name": "write_file",
		"text": "may I", "action": "write", "reason": nil, "resource": "src/b.py", "allowed": false, "remember_for_session": true,
		"name": "permission: write_file: src/b.py", "properties": nil,
	} {
		if got := n.Prop(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if st := g.Node(Ref{LabelAction, ToolCallID("dump", "t1")}).Prop("status"); st != "unknown" {
		t.Errorf("the call is %v", st)
	}
}

// What frameworks say of a call: its task, tags, relations, the files of its skill.
func TestCallsOfFrameworks(t *testing.T) {
	var d dump
	d.add(schema.ToolStart, "", schema.Event{ToolName: "fetch", ToolUseID: "g2", ParentTaskID: "task-001", Tags: []string{"api-call"},
		RelatedTo: []string{"g1", "never"}, Extra: json.RawMessage(`{"grain_type":"action","confidence":0.9,"note":null}`)})
	d.add(schema.ToolStart, "", schema.Event{ToolName: "plan", ToolUseID: "g1", ParentTaskID: "task-001"})
	d.add(schema.ToolStart, "r1", schema.Event{ToolName: "Skill", ToolUseID: "s1", ToolInput: json.RawMessage(`{"skill":"pdf"}`),
		Extra: json.RawMessage(`{"inventory":["SKILL.md","/abs/../x","SKILL.md"]}`)})
	sk := d.add(schema.Skill, "r1", schema.Event{Title: "pdf", ToolUseID: "s1"})
	r, _ := seeded(5)
	matchAll(t, "calls", "dump", d, r, 4)
	g := apply("dump", d)
	call := func(id string) Ref { return Ref{LabelAction, ToolCallID("dump", id)} }
	task := Ref{LabelAction, TaskID("dump", "task-001")}
	for _, k := range []EdgeKey{
		{ParentOf, task, call("g1")}, {ParentOf, task, call("g2")}, {HasTag, call("g2"), Ref{LabelTag, "api-call"}},
		{RelatedTo, call("g2"), call("g1")}, {Read, call("s1"), Ref{LabelFile, FileKey("", "pdf/SKILL.md")}},
		{Read, call("s1"), Ref{LabelFile, FileKey("", "/x")}}, {ParentOf, call("s1"), Ref{LabelAction, EventActionID("dump", sk.EventID)}},
	} {
		if !g.HasEdge(k) {
			t.Errorf("no %v", k)
		}
	}
	if n := g.Node(task); n.Prop("task_id") != "task-001" || n.Prop("parent_action_id") != nil || n.Prop("timestamp") != Time(epoch.UnixNano()) {
		t.Errorf("task %v", n.Props)
	}
	if m := g.Node(call("g2")).Prop("metadata"); m != `{"grain_type":"action","confidence":0.9,"tags":["api-call"],"related_to":["g1","never"]}` {
		t.Errorf("metadata %v", m)
	}
	if slices.ContainsFunc(g.Node(call("s1")).Props, func(p Prop) bool { return p.Name == "metadata" || p.Name == "ended_at" || p.Name == "duration_ms" }) {
		t.Errorf("skill call %v", g.Node(call("s1")).Props)
	}
}

// A run hangs under its caller also in the tree that people see.
func TestRunsHangUnderTheirCallers(t *testing.T) {
	actions := []ActionRow{
		{ActionID: "s2", ActionType: SubagentStart, AgentID: "r2", ParentActionID: "s1"},
		{ActionID: "s1", ActionType: SubagentStart, AgentID: "r1"},
		{ActionID: "m2", ActionType: AssistantMessage, AgentID: "r2", ParentActionID: "s2"},
	}
	turns := Turns(actions, []AgentRow{{AgentID: "r1"}, {AgentID: "r2"}}, nil)
	if len(turns) != 1 || len(turns[0].Items) != 1 {
		t.Fatalf("turns %+v", turns)
	}
	r1 := turns[0].Items[0]
	if r1.Agent.AgentID != "r1" || len(r1.Kids) != 1 || r1.Kids[0].Agent.AgentID != "r2" || len(r1.Kids[0].Kids) != 1 {
		t.Errorf("tree %+v", r1)
	}
}

// A run that was called again has a start for each call, under the decision that led to it.
func TestRunsThatWereCalledAgain(t *testing.T) {
	var d dump
	d.run("r2", "tester", "r1") // at 0 s
	first := d.delegate("r1", "tester")
	d.run("r2", "tester", "r1")
	d.run("r1", "planner", "")
	second := d.delegate("r1", "r2")
	d.delegate("r1", "writer")
	d.run("r2", "tester", "r1")
	unused := d.delegate("r1", "tester")
	r, _ := seeded(3)
	matchAll(t, "again", "dump", d, r, 6)
	g := apply("dump", d)
	agent := Ref{LabelAgent, AgentKey("dump", "r2")}
	for k, e := range []*schema.Event{first, first, second} {
		start := g.Node(Ref{LabelAction, schema.NewID("subagent_start", "dump", "r2", fmt.Sprint(k))})
		if want := EventActionID("dump", e.EventID); start.Prop("parent_action_id") != want {
			t.Errorf("start %d hangs under %v, want %v", k, start.Prop("parent_action_id"), want)
		}
	}
	for e, want := range map[*schema.Event]bool{first: true, second: true, unused: false} {
		if g.HasEdge(EdgeKey{Spawned, Ref{LabelAction, EventActionID("dump", e.EventID)}, agent}) != want {
			t.Errorf("spawned by the decision at %v: want %v", e.Timestamp, want)
		}
	}
}

// Hooks receive one start twice; what is recorded is as many starts as there are records.
func TestStartsThatAreClose(t *testing.T) {
	for origin, want := range map[schema.Origin]int{schema.OriginAudit: 3, schema.OriginAPI: 3, schema.OriginHook: 2} {
		var d dump
		for k, at := range []time.Duration{0, 400, 9000, 400} {
			e := d.add(schema.AgentStart, "r1", schema.Event{AgentName: "tester"})
			e.Origin, e.Timestamp = origin, epoch.Add(at*time.Millisecond)
			if k == 3 {
				e.EventID = d[1].EventID // the same one again
			}
		}
		r, _ := seeded(3)
		matchAll(t, string(origin), "dump", d, r, 6)
		n := 0
		for _, x := range apply("dump", d).Nodes() {
			if x.Type == SubagentStart {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d starts, want %d", origin, n, want)
		}
	}
}

// Agents that, by what is claimed, called each other in a circle have no known parents: all
// of them are in the tree, at the top, and what they did.
func TestACircleOfCallersIsInTheTree(t *testing.T) {
	actions := []ActionRow{
		{ActionID: "s1", ActionType: SubagentStart, AgentID: "r1", ParentUnknown: true},
		{ActionID: "d1", ActionType: Decision, AgentID: "r1", ParentActionID: "s1"},
		{ActionID: "s2", ActionType: SubagentStart, AgentID: "r2", ParentUnknown: true},
		{ActionID: "d2", ActionType: Decision, AgentID: "r2", ParentActionID: "s2"},
		{ActionID: "s3", ActionType: SubagentStart, AgentID: "r3", ParentActionID: "d2"},
		{ActionID: "m3", ActionType: AssistantMessage, AgentID: "r3", ParentActionID: "s3"},
	}
	agents := []AgentRow{
		{AgentID: "r1", SpawnedByActionID: "d2", ParentUnknown: true}, {AgentID: "r2", SpawnedByActionID: "d1", ParentUnknown: true},
		{AgentID: "r3", SpawnedByActionID: "d2"},
	}
	shown := map[string]bool{}
	var walk func(items []*TreeItem)
	walk = func(items []*TreeItem) {
		for _, it := range items {
			if it.Agent != nil {
				shown[it.Agent.AgentID] = true
			} else {
				shown[it.Action.ActionID] = true
			}
			walk(it.Kids)
		}
	}
	for _, turn := range Turns(actions, agents, nil) {
		walk(turn.Items)
	}
	for _, id := range []string{"r1", "d1", "r2", "d2", "r3", "m3"} {
		if !shown[id] {
			t.Errorf("%s is not in the tree", id)
		}
	}
}

// An agent that several decisions spawned hangs under that of its first start.
func TestAnAgentHangsUnderItsFirstStartsParent(t *testing.T) {
	actions := []ActionRow{
		{ActionID: "s1", ActionType: SubagentStart, AgentID: "r1"},
		{ActionID: "d1", ActionType: Decision, AgentID: "r1", ParentActionID: "s1"},
		{ActionID: "s2", ActionType: SubagentStart, AgentID: "r2", ParentActionID: "d1"},
		{ActionID: "d2", ActionType: Decision, AgentID: "r1", ParentActionID: "s1"},
		{ActionID: "s3", ActionType: SubagentStart, AgentID: "r2", ParentActionID: "d2"},
	}
	turns := Turns(actions, []AgentRow{{AgentID: "r1"}, {AgentID: "r2", SpawnedByActionID: "d2"}}, nil)
	r1 := turns[0].Items[0]
	if len(r1.Kids) != 2 || len(r1.Kids[0].Kids) != 1 || len(r1.Kids[1].Kids) != 0 || r1.Kids[0].Kids[0].Agent.AgentID != "r2" {
		t.Errorf("tree %+v", r1)
	}
}

// What a decision led to has what it says: its answer, its call's input. The rest stays.
func TestDecisionsSayNothingTwice(t *testing.T) {
	for _, c := range []struct{ title, tool, extra, want string }{
		{"respond", "", `{"kind":"respond","response":"yes","parameters":{},"subagent_id":null}`, ""},
		{"final_message", "", `{"response":{"x":1}}`, `{"response":{"x":1}}`},
		{"call_tool", "ls", `{"parameters":{"a":1},"why":"z"}`, `{"why":"z"}`},
		{"call_tool", "", `{"parameters":{"a":1}}`, `{"parameters":{"a":1}}`},
		{"delegate", "", `{"kind":"delegate","response":"x","callback_intent":"y"}`, `{"response":"x","callback_intent":"y"}`},
	} {
		e := &schema.Event{EventType: schema.Decision, Origin: schema.OriginAudit, Title: c.title, ToolName: c.tool, Extra: json.RawMessage(c.extra)}
		if got := leftovers(e); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.title, c.extra, got, c.want)
		}
	}
}
