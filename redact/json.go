package redact

import (
	"bytes"
	"encoding/json"

	"github.com/actiongraph/actiongraph/schema"
)

func compact(raw []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// raw redacts and cuts every string of one valid JSON value, at any depth, in one
// pass over its bytes: what surrounds the strings, and the strings that keep their
// value, stay byte for byte as they were.
func (r *Redactor) raw(raw []byte, f *findings) []byte {
	if len(raw) <= r.max && !r.mayHold(raw) {
		return raw // the usual field of an event in which another one holds something
	}
	w := walker{r: r, f: f, out: make([]byte, 0, min(len(raw), 2*r.max))}
	last := 0
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case '"':
			end := stringEnd(raw, i)
			w.out = append(w.out, raw[last:i]...)
			w.token(raw[i:end], isKey(raw, end))
			i, last = end, end
			continue
		case '{', '}', ']':
			w.key, w.name = nil, nil
		}
		i++
	}
	return append(w.out, raw[last:]...)
}

// walker knows under which key a string stands: `"password": "…"` and
// `"X-Api-Key": ["…"]` say what a value is, and so does
// {"name": "DB_PASSWORD", "value": "…"}.
type walker struct {
	r    *Redactor
	f    *findings
	out  []byte
	key  []byte // of the member, or of the array of strings
	name []byte // the value of a member "name" or "key" before it
}

func (w *walker) token(tok []byte, key bool) {
	body := tok[1 : len(tok)-1]
	if key {
		w.key = body
		if bytes.IndexByte(body, '\\') >= 0 {
			w.key = []byte(schema.Unquote(tok))
		}
		w.rewrite(tok, nil)
		return
	}
	ctx := w.key
	switch string(w.key) {
	case "name", "key", "Name", "Key":
		w.name = body
	case "value", "Value":
		if w.name != nil {
			ctx = w.name
		}
	}
	if opaque(w.key, body) && len(body) <= w.r.max {
		w.out = append(w.out, tok...)
		return
	}
	w.rewrite(tok, ctx)
}

// rewrite appends a string token, redacted and cut; ctx is the name its value goes
// by, if any.
func (w *walker) rewrite(tok, ctx []byte) {
	secretName := ctx != nil && nameKind(ctx) != noName
	hold := w.r.mayHold(tok)
	if !secretName && !hold && longest(tok) <= w.r.max {
		w.out = append(w.out, tok...)
		return
	}
	text := schema.Unquote(tok)
	kept := text
	if hold || secretName { // else it is only long, and is not copied
		s := []byte(text)
		if hold {
			s = w.r.text(s, w.f)
		}
		if secretName && memberSecret(ctx, s) {
			w.f.add(ruleNamed)
			s = []byte(markOpen + ruleNamed + "]")
		}
		kept = string(s)
	}
	kept, cut := schema.CutString(kept, w.r.max)
	if cut {
		w.f.cut++
	}
	if kept == text {
		w.out = append(w.out, tok...)
		return
	}
	w.out = schema.AppendString(w.out, kept)
}

// longest returns the most bytes that the text of a string token can have. It saves
// decoding a megabyte to learn that its text fits.
func longest(tok []byte) int {
	return len(tok) - 2 - bytes.Count(tok, []byte{'\\'})/2
}

// opaque reports whether a value is one whose bytes can spell anything: the
// signature of a thinking block, the bytes of an image.
func opaque(key, body []byte) bool {
	switch string(key) {
	case "signature", "thinking_signature", "thoughtSignature", "thought_signature", "encrypted_content":
		return len(body) >= 64 && isBase64(body)
	case "data", "base64", "originalBase64":
		return len(body) >= 256 && isBase64(body)
	}
	return false
}

// Value redacts one string as it stands in JSON under a member's name ("" where it has none,
// or is a name itself): what its name gives away, and what Text finds. It does not cut.
func (r *Redactor) Value(name, text string) string {
	if Opaque(name, text) {
		return text
	}
	out, _ := r.Text(text)
	if nameKind([]byte(name)) != noName && memberSecret([]byte(name), []byte(out)) {
		return markOpen + ruleNamed + "]"
	}
	return out
}

// Opaque reports whether a string under a member's name is one whose bytes can spell anything:
// the signature of a thinking block, the bytes of an image. It is never looked at.
func Opaque(name, text string) bool { return opaque([]byte(name), []byte(text)) }

func isBase64(b []byte) bool {
	for _, c := range b {
		if !is(c, wordByte) && c != '+' && c != '/' && c != '=' && c != '-' {
			return false
		}
	}
	return true
}

// stringEnd returns the index after the JSON string that begins at raw[i].
func stringEnd(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// isKey reports whether the string that ends at raw[i] is a member's name.
func isKey(raw []byte, i int) bool {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t') {
		i++
	}
	return i < len(raw) && raw[i] == ':'
}

// hidesLetter reports whether the escape at s[pos] stands for a printable ASCII
// character.
func hidesLetter(s []byte, pos int) bool {
	if s[pos+1] != 'u' {
		return true // \/
	}
	return pos+5 < len(s) && s[pos+4] >= '2' && s[pos+4] <= '7'
}

// unescape returns s with \u00XX and \/ replaced by what they stand for, however
// many backslashes they have gathered on their way through nested JSON, and where
// each byte (and the end) came from.
func unescape(s []byte) (view []byte, at []int) {
	view, at = make([]byte, 0, len(s)), make([]int, 0, len(s)+1)
	for i := 0; i < len(s); {
		c, n := s[i], 1
		if c == '\\' {
			j := i
			for j < len(s) && s[j] == '\\' {
				j++
			}
			if j < len(s) && s[j] == '/' {
				c, n = '/', j+1-i
			} else if b, ok := unhex(s, j); ok {
				c, n = b, j+5-i
			}
		}
		view, at = append(view, c), append(at, i)
		i += n
	}
	return view, append(at, len(s))
}

// unhex reads u00XX at s[i] where it is a printable ASCII character.
func unhex(s []byte, i int) (byte, bool) {
	if i+5 > len(s) || string(s[i:i+3]) != "u00" || !is(s[i+3], hexByte) || !is(s[i+4], hexByte) {
		return 0, false
	}
	b := digit(s[i+3])<<4 | digit(s[i+4])
	return b, b >= ' ' && b < 0x7f
}

func digit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return lower(c) - 'a' + 10
}
