package graph

import (
	"cmp"
	"fmt"
	"math"
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

// String is the label and the key.
func (r Ref) String() string { return string(r.Label) + " " + r.Key }

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

// TimeOf gives t; before 1677-09-21 and after 2262-04-11, where an int64 ends, the first
// or the last moment that there is.
func TimeOf(t time.Time) Time {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return Time(t.UnixNano())
}

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
	HasTag     EdgeType = "HAS_TAG"     // Session → Tag, Action → Tag
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

// String is the type and the ends.
func (k EdgeKey) String() string { return fmt.Sprintf("%s %v → %v", k.Type, k.From, k.To) }

// Edge is a relationship.
type Edge struct {
	EdgeKey
	Props []Prop
}
