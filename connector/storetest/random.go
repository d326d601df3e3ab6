package storetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// world generates op streams as a fold could emit them: both ends of an edge exist,
// an action has one predecessor, one parent, one lane and one tool, and no cycles.
// Everything else is left to chance.
type world struct {
	t        *rapid.T
	sessions []*life
}

// life is one session as far as the generator has to know it.
type life struct {
	id       string
	pos      schema.Position
	actions  []string // keys that exist; the order that keeps chains free of cycles
	next     int
	agents   []string
	prev     map[string]string
	succ     map[string]string
	parent   map[string]string
	lane     map[string]string
	tool     map[string]string
	types    map[string]graph.ActionType
	deleted  []string
	ops      []graph.Op
	gaveSelf bool
}

const journal = "0123456789abcdef"

func newWorld(t *rapid.T, sessions int) *world {
	w := &world{t: t}
	for i := range sessions {
		l := &life{id: fmt.Sprintf("session-%d", i)}
		l.forget()
		w.sessions = append(w.sessions, l)
	}
	return w
}

func (l *life) forget() {
	l.actions, l.agents, l.deleted, l.gaveSelf = nil, nil, nil, false
	l.prev, l.succ, l.parent = map[string]string{}, map[string]string{}, map[string]string{}
	l.lane, l.tool, l.types = map[string]string{}, map[string]string{}, map[string]graph.ActionType{}
}

// batch draws a batch of one session, coalesced or as it came.
func (w *world) batch(l *life) graph.Batch {
	b := graph.Batch{Journal: journal, Session: l.id, From: l.pos, Reset: w.odds(12)}
	if b.Reset {
		l.forget()
	}
	l.ops = nil
	for range rapid.IntRange(0, 12).Draw(w.t, "steps") {
		w.step(l)
	}
	l.ops = held(l.id, l.ops)
	b.Ops = l.ops
	if rapid.Bool().Draw(w.t, "coalesce") {
		b.Ops = graph.Coalesce(l.ops)
	}
	l.pos.Offset += 1 + int64(len(l.ops))
	l.pos.Sum = rapid.Uint64().Draw(w.t, "sum")
	l.pos.First = 1 << 63
	l.pos.Fold = rapid.Int64Range(0, 2).Draw(w.t, "fold")
	b.To = l.pos
	return b
}

func (w *world) odds(n int) bool { return rapid.IntRange(1, n).Draw(w.t, "odds") == 1 }

func pick[T any](w *world, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(w.t, "pick")]
}

func (l *life) self() graph.Ref             { return graph.Ref{Label: graph.LabelSession, Key: l.id} }
func action(key string) graph.Ref           { return graph.Ref{Label: graph.LabelAction, Key: key} }
func ref(l graph.Label, k string) graph.Ref { return graph.Ref{Label: l, Key: k} }

func (l *life) put(r graph.Ref, t graph.ActionType, props ...graph.Prop) {
	l.ops = append(l.ops, graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Type: t, Props: props}})
}

func (l *life) edge(k graph.OpKind, t graph.EdgeType, from, to graph.Ref, props ...graph.Prop) {
	l.ops = append(l.ops, graph.Op{Kind: k, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to}, Props: props}})
}

func (w *world) step(l *life) {
	if !l.gaveSelf {
		l.gaveSelf = true
		l.put(l.self(), "", w.props(sessionProps)...)
	}
	steps := []func(*life){w.newAction, w.newAction, w.changeAction, w.follow, w.follow, w.setParent, w.useTool,
		w.setLane, w.changeSession, w.otherEdge, w.otherEdge, w.unlink, w.deleteAction, w.absent}
	pick(w, steps)(l)
}

func (w *world) changeSession(l *life) { l.put(l.self(), "", w.props(sessionProps)...) }

