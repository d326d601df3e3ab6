// Package api is the local way in over HTTP: programs on this machine post events and
// Action grains, and recall what was recorded.
//
//	POST /v1/events                             events of the protocol
//	POST /api/memories/{namespace}/batch-add    Action grains
//	POST /api/memories/{namespace}/recall       what a tool was called with, and what it gave
//	GET  /healthz                               whether it answers
//	GET  /readyz, /statusz, /metrics            what operators ask: see Signals
//	GET  /openapi.json                          all of this, for programs
//
// The paths below /api and their JSON are those of the Areev context database (the
// second seed; areev.ai/docs/api/http-rest, and the types of its Rust SDK 0.2.0), so that
// what was written for that works here.
//
// A request is recorded whole or not at all, and 200 says that it is on the disk. Whoever
// got no answer posts again. That changes nothing where what is posted says which it is:
// grains always do, events by an event_id, a timestamp, or the key of their kind (a
// tool_use_id of tool_start, tool_end and tool_batch, a message_id of llm_start and llm_end).
// An event with none of them is another one each time that it comes, unless the request has
// the header Idempotency-Key, and has it again.
//
// Who may ask: whoever may open the unix socket, which is this user (ListenUnix), and over
// TCP, on loopback alone, who has the token (ListenTCP). No web page may: see guard.
package api

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// documentPath is where the description of all paths is.
const documentPath = "/openapi.json"

//go:embed openapi.json
var openAPI []byte

// Store is where requests record, and what they ask. *actiongraph.Home is one.
type Store interface {
	// AddEvents and AddBatch return nil once everything is on the disk; on an error
	// nothing counts as recorded. A *jsonl.LineError says what is wrong with an item.
	AddEvents(events []schema.Event) error
	AddBatch(grains []jsonl.Grain) (hashes []string, err error)
	// Recall finds what was added before it is called. With an error that wraps ErrBehind
	// the hits are those of what was folded so far.
	Recall(ctx context.Context, q graph.SearchQuery) ([]graph.SearchHit, error)
	// Action returns one action with its content, or an error that wraps graph.ErrNotFound.
	Action(ctx context.Context, id string) (graph.ActionRow, error)
}

// ErrBehind says that a Store has not caught up with what it recorded.
var ErrBehind = errcode.New(errcode.StoreBehind, "the store has not caught up with what was recorded")

// Server answers requests.
type Server struct {
	Store   Store
	Signals Signals // nil: there are none
	// Host, User and HashKey of what is posted: see jsonl.Source.
	Host, User string
	HashKey    []byte
	Log        zerolog.Logger
	// MaxBody is the longest body of a request in bytes, after decompression; 0 is
	// DefaultMaxBody.
	MaxBody int64

	room   room
	gate   gate
	counts counts
}

// DefaultMaxBody is the longest body of a request.
const DefaultMaxBody = 64 << 20

// Health is how a Server is, since it began.
type Health struct {
	Requests  int64     `json:"requests"`
	Events    int64     `json:"events"`  // recorded, two of each grain
	Refused   int64     `json:"refused"` // requests that were answered with a 4xx
	Failed    int64     `json:"failed"`  // and with a 5xx
	LastError string    `json:"last_error,omitempty"`
	FailedAt  time.Time `json:"last_error_at,omitzero"`
}

type counts struct {
	requests, events, refused, failed atomic.Int64
	last                              atomic.Pointer[failure]
}

type failure struct {
	text string
	at   time.Time
}

// Health says how it is; it may be asked at any time.
func (s *Server) Health() Health {
	h := Health{
		Requests: s.counts.requests.Load(), Events: s.counts.events.Load(),
		Refused: s.counts.refused.Load(), Failed: s.counts.failed.Load(),
	}
	if f := s.counts.last.Load(); f != nil {
		h.LastError, h.FailedAt = f.text, f.at
	}
	return h
}

// answer is what a route gives: a value that is sent as JSON.
type answer any

// request is one that may be asked, and has come whole.
type request struct {
	*http.Request
	namespace string // of its path
	mediaType string // of its body
	body      []byte // decompressed
}

type route struct {
	method string
	// The path is prefix, or prefix, a namespace and suffix.
	prefix, suffix string
	// Of a POST: the media types that it takes, and the longest body; 0 is the server's.
	types   []string
	maxBody int64
	serve   func(s *Server, q *request) (answer, error)
}

