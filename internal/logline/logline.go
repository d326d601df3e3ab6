// Package logline is what a line of the log says of a failure, in the same words everywhere.
// docs/logs.md and docs/log.schema.json are the schema of all lines.
package logline

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/redact"
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

// Level is how grave a failure is that interrupts nobody: a warning, but where the journal, or
// a store, is not what it has to be.
func Level(reason failure.Reason) zerolog.Level {
	switch reason {
	case failure.JournalCopied, failure.StoreDiverged, failure.StoreVersion:
		return zerolog.FatalLevel // CRITICAL; a line of that level alone ends nothing
	}
	return zerolog.WarnLevel
}

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
		e.Str("error_message", Redacted(w.message))
	}
}

type whole failure.Failure

func (r whole) MarshalZerologObject(e *zerolog.Event) {
	if r.SessionID != schema.Recorder {
		e.Str("session_id", r.SessionID)
	}
	why{r.Reason, r.ErrorType, r.Message}.MarshalZerologObject(e)
	if r.Store != "" {
		e.Str("store", r.Store)
	}
	if r.Path != "" {
		e.Str("path", r.Path)
	}
	if r.Rule != "" {
		e.Str("rule", r.Rule)
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

// redactor has the rules that need no home. To make it takes a while, and most processes
// never log an error.
var redactor = sync.OnceValue(func() *redact.Redactor { return redact.New(redact.Options{}) })

// maxMessage bounds what a line says of an error, in bytes.
const maxMessage = 2000

// Redacted is the text of an error without credentials, and not too long: what a server or a
// parser says may quote what it was given.
func Redacted(text string) string {
	text, _ = redactor().Text(text)
	text, _ = schema.CutString(text, maxMessage)
	return text
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
