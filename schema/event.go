package schema

import (
	"encoding/json"
	"time"
)

// Event is one fact: one line of a journal. A field that a fact does not have is
// absent from its line. Raw fields hold one valid JSON value without a newline.
//
// Typed fields take a runtime's value only when nothing is lost by it; what is
// left of the runtime's payload is in Extra, so that both together give the
// payload back (before redaction and cutting).
type Event struct {
	V         int       `json:"v"`
	EventID   string    `json:"event_id"` // names the fact: see EventID
	EventType Type      `json:"event_type"`
	SessionID string    `json:"session_id"` // matches IDPattern: see SafeID
	Timestamp time.Time `json:"timestamp"`  // when it happened or was received, UTC, nanoseconds
	SourceSDK string    `json:"source_sdk"` // the runtime: "claude-code", "codex", …
	Origin    Origin    `json:"origin"`
	// HookEventName is the runtime's own name of the hook event, or the type of a
	// transcript line.
	HookEventName string `json:"hook_event_name,omitempty"`
	// AgentID is the lane: "" is the session's main thread, else a subagent's id.
	AgentID   string `json:"agent_id,omitempty"`
	AgentType string `json:"agent_type,omitempty"`
	// Seq is the source's own order (line and block of a file); 0 in hooks, which
	// have none.
	Seq int64 `json:"seq,omitempty"`
	// Actor is ActorUser, ActorRuntime, ActorAgent, or a producer's own name.
	Actor string `json:"actor,omitempty"`
	// CausedBy is the event id of the fact that led to this one.
	CausedBy string `json:"caused_by,omitempty"`
	FrameID  string `json:"frame_id,omitempty"`
	// InputHash is a keyed hash of ToolInput, or of the whole payload where there is
	// none, taken before redaction and cutting: equal inputs have equal hashes
	// although the journal no longer holds the secret that was in them.
	InputHash string `json:"input_hash,omitempty"`
	// PromptHash is the hash of a prompt template or rendered prompt that a producer
	// of llm_start states.
	PromptHash string `json:"prompt_hash,omitempty"`
	PromptID   string `json:"prompt_id,omitempty"` // the turn, as the runtime names it

	Host             string `json:"host,omitempty"`
	UserID           string `json:"user_id,omitempty"`
	WorkingDirectory string `json:"working_directory,omitempty"`

	ToolName  string          `json:"tool_name,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	ToolInput json.RawMessage `json:"tool_input,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	IsError   bool            `json:"is_error,omitempty"`
	// ErrorType is a class of errors ("rate_limit"), ErrorMessage its text.
	ErrorType    string   `json:"error_type,omitempty"`
	ErrorMessage string   `json:"error_message,omitempty"`
	DurationMS   *float64 `json:"duration_ms,omitempty"`

	AgentName       string `json:"agent_name,omitempty"`
	ParentAgentName string `json:"parent_agent_name,omitempty"`
	FromAgent       string `json:"from_agent,omitempty"`
	ToAgent         string `json:"to_agent,omitempty"`

	Role    string `json:"role,omitempty"`
	Content string `json:"content,omitempty"`
	Model   string `json:"model,omitempty"`
	Status  string `json:"status,omitempty"`
	// Reason is the runtime's own: why a session or turn ended, a session started
	// (Claude Code's `source`), a permission was refused.
	Reason string `json:"reason,omitempty"`
	Title  string `json:"title,omitempty"`

	// MessageID is the model API's id of one response: the key of an LLM call, and
	// of its usage.
	MessageID                string `json:"message_id,omitempty"`
	InputTokens              *int64 `json:"input_tokens,omitempty"`
	OutputTokens             *int64 `json:"output_tokens,omitempty"`
	CacheReadInputTokens     *int64 `json:"cache_read_input_tokens,omitempty"`
	CacheCreationInputTokens *int64 `json:"cache_creation_input_tokens,omitempty"`
	// Of CacheCreationInputTokens, those that live five minutes and one hour: they cost
	// differently.
	Ephemeral5mInputTokens *int64   `json:"ephemeral_5m_input_tokens,omitempty"`
	Ephemeral1hInputTokens *int64   `json:"ephemeral_1h_input_tokens,omitempty"`
	CostUSD                *float64 `json:"cost_usd,omitempty"`

	TaskID       string   `json:"task_id,omitempty"`
	ParentTaskID string   `json:"parent_task_id,omitempty"`
	Tags         []string `json:"tags,omitempty"`       // of a tag event: Status "removed" takes them off
	RelatedTo    []string `json:"related_to,omitempty"` // event ids of facts this one relates to

	// ParentSessionID and ParentEventID say where a fork left its parent.
	ParentSessionID string `json:"parent_session_id,omitempty"`
	ParentEventID   string `json:"parent_event_id,omitempty"`

	// Redacted counts what redaction took out, by rule; Cut counts the strings that
	// were longer than the journal keeps.
	Redacted map[string]int `json:"redacted,omitempty"`
	Cut      int            `json:"cut,omitempty"`
	// Metadata is what the recorder observed beside the payload: a JSON object, see
	// the Meta… constants.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// Extra is what no typed field took: a JSON object.
	Extra json.RawMessage `json:"extra,omitempty"`
}

// OfRecorder reports an event that is about the recording, not about what the agent did: a
// failure of package failure.
func (e *Event) OfRecorder() bool { return e.EventType == Error && e.SourceSDK == Recorder }

// Keys of Event.Metadata. Values are strings but for MetaAgent and MetaOffset.
const (
	MetaGitBranch = "git_branch"
	MetaGitCommit = "git_commit"
	MetaSource    = "source"    // of a source_position: the file that was read, absolute; it has offset, lines, sum and first then
	MetaLines     = "lines"     // of a source_position of a file: how many lines are before the offset
	MetaSum       = "sum"       // of a source_position of a file: the hash of the line that ends at the offset, 16 hexadecimal digits
	MetaFirst     = "first"     // of a source_position of a file: the hash of its first line
	MetaJournal   = "journal"   // of a source_position: the id of the journal whose record of the session is in this one
	MetaOffset    = "offset"    // of a source_position: up to where in that journal's file, a number
	MetaRepoRoot  = "repo_root" // the working tree's top directory, absolute
	MetaSessionID = "session_id_original"
	MetaAgent     = "agent" // the runtime's own record of a subagent (Claude Code's agent-<id>.meta.json): an object
	MetaHookError = "hook_error"
	MetaPayload   = "payload" // what could not be parsed, as text
)
