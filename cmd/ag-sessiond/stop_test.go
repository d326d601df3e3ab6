package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// stopLimit is far more than the five seconds that a stop may take: of a machine that does
// ten other things nothing can be said.
const stopLimit = 30 * time.Second

// writeTranscript makes a session file of so many prompts of 2 kB.
func writeTranscript(t *testing.T, dir, session string, prompts int) {
	t.Helper()
	var b bytes.Buffer
	begin := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for i := range prompts {
		fmt.Fprintf(&b, `{"type":"user","uuid":"%s-%06d","parentUuid":null,"isSidechain":false,"sessionId":%q,"cwd":"/work","version":"2.1.0","timestamp":%q,"message":{"role":"user","content":"%d %s"}}`+"\n",
			session[:8], i, session, begin.Add(time.Duration(i)*time.Second).Format("2006-01-02T15:04:05.000Z"), i, strings.Repeat("word ", 400))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, session+".jsonl"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sessiond runs the real program to its end.
func sessiond(t *testing.T, home string, args ...string) string {
	t.Helper()
	cmd := exec.Command("ag-sessiond", append(args, "--home", home)...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(home, "..", "user"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ag-sessiond %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// facts are the types and ids of the events of a session, sorted, each once.
func facts(t *testing.T, home, session string) (ids []string) {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	c, err := j.Read(session, journal.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var dec schema.Decoder
	for {
		line, err := c.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := dec.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		if e.EventType != schema.SourcePosition {
			ids = append(ids, string(e.EventType)+" "+e.EventID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// SIGTERM while everything is under way: a catch-up, a database that accepts and never
// answers, a client that never finishes sending, and a transcript that is being read. The
// daemon ends, and nothing that there was is missing afterwards.
func TestStopLosesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals are sent there")
	}
	dir := t.TempDir()
	home, other := filepath.Join(dir, "home"), filepath.Join(dir, "other")
	before, coming := filepath.Join(dir, "before"), filepath.Join(dir, "coming", "-p")
	for i := range 3 {
		writeTranscript(t, before, fmt.Sprintf("%08d-0000-4000-8000-000000000000", i+1), 1000)
	}
	const followed = "99999999-0000-4000-8000-000000000000"
	writeTranscript(t, coming, followed, 5000)
	sessiond(t, home, "import", before)
	for _, name := range []string{"graph.db", "graph.db-wal", "graph.db-shm"} {
		os.Remove(filepath.Join(home, name))
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()

	var log lockedBuffer
	cmd := exec.Command("ag-sessiond", "run", "--log", "json", "--home", home, "--transcripts", filepath.Dir(coming), "--graph", "bolt://"+dead.Addr().String())
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(dir, "user"))
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })

	socket := filepath.Join(home, api.SocketFile)
	awaitStop(t, "the socket", func() bool { return answersAt(socket) })
	slow, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	io.WriteString(slow, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n[")
	half := filepath.Join(home, "journal", followed+".jsonl")
	awaitStop(t, "the transcript", func() bool {
		info, err := os.Stat(half)
		return err == nil && info.Size() > 256<<10
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v\n%s", err, log.all())
		}
	case <-time.After(stopLimit):
		t.Fatalf("it does not end\n%s", log.all())
	}
	if text := log.all(); !strings.Contains(text, `"message":"stopped"`) {
		t.Errorf("log:\n%s", text)
	}
	for _, left := range []string{"status.json", api.SocketFile} {
		if _, err := os.Stat(filepath.Join(home, left)); err == nil {
			t.Errorf("%s is left", left)
		}
	}
	sessiond(t, other, "import", before, filepath.Dir(coming))
	// What had been read is what there is, no more and no less; what comes after goes on there.
	got, want := facts(t, home, followed), facts(t, other, followed)
	t.Logf("stopped with %d of %d facts", len(got), len(want)) // all, where this process had to wait for its turn
	sessiond(t, home, "import", filepath.Dir(coming))
	got = facts(t, home, followed)
	for _, id := range want {
		if _, there := slices.BinarySearch(got, id); !there {
			t.Errorf("lost: %s", id)
		}
	}
	// Who goes on in the middle says again what a session is; beside that nothing is more.
	got = slices.DeleteFunc(got, func(id string) bool { return strings.HasPrefix(id, string(schema.SessionUpdate)) })
	want = slices.DeleteFunc(want, func(id string) bool { return strings.HasPrefix(id, string(schema.SessionUpdate)) })
	if len(got) != len(want) {
		t.Errorf("%d facts of %d", len(got), len(want))
	}
	sessiond(t, home, "sync")
	if said := sessiond(t, home, "verify"); !strings.Contains(said, "identical: 4 sessions") {
		t.Errorf("verify: %s", said)
	}
}

func answersAt(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func (l *lockedBuffer) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func awaitStop(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(stopLimit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", stopLimit, what)
		}
	}
}
