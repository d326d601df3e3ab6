package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func answers(t *testing.T, path string) bool {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func TestSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of files")
	}
	home := t.TempDir()
	path := filepath.Join(home, SocketFile)
	l, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeType != fs.ModeSocket || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}
	if l.Addr().String() != path || !answers(t, path) {
		t.Errorf("nobody answers on %s", l.Addr())
	}
	if _, err := ListenUnix(path); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("a live one: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(home, ".*")); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}

	// A dead process leaves its socket.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if l, err = ListenUnix(path); err != nil || !answers(t, path) {
		t.Fatalf("in place of a dead one: %v", err)
	}
	// A socket that another process put in its place is not removed.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l.Close()
	if !answers(t, path) {
		t.Error("another's socket was removed")
	}
}

// What is no socket is left alone, and a link is not followed.
func TestSocketInTheWay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links")
	}
	home := t.TempDir()
	precious := filepath.Join(home, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func(path string) error{
		"a file":              func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"a folder":            func(path string) error { return os.Mkdir(path, 0o700) },
		"a link to a file":    func(path string) error { return os.Symlink(precious, path) },
		"a link to nowhere":   func(path string) error { return os.Symlink(filepath.Join(home, "no"), path) },
		"a link to a socket":  func(path string) error { return os.Symlink(filepath.Join(home, "s"), path) },
		"a link to the shell": func(path string) error { return os.Symlink("/bin/sh", path) },
	} {
		path := filepath.Join(home, strings.ReplaceAll(what, " ", "-"))
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		if _, err := ListenUnix(path); err == nil || !strings.Contains(err.Error(), "is no socket: give another path") {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone: %v", what, err)
		}
	}
	if info, err := os.Stat(precious); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("a link was followed: %v, %v", info, err)
	}
	long := filepath.Join(home, strings.Repeat("d", 120), SocketFile)
	if err := os.Mkdir(filepath.Dir(long), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(long); err == nil || !strings.Contains(err.Error(), "bytes, and the system takes") {
		t.Errorf("too long: %v", err)
	}
	if _, err := ListenUnix(filepath.Join(home, "no", "s")); err == nil {
		t.Error("in a folder that is not there")
	}
	// The longest that is let through works.
	for n := 80; n <= longestSocket(); n++ {
		path := filepath.Join(home, strings.Repeat("s", max(1, n-len(home)-1)))
		l, err := ListenUnix(path)
		if err != nil {
			if len(path) <= longestSocket() {
				t.Errorf("%d bytes: %v", len(path), err)
			}
			continue
		}
		if !answers(t, path) {
			t.Errorf("%d bytes: nobody answers", len(path))
		}
		l.Close()
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "localhost:0"} {
		l, err := ListenTCP(addr)
		if err != nil {
			if addr == "[::1]:0" {
				continue // a machine without IPv6
			}
			t.Errorf("%s: %v", addr, err)
			continue
		}
		l.Close()
	}
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:80", "127.0.0.1", "", "[fe80::1%lo]:0",
		"127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:80a", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1:http", "localhost:+80"} {
		if l, err := ListenTCP(addr); err == nil {
			l.Close()
			t.Errorf("%q is listened on", addr)
		} else if !strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%q: no cure in %v", addr, err)
		}
	}
}

func TestTokenFile(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, TokenFile)
	token, err := Token(home)
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(token) {
		t.Fatalf("%q, %v", token, err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	if again, err := Token(home); err != nil || again != token {
		t.Errorf("again: %q, %v", again, err)
	}
	if other, _ := Token(t.TempDir()); other == token {
		t.Error("two homes have one token")
	}
	if runtime.GOOS == "windows" {
		t.Skip("modes of files, links")
	}
	for what, put := range map[string]func() error{
		"is short":         func() error { return os.WriteFile(path, []byte("secret\n"), 0o600) },
		"is empty":         func() error { return os.WriteFile(path, nil, 0o600) },
		"others may read":  func() error { return os.WriteFile(path, []byte(token), 0o640) },
		"is a link":        func() error { return os.Symlink("/etc/hostname", path) },
		"is a folder":      func() error { return os.Mkdir(path, 0o700) },
		"leads to nowhere": func() error { return os.Symlink(filepath.Join(home, "no"), path) },
	} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if got, err := Token(home); err == nil || !strings.Contains(err.Error(), "remove it, and it is made anew") {
			t.Errorf("one that %s: %q, %v", what, got, err)
		}
	}
}

// serving runs a server until stop.
func (c *client) serving(token string, listeners ...net.Listener) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.server.Serve(ctx, token, listeners...) }()
	return func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(2 * stopTime):
			return fmt.Errorf("it does not end")
		}
	}
}

func overSocket(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}

