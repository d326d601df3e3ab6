package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Label is the label that carries a node's key.
type Label string

// The labels that carry keys, and the property that holds the key.
const (
	LabelSession Label = "Session" // session_id
	LabelAction  Label = "Action"  // action_id
	LabelAgent   Label = "Agent"   // agent_key
	LabelTool    Label = "Tool"    // name
	LabelTag     Label = "Tag"     // name
	LabelFile    Label = "File"    // file_key
)

// KeyProperty returns the name of the property that holds the key of l's nodes.
func KeyProperty(l Label) string {
	switch l {
	case LabelSession:
		return "session_id"
	case LabelAction:
		return "action_id"
	case LabelAgent:
		return "agent_key"
	case LabelFile:
		return "file_key"
	}
	return "name"
}

// Shared reports whether nodes of l belong to no session. A fold only ever adds
// them, with what their key determines; it never deletes one.
func (l Label) Shared() bool { return l == LabelTool || l == LabelTag || l == LabelFile }

// Ref names a node.
type Ref struct {
	Label Label  `json:"label"`
	Key   string `json:"key"`
}

// Compare orders refs by label, then key.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(strings.Compare(string(r.Label), string(o.Label)), strings.Compare(r.Key, o.Key))
}

// ActionType is the action_type of an Action node, in the first seed's words; the
// node's other labels follow from it.
type ActionType string

// The action types.
const (
	ToolCall          ActionType = "tool_call"
	ToolResult        ActionType = "tool_result"
	UserMessage       ActionType = "user_message"
	AssistantMessage  ActionType = "assistant_message"
	SystemMessage     ActionType = "system_message"
	StructuredOutput  ActionType = "structured_output"
	SubagentStart     ActionType = "subagent_start"
	SubagentStop      ActionType = "subagent_stop"
	PermissionRequest ActionType = "permission_request"
	ErrorEvent        ActionType = "error"
	RateLimitEvent    ActionType = "rate_limit"
	LLMCall           ActionType = "llm_call"
	TurnEnd           ActionType = "turn_end"
	Compaction        ActionType = "compaction"
	Notification      ActionType = "notification"
	Task              ActionType = "task"
	Context           ActionType = "context"
	Handoff           ActionType = "handoff"
	Memory            ActionType = "memory"
	Callback          ActionType = "callback"
	Decision          ActionType = "decision"
	Skill             ActionType = "skill"
	Unknown           ActionType = "unknown"
)

// ActionTypes lists every action type. Stores may number them by their place
// here; new ones are appended.
func ActionTypes() []ActionType {
	return []ActionType{
		ToolCall, ToolResult, UserMessage, AssistantMessage, SystemMessage, StructuredOutput,
		SubagentStart, SubagentStop, PermissionRequest, ErrorEvent, RateLimitEvent, LLMCall,
		TurnEnd, Compaction, Notification, Task, Context, Handoff, Memory, Callback, Decision,
		Skill, Unknown,
	}
}

// Labels returns the labels that an Action of type t has beside Action.
func (t ActionType) Labels() []string {
	switch t {
	case ToolCall:
		return []string{"ToolCall"}
	case ToolResult:
		return []string{"ToolResult"}
	case UserMessage:
		return []string{"Message", "UserMessage"}
	case AssistantMessage:
		return []string{"Message", "AssistantMessage"}
	case SystemMessage:
		return []string{"Message", "SystemMessage"}
	case StructuredOutput:
		return []string{"StructuredOutput"}
	case SubagentStart, SubagentStop:
		return []string{"SubagentEvent"}
	case PermissionRequest:
		return []string{"PermissionRequest"}
	case ErrorEvent:
		return []string{"ErrorEvent"}
	case RateLimitEvent:
		return []string{"RateLimitEvent"}
	case LLMCall:
		return []string{"LLMCall"}
	case TurnEnd:
		return []string{"TurnEnd"}
	case Compaction:
		return []string{"Compaction"}
	case Notification:
		return []string{"Notification"}
	case Task:
		return []string{"Task"}
	case Context:
		return []string{"Context"}
	case Handoff:
		return []string{"Handoff"}
	case Memory:
		return []string{"Memory"}
	case Callback:
		return []string{"Callback"}
	case Decision:
		return []string{"Decision"}
	case Skill:
		return []string{"Skill"}
	}
	return []string{"Unknown"}
}

// Time is a property value: nanoseconds since 1970, UTC. It is rendered in
// schema.TimeLayout. A "timestamp" property is rendered as "timestamp_ms" too,
// the same in whole milliseconds.
type Time int64

