package neo4jtest

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fate is what becomes of a piece.
type Fate int

// The fates of a piece.
const (
	Pass Fate = iota
	Cut       // both connections are closed, and the piece is lost
	Tear      // as Cut, after the first half of the piece went through
	Hold      // the piece waits, and what comes behind it, until Break changes the rule
)

// Piece is what one read of a connection gave.
type Piece struct {
	Conn     int // of the proxy's connections, from 0
	ToServer bool
	Bytes    []byte // valid until the rule returns
}

// Has reports whether the piece holds some bytes: CommitMessage, or a part of an error's
// text.
func (p Piece) Has(s string) bool { return strings.Contains(string(p.Bytes), s) }

// CommitMessage is COMMIT as a driver sends it: a chunk of two bytes, a structure without
// fields and its tag, and the end of the message
// (https://neo4j.com/docs/bolt/current/bolt/message/). Drivers wait for its answer, so
// that it is the end of a piece, or all of it.
const CommitMessage = "\x00\x02\xb0\x12\x00\x00"

// Proxy is between a driver and its server, and breaks what it is told to. A server that is
// down is one that closes every connection at once.
type Proxy struct {
	URL string // bolt://…, of the proxy

	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	rule    func(Piece) Fate
	changed chan struct{} // closed when the rule changes
	conns   map[net.Conn]bool
	count   int
	closed  bool
}

// NewProxy listens on a free port for the server at a bolt:// URL, until the test ends.
func NewProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{URL: "bolt://" + l.Addr().String(), target: strings.TrimPrefix(server, "bolt://"), listener: l,
		changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Break sets the rule that decides on each piece; nil lets all pass. It is called from
// a goroutine for each direction of each connection, in the order of a direction's
// pieces; one that sleeps makes a slow network.
func (p *Proxy) Break(rule func(Piece) Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule = rule
	close(p.changed)
	p.changed = make(chan struct{})
}

// Reset closes all connections that there are, as a restarted firewall does.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.listener.Close()
	p.Break(func(Piece) Fate { return Cut })
	p.Reset()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
		if err != nil {
			client.Close()
			continue
		}
		if n, ok := p.add(client, server); ok {
			p.running.Go(func() { p.forward(n, true, client, server) })
			p.running.Go(func() { p.forward(n, false, server, client) })
		}
	}
}

// add keeps track of a pair of connections, unless the proxy is closed.
func (p *Proxy) add(client, server net.Conn) (n int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		client.Close()
		server.Close()
		return 0, false
	}
	p.conns[client], p.conns[server] = true, true
	p.count++
	return p.count - 1, true
}

// forward copies one direction until either connection ends.
func (p *Proxy) forward(n int, toServer bool, from, to net.Conn) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		from.Close()
		to.Close()
		delete(p.conns, from)
		delete(p.conns, to)
	}()
	buf := make([]byte, 32<<10)
	for {
		size, err := from.Read(buf)
		if size > 0 {
			if p.pass(Piece{n, toServer, buf[:size]}, to) != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var errCut = errors.New("cut")

// pass asks the rule until it does not say Hold, and does as it says.
func (p *Proxy) pass(piece Piece, to io.Writer) error {
	for {
		p.mu.Lock()
		rule, changed := p.rule, p.changed
		p.mu.Unlock()
		fate := Pass
		if rule != nil {
			fate = rule(piece)
		}
		switch fate {
		case Pass:
			_, err := to.Write(piece.Bytes)
			return err
		case Tear:
			_, err := to.Write(piece.Bytes[:len(piece.Bytes)/2])
			return errors.Join(err, errCut)
		case Cut:
			return errCut
		}
		<-changed
	}
}
