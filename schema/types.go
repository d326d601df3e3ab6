package schema

// Version is the value of Event.V that this package writes.
const Version = 1

// Type says what kind of fact an Event is. Its values are the Event Protocol's
// event types, and those that the seeds' other producers need.
type Type string

// The event types. An event of a runtime that none of them fits is Unknown,
// recorded whole.
const (
	SessionStart     Type = "session_start"
	SessionEnd       Type = "session_end"
	TurnEnd          Type = "turn_end"
	ToolStart        Type = "tool_start"
	ToolEnd          Type = "tool_end"
	ToolBatch        Type = "tool_batch" // one call of a finished batch, as the model sees it
	AgentStart       Type = "agent_start"
	AgentEnd         Type = "agent_end"
	LLMStart         Type = "llm_start"
	LLMEnd           Type = "llm_end"
	Handoff          Type = "handoff"
	Message          Type = "message"
	Error            Type = "error"
	Permission       Type = "permission"
	RateLimit        Type = "rate_limit"
	StructuredOutput Type = "structured_output"
	Compaction       Type = "compaction"
	Notification     Type = "notification"
	Task             Type = "task"
	Context          Type = "context"
	Memory           Type = "memory"
	Callback         Type = "callback"
	Decision         Type = "decision"
	Skill            Type = "skill"
	Fork             Type = "fork"
	Tag              Type = "tag"
	SessionUpdate    Type = "session_update"  // what a source says of the session itself: its title, branch, mode
	SourcePosition   Type = "source_position" // up to where another record is in this journal
	Unknown          Type = "unknown"
)

// Types lists every event type, in the order of the constants.
func Types() []Type {
	return []Type{
		SessionStart, SessionEnd, TurnEnd, ToolStart, ToolEnd, ToolBatch, AgentStart, AgentEnd,
		LLMStart, LLMEnd, Handoff, Message, Error, Permission, RateLimit, StructuredOutput,
		Compaction, Notification, Task, Context, Memory, Callback, Decision, Skill, Fork, Tag,
		SessionUpdate, SourcePosition, Unknown,
	}
}

// Origin says through which door a fact came in. The reducer's precedence of
// sources and its pairing rules depend on it.
type Origin string

// The origins.
const (
	OriginHook       Origin = "hook"       // a runtime's hook, as it happened
	OriginTranscript Origin = "transcript" // a runtime's own session file
	OriginAudit      Origin = "audit"      // a JSONL dump or grain batch
	OriginAPI        Origin = "api"        // a Go or HTTP caller, and ag-sessiond's own verbs
)

// Statuses of actions, agents and sessions.
const (
	StatusPending     = "pending"
	StatusInProgress  = "in_progress"
	StatusCompleted   = "completed"
	StatusFailed      = "failed"
	StatusDenied      = "denied"
	StatusBlocked     = "blocked"
	StatusInterrupted = "interrupted"
	StatusUnknown     = "unknown"
	StatusActive      = "active"    // sessions only
	StatusAbandoned   = "abandoned" // sessions only
)

// Roles of messages.
const (
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleSystem    = "system"
)

// Actors: who or what produced a fact (the fourth seed's `actor`). A tool or
// subagent event has the agent's lane as its actor; see Event.Actor.
const (
	ActorUser    = "user"
	ActorRuntime = "runtime"
	ActorAgent   = "agent"
)
