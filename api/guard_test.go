package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhoMayAsk(t *testing.T) {
	c := newClient(t)
	for header, want := range map[string]int{
		"Host: localhost":               200,
		"Host: LocalHost:80":            200,
		"Host: 127.0.0.1":               200,
		"Host: 127.0.0.1:4009":          200,
		"Host: 127.8.9.1:4009":          200,
		"Host: [::1]:4009":              200,
		"Host: [::1]":                   200,
		"Host: ":                        403,
		"Host: example.com":             403,
		"Host: localhost.example.com":   403,
		"Host: 127.0.0.1.example.com":   403,
		"Host: 127.0.0.1@example.com":   403,
		"Host: 192.168.0.1":             403,
		"Host: 0.0.0.0:4009":            403,
		"Host: [::]:4009":               403,
		"Host: [fe80::1%25lo]:1":        403,
		"Host: [::1%25lo]:1":            403,
		"Host: 2130706433":              403, // 127.0.0.1 to some
		"Host: 0x7f.1":                  403,
		"Origin: http://localhost":      403,
		"Origin: null":                  403,
		"Origin: https://example.com":   403,
		"Sec-Fetch-Site: same-origin":   403,
		"Sec-Fetch-Site: none":          403,
		"Sec-Fetch-Site: cross-site":    403,
		"User-Agent: Mozilla/5.0":       200,
		"Sec-Fetch-Mode: cors":          200, // no browser sends it alone
		"X-Forwarded-Host: example.com": 200,
	} {
		if got := c.send(http.MethodGet, "/healthz", nil, header); got.status != want {
			t.Errorf("%s: %d, want %d", header, got.status, want)
		}
		if got := c.post("/api/memories/x/recall", `{}`, header); got.status != want {
			t.Errorf("%s: a POST: %d, want %d", header, got.status, want)
		}
	}
	if got := c.send(http.MethodOptions, "/v1/events", nil, "Access-Control-Request-Method: POST"); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("a preflight: %d, %v", got.status, got.header)
	}
}

func TestToken(t *testing.T) {
	c := newClient(t)
	const token = "0123456789abcdef"
	for given, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer 0123456789abcde": 401, "Bearer 0123456789abcdefg": 401,
		"Basic " + token: 401, token: 401, "Bearer x" + token: 401,
		"Bearer " + token: 200, "bearer " + token: 200, "Bearer  " + token: 200,
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/healthz", nil)
		r.Header.Set("Authorization", given)
		w := httptest.NewRecorder()
		c.server.Handler(token).ServeHTTP(w, r)
		if got := c.read(w.Result(), r.Method, "/healthz"); got.status != want || want == 401 && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("Authorization %q: %d, want %d; %v", given, got.status, want, got.header)
		}
	}
	if got := c.server.Health(); got.Refused != 8 || got.Requests != 11 {
		t.Errorf("health: %+v", got)
	}
}