func routes() []route {
	post, get := http.MethodPost, http.MethodGet
	return []route{
		{post, "/v1/events", "", append(jsonTypes(), lineTypes()...), 0, (*Server).events},
		{post, "/api/memories/", "/batch-add", jsonTypes(), 0, (*Server).batchAdd},
		{post, "/api/memories/", "/recall", jsonTypes(), longestQuestion, (*Server).recall},
		{get, "/healthz", "", nil, 0, (*Server).healthz},
		{get, documentPath, "", nil, 0, (*Server).document},
		{get, "/metrics", "", nil, 0, (*Server).metrics},
		{get, "/readyz", "", nil, 0, (*Server).readyz},
		{get, "/statusz", "", nil, 0, (*Server).statusz},
	}
}

// match reports whether the route is for a path, as it came in the request: a
// namespace may hold an escaped slash.
func (t *route) match(path string) (namespace string, ok bool) {
	if t.suffix == "" {
		return "", path == t.prefix
	}
	namespace, ok = strings.CutPrefix(path, t.prefix)
	if !ok {
		return "", false
	}
	namespace, ok = strings.CutSuffix(namespace, t.suffix)
	return namespace, ok && namespace != "" && !strings.Contains(namespace, "/")
}

// Handler answers requests that bring the token; "" needs none.
func (s *Server) Handler(token string) http.Handler { return s.handler(token, routes()) }

func (s *Server) handler(token string, routes []route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.counts.requests.Add(1)
		v, err := s.answer(w, r, token, routes)
		s.send(w, r, v, err)
	})
}

// answer is everything between a request and what is sent back. A panic is an error of
// ours: nothing of what the client sent is logged.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, token string, routes []route) (v answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, panicked(p)
		}
	}()
	if err := guard(r, token); err != nil {
		return nil, err
	}
	t, namespace, err := find(r, routes)
	if err != nil {
		return nil, err
	}
	q := &request{Request: r, namespace: namespace}
	if t.method != http.MethodPost {
		return t.serve(s, q)
	}
	if q.mediaType, err = mediaType(r, t.types); err != nil {
		return nil, err
	}
	// How fast a client sends is its own affair: it keeps nobody waiting.
	held := s.room.guest(r.Context())
	defer held.leave()
	if q.body, err = readBody(w, r, s.longest(&t), held); err != nil {
		return nil, err
	}
	leave, err := s.gate.enter(r.Context(), len(q.body))
	if err != nil {
		return nil, err
	}
	defer leave()
	return t.serve(s, q)
}

// longest is how long a body of a route may be.
func (s *Server) longest(t *route) int64 {
	n := int64(DefaultMaxBody)
	if s.MaxBody > 0 {
		n = s.MaxBody
	}
	if t.maxBody > 0 {
		n = min(n, t.maxBody)
	}
	return n
}

// find returns the route of a request.
func find(r *http.Request, routes []route) (route, string, error) {
	var allowed []string
	for _, t := range routes {
		escaped, ok := t.match(r.URL.EscapedPath())
		if !ok {
			continue
		}
		if r.Method != t.method && (t.method != http.MethodGet || r.Method != http.MethodHead) {
			allowed = append(allowed, t.method)
			continue
		}
		namespace, err := url.PathUnescape(escaped)
		if err == nil && escaped != "" { // else the path is one without
			err = jsonl.CheckNamespace(namespace)
		}
		if err != nil {
			return t, "", &problem{status: http.StatusBadRequest, Message: "the namespace in the path: " + err.Error(), Field: "namespace"}
		}
		return t, namespace, nil
	}
	if len(allowed) > 0 {
		return route{}, "", &problem{status: http.StatusMethodNotAllowed, allow: strings.Join(allowed, ", "),
			Message: "the method of this path is " + strings.Join(allowed, ", ")}
	}
	hint := "see " + documentPath
	if !slices.ContainsFunc(routes, func(t route) bool { return t.prefix == documentPath }) {
		var paths []string
		for _, t := range routes {
			paths = append(paths, t.prefix)
		}
		hint = "there are " + strings.Join(paths, ", ")
	}
	return route{}, "", &problem{status: http.StatusNotFound, Message: "there is no such path: " + hint}
}

func (s *Server) healthz(*request) (answer, error) {
	return map[string]string{"status": "ok"}, nil
}

func (s *Server) document(*request) (answer, error) { return openAPI, nil }

// source is what a decoder has to know of a request.
func (s *Server) source(f jsonl.Format) jsonl.Source {
	return jsonl.Source{Format: f, Origin: schema.OriginAPI, Host: s.Host, User: s.User, HashKey: s.HashKey}
}

// atOnce is how many items are given to the store at a time: what it makes of them takes
// several times their memory.
const atOnce = 1000

// recorded is the error of what the store did not take, of the items from the first on.
func recorded(err error, first int) error {
	var wrong *jsonl.LineError
	if !errors.As(err, &wrong) {
		return &problem{status: http.StatusInternalServerError, cause: err, Message: "not all was recorded: post it again: " + err.Error()}
	}
	of := *wrong
	of.Item += first
	return &of
}
