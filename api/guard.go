package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// guard lets in who may ask. Of web pages, which a browser on this machine runs for anybody, none may:
//
//   - One that posts from its own address sends Origin, and browsers since 2020
//     Sec-Fetch-Site with all that they send: both are refused, whatever they say. There
//     is no CORS, so that an answer could not be read either, and a form cannot send
//     application/json, which every POST has to be.
//   - One whose own name was made to point at 127.0.0.1 (DNS rebinding) is of the same
//     origin, and sends neither. It sends its name as Host.
func guard(r *http.Request, token string) error {
	if !localName(r.Host) {
		return &problem{status: http.StatusForbidden, Message: "the Host header is to be localhost, 127.0.0.1 or [::1]"}
	}
	for _, name := range []string{"Origin", "Sec-Fetch-Site"} {
		if _, sent := r.Header[name]; sent {
			return &problem{status: http.StatusForbidden, Message: "a request of a web page (it has the header " + name + "): none is answered"}
		}
	}
	if token != "" && !sameToken(r.Header.Get("Authorization"), token) {
		return &problem{status: http.StatusUnauthorized,
			Message: "the header Authorization: Bearer TOKEN is missing or wrong; the token is in " + TokenFile + " in the daemon's home"}
	}
	return nil
}

// localName reports whether a Host header names this machine, on whatever port: a
// tunnel may have another one.
func localName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Zone() == "" && addr.IsLoopback()
}

// sameToken compares in a time that tells nothing of the token, not even its length.
func sameToken(header, token string) bool {
	scheme, given, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// What a request may cost. A body is held whole, as it is recorded whole: 16 of up to
// 1 MiB and one that is longer, or of unknown length, at a time. An event takes 1 kB of
// memory beside what it says, so that many small ones are bounded by their number.
const (
	most      = 16
	large     = 1 << 20
	mostItems = 20_000
	patience  = 30 * time.Second
)

// gate bounds how many requests are under way; of who waits no body is read yet. Its
// zero value is open.
type gate struct {
	once      sync.Once
	all, long chan struct{}
}

// enter waits until a request may go on, and returns what says that it is done.
func (g *gate) enter(r *http.Request) (leave func(), err error) {
	g.once.Do(func() { g.all, g.long = make(chan struct{}, most), make(chan struct{}, 1) })
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	lines := []chan struct{}{g.all}
	if r.ContentLength < 0 || r.ContentLength > large || r.Header.Get("Content-Encoding") != "" {
		lines = []chan struct{}{g.long, g.all}
	}
	for i, line := range lines {
		select {
		case line <- struct{}{}:
			continue
		case <-deadline.C:
		case <-r.Context().Done():
		}
		give(lines[:i])
		return nil, &problem{status: http.StatusServiceUnavailable, Message: "the daemon is busy with other requests: try again"}
	}
	return func() { give(lines) }, nil
}

func give(lines []chan struct{}) {
	for _, line := range lines {
		<-line
	}
}
