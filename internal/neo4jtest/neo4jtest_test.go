package neo4jtest

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestStartStop(t *testing.T) {
	s := Start(t, Options{})
	handshake(t, s.URL)
}

// handshake asks for Bolt 5 and fails unless the server agrees.
func handshake(t *testing.T, url string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "bolt://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	hello := []byte{0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if _, err := conn.Write(hello); err != nil {
		t.Fatal(err)
	}
	var version [4]byte
	if _, err := io.ReadFull(conn, version[:]); err != nil || version[3] != 5 {
		t.Fatalf("handshake: %v, %v", version, err)
	}
}
