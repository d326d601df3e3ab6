package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
)

// Validate reports everything that keeps e from being an event of the protocol,
// a *FieldError a field, joined; nil if nothing does.
func (e *Event) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, fieldf(field, format, args...)) }
	if e.V != Version {
		bad("v", "%d, want %d", e.V, Version)
	}
	if !ValidID(e.EventID) {
		bad("event_id", "%q does not match %s", e.EventID, IDPattern)
	}
	if !ValidID(e.SessionID) {
		bad("session_id", "%q does not match %s", e.SessionID, IDPattern)
	}
	if !slices.Contains(Types(), e.EventType) {
		bad("event_type", "%q is not a type of the protocol", e.EventType)
	}
	if !slices.Contains([]Origin{OriginHook, OriginTranscript, OriginAudit, OriginAPI}, e.Origin) {
		bad("origin", "%q, want hook, transcript, audit or api", e.Origin)
	}
	if e.SourceSDK == "" {
		bad("source_sdk", "missing")
	}
	if e.Timestamp.IsZero() {
		bad("timestamp", "missing")
	} else if y := e.Timestamp.UTC().Year(); y < 1970 || y > 2261 {
		// Outside of it a time has no int64 of nanoseconds, and no fixed-width year.
		bad("timestamp", "year %d, want 1970 to 2261", y)
	}
	errs = append(errs, validateRaw("tool_input", e.ToolInput), validateRaw("result", e.Result),
		validateRaw("metadata", e.Metadata), validateRaw("extra", e.Extra))
	for _, f := range []struct {
		name  string
		value *float64
	}{{"duration_ms", e.DurationMS}, {"cost_usd", e.CostUSD}} {
		if f.value != nil && (math.IsNaN(*f.value) || math.IsInf(*f.value, 0)) {
			bad(f.name, "%v, want a finite number", *f.value) // JSON has no other
		}
	}
	errs = append(errs, e.validateType()...)
	return errors.Join(errs...)
}

// validateRaw checks what AppendJSON will splice in unread: bytes that are not one
// JSON value make the whole line unreadable, a newline tears it in two, and a null
// is gone when the line is decoded again.
func validateRaw(name string, raw json.RawMessage) error {
	switch {
	case len(raw) == 0:
		return nil
	case !Valid(raw):
		return fieldf(name, "not valid JSON")
	case bytes.IndexByte(raw, '\n') >= 0:
		return fieldf(name, "holds a newline, want compact JSON")
	}
	switch first := raw[skipSpace(raw, 0)]; {
	case first == 'n':
		return fieldf(name, "null, want a value or nothing")
	case first != '{' && (name == "metadata" || name == "extra"):
		return fieldf(name, "want an object")
	}
	return nil
}

func (e *Event) validateType() (errs []error) {
	need := func(name, value string) {
		if value == "" {
			errs = append(errs, fieldf(name, "missing, a %s has one", e.EventType))
		}
	}
	switch e.EventType {
	case ToolStart, ToolEnd:
		need("tool_use_id", e.ToolUseID)
	case Message:
		if !slices.Contains([]string{RoleUser, RoleAssistant, RoleSystem}, e.Role) {
			errs = append(errs, fieldf("role", "%q, want user, assistant or system", e.Role))
		}
	case AgentStart, AgentEnd:
		need("agent_id", e.AgentID)
	case Fork:
		need("parent_session_id", e.ParentSessionID)
	case Tag:
		if len(e.Tags) == 0 {
			errs = append(errs, fieldf("tags", "missing, a tag has at least one"))
		}
	}
	return errs
}
