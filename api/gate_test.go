package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Of requests with long bodies one is worked on at a time, of others most: who waits is
// let in when one is done, or gives up.
func TestGate(t *testing.T) {
	var g gate
	enter := func(n int) func() {
		t.Helper()
		leave, err := g.enter(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		return leave
	}
	leaveLong := enter(large + 1)
	in := make(chan func())
	go func() {
		leave, err := g.enter(t.Context(), large+1)
		if err != nil {
			t.Error(err)
		}
		in <- leave
	}()
	var leaves []func()
	for range most - 1 {
		leaves = append(leaves, enter(large))
	}
	select {
	case <-in:
		t.Error("two long bodies at a time")
	case <-time.After(50 * time.Millisecond):
	}
	leaveLong()
	second := <-in
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.enter(ctx, 10); err == nil {
		t.Error("more than so many at a time")
	}
	second()
	for range 50 { // one that has come is worked on, though the daemon stops
		leave, err := g.enter(ctx, large+1)
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	for _, leave := range leaves {
		leave()
	}
	if len(g.all) != 0 || len(g.long) != 0 {
		t.Errorf("%d and %d are still in", len(g.all), len(g.long))
	}
}

// What all bodies may have is given out once, and one may have more, so that one always ends.
func TestRoom(t *testing.T) {
	var r room
	first, second := r.guest(t.Context()), r.guest(t.Context())
	ended, cancel := context.WithCancel(t.Context())
	third := r.guest(ended)
	for _, step := range []struct {
		g *guest
		n int64
	}{{first, roomBytes - 1}, {second, 1}, {second, 1}, {second, DefaultMaxBody}} {
		if err := step.g.take(step.n); err != nil {
			t.Fatal(err)
		}
	}
	took := make(chan error)
	go func() { took <- third.take(1) }()
	select {
	case err := <-took:
		t.Fatalf("a third one has room: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	second.leave() // what it had beyond the room the third may have now
	if err := <-took; err != nil {
		t.Error(err)
	}
	if err := third.take(2); err != nil { // beyond the room
		t.Error(err)
	}
	go func() { took <- r.guest(ended).take(1) }()
	cancel()
	var p *problem
	if err := <-took; !errors.As(err, &p) || p.status != 503 {
		t.Errorf("one that is gone: %v", err)
	}
	first.leave()
	third.leave()
	third.leave()
	if n := r.held.Load(); n != 0 || !r.beyond.TryLock() {
		t.Errorf("%d bytes are still held", n)
	}
}

// Clients that send slowly, of whatever length and coding, keep nobody else waiting.
func TestSlowClients(t *testing.T) {
	c := newClient(t)
	var slow sync.WaitGroup
	var pipes []*io.PipeWriter
	begin := func(first, header string, length int64) {
		out, in := io.Pipe()
		pipes = append(pipes, in)
		r := httptest.NewRequest(http.MethodPost, "http://localhost/v1/events", out)
		r.ContentLength = length
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", header)
		slow.Go(func() { c.server.Handler("").ServeHTTP(httptest.NewRecorder(), r) })
		io.WriteString(in, first)
	}
	for range 2 * most {
		begin("{", "", 100)
		begin("{", "", -1)
		begin("{", "", DefaultMaxBody)
		begin(zipped(t, "{")[:12], "gzip", -1)
		begin("["+strings.Repeat(" ", large), "", -1)
	}
	ended := make(chan string)
	go func() {
		var failed []string
		for what, body := range map[string]string{
			"short": start, "long": "[" + strings.Repeat(" ", 2*large) + start + "]",
		} {
			for _, headers := range [][]string{nil, {"Content-Encoding: gzip"}} {
				sent := body
				if headers != nil {
					sent = zipped(t, body)
				}
				if got := c.post("/v1/events", sent, headers...); got.status != 200 {
					failed = append(failed, fmt.Sprint(what, headers, got.text))
				}
			}
		}
		ended <- strings.Join(failed, "\n")
	}()
	select {
	case failed := <-ended:
		if failed != "" {
			t.Error(failed)
		}
	case <-time.After(patience / 3):
		t.Error("who sends at once waits for those who do not")
	}
	for _, in := range pipes {
		in.CloseWithError(io.ErrUnexpectedEOF)
	}
	slow.Wait()
	if n := c.server.room.held.Load(); n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
}
