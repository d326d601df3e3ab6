package actiongraph

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// TrackerOptions are what a Tracker records. The zero value records no more than ends of
// turns, notifications and the session itself; TrackAll returns all of it.
type TrackerOptions struct {
	TrackToolCalls   bool // PreToolUse
	TrackToolResults bool // PostToolUse
	TrackMessages    bool // UserPromptSubmit, Message
	TrackSubagents   bool // SubagentStart, SubagentStop
	TrackPermissions bool // PermissionRequest
	TrackErrors      bool // PostToolUseFailure

	SourceSDK string // the runtime; "" is DefaultSourceSDK
	// ErrorFunc, where it is not nil, is told what could not be recorded, in the goroutine
	// of the callback that could not.
	ErrorFunc func(error)
}

// TrackAll returns the options with every switch on.
func TrackAll() TrackerOptions {
	return TrackerOptions{
		TrackToolCalls: true, TrackToolResults: true, TrackMessages: true,
		TrackSubagents: true, TrackPermissions: true, TrackErrors: true,
	}
}

// Tracker records one session of an agent that a Go program runs itself. Its methods are
// callbacks with the names of Claude Code's hooks, as the Python package's ActionTracker
// has them. None of them fails: an agent does not end because its record cannot be
// written. What could not be recorded is counted and told to ErrorFunc. A callback is one
// write to the journal; they may be called from many goroutines.
type Tracker struct {
	recorder         *Recorder
	session          string
	o                TrackerOptions
	recorded, failed atomic.Int64
}

// Tracker returns the tracker of a session; "" makes a new one.
func (h *Home) Tracker(sessionID string, o TrackerOptions) *Tracker {
	return &Tracker{recorder: h.Recorder(o.SourceSDK), session: cmp.Or(sessionID, rand.Text()), o: o}
}

// SessionID is the session that is tracked.
func (t *Tracker) SessionID() string { return t.session }

// Counts returns how many callbacks were recorded, and how many could not be. Those that
// a switch keeps out are in neither.
func (t *Tracker) Counts() (recorded, failed int64) { return t.recorded.Load(), t.failed.Load() }

// HookInput is what a callback is told, in the names of Claude Code's hook payloads. Each
// callback says which fields it takes, beside those that all take: AgentID, AgentType,
// CWD, Timestamp and Extra.
type HookInput struct {
	ToolName     string
	ToolUseID    string // names the call
	ToolInput    any    // as encoding/json takes it, and so is ToolResponse
	ToolResponse any
	Error        string
	IsInterrupt  bool
	DurationMS   float64 // 0 or less is unknown: the graph takes the time between call and result

	Prompt               string
	LastAssistantMessage string
	Message, Title       string // of a notification

	AgentID   string // the subagent in which it happens, "" is the main thread
	AgentType string
	CWD       string         // absolute
	Timestamp time.Time      // zero is now
	Extra     map[string]any // what else is known: permission_mode, notification_type, …
}

// Hooks returns the callbacks by the names of the hooks, as create_tracking_hooks does.
func (t *Tracker) Hooks() map[string]func(HookInput) {
	return map[string]func(HookInput){
		"PreToolUse": t.PreToolUse, "PostToolUse": t.PostToolUse, "PostToolUseFailure": t.PostToolUseFailure,
		"UserPromptSubmit": t.UserPromptSubmit, "SubagentStart": t.SubagentStart, "SubagentStop": t.SubagentStop,
		"PermissionRequest": t.PermissionRequest, "Notification": t.Notification, "Stop": t.Stop,
	}
}

// SessionStart records that the session started, and SessionEnd that it ended; both set
// the SessionID themselves. Without either the session is there with its first event.
func (t *Tracker) SessionStart(s Session) {
	s.SessionID = t.session
	t.do("SessionStart", func() error { _, err := t.recorder.RecordSessionStart(s); return err })
}

// SessionEnd records the end of the session: see SessionStart.
func (t *Tracker) SessionEnd(s SessionEnd) {
	s.SessionID = t.session
	t.do("SessionEnd", func() error { _, err := t.recorder.EndSession(s); return err })
}

// Message records what was said that no hook tells: the answers of the assistant.
func (t *Tracker) Message(m Message) {
	if m.SessionID = t.session; t.o.TrackMessages {
		t.do("Message", func() error { _, err := t.recorder.RecordMessage(m); return err })
	}
}

// PreToolUse records that a tool is called: ToolName, ToolInput and ToolUseID, by which
// PostToolUse and PostToolUseFailure name the call.
func (t *Tracker) PreToolUse(in HookInput) {
	t.hook(t.o.TrackToolCalls, "PreToolUse", in, func(e *schema.Event) (err error) {
		e.EventType, e.Actor = schema.ToolStart, schema.ActorAgent
		e.EventID = eventID("tool_start", t.session, in.ToolUseID)
		e.ToolName, e.ToolUseID = in.ToolName, in.ToolUseID
		e.ToolInput, err = marshal("tool_input", in.ToolInput)
		e.InputHash = t.recorder.hash(e.ToolInput)
		return err
	})
}