func (w *world) newAction(l *life) {
	key := schema.NewID(l.id, fmt.Sprint(l.next))
	if w.odds(10) {
		key = fmt.Sprintf("%s-Action-%d", l.id, l.next) // not the usual 32 digits
	}
	if task := graph.TaskID(l.id, "task-1"); w.odds(10) && !slices.Contains(l.actions, task) && !slices.Contains(l.deleted, task) {
		key = task
	}
	l.next++
	if len(l.deleted) > 0 && w.odds(3) {
		key = pick(w, l.deleted) // come back
		l.deleted = slices.DeleteFunc(l.deleted, func(k string) bool { return k == key })
	}
	t := pick(w, graph.ActionTypes())
	if w.odds(2) {
		t = graph.ToolCall
	}
	l.types[key] = t
	l.actions = append(l.actions, key)
	l.put(action(key), t, w.props(actionProps)...)
	l.edge(graph.PutEdge, graph.HasAction, l.self(), action(key))
}

func (w *world) changeAction(l *life) {
	if len(l.actions) == 0 {
		return
	}
	key := pick(w, l.actions)
	if w.odds(10) {
		l.types[key] = pick(w, graph.ActionTypes())
	}
	l.put(action(key), l.types[key], w.props(actionProps)...)
}

// pair draws two actions, the earlier one first.
func (w *world) pair(l *life) (a, b string, ok bool) {
	if len(l.actions) < 2 {
		return "", "", false
	}
	i := rapid.IntRange(0, len(l.actions)-2).Draw(w.t, "a")
	j := rapid.IntRange(i+1, len(l.actions)-1).Draw(w.t, "b")
	return l.actions[i], l.actions[j], true
}

func (w *world) follow(l *life) {
	a, b, ok := w.pair(l)
	if !ok {
		return
	}
	if p, had := l.prev[b]; had {
		l.edge(graph.DelEdge, graph.FollowedBy, action(p), action(b))
		delete(l.succ, p)
	}
	if s, had := l.succ[a]; had {
		l.edge(graph.DelEdge, graph.FollowedBy, action(a), action(s))
		delete(l.prev, s)
	}
	l.prev[b], l.succ[a] = a, b
	l.edge(graph.PutEdge, graph.FollowedBy, action(a), action(b), w.edgeProps()...)
}

func (w *world) setParent(l *life) {
	a, b, ok := w.pair(l)
	if !ok {
		return
	}
	if p, had := l.parent[b]; had {
		l.edge(graph.DelEdge, graph.ParentOf, action(p), action(b))
	}
	l.parent[b] = a
	l.edge(graph.PutEdge, graph.ParentOf, action(a), action(b), w.edgeProps()...)
}

func (w *world) useTool(l *life) {
	if len(l.actions) == 0 {
		return
	}
	key := pick(w, l.actions)
	if t, had := l.tool[key]; had {
		l.edge(graph.DelEdge, graph.UsedTool, action(key), ref(graph.LabelTool, t))
	}
	tool := pick(w, []string{"Bash", "Read", "mcp__memory__write", "Ünïcode ✓"})
	l.tool[key] = tool
	l.put(ref(graph.LabelTool, tool), "", graph.Prop{Name: "is_mcp", Value: tool[0] == 'm'})
	l.edge(graph.PutEdge, graph.UsedTool, action(key), ref(graph.LabelTool, tool), w.edgeProps()...)
}

func (w *world) setLane(l *life) {
	if len(l.actions) == 0 {
		return
	}
	id := fmt.Sprintf("agent-%d", rapid.IntRange(0, 2).Draw(w.t, "agent"))
	agent := ref(graph.LabelAgent, graph.AgentKey(l.id, id))
	if !slices.Contains(l.agents, agent.Key) {
		l.agents = append(l.agents, agent.Key)
		l.put(agent, "", append(w.props(agentProps), graph.Prop{Name: "agent_id", Value: id})...)
		l.edge(graph.PutEdge, graph.HasAgent, l.self(), agent)
	}
	key := pick(w, l.actions)
	if old, had := l.lane[key]; had {
		l.edge(graph.DelEdge, graph.HasAction, ref(graph.LabelAgent, old), action(key))
	}
	l.lane[key] = agent.Key
	l.edge(graph.PutEdge, graph.HasAction, agent, action(key))
	if w.odds(2) {
		l.edge(graph.PutEdge, graph.Spawned, action(pick(w, l.actions)), agent)
	}
}

