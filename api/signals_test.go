package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// signals are those of a test.
type signals struct {
	ready bool
	err   error
}

func (s *signals) Metrics() ([]byte, error) {
	return []byte("# TYPE actiongraph_sessions_running gauge\nactiongraph_sessions_running 3\n"), s.err
}

func (s *signals) Ready() Readiness {
	state := "up"
	if !s.ready {
		state = "down"
	}
	return Readiness{Ready: s.ready, Stores: []StoreReadiness{{"sqlite", s.ready, state}}}
}

func (s *signals) Status(recent int) any { return map[string]int{"recent": recent} }

func TestSignals(t *testing.T) {
	c := newClient(t)
	for path, want := range map[string]string{
		"/metrics":           "sessions_running 3",
		"/healthz":           `{"status":"ok"}`,
		"/readyz":            `{"ready":true,"stores":[{"name":"sqlite","ready":true,"state":"up"}]}`,
		"/statusz":           `{"recent":20}`,
		"/statusz?recent=0":  `{"recent":0}`,
		"/statusz?recent=99": `{"recent":99}`,
	} {
		if r := c.send(http.MethodGet, path, nil); r.status != 200 || !strings.Contains(r.text, want) {
			t.Errorf("%s: %d %s, want %s", path, r.status, r.text, want)
		}
	}
	for _, path := range []string{"/statusz?recent=101", "/statusz?recent=-1", "/statusz?recent=all"} {
		if r := c.send(http.MethodGet, path, nil); r.parts() != "400 field=recent" {
			t.Errorf("%s: %s", path, r.text)
		}
	}
	if r := c.post("/metrics", "{}"); r.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", r.text)
	}
	c.server.Signals = &signals{}
	if r := c.send(http.MethodGet, "/readyz", nil); r.status != http.StatusServiceUnavailable || !strings.Contains(r.text, `"ready":false`) {
		t.Errorf("not ready: %d %s", r.status, r.text)
	}
	c.server.Signals = &signals{err: errors.New("no figures")}
	if r := c.send(http.MethodGet, "/metrics", nil); r.status != http.StatusInternalServerError {
		t.Errorf("failed: %d %s", r.status, r.text)
	}
	c.server.Signals = nil
	for _, path := range []string{"/metrics", "/readyz", "/statusz"} {
		if r := c.send(http.MethodGet, path, nil); r.status != http.StatusNotFound {
			t.Errorf("%s of no daemon: %d", path, r.status)
		}
	}
}

// A port of signals needs no token, and has nothing else: nothing is recorded or recalled
// there, and no web page reads it.
func TestServeSignals(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := newClient(t)
	l, err := ListenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.server.ServeSignals(ctx, l) }()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	said := ""
	ask := func(method, path, host string, header string) int {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+l.Addr().String()+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Content-Type", "application/json")
		if header != "" {
			r.Header.Set(header, "none")
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		said = string(text)
		return answer.StatusCode
	}
	for _, tc := range []struct {
		method, path, host, header string
		want                       int
	}{
		{"GET", "/metrics", "", "", 200}, {"GET", "/healthz", "localhost:9464", "", 200}, {"GET", "/readyz", "", "", 200},
		{"GET", "/statusz?recent=5", "", "", 200}, {"HEAD", "/metrics", "", "", 200},
		{"GET", "/openapi.json", "", "", 404}, {"POST", "/v1/events", "", "", 404}, {"POST", "/api/memories/default/recall", "", "", 404},
		{"POST", "/metrics", "", "", 405},
		{"GET", "/metrics", "evil.example:9464", "", 403}, {"GET", "/metrics", "", "Origin", 403}, {"GET", "/metrics", "", "Sec-Fetch-Site", 403},
	} {
		if got := ask(tc.method, tc.path, tc.host, tc.header); got != tc.want {
			t.Errorf("%s %s Host %q %s: %d, want %d", tc.method, tc.path, tc.host, tc.header, got, tc.want)
		}
		if tc.want == 404 && !strings.Contains(said, "there are /healthz, ") {
			t.Errorf("%s: %s: it does not say which paths are here", tc.path, said)
		}
	}
	if len(c.store.events)+len(c.store.grains)+len(c.store.asked) > 0 {
		t.Error("something was recorded or asked")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Get asks a daemon through its socket.
func TestGet(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("sockets")
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := newClient(t)
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Get(t.Context(), path, "/metrics"); err == nil {
		t.Error("nobody is there")
	}
	l, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.server.Serve(ctx, "", []net.Listener{l}...) }()
	text, err := Get(t.Context(), path, "/metrics")
	if err != nil || !strings.Contains(string(text), "running 3") {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := Get(t.Context(), path, "/nothing"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a path that there is not: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