// PostToolUse records what a call gave: ToolName, ToolUseID, ToolResponse and DurationMS.
// A response with a true is_error is a failure, its error the message.
func (t *Tracker) PostToolUse(in HookInput) {
	t.hook(t.o.TrackToolResults, "PostToolUse", in, func(e *schema.Event) (err error) {
		t.toolEnd(e, in)
		e.Result, err = marshal("tool_response", in.ToolResponse)
		if string(schema.Field(e.Result, "is_error")) == "true" {
			e.IsError, e.ErrorMessage = true, schema.FieldString(e.Result, "error")
		}
		return err
	})
}

// PostToolUseFailure records that a call failed: ToolName, ToolUseID, Error, IsInterrupt
// and DurationMS.
func (t *Tracker) PostToolUseFailure(in HookInput) {
	t.hook(t.o.TrackErrors, "PostToolUseFailure", in, func(e *schema.Event) error {
		t.toolEnd(e, in)
		e.IsError, e.ErrorMessage = true, in.Error
		if in.IsInterrupt {
			e.Status = schema.StatusInterrupted
		}
		return nil
	})
}

func (t *Tracker) toolEnd(e *schema.Event, in HookInput) {
	e.EventType, e.Actor = schema.ToolEnd, schema.ActorAgent
	e.EventID = eventID("tool_end", t.session, in.ToolUseID)
	e.ToolName, e.ToolUseID = in.ToolName, in.ToolUseID
	if in.DurationMS > 0 || math.IsNaN(in.DurationMS) { // which is refused with its name
		e.DurationMS = &in.DurationMS
	}
}

// UserPromptSubmit records what the user asked: Prompt.
func (t *Tracker) UserPromptSubmit(in HookInput) {
	t.hook(t.o.TrackMessages, "UserPromptSubmit", in, func(e *schema.Event) error {
		e.EventType, e.Role, e.Actor = schema.Message, schema.RoleUser, schema.ActorUser
		e.Content = in.Prompt
		return nil
	})
}

// SubagentStart records that a subagent started: AgentID, AgentType, and in ToolUseID the
// call that started it, where that is known.
func (t *Tracker) SubagentStart(in HookInput) {
	t.hook(t.o.TrackSubagents, "SubagentStart", in, func(e *schema.Event) (err error) {
		e.EventType = schema.AgentStart
		if in.ToolUseID != "" {
			e.Metadata, err = marshal("tool_use_id", map[string]any{schema.MetaAgent: map[string]string{"toolUseId": in.ToolUseID}})
		}
		return err
	})
}

// SubagentStop records that a subagent ended: AgentID, AgentType, LastAssistantMessage.
func (t *Tracker) SubagentStop(in HookInput) {
	t.hook(t.o.TrackSubagents, "SubagentStop", in, func(e *schema.Event) error {
		e.EventType, e.Content = schema.AgentEnd, in.LastAssistantMessage
		return nil
	})
}

// PermissionRequest records that leave was asked for a call: ToolName, ToolInput, and
// ToolUseID where it is known; else the request belongs to the call with this input.
func (t *Tracker) PermissionRequest(in HookInput) {
	t.hook(t.o.TrackPermissions, "PermissionRequest", in, func(e *schema.Event) (err error) {
		e.EventType, e.Status = schema.Permission, schema.StatusPending
		e.ToolName, e.ToolUseID = in.ToolName, in.ToolUseID
		e.ToolInput, err = marshal("tool_input", in.ToolInput)
		e.InputHash = t.recorder.hash(e.ToolInput)
		return err
	})
}

// Notification records a notice of the runtime: Message, Title.
func (t *Tracker) Notification(in HookInput) {
	t.hook(true, "Notification", in, func(e *schema.Event) error {
		e.EventType, e.Content, e.Title = schema.Notification, in.Message, in.Title
		return nil
	})
}

// Stop records the end of a turn: LastAssistantMessage, where no Message was recorded of
// it. It is no end of the session, which may go on with another prompt: see SessionEnd.
func (t *Tracker) Stop(in HookInput) {
	t.hook(true, "Stop", in, func(e *schema.Event) error {
		e.EventType, e.Content = schema.TurnEnd, in.LastAssistantMessage
		return nil
	})
}

// hook records one event, which fill makes of what every hook has.
func (t *Tracker) hook(on bool, name string, in HookInput, fill func(*schema.Event) error) {
	if !on {
		return
	}
	t.do(name, func() error {
		extra, err := marshalObject("extra", in.Extra)
		e := schema.Event{
			SessionID: t.session, HookEventName: name, Timestamp: in.Timestamp, Actor: schema.ActorRuntime,
			AgentID: in.AgentID, AgentType: in.AgentType, WorkingDirectory: in.CWD, Extra: extra,
		}
		if err := errors.Join(err, fill(&e)); err != nil {
			return err
		}
		_, err = t.recorder.RecordAction(e)
		return err
	})
}

// do runs what records a callback, and keeps what becomes of it from the agent: an error,
// and a panic of a value's own MarshalJSON.
func (t *Tracker) do(name string, record func() error) {
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return record()
	}()
	if err == nil {
		t.recorded.Add(1)
		return
	}
	t.failed.Add(1)
	if t.o.ErrorFunc != nil {
		t.o.ErrorFunc(fmt.Errorf("track %s: %w", name, err))
	}
}
