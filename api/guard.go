package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
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
