// Package logline is what a line of the log says of a failure, in the same words everywhere.
// docs/logs.md is the schema of all lines.
package logline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/schema"
)

// Why gives a line its reason, where that is explained, and what failed, which may be nil:
//
//	log.Warn().EmbedObject(logline.Why(failure.SourceUnreadable, err)).Msg("a file cannot be read")
func Why(reason failure.Reason, err error) zerolog.LogObjectMarshaler {
	if err == nil {
		return why{reason: reason}
	}
	return why{reason, ErrorType(err), err.Error()}
}

// Of is Why for a failure that is, or could be, an event of a session.
func Of(f failure.Failure) zerolog.LogObjectMarshaler { return whole(f) }

type why struct {
	reason             failure.Reason
	errorType, message string
}

func (w why) MarshalZerologObject(e *zerolog.Event) {
	e.Str("reason", string(w.reason)).Str("doc_url", w.reason.Doc())
	if w.errorType != "" {
		e.Str("error_type", w.errorType)
	}
	if w.message != "" {
		e.Str("error_message", w.message)
	}
}

type whole failure.Failure

func (r whole) MarshalZerologObject(e *zerolog.Event) {
	if r.SessionID != schema.Recorder {
		e.Str("session_id", r.SessionID)
	}
	why{r.Reason, r.ErrorType, r.Message}.MarshalZerologObject(e)
	for _, field := range []struct{ name, value string }{{"store", r.Store}, {"path", r.Path}, {"rule", r.Rule}} {
		if field.value != "" {
			e.Str(field.name, field.value)
		}
	}
	if r.Line > 0 {
		e.Int64("line", r.Line)
	}
	if r.Broken > 0 {
		e.Int64("broken_lines", r.Broken)
	}
	if r.Offset != nil {
		e.Int64("offset", *r.Offset)
	}
}

// ErrorType names the type of the innermost error that has one of its own.
func ErrorType(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return strings.TrimPrefix(fmt.Sprintf("%T", err), "*")
		}
		err = next
	}
}
