package api

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// What requests may cost. A body is held whole, as it is recorded whole: all that have
// come so far, or are coming, have 64 MiB of memory, and one of them what it needs beyond
// that. Of those that have come whole 16 are worked on at a time, and one of those of more
// than 1 MiB, as what is made of them takes several times their memory. An event takes 1 kB
// beside what it says, so that many small ones are bounded by their number.
const (
	roomBytes = 64 << 20
	most      = 16
	large     = 1 << 20
	mostItems = 20_000
	patience  = 30 * time.Second
)

func busy() *problem {
	return &problem{status: http.StatusServiceUnavailable, Message: "the daemon is busy with other requests: try again"}
}

// room bounds the memory of the bodies of all requests. Its zero value is empty.
type room struct {
	held   atomic.Int64
	beyond sync.Mutex // who has it may hold more than there is: all never wait for each other
}

// guest is a request that holds a part of a room.
type guest struct {
	room   *room
	ctx    context.Context
	held   int64
	beyond bool
}

func (r *room) guest(ctx context.Context) *guest { return &guest{room: r, ctx: ctx} }

// take waits until there is room for n bytes more.
func (g *guest) take(n int64) error {
	for end := time.Now().Add(patience); !g.fits(n); {
		select {
		case <-g.ctx.Done():
			return busy()
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(end) {
			return busy()
		}
	}
	g.held += n
	return nil
}

func (g *guest) fits(n int64) bool {
	if g.room.held.Add(n) <= roomBytes || g.beyond {
		return true
	}
	if g.beyond = g.room.beyond.TryLock(); g.beyond {
		return true
	}
	g.room.held.Add(-n)
	return false
}

func (g *guest) leave() {
	g.room.held.Add(-g.held)
	if g.beyond {
		g.room.beyond.Unlock()
	}
	g.held, g.beyond = 0, false
}

// reader gives what from gives, once there is room for it.
func (g *guest) reader(from io.Reader) io.Reader { return &taking{g, from} }

type taking struct {
	g    *guest
	from io.Reader
}

func (t *taking) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if n > 0 {
		if full := t.g.take(int64(n)); full != nil {
			return 0, full
		}
	}
	return n, err
}

// gate bounds how many requests are worked on. Its zero value is open.
type gate struct {
	once      sync.Once
	all, long chan struct{}
}

// enter waits until a request with a body of n bytes may go on, and returns what says
// that it is done.
func (g *gate) enter(ctx context.Context, n int) (leave func(), err error) {
	g.once.Do(func() { g.all, g.long = make(chan struct{}, most), make(chan struct{}, 1) })
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	lines := []chan struct{}{g.all}
	if n > large {
		lines = []chan struct{}{g.long, g.all}
	}
	for i, line := range lines {
		select {
		case line <- struct{}{}: // also of a daemon that stops: the body has come
			continue
		default:
		}
		select {
		case line <- struct{}{}:
			continue
		case <-deadline.C:
		case <-ctx.Done():
		}
		give(lines[:i])
		return nil, busy()
	}
	return func() { give(lines) }, nil
}

func give(lines []chan struct{}) {
	for _, line := range lines {
		<-line
	}
}
