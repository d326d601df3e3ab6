package diff

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// node is one thing that happened, with what happened within it: what is aligned.
type node struct {
	kind string
	tool string
	at   time.Time
	end  time.Time

	action *graph.ActionRow // of a turn its prompt, nil where it has none
	result *graph.ActionRow
	agent  *graph.AgentRow
	turn   int // of a turn its number, 0 before the first prompt
	kids   []*node
	used   []graph.UsageRow // of a turn, what the model calls in it used

	fields []field // what it is compared by, in neutral words
	exact  hash    // of all there is
	asked  hash    // of what was asked for, whatever came of it
	words  words   // of what was asked for
}

// field is one part of a node.
type field struct {
	name    string
	text    string
	printed bool // by a command
	sum     hash // of the neutral text
}

type hash [16]byte

func hashOf(parts ...string) (h hash) {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write(binary.AppendUvarint(nil, uint64(len(part))))
		sum.Write([]byte(part))
	}
	copy(h[:], sum.Sum(nil))
	return h
}

// The kinds of nodes that are no action type.
const (
	kindSession = "session"
	kindTurn    = "turn"
	kindAgent   = "agent"
	kindCall    = "call"
	kindAnswer  = "answer"
)

// tree makes the recording's nodes: the session, its turns, and what is in these.
func (r *recording) tree() {
	r.root = &node{kind: kindSession}
	number := 0
	for _, t := range graph.Turns(r.actions, r.agents, nil) {
		n := &node{kind: kindTurn}
		if t.Prompt != nil {
			number++
			n.action, n.at, n.turn = t.Prompt, t.Prompt.Timestamp, number
			n.add(r.neutral, "prompt", t.Prompt.Text, false)
		}
		n.kids, n.used = r.nodes(t.Items), r.usedIn(t.Items, nil)
		n.finish(1)
		if t.Prompt != nil || len(n.kids) > 0 {
			r.root.kids = append(r.root.kids, n)
		}
	}
	r.root.finish(0)
}

// usedIn collects what the model calls among items, and within them, used.
func (r *recording) usedIn(items []*graph.TreeItem, used []graph.UsageRow) []graph.UsageRow {
	for _, it := range items {
		if it.Action != nil {
			if u, calls := r.used[it.Action.ActionID]; calls {
				used = append(used, u)
			}
		}
		used = r.usedIn(it.Kids, used)
	}
	return used
}

// nodes are those of items; of what tells people nothing, those within it.
func (r *recording) nodes(items []*graph.TreeItem) (out []*node) {
	for _, it := range items {
		kids := r.nodes(it.Kids)
		switch {
		case it.Agent != nil:
			out = append(out, r.agentNode(it.Agent, kids))
		case it.Action == nil:
		case render.Hidden(it.Action) || it.Action.ActionType == graph.Notification:
			out = append(out, kids...)
		case it.Action.ActionType == graph.ToolCall:
			out = append(out, r.callNode(it, kids))
		default:
			out = append(out, r.otherNode(it.Action, kids))
		}
	}
	return out
}

func (r *recording) agentNode(a *graph.AgentRow, kids []*node) *node {
	n := &node{kind: kindAgent, tool: a.AgentType, agent: a, at: a.StartedAt, end: a.EndedAt, kids: kids}
	if a.SpawnedByActionID == "" { // else the call's input says it
		n.add(r.neutral, "description", a.Description, false)
	}
	asked := len(n.fields)
	n.add(r.neutral, "status", a.Status, false)
	n.add(r.neutral, "answer", a.LastAssistantMessage, false)
	n.finish(asked)
	return n
}

func (r *recording) callNode(it *graph.TreeItem, kids []*node) *node {
	a := it.Action
	n := &node{kind: kindCall, tool: cmp.Or(a.ToolName, a.Name), action: a, result: it.Result, at: a.Timestamp, end: a.EndedAt, kids: kids}
	input := render.Input(a)
	for _, key := range sortedKeys(input) {
		n.add(r.neutral, "input."+key, valueText(input[key]), false)
	}
	asked := len(n.fields)
	status := a.Status
	if a.NeverRan {
		status += ", never ran"
	}
	n.add(r.neutral, "status", status, false)
	_, command := input["command"]
	printed := command || len(kids) > 0
	if it.Result == nil {
		n.add(r.neutral, "error", cmp.Or(textProperty(a, "error_message"), a.Text), printed)
		n.finish(asked)
		return n
	}
	n.add(r.neutral, "error", it.Result.ErrorAside(), printed)
	n.add(r.neutral, "result", it.Result.Text, printed)
	patch := render.Patch(it.Result)
	n.add(r.neutral, "change", patch, false)
	if rest := render.Rest(it.Result); it.Result.Text == "" && patch == "" && render.Tells(rest) {
		n.add(r.neutral, "result", lasting(rest), printed)
	}
	n.finish(asked)
	return n
}

