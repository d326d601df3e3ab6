package neo4jtest

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// echo is a server that gives back what it gets.
func echo(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return "bolt://" + l.Addr().String()
}

func TestProxy(t *testing.T) {
	p := NewProxy(t, echo(t))
	dial := func() *bufio.ReadWriter {
		c, err := net.Dial("tcp", p.URL[len("bolt://"):])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(10 * time.Second))
		rw := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriterSize(c, 0))
		return rw
	}
	say := func(rw *bufio.ReadWriter, s string) string {
		rw.WriteString(s)
		rw.Flush()
		got := make([]byte, len(s))
		n, _ := io.ReadFull(rw, got)
		return string(got[:n])
	}
	c := dial()
	if got := say(c, "hello"); got != "hello" {
		t.Fatalf("%q", got)
	}
	held := make(chan bool, 1)
	p.Break(func(piece Piece) Fate {
		if piece.ToServer {
			return Pass
		}
		select {
		case held <- true:
		default:
		}
		return Hold
	})
	go func() {
		<-held
		p.Break(nil)
	}()
	if got := say(c, "waits"); got != "waits" {
		t.Errorf("held and let go: %q", got)
	}
	p.Break(func(piece Piece) Fate {
		if piece.Has("bad") && !piece.ToServer {
			return Tear
		}
		return Pass
	})
	if got := say(c, "good"); got != "good" {
		t.Errorf("good: %q", got)
	}
	if got := say(c, "bad!"); got != "ba" {
		t.Errorf("torn: %q, want its half", got)
	}
	p.Break(nil)
	c = dial()
	say(c, "there")
	p.Reset()
	if got := say(c, "reset"); got != "" {
		t.Errorf("after a reset: %q", got)
	}
	if got := say(dial(), "again"); got != "again" {
		t.Errorf("a new connection: %q", got)
	}
}
