package graph

import (
	"encoding/json"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
)

// What every Reader answers with. Counts are of the whole session, subagents'
// actions included. JSON keys are the first seed's where it has them. Times are
// UTC; a zero time.Time is absent.

// SessionRow is one line of a list of sessions.
type SessionRow struct {
	SessionID         string    `json:"session_id"`
	Title             string    `json:"title,omitempty"`
	FirstPrompt       string    `json:"first_prompt,omitempty"`
	Status            string    `json:"status"`
	StartedAt         time.Time `json:"started_at,omitzero"`
	EndedAt           time.Time `json:"ended_at,omitzero"`
	LastEventAt       time.Time `json:"last_event_at,omitzero"`
	Model             string    `json:"model,omitempty"`
	SourceSDK         string    `json:"source_sdk,omitempty"`
	WorkingDirectory  string    `json:"working_directory,omitempty"`
	GitBranch         string    `json:"git_branch,omitempty"`
	Host              string    `json:"host,omitempty"`
	User              string    `json:"user,omitempty"`
	ActionCount       int64     `json:"action_count"`
	ToolCallCount     int64     `json:"tool_call_count"`
	MessageCount      int64     `json:"message_count"`
	AgentCount        int64     `json:"agent_count"`
	ErrorCount        int64     `json:"error_count"`
	TotalInputTokens  int64     `json:"total_input_tokens,omitempty"`
	TotalOutputTokens int64     `json:"total_output_tokens,omitempty"`
	// TotalLowerBound says that the tokens may be short of the truth: of a call no final
	// figures are known, or a subagent's file is missing.
	TotalLowerBound bool `json:"total_lower_bound,omitempty"`
	// TotalCostUSD is what the record itself states, nil where it states none. Package
	// usage computes costs from prices.
	TotalCostUSD *float64 `json:"total_cost_usd,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	// ForkedFrom is the session whose history this one went on from.
	ForkedFrom string `json:"forked_from,omitempty"`
	// ForkedAt is the event of that session which was the last that this one shares, and
	// ForkedAtTime when that was; ForkLabel is what who forked it called it.
	ForkedAt     string    `json:"forked_at_event,omitempty"`
	ForkedAtTime time.Time `json:"forked_at_time,omitzero"`
	ForkLabel    string    `json:"fork_label,omitempty"`
}

// SessionFilter selects sessions; zero fields select all. Newest first.
type SessionFilter struct {
	IDPrefix     string
	Status       string
	HasErrors    bool
	Tag          string
	Since, Until time.Time // of started_at
	Dir          string    // the working directory, or one above it
	User, Host   string
	Limit        int // 0 is no limit
}

// ActionRow is one action. Text, Properties and Metadata are filled only where the filter
// asks for content.
type ActionRow struct {
	ActionID       string     `json:"action_id"`
	SessionID      string     `json:"session_id"`
	ActionType     ActionType `json:"action_type"`
	Name           string     `json:"name,omitempty"`
	Timestamp      time.Time  `json:"timestamp"`
	StartedAt      time.Time  `json:"started_at,omitzero"`
	EndedAt        time.Time  `json:"ended_at,omitzero"`
	DurationMS     *float64   `json:"duration_ms,omitempty"`
	Status         string     `json:"status,omitempty"`
	AgentID        string     `json:"agent_id,omitempty"`
	ParentActionID string     `json:"parent_action_id,omitempty"`
	ParentUnknown  bool       `json:"parent_unknown,omitempty"`
	FollowsID      string     `json:"follows_action_id,omitempty"` // the action before it in its lane
	PromptID       string     `json:"prompt_id,omitempty"`
	Turn           int64      `json:"turn,omitempty"`
	Model          string     `json:"model,omitempty"`
	ToolName       string     `json:"tool_name,omitempty"`
	ToolUseID      string     `json:"tool_use_id,omitempty"`
	IsError        bool       `json:"is_error,omitempty"`
	IsMCP          bool       `json:"is_mcp,omitempty"`
	MCPServer      string     `json:"mcp_server,omitempty"`
	NeverRan       bool       `json:"never_ran,omitempty"`

	Text       string          `json:"text,omitempty"`
	Thinking   bool            `json:"thinking,omitempty"`   // what the model thought, which is no answer
	Properties map[string]any  `json:"properties,omitempty"` // every other property of the node
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

// ActionFilter selects actions of one session, in the order of time (timestamp,
// then lane order); zero fields select all.
type ActionFilter struct {
	Session string
	Type    ActionType
	Tool    string
	Status  string
	Agent   *string // a lane; "" is the main thread
	Content bool
	Limit   int
}

// AgentRow is one subagent of a session.
type AgentRow struct {
	AgentKey             string    `json:"agent_key"`
	AgentID              string    `json:"agent_id"`
	AgentType            string    `json:"agent_type,omitempty"`
	Description          string    `json:"description,omitempty"`
	Prompt               string    `json:"prompt,omitempty"`
	Status               string    `json:"status,omitempty"`
	StartedAt            time.Time `json:"started_at,omitzero"`
	EndedAt              time.Time `json:"ended_at,omitzero"`
	SpawnedByActionID    string    `json:"spawned_by_action_id,omitempty"`
	ParentUnknown        bool      `json:"parent_unknown,omitempty"`
	LastAssistantMessage string    `json:"last_assistant_message,omitempty"`
	ActionCount          int64     `json:"action_count"`
	// The tokens of its own calls, and whether they may be short of the truth.
	TotalInputTokens         int64 `json:"total_input_tokens,omitempty"`
	TotalOutputTokens        int64 `json:"total_output_tokens,omitempty"`
	TotalCacheReadTokens     int64 `json:"total_cache_read_input_tokens,omitempty"`
	TotalCacheCreationTokens int64 `json:"total_cache_creation_input_tokens,omitempty"`
	TotalLowerBound          bool  `json:"total_lower_bound,omitempty"`
}

// ToolStats is the use of one tool (the seed's get_tool_usage_stats).
type ToolStats struct {
	ToolName      string   `json:"tool_name"`
	IsMCP         bool     `json:"is_mcp"`
	MCPServer     string   `json:"mcp_server,omitempty"`
	UsageCount    int64    `json:"call_count"`   // the seed's name
	ErrorCount    int64    `json:"error_count"`  // failed
	DeniedCount   int64    `json:"denied_count"` // denied or blocked
	AvgDurationMS *float64 `json:"avg_duration_ms,omitempty"`
	P50DurationMS *float64 `json:"p50_duration_ms,omitempty"`
	P95DurationMS *float64 `json:"p95_duration_ms,omitempty"`
	MaxDurationMS *float64 `json:"max_duration_ms,omitempty"`
}

// Summary is the seed's get_session_summary, of one session or, with no session
// id, of the whole store.
type Summary struct {
	SessionID        string           `json:"session_id,omitempty"`
	Status           string           `json:"status,omitempty"`
	StartedAt        time.Time        `json:"started_at,omitzero"`
	EndedAt          time.Time        `json:"ended_at,omitzero"`
	DurationMS       *float64         `json:"duration_ms,omitempty"`
	SessionCount     int64            `json:"session_count"`
	ActionCount      int64            `json:"action_count"`
	ToolCallCount    int64            `json:"tool_call_count"`
	MessageCount     int64            `json:"message_count"`
	AgentCount       int64            `json:"agent_count"`
	ErrorCount       int64            `json:"error_count"`
	ActionTypes      map[string]int64 `json:"action_types"`
	ToolCallStatuses map[string]int64 `json:"tool_call_statuses"`
	TotalInput       int64            `json:"total_input_tokens"`
	TotalOutput      int64            `json:"total_output_tokens"`
	TotalLowerBound  bool             `json:"total_lower_bound"` // as that of a SessionRow, of any
	TotalCostUSD     *float64         `json:"total_cost_usd,omitempty"`
	Tools            []ToolStats      `json:"tools"`
}

// ErrLongQuestion is of a SearchQuery that no Reader answers.
var ErrLongQuestion = errcode.New(errcode.QuestionLong, "a question has at most 64 different words, each of at most 64 parts: ask for fewer")

// SearchQuery is a full-text question. Words must all match, but in a Recall; one that is
// there twice counts once.
type SearchQuery struct {
	Words string
	// Recall asks as the second seed's recall does: for tool calls that have any of the
	// words in their tool's name and in what they gave, or the error of failed ones. Hits
	// are the calls, whole; equal ranks come newest first. Without words the filters select,
	// newest first. Task, Tags and RelatedTo are of a Recall.
	Recall       bool
	Tool         string
	Type         ActionType
	Session      string
	Task         string   // task_id that a call is part of
	Tags         []string // all of which a call has
	RelatedTo    string   // action_id or tool_use_id of an action that the hit is RELATED_TO
	Failed       bool
	Since, Until time.Time // Since is inclusive, Until is not
	// All ranks every hit, not the newest 2,000; of a Recall, of each word that more than
	// 5,000 actions have.
	All   bool
	Limit int
}

// SearchHit is one action that matches, best first.
type SearchHit struct {
	Action  ActionRow `json:"action"`
	Rank    float64   `json:"rank"` // BM25; greater is better
	Snippet string    `json:"snippet"`
	// Marks are byte ranges of Snippet, [start, end), that matched.
	Marks [][2]int `json:"marks"`
	// Result is what the call gave, of a Recall: its ToolResult with its text; nil where
	// there is none.
	Result *ActionRow `json:"result,omitempty"`
}
