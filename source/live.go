package source

import (
	"context"
	"errors"
	"io"
	"time"
)

// errIdle says that a pipe stands still: what came of it is to be taken in meanwhile.
var errIdle = errors.New("nothing comes now")

// idleAfter is how long a pipe stands still before what came of it is taken in.
const idleAfter = 100 * time.Millisecond

// live reads from a pipe without waiting for ever: for ctx, and, once patient is over, for
// what may never come.
type live struct {
	ctx     context.Context
	patient bool // Read waits
	chunks  chan chunk
	again   chan struct{} // what the last chunk held was taken
	rest    []byte
	err     error
}

type chunk struct {
	data []byte
	err  error
}

// newLive begins to read from src. Where that blocks when ctx ends, its goroutine stays
// until it does not.
func newLive(ctx context.Context, src io.Reader) *live {
	l := &live{ctx: ctx, patient: true, chunks: make(chan chunk), again: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, packedBuffer)
		for {
			n, err := src.Read(buf)
			if n == 0 && err == nil {
				continue
			}
			select {
			case l.chunks <- chunk{buf[:n], err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
			select {
			case <-l.again:
			case <-ctx.Done():
				return
			}
		}
	}()
	return l
}

// Read reads what is there. Its error is errIdle where that is nothing for a while, and it
// may be called again then.
func (l *live) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.err != nil {
			return 0, l.err
		}
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	if l.rest = l.rest[n:]; len(l.rest) == 0 && l.err == nil {
		l.again <- struct{}{}
	}
	return n, nil
}

func (l *live) next() error {
	var idle <-chan time.Time
	if !l.patient {
		timer := time.NewTimer(idleAfter)
		defer timer.Stop()
		idle = timer.C
	}
	select {
	case <-l.ctx.Done():
		return l.ctx.Err()
	case <-idle:
		return errIdle
	case c := <-l.chunks:
		if l.rest, l.err = c.data, c.err; len(c.data) == 0 {
			return c.err
		}
		return nil
	}
}