// String renders t in schema.TimeLayout.
func (t Time) String() string { return schema.FormatTime(time.Unix(0, int64(t))) }

// Prop is one register of a node or edge. Value is a string, int64, float64, bool
// or Time; nil removes the property.
type Prop struct {
	Name  string
	Value any
}

// Node is a node, or in an Op the properties of a node that change. Props never hold
// the key property (KeyProperty): Ref has it. Those of an Action hold action_type,
// which is Type, and those of an Action or Agent session_id, which is the session
// that a store holds it under (Batch.Own), from the first Op that puts it.
type Node struct {
	Ref
	Type  ActionType // of an Action, in every Op that puts one; else ""
	Props []Prop
}

// Labels returns all labels of n; the first carries the key.
func (n *Node) Labels() []string {
	if n.Label != LabelAction {
		return []string{string(n.Label)}
	}
	return append([]string{string(LabelAction)}, n.Type.Labels()...)
}

// Prop returns the value of the property, or nil.
func (n *Node) Prop(name string) any {
	for _, p := range n.Props {
		if p.Name == name {
			return p.Value
		}
	}
	return nil
}

// EdgeType is the type of a relationship.
type EdgeType string

// The edge types.
const (
	HasAction  EdgeType = "HAS_ACTION"  // Session → Action, Agent → Action
	HasAgent   EdgeType = "HAS_AGENT"   // Session → Agent
	FollowedBy EdgeType = "FOLLOWED_BY" // Action → Action, one chain a lane
	ParentOf   EdgeType = "PARENT_OF"   // Action → Action, a forest
	Spawned    EdgeType = "SPAWNED"     // Action → Agent
	UsedTool   EdgeType = "USED_TOOL"   // Action → Tool
	RelatedTo  EdgeType = "RELATED_TO"  // Action → Action
	HasTag     EdgeType = "HAS_TAG"     // Session → Tag
	ForkedFrom EdgeType = "FORKED_FROM" // Session → Session
	Continues  EdgeType = "CONTINUES"   // Session → Session
	Read       EdgeType = "READ"        // Action → File
	Wrote      EdgeType = "WROTE"       // Action → File
)

// EdgeTypes lists every edge type; see ActionTypes.
func EdgeTypes() []EdgeType {
	return []EdgeType{
		HasAction, HasAgent, FollowedBy, ParentOf, Spawned, UsedTool,
		RelatedTo, HasTag, ForkedFrom, Continues, Read, Wrote,
	}
}

// EdgeKey is the identity of an edge: a store holds at most one edge of a key.
type EdgeKey struct {
	Type     EdgeType
	From, To Ref
}

// Compare orders edge keys by type, from, to.
func (k EdgeKey) Compare(o EdgeKey) int {
	return cmp.Or(strings.Compare(string(k.Type), string(o.Type)), k.From.Compare(o.From), k.To.Compare(o.To))
}

// Edge is a relationship.
type Edge struct {
	EdgeKey
	Props []Prop
}

// OpKind orders the ops of a batch: within one batch a store applies removals
// first.
type OpKind uint8

// The op kinds, in the order in which a coalesced batch is applied.
const (
	DelEdge OpKind = iota + 1 // absent: no-op
	DelNode                   // with whatever edges are left on it; absent: no-op
	PutNode                   // creates or updates; Props are registers, nil removes one
	PutEdge                   // both ends exist by then; Props likewise
)

// Op is one keyed write. Node is set by DelNode and PutNode, Edge by the others.
type Op struct {
	Kind OpKind
	Node Node
	Edge Edge
}

// Batch is the ops of one session from one place of its journal to the next. A
// store applies all batches of one call in one transaction, with their positions.
type Batch struct {
	Journal string // the journal's id
	Session string
	From    schema.Position // what the store must hold now, else it refuses
	To      schema.Position
	// Reset asks the store to drop the session (its Session node to a stub while
	// another session points at it, its Actions, Agents and edges) before Ops: the
	// journal file no longer continues what was folded.
	Reset bool
	// Continues says that another journal owns the session in this store: the ops are
	// those of NewContinuation.
	Continues bool
	// Absorbs are the records of this session in other journals that were imported into
	// this one. What such a journal put into the store for the session goes, if that is
	// no more than what was imported: its continuation, or, if it owned the session and
	// this batch does not continue it, the session itself, which this journal owns from
	// then on. Its position stays, as Standing.Absorbed.
	Absorbs []Imported
	Ops     []Op // coalesced: at most one op a key and kind, sorted by kind
}

