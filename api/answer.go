package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	reasons "github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// problem is an error as a client sees it: {"error":{…}}.
type problem struct {
	status int
	allow  string // of a 405
	cause  error  // of a 5xx, for the log
	stack  []byte // of a panic

	Message string `json:"message"`
	// Item is the index of the grain or event in its batch, from 0; nil is no part of one.
	Item   *int   `json:"item,omitempty"`
	Field  string `json:"field,omitempty"`
	Line   int64  `json:"line,omitempty"`   // of the body, from 1; 0 is not known
	Column int    `json:"column,omitempty"` // the byte in the line, from 1; 0 is not known
}

func (p *problem) Error() string { return p.Message }

// bad is a problem with what the client sent.
func bad(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// wrongLine is the problem with one line of a body, or with a body that is one value.
func wrongLine(err error, line int64) *problem {
	p := bad("%v", err)
	p.Line = line
	var e *jsonl.LineError
	if !errors.As(err, &e) {
		return p
	}
	p.Field, p.Column = e.Field, e.Column
	if e.Item >= 0 {
		p.Item = &e.Item
	}
	plain := *e
	plain.Column = 0 // which the client finds in its own member
	p.Message = plain.Error()
	return p
}

// panicked says what is safe to say of a panic: the runtime's own errors hold no
// payload, other values may.
func panicked(v any) *problem {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	cause := fmt.Errorf("panic with a %T", v)
	var e runtime.Error
	if err, ok := v.(error); ok && errors.As(err, &e) {
		cause = e
	}
	return &problem{status: http.StatusInternalServerError, cause: cause, stack: debug.Stack(),
		Message: "a bug in ag-sessiond: whether anything was recorded is not known; its log says where"}
}

// send answers a request.
func (s *Server) send(w http.ResponseWriter, r *http.Request, v answer, err error) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	status := http.StatusOK
	if err != nil {
		p := asProblem(err)
		if r.Context().Err() != nil && p.ended() {
			p = &problem{status: http.StatusServiceUnavailable, cause: r.Context().Err(), Message: "the daemon stops: ask again once it runs"}
		}
		s.note(r, p)
		p.headers(h)
		status, v = p.status, map[string]*problem{"error": p}
	}
	p, isPage := v.(*page)
	text, ok := v.([]byte)
	switch {
	case isPage:
		h.Set("Content-Type", p.kind)
		status, text = p.status, p.text
	case !ok:
		if text, err = json.Marshal(v); err != nil { // a bug: answers are ours
			status, text = http.StatusInternalServerError, []byte(`{"error":{"message":"the answer cannot be written as JSON"}}`)
		}
		text = append(text, '\n')
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	w.Write(text) // who is gone gets no answer, and posts again
}

func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var wrong *jsonl.LineError
	if errors.As(err, &wrong) {
		return wrongLine(err, 0)
	}
	return &problem{status: http.StatusInternalServerError, cause: err, Message: err.Error()}
}

func (p *problem) headers(h http.Header) {
	switch p.status {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", p.allow)
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="ag-sessiond"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
}

// ended reports whether a request that was given up failed because of that alone: the
// client has gone, or the daemon stops.
func (p *problem) ended() bool {
	return p.status == http.StatusServiceUnavailable || errors.Is(p.cause, context.Canceled)
}

// note counts a request that was not done, and logs what is no mistake of the client.
func (s *Server) note(r *http.Request, p *problem) {
	if r.Context().Err() != nil && p.ended() {
		s.Log.Debug().EmbedObject(logline.Why(reasons.APIEnded, nil)).Str("method", r.Method).Msg("a request to the API was given up")
		return
	}
	if p.status < 500 {
		s.counts.refused.Add(1)
		return
	}
	s.counts.failed.Add(1)
	text := p.Message
	if p.cause != nil {
		text = p.cause.Error()
	}
	s.counts.last.Store(&failure{text: text, at: time.Now().UTC()})
	e := s.Log.Error().EmbedObject(logline.Why(reasons.APIFailed, nil)).Int("status", p.status).Str("method", r.Method).Str("error_message", logline.Redacted(text))
	if p.stack != nil {
		e = e.Bytes("stack", p.stack)
	}
	e.Msg("a request to the API failed")
}