func listen(t *testing.T) (unix, tcp net.Listener) {
	t.Helper()
	unix, err := ListenUnix(filepath.Join(t.TempDir(), SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	if tcp, err = ListenTCP("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return unix, tcp
}

func TestServe(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	c := newClient(t)
	unix, tcp := listen(t)
	const token = "0123456789abcdef"
	stop := c.serving(token, unix, tcp)
	socket := overSocket(unix.Addr().String())
	for what, test := range map[string]struct {
		client *http.Client
		url    string
		header string
		want   int
	}{
		"the socket":                  {socket, "http://localhost", "", 200},
		"the socket, by another name": {socket, "http://example.com", "", 403},
		"the port, without the token": {http.DefaultClient, "http://" + tcp.Addr().String(), "", 401},
		"the port":                    {http.DefaultClient, "http://" + tcp.Addr().String(), "Bearer " + token, 200},
		"the port, from a page":       {http.DefaultClient, "http://" + tcp.Addr().String(), "Origin", 403},
	} {
		r, err := http.NewRequest(http.MethodGet, test.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Set("Authorization", test.header); test.header == "Origin" {
			r.Header.Set("Origin", "null")
		}
		resp, err := test.client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := c.read(resp, r.Method, "/healthz"); got.status != test.want {
			t.Errorf("%s: %d, want %d", what, got.status, test.want)
		}
		resp.Body.Close()
	}

	// What is under way when the daemon is told to stop is finished.
	begun := make(chan struct{})
	finish := make(chan struct{})
	c.store.hold = func() {
		close(begun)
		<-finish
	}
	posted := make(chan string, 1)
	go func() {
		resp, err := socket.Post("http://localhost/v1/events", "application/json", strings.NewReader(start))
		if err != nil {
			posted <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		posted <- string(text)
	}()
	<-begun
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if got := <-posted; !strings.Contains(got, `"accepted":1`) {
		t.Errorf("a request under way: %s", got)
	}
	if answers(t, unix.Addr().String()) {
		t.Error("the socket still answers")
	}
	socket.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, leaks)

	_, tcp = listen(t)
	if err := c.server.Serve(t.Context(), "", tcp); err == nil || !strings.Contains(err.Error(), "without a token") {
		t.Errorf("a port without a token: %v", err)
	}
}

// What net/http refuses itself is a 4xx, too: headers without end, no Host, no HTTP.
func TestBelowHTTP(t *testing.T) {
	c := newClient(t)
	unix, tcp := listen(t)
	tcp.Close()
	stop := c.serving("", unix)
	for text, want := range map[string]string{
		"GET /healthz HTTP/1.1\r\n\r\n":                                                              "400",
		"GET /healthz HTTP/1.0\r\n\r\n":                                                              "403",
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n\r\n":                      "400",
		"GET http://example.com/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n":                         "403",
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n": "431",
		"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n":                                           "505",
		"nonsense\r\n\r\n": "400",
		"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n":                                       "400",
		"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n":                         "400",
		"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n": "400",
	} {
		conn, err := net.Dial("unix", unix.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(conn, text)
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.") || strings.Fields(line)[1] != want {
			t.Errorf("%.60q: %q, %v; want %s", text, line, err, want)
		}
		conn.Close()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A recall whose client has gone, and one that is under way when the daemon stops, is
// given up: at once, and as nobody's failure. What the store could not record is one.
func TestGivenUp(t *testing.T) {
	for _, stops := range []bool{false, true} {
		c := newClient(t)
		unix, tcp := listen(t)
		tcp.Close()
		begun := make(chan struct{})
		c.store.wait = func(ctx context.Context) error {
			close(begun)
			<-ctx.Done()
			return errors.New("interrupted (9)") // as SQLite says it
		}
		stop := c.serving("", unix)
		ctx, hangUp := context.WithCancel(t.Context())
		ended := make(chan string, 1)
		go func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/api/memories/a/recall", strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			resp, err := overSocket(unix.Addr().String()).Do(r)
			if err != nil {
				ended <- err.Error()
				return
			}
			ended <- c.read(resp, r.Method, r.URL.Path).parts()
			resp.Body.Close()
		}()
		<-begun
		if !stops {
			hangUp()
		}
		began := time.Now()
		if err := stop(); err != nil || time.Since(began) > stopTime/2 {
			t.Errorf("stopped after %v: %v", time.Since(began), err)
		}
		if got := <-ended; stops && got != "503" {
			t.Errorf("the client got %s", got)
		}
		hangUp()
		if h := c.server.Health(); h.Requests != 1 || h.Failed != 0 || h.Refused != 0 || h.LastError != "" {
			t.Errorf("health: %+v", h)
		}
		if log := c.log.String(); strings.Contains(log, `"error"`) || !strings.Contains(log, "api.ended") {
			t.Errorf("log: %s", log)
		}
	}
	c := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.store.hold, c.store.err = cancel, errors.New("no space left on device")
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/v1/events", strings.NewReader(start))
	r.Header.Set("Content-Type", "application/json")
	c.server.Handler("").ServeHTTP(httptest.NewRecorder(), r)
	if h := c.server.Health(); h.Failed != 1 || !strings.Contains(h.LastError, "no space left") {
		t.Errorf("health: %+v", h)
	}
}