// Own returns the key of the Session node that the batch's fold fills.
func (b *Batch) Own() string {
	if b.Continues {
		return ContinuationID(b.Session, b.Journal)
	}
	return b.Session
}

// Imported is a journal's record of a session, up to an offset of its file, that is in
// another journal too.
type Imported struct {
	Journal string
	Offset  int64
}

// Standing is how a store holds a journal's record of a session, where that is not the
// session itself.
type Standing struct {
	// Continues: another journal owns the session, this one's record is a continuation.
	Continues bool
	// Absorbed: the record is in another journal's up to this offset, and the store has
	// none of it. Until the file goes beyond, batches without Ops move the position;
	// then the record is put again from its beginning, with Reset.
	Absorbed int64
}

// ContinuationID is the session_id of what a journal records of a session that
// another journal owns in the same store: a session resumed on a second machine. No
// session has such an id itself (schema.SafeID).
func ContinuationID(session, journal string) string {
	return session + "~" + journal[:min(8, len(journal))]
}

// Coalesce merges ops that are in order into at most one an entity and kind, sorted
// by kind: what a store can execute in bulk. Later registers win; a node or edge
// that is deleted last is only deleted.
func Coalesce(ops []Op) []Op {
	nodes := make(map[Ref]int, len(ops))
	edges := make(map[EdgeKey]int, len(ops))
	out := make([]Op, 0, len(ops))
	for _, op := range ops {
		switch op.Kind {
		case PutNode, DelNode:
			if op.Kind == DelNode {
				dropEdges(out, op.Node.Ref)
			}
			if i, ok := nodes[op.Node.Ref]; ok {
				out[i] = mergeNode(out[i], op)
				continue
			}
			nodes[op.Node.Ref] = len(out)
			op.Node.Props = slices.Clip(op.Node.Props)
		default:
			if i, ok := edges[op.Edge.EdgeKey]; ok {
				out[i] = mergeEdge(out[i], op)
				continue
			}
			edges[op.Edge.EdgeKey] = len(out)
		}
		out = append(out, op)
	}
	// What a store may hold and that is put again after its deletion must lose its old
	// registers: it is deleted and put.
	for i := range out {
		switch {
		case out[i].Kind == PutNode && out[i].Edge.Type == recreated:
			out[i].Edge = Edge{}
			out = append(out, Op{Kind: DelNode, Node: Node{Ref: out[i].Node.Ref, Type: out[i].Node.Type}})
		case out[i].Kind == PutEdge && out[i].Node.Label == recreated:
			out[i].Node = Node{}
			out = append(out, Op{Kind: DelEdge, Edge: Edge{EdgeKey: out[i].Edge.EdgeKey}})
		}
	}
	slices.SortStableFunc(out, func(a, b Op) int { return cmp.Compare(a.Kind, b.Kind) })
	return out
}

// dropEdges turns the edges that were put on a node into ones that are removed: a
// store removes first, and would put them on the deleted node again. Folds delete
// nodes rarely.
func dropEdges(ops []Op, node Ref) {
	for i := range ops {
		if k := ops[i].Edge.EdgeKey; ops[i].Kind == PutEdge && (k.From == node || k.To == node) {
			ops[i] = Op{Kind: DelEdge, Edge: Edge{EdgeKey: k}}
		}
	}
}

// recreated marks, inside Coalesce only, a PutNode or PutEdge whose key was deleted
// earlier in the batch, in the half of the Op that it does not use.
const recreated = "recreated"

func mergeEdge(old, op Op) Op {
	if op.Kind == DelEdge {
		return op
	}
	if old.Kind == DelEdge {
		op.Node.Label = recreated
		return op
	}
	op.Node.Label = old.Node.Label
	op.Edge.Props = mergeProps(old.Edge.Props, op.Edge.Props)
	return op
}

func mergeNode(old, op Op) Op {
	if op.Kind == DelNode {
		return op
	}
	if old.Kind == DelNode {
		op.Edge.Type = recreated
		return op
	}
	op.Edge.Type = old.Edge.Type
	op.Node.Props = mergeProps(old.Node.Props, op.Node.Props)
	return op
}

func mergeProps(old, new []Prop) []Prop {
	for _, p := range new {
		if i := slices.IndexFunc(old, func(q Prop) bool { return q.Name == p.Name }); i >= 0 {
			old[i].Value = p.Value
		} else {
			old = append(old, p)
		}
	}
	return old
}