// otherNode is a message, an error, a decision: whatever is no call.
func (r *recording) otherNode(a *graph.ActionRow, kids []*node) *node {
	n := &node{kind: string(a.ActionType), action: a, at: a.Timestamp, end: a.EndedAt, kids: kids}
	text := cmp.Or(a.Text, textProperty(a, "error_message"))
	switch a.ActionType {
	case graph.AssistantMessage, graph.TurnEnd: // the same words, told by a transcript or by a hook
		n.kind = kindAnswer
	case graph.ToolResult, graph.UserMessage, graph.SystemMessage, graph.ErrorEvent, graph.RateLimitEvent:
	default:
		text = cmp.Or(text, render.Gist(a, r.session.WorkingDirectory))
	}
	n.add(r.neutral, "text", text, false)
	asked := len(n.fields)
	if a.Status != "completed" { // which some producers say of what is over, and some do not
		n.add(r.neutral, "status", a.Status, false)
	}
	n.finish(asked)
	return n
}

func (n *node) add(words *neutral, name, text string, printed bool) {
	if text != "" {
		n.fields = append(n.fields, field{name, text, printed, hashOf(words.text(text, printed))})
	}
}

// finish hashes a node; asked is how many of its fields say what was asked for. What is
// within it counts in any order: what ran at once has none.
func (n *node) finish(asked int) {
	if n.end.Before(n.at) {
		n.end = n.at
	}
	parts := []string{n.kind, n.tool, fmt.Sprint(n.kind == kindTurn && n.turn == 0)}
	for i := range n.fields {
		if i == asked {
			n.asked = hashOf(parts...)
		}
		parts = append(parts, n.fields[i].name, string(n.fields[i].sum[:]))
	}
	if asked >= len(n.fields) {
		n.asked = hashOf(parts...)
	}
	var within [2]uint64
	for _, kid := range n.kids {
		within[0] += binary.LittleEndian.Uint64(kid.exact[:8])
		within[1] += binary.LittleEndian.Uint64(kid.exact[8:])
	}
	n.exact = hashOf(append(parts, fmt.Sprint(within))...)
	for _, f := range n.fields[:min(asked, len(n.fields))] {
		n.words.add(f.text)
	}
}

// words are those of a text, each as one bit: what two texts have in common is counted in
// no time.
type words [4]uint64

// mostWords are enough to tell texts apart; with many more every bit would be set.
const mostWords = 120

func (w *words) add(text string) {
	left := mostWords
	for word := range strings.FieldsFuncSeq(text[:min(len(text), 4<<10)], func(r rune) bool { return !isLetter(r) }) {
		h := uint64(14695981039346656037) // FNV-1a
		for i := range len(word) {
			h = (h ^ uint64(word[i])) * 1099511628211
		}
		h ^= h >> 32
		w[h>>6&3] |= 1 << (h & 63)
		if left--; left == 0 {
			return
		}
	}
}

func isLetter(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r >= 0x80
}

// like is how much two have in common, 0 to 1.
func (w *words) like(o *words) float64 {
	both, any := 0, 0
	for i := range w {
		both += bits.OnesCount64(w[i] & o[i])
		any += bits.OnesCount64(w[i] | o[i])
	}
	if any == 0 {
		return 1
	}
	return float64(both) / float64(any)
}

// lasting is a structured result without the members that are another number or id each time.
func lasting(raw json.RawMessage) string {
	var v any
	if len(raw) <= 2 || json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	text, err := json.MarshalIndent(withoutVolatile(v), "", "  ")
	if err != nil || string(text) == "{}" {
		return ""
	}
	return string(text)
}

func withoutVolatile(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			if isVolatile(k) {
				delete(v, k)
			} else {
				v[k] = withoutVolatile(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutVolatile(v[i])
		}
	}
	return v
}

func isVolatile(member string) bool {
	lower := strings.ToLower(member)
	for _, end := range []string{"duration", "durationms", "duration_ms", "timestamp", "tokens", "usage", "uuid", "pid"} {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return lower == "id" || strings.HasSuffix(member, "Id") || strings.HasSuffix(lower, "_id")
}

// valueText is a member of an input as people read it.
func valueText(raw json.RawMessage) string {
	if len(raw) > 0 && raw[0] == '"' {
		return schema.Unquote(raw)
	}
	return string(raw)
}

func textProperty(a *graph.ActionRow, name string) string {
	s, _ := a.Properties[name].(string)
	return s
}
