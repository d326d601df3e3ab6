package actiongraph

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// DefaultSourceSDK is the source_sdk of events whose Recorder names none.
const DefaultSourceSDK = "actiongraph-go"

// Recorder writes events into the journal of a home. Each method is one write: when
// it returns nil the event is in the journal whole. Credentials are taken out on
// the way. The methods may be called from many goroutines.
//
// An event is a fact, named by its id. Where the caller gives a natural key (a tool
// use id, a Key) the id is made from it, and recording the same fact again changes
// nothing; else each call is a fact of its own.
type Recorder struct {
	home *Home
	sdk  string
}

// Recorder returns a Recorder whose events name sourceSDK, the runtime that they
// come from; "" is DefaultSourceSDK.
func (h *Home) Recorder(sourceSDK string) *Recorder {
	return &Recorder{home: h, sdk: cmp.Or(sourceSDK, DefaultSourceSDK)}
}

// Recorded names what a call recorded.
type Recorded struct {
	// SessionID is the session's id in the graph: the caller's, or a hash of it where
	// that does not match schema.IDPattern, or a new one where it was empty.
	SessionID string
	EventID   string
	// ActionID is the action's id in the graph. It is "" for an event that is no
	// action (the start and end of a session, a tag), and for one that the graph
	// numbers among its like: a subagent's start, a compaction, a permission request
	// that names no tool call.
	ActionID  string
	ToolUseID string // of tool calls and results
}

// Session is the start of a session. A second one for the same SessionID, with
// another Key, is a resume.
type Session struct {
	SessionID        string // "" makes a new one
	Title            string
	Model            string
	WorkingDirectory string
	UserID           string
	Host             string
	Tags             []string
	Metadata         map[string]any
	Key              string    // names this start among the session's
	Timestamp        time.Time // zero is now
}

// RecordSessionStart records that a session started.
func (r *Recorder) RecordSessionStart(s Session) (Recorded, error) {
	metadata, err := marshalObject("metadata", s.Metadata)
	if err != nil {
		return Recorded{}, err
	}
	s.SessionID = cmp.Or(s.SessionID, rand.Text())
	s.Timestamp = orNow(s.Timestamp)
	start := schema.Event{
		EventType: schema.SessionStart, SessionID: s.SessionID, Timestamp: s.Timestamp, Actor: schema.ActorRuntime,
		EventID: eventID("session_start", s.SessionID, s.Key), Title: s.Title, Model: s.Model, Metadata: metadata,
		WorkingDirectory: s.WorkingDirectory, UserID: s.UserID, Host: s.Host,
	}
	if len(s.Tags) == 0 {
		return r.record(start)
	}
	return r.record(start, schema.Event{
		EventType: schema.Tag, SessionID: s.SessionID, Timestamp: s.Timestamp, Actor: schema.ActorUser,
		EventID: eventID("tag", s.SessionID, s.Key), Tags: s.Tags,
	})
}

// SessionEnd is the end of a session.
type SessionEnd struct {
	SessionID string
	Status    string // schema.StatusCompleted where it is empty
	Reason    string
	Key       string    // names this end among the session's
	Timestamp time.Time // zero is now
	// What the whole session took, where the runtime states it; 0 is not stated.
	TotalCostUSD                        float64
	TotalInputTokens, TotalOutputTokens int64
}

// EndSession records that a session ended.
func (r *Recorder) EndSession(s SessionEnd) (Recorded, error) {
	return r.record(schema.Event{
		EventType: schema.SessionEnd, SessionID: s.SessionID, Timestamp: s.Timestamp, Actor: schema.ActorRuntime,
		EventID: eventID("session_end", s.SessionID, s.Key), Reason: s.Reason,
		Status:  cmp.Or(s.Status, schema.StatusCompleted),
		CostUSD: stated(s.TotalCostUSD), InputTokens: stated(s.TotalInputTokens), OutputTokens: stated(s.TotalOutputTokens),
	})
}

// ToolCall is a call of a tool.
type ToolCall struct {
	SessionID string
	ToolName  string // mcp__server__tool is a tool of an MCP server
	ToolInput any    // as encoding/json takes it
	ToolUseID string // "" makes a new one; the result must name it
	AgentID   string // the subagent that calls, "" is the main thread
	Timestamp time.Time
}

// RecordToolCall records that a tool was called.
func (r *Recorder) RecordToolCall(c ToolCall) (Recorded, error) {
	input, err := marshal("tool_input", c.ToolInput)
	if err != nil {
		return Recorded{}, err
	}
	c.ToolUseID = cmp.Or(c.ToolUseID, rand.Text())
	return r.record(schema.Event{
		EventType: schema.ToolStart, SessionID: c.SessionID, Timestamp: c.Timestamp, AgentID: c.AgentID, Actor: schema.ActorAgent,
		EventID:  eventID("tool_start", c.SessionID, c.ToolUseID),
		ToolName: c.ToolName, ToolInput: input, ToolUseID: c.ToolUseID, InputHash: r.hash(input),
	})
}

// ToolResult is what a tool call came to.
type ToolResult struct {
	SessionID    string
	ToolUseID    string // of the call
	ToolName     string
	Content      any // as encoding/json takes it
	IsError      bool
	ErrorMessage string
	Duration     time.Duration // 0 is unknown: the graph takes the time between call and result
	AgentID      string
	Timestamp    time.Time
}

