package api

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Clients that never finish sending, or never read what they asked for, keep nobody's
// daemon from ending.
func TestStopsFromUnderSlowClients(t *testing.T) {
	if stopTime >= 5*time.Second {
		t.Errorf("requests may take %v, and the daemon promises to end within 5 s", stopTime)
	}
	c := newClient(t)
	unix, tcp := listen(t)
	tcp.Close()
	stop := c.serving("", unix)
	dial := func() net.Conn {
		conn, err := net.Dial("unix", unix.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	sends := dial()
	io.WriteString(sends, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[")
	reads := dial()
	full := make(chan struct{})
	go func() { // until the socket takes no more: then the server waits for the client to read
		defer close(full)
		for range 5000 {
			reads.SetWriteDeadline(time.Now().Add(2 * time.Second))
			if _, err := io.WriteString(reads, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	<-full
	if _, err := io.WriteString(sends, strings.Repeat(" ", 100)); err != nil {
		t.Fatalf("the slow client was hung up on before the stop: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	sends.SetReadDeadline(time.Now().Add(10 * time.Second))
	if answer, err := io.ReadAll(sends); strings.HasPrefix(string(answer), "HTTP/1.1 2") {
		t.Errorf("what did not arrive was acknowledged: %s, %v", answer, err)
	}
}
