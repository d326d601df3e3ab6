package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Signals is what operators and their monitoring ask of a daemon. Its answers are cheap, and
// hold nothing of what was recorded but ids: over the port of ServeSignals they need no token.
type Signals interface {
	// Metrics are in Prometheus' text format.
	Metrics() ([]byte, error)
	Ready() Readiness
	// Status is sent as JSON; recent is how many of the latest events it names.
	Status(recent int) any
}

// Readiness says whether a daemon is ready: its stores are reached and have what there is.
type Readiness struct {
	Ready  bool             `json:"ready"`
	Stores []StoreReadiness `json:"stores"`
}

// StoreReadiness is that of one store.
type StoreReadiness struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	State string `json:"state"`
}

// How many events /statusz names, where nobody says, and at most.
const (
	usualRecent = 20
	mostRecent  = 100
)

// page is an answer with a status and a media type of its own.
type page struct {
	status int
	kind   string
	text   []byte
}

func (s *Server) metrics(*request) (answer, error) {
	if s.Signals == nil {
		return nil, noSignals()
	}
	text, err := s.Signals.Metrics()
	if err != nil {
		return nil, err
	}
	return &page{http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", text}, nil
}

func (s *Server) readyz(*request) (answer, error) {
	if s.Signals == nil {
		return nil, noSignals()
	}
	r := s.Signals.Ready()
	if r.Ready {
		return r, nil
	}
	text, err := json.Marshal(r)
	return &page{http.StatusServiceUnavailable, "application/json", append(text, '\n')}, err
}

func (s *Server) statusz(q *request) (answer, error) {
	if s.Signals == nil {
		return nil, noSignals()
	}
	n := usualRecent
	if text := q.URL.Query().Get("recent"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 0 || n > mostRecent {
			return nil, &problem{status: http.StatusBadRequest, Message: fmt.Sprintf("recent is to be a number from 0 to %d", mostRecent), Field: "recent"}
		}
	}
	return s.Signals.Status(n), nil
}

func noSignals() *problem {
	return &problem{status: http.StatusNotFound, Message: "this is no daemon: it has no metrics"}
}

// ServeSignals answers on a listener what Signals says, and whether anybody is there, until
// ctx ends: nothing else, and without a token. Web pages are refused as everywhere.
func (s *Server) ServeSignals(ctx context.Context, l net.Listener) error {
	of := []string{"/metrics", "/healthz", "/readyz", "/statusz"}
	only := slices.DeleteFunc(routes(), func(t route) bool { return !slices.Contains(of, t.prefix) })
	return s.serve(ctx, s.handler("", only), l)
}

// Get asks the daemon behind a unix socket for a path, and returns what it answers with 200.
func Get(ctx context.Context, socket, path string) ([]byte, error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read the daemon's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the daemon answers %s to GET %s", answer.Status, path)
	}
	return text, nil
}
