package failure

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Failure is one thing that went wrong while a session was recorded. Fields that do not
// apply are zero.
type Failure struct {
	EventID   string    `json:"event_id"`
	SessionID string    `json:"session_id"` // schema.Recorder where it belongs to none
	Timestamp time.Time `json:"timestamp"`  // when it was noticed
	Reason    Reason    `json:"reason"`
	Message   string    `json:"error_message,omitempty"`
	ErrorType string    `json:"error_type,omitempty"`
	CausedBy  string    `json:"caused_by,omitempty"` // the event that it is about
	Where
	DocURL string `json:"doc_url"`
}

// Where is what a Failure says of the place.
type Where struct {
	Store  string `json:"store,omitempty"`
	Path   string `json:"path,omitempty"`
	Line   int64  `json:"line,omitempty"`
	Broken int64  `json:"broken_lines,omitempty"` // of one reading, of which Line is the first
	Offset *int64 `json:"offset,omitempty"`       // in the session's journal
	Rule   string `json:"rule,omitempty"`         // of redaction
}

// New returns a failure of a session, "" for none. What failed names it, as an offset does:
// the same session, reason and key are the same failure whoever notices it, and when.
func New(session string, reason Reason, key ...string) Failure {
	session = cmp.Or(session, schema.Recorder)
	id := schema.EventID(schema.OriginAPI, "failure", append([]string{session, string(reason)}, key...)...)
	return Failure{EventID: id, SessionID: session, Reason: reason, DocURL: reason.Doc()}
}

// Event is the fact that the failure happened, for a journal.
func (f Failure) Event() schema.Event {
	where, err := json.Marshal(f.Where)
	if err != nil || string(where) == "{}" {
		where = nil
	}
	return schema.Event{
		V: schema.Version, EventID: f.EventID, EventType: schema.Error, SessionID: f.SessionID, Timestamp: f.Timestamp.UTC(),
		SourceSDK: schema.Recorder, Origin: schema.OriginAPI, Actor: schema.ActorRuntime, IsError: true,
		Reason: string(f.Reason), ErrorType: f.ErrorType, ErrorMessage: f.Message, CausedBy: f.CausedBy, Extra: where,
	}
}

// Of returns the failure that an event tells of; ok is that it is one.
func Of(e *schema.Event) (f Failure, ok bool) {
	if !e.OfRecorder() {
		return f, false
	}
	f = Failure{
		EventID: e.EventID, SessionID: e.SessionID, Timestamp: e.Timestamp, Reason: Reason(e.Reason), Message: e.ErrorMessage,
		ErrorType: e.ErrorType, CausedBy: e.CausedBy, DocURL: Reason(e.Reason).Doc(),
	}
	if len(e.Extra) > 0 {
		_ = json.Unmarshal(e.Extra, &f.Where) // what was cut or redacted there is not there
	}
	return f, true
}
