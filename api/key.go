package api

import (
	"fmt"
	"net/http"
	"strings"
)

// keyHeader names a request, so that it is the same one when it is sent again: the
// header of draft-ietf-httpapi-idempotency-key-header.
const keyHeader = "Idempotency-Key"

// longestKey bounds a key in bytes.
const longestKey = 255

// requestKey returns the key of a request, "" where it has none. It is a string of
// Structured Fields (RFC 8941, 3.3.3): characters of ASCII in quotes. Many clients leave
// the quotes out, and mean the same.
func requestKey(r *http.Request) (string, error) {
	sent := r.Header.Values(keyHeader)
	if len(sent) == 0 {
		return "", nil
	}
	wrong := func(why string) error {
		p := bad(`the header %s: %s: want one like "8e03978e-40d5-43dd-bc93-6894a57f9324", of 1 to %d characters of ASCII`, keyHeader, why, longestKey)
		p.Field = keyHeader
		return p
	}
	if len(sent) > 1 {
		return "", wrong("it is there more than once")
	}
	key := strings.Trim(sent[0], " \t")
	if strings.HasPrefix(key, `"`) {
		var ok bool
		if key, ok = unquoted(key[1:]); !ok {
			return "", wrong("it is not one string in quotes")
		}
	}
	switch {
	case key == "":
		return "", wrong("it is empty")
	case len(key) > longestKey:
		return "", wrong(fmt.Sprintf("it has %d characters", len(key)))
	case strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", wrong("it has a character that is not of ASCII")
	}
	return key, nil
}

// unquoted reads a string of which the quote before it is gone, to its end.
func unquoted(text string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			return out.String(), i == len(text)-1
		case '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", false
			}
			out.WriteByte(text[i])
		default:
			out.WriteByte(c)
		}
	}
	return "", false
}