// RecordToolResult records what a tool call came to.
func (r *Recorder) RecordToolResult(t ToolResult) (Recorded, error) {
	content, err := marshal("content", t.Content)
	if err != nil {
		return Recorded{}, err
	}
	e := schema.Event{
		EventType: schema.ToolEnd, SessionID: t.SessionID, Timestamp: t.Timestamp, AgentID: t.AgentID, Actor: schema.ActorAgent,
		EventID:  eventID("tool_end", t.SessionID, t.ToolUseID),
		ToolName: t.ToolName, ToolUseID: t.ToolUseID, Result: content, IsError: t.IsError, ErrorMessage: t.ErrorMessage,
	}
	if t.Duration > 0 {
		ms := float64(t.Duration) / float64(time.Millisecond)
		e.DurationMS = &ms
	}
	return r.record(e)
}

// Message is what a user, an assistant or the system said.
type Message struct {
	SessionID string
	Role      string // schema.RoleUser, RoleAssistant or RoleSystem
	Content   string
	Model     string // of an assistant's
	AgentID   string
	Key       string // names this message among the session's
	Timestamp time.Time
}

// RecordMessage records a message.
func (r *Recorder) RecordMessage(m Message) (Recorded, error) {
	actor := schema.ActorAgent
	if m.Role == schema.RoleUser {
		actor = schema.ActorUser
	}
	return r.record(schema.Event{
		EventType: schema.Message, SessionID: m.SessionID, Timestamp: m.Timestamp, AgentID: m.AgentID, Actor: actor,
		EventID: eventID("message", m.SessionID, m.Key), Role: m.Role, Content: m.Content, Model: m.Model,
	})
}

// RecordAction records any event of the protocol: a subagent, a model call, an
// error, a decision … EventID, Timestamp and SourceSDK are filled in where they are
// empty; V and Origin always are this package's.
func (r *Recorder) RecordAction(e schema.Event) (Recorded, error) {
	e.EventID = cmp.Or(e.EventID, rand.Text())
	return r.record(e)
}

// record writes the events, the first of which it reports.
func (r *Recorder) record(events ...schema.Event) (Recorded, error) {
	var first Recorded
	for i := range events {
		e := &events[i]
		if err := r.complete(e); err != nil {
			return Recorded{}, fmt.Errorf("record %s: %w", e.EventType, err)
		}
		if i == 0 {
			first = Recorded{e.SessionID, e.EventID, actionID(e), e.ToolUseID}
		}
	}
	if _, err := r.home.append(events); err != nil {
		return Recorded{}, fmt.Errorf("record %s: %w", events[0].EventType, err)
	}
	return first, r.home.dropped(events)
}

func (r *Recorder) complete(e *schema.Event) error {
	e.V = schema.Version
	e.Origin = schema.OriginAPI
	e.SourceSDK = cmp.Or(e.SourceSDK, r.sdk)
	e.Timestamp = orNow(e.Timestamp)
	return checkEvent(e)
}

// checkEvent says what is wrong with an event, and makes its session id a safe one.
func checkEvent(e *schema.Event) error {
	if e.SessionID == "" {
		return &schema.FieldError{Field: "session_id", Problem: "missing"}
	}
	if safe := schema.SafeID(e.SessionID); safe != e.SessionID {
		if err := keepOriginal(e); err != nil {
			return err
		}
		e.SessionID = safe
	}
	return e.Validate()
}

// keepOriginal puts a session id that cannot be a key into the metadata.
func keepOriginal(e *schema.Event) error {
	metadata := map[string]json.RawMessage{}
	if len(e.Metadata) > 0 {
		if err := json.Unmarshal(e.Metadata, &metadata); err != nil {
			return &schema.FieldError{Field: "metadata", Problem: "want an object"}
		}
	}
	metadata[schema.MetaSessionID] = schema.AppendString(nil, e.SessionID)
	var err error
	e.Metadata, err = json.Marshal(metadata)
	return err
}

// hash is Event.InputHash: equal inputs have equal hashes, and who does not have
// the journal's key learns nothing from one.
func (r *Recorder) hash(input []byte) string {
	if len(input) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, r.home.journal.Key())
	mac.Write(input)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// eventID names a fact by its natural key, or where there is none by chance.
func eventID(kind, session, key string) string {
	if key == "" {
		return rand.Text()
	}
	return schema.EventID(schema.OriginAPI, kind, session, key)
}

// actionID returns the id of the action that the graph makes of e, or "".
func actionID(e *schema.Event) string {
	switch e.EventType {
	case schema.SessionStart, schema.SessionEnd, schema.Tag, schema.Fork, schema.AgentStart, schema.Compaction:
		return ""
	case schema.Permission:
		if e.ToolUseID == "" {
			return ""
		}
	case schema.ToolStart:
		return graph.ToolCallID(e.SessionID, e.ToolUseID)
	case schema.ToolEnd, schema.ToolBatch:
		return graph.ToolResultID(e.SessionID, e.ToolUseID)
	case schema.LLMStart, schema.LLMEnd:
		return graph.LLMCallID(e.SessionID, cmp.Or(e.MessageID, e.EventID))
	case schema.Task:
		if e.TaskID != "" {
			return graph.TaskID(e.SessionID, e.TaskID)
		}
	}
	return graph.EventActionID(e.SessionID, e.EventID)
}

// stated is a figure that 0 does not state.
func stated[T int64 | float64](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

func marshal(name string, v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // people read and search what is recorded: < is no \u003c
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func marshalObject(name string, m map[string]any) (json.RawMessage, error) {
	if len(m) == 0 {
		return nil, nil
	}
	return marshal(name, m)
}