func (w *world) otherEdge(l *life) {
	switch rapid.IntRange(0, 4).Draw(w.t, "edge") {
	case 0:
		tag := ref(graph.LabelTag, pick(w, []string{"release", "étiquette", "a b"}))
		l.put(tag, "")
		l.edge(graph.PutEdge, graph.HasTag, l.self(), tag)
	case 1:
		if other := pick(w, w.sessions); other != l {
			l.put(other.self(), "", graph.Prop{Name: "name", Value: other.id}) // a stub's caption
			l.edge(graph.PutEdge, pick(w, []graph.EdgeType{graph.ForkedFrom, graph.Continues}), l.self(), other.self(), w.edgeProps()...)
		}
	case 2:
		if len(l.actions) > 0 {
			path := pick(w, []string{"/a", "/b/ü.go"})
			file := ref(graph.LabelFile, graph.FileKey("host", path))
			l.put(file, "", graph.Prop{Name: "path", Value: path}, graph.Prop{Name: "host", Value: "host"})
			l.edge(graph.PutEdge, pick(w, []graph.EdgeType{graph.Read, graph.Wrote}), action(pick(w, l.actions)), file, w.edgeProps()...)
		}
	case 3:
		if len(l.actions) > 0 {
			tag := ref(graph.LabelTag, pick(w, []string{"release", "a b"}))
			l.put(tag, "")
			l.edge(graph.PutEdge, graph.HasTag, action(pick(w, l.actions)), tag)
		}
	case 4:
		if a, b, ok := w.pair(l); ok {
			l.edge(graph.PutEdge, graph.RelatedTo, action(b), action(a), w.edgeProps()...)
		}
	}
}

// unlink removes one of the edges that were put.
func (w *world) unlink(l *life) {
	var puts []graph.EdgeKey
	for _, op := range l.ops {
		if op.Kind == graph.PutEdge && op.Edge.Type != graph.HasAgent {
			puts = append(puts, op.Edge.EdgeKey)
		}
	}
	if len(puts) == 0 {
		return
	}
	k := pick(w, puts)
	l.edge(graph.DelEdge, k.Type, k.From, k.To)
	switch {
	case k.Type == graph.FollowedBy && l.prev[k.To.Key] == k.From.Key:
		delete(l.prev, k.To.Key)
		delete(l.succ, k.From.Key)
	case k.Type == graph.ParentOf && l.parent[k.To.Key] == k.From.Key:
		delete(l.parent, k.To.Key)
	case k.Type == graph.UsedTool && l.tool[k.From.Key] == k.To.Key:
		delete(l.tool, k.From.Key)
	case k.Type == graph.HasAction && l.lane[k.To.Key] == k.From.Key:
		delete(l.lane, k.To.Key)
	}
}

func (w *world) deleteAction(l *life) {
	if len(l.actions) == 0 || !w.odds(2) {
		return
	}
	key := pick(w, l.actions)
	l.ops = append(l.ops, graph.Op{Kind: graph.DelNode, Node: graph.Node{Ref: action(key), Type: l.types[key]}})
	l.actions = slices.DeleteFunc(l.actions, func(k string) bool { return k == key })
	l.deleted = append(l.deleted, key)
	delete(l.prev, l.succ[key])
	delete(l.succ, l.prev[key])
	for _, m := range []map[string]string{l.prev, l.succ, l.parent, l.lane, l.tool} {
		delete(m, key)
	}
	for child, p := range l.parent {
		if p == key {
			delete(l.parent, child)
		}
	}
	// A coalesced batch puts after it deletes: what hung on the node goes first.
	l.ops = slices.DeleteFunc(l.ops, func(op graph.Op) bool {
		return op.Kind == graph.PutEdge && (op.Edge.From == action(key) || op.Edge.To == action(key))
	})
}

// absent deletes what is not there.
func (w *world) absent(l *life) {
	ghost := action(schema.NewID("ghost", l.id))
	l.ops = append(l.ops, graph.Op{Kind: graph.DelNode, Node: graph.Node{Ref: ghost, Type: graph.Unknown}})
	l.edge(graph.DelEdge, graph.FollowedBy, ghost, ghost)
	l.edge(graph.DelEdge, graph.Read, ghost, ref(graph.LabelFile, schema.NewID("ghost")))
}
