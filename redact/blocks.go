package redact

import "bytes"

// privateBlock returns the <private> block that opens at s[pos]: to its end tag,
// or to the end of the string where the tag is missing.
func privateBlock(s []byte, pos int) (start, end int, ok bool) {
	const open, shut = len("<private>"), "</private>"
	for i := pos + open; i+len(shut) <= len(s); i++ {
		if s[i] == '<' && bytes.EqualFold(s[i:i+len(shut)], []byte(shut)) {
			return pos, i + len(shut), true
		}
	}
	return pos, len(s), true
}

// maxKeyBlock bounds a private key block; a 16,384-bit RSA key takes 13 kB.
const maxKeyBlock = 32 << 10

// keyBlock returns the private key block whose "-----BEGIN" is at s[pos]. What is
// inside may be escaped, indented or numbered by line (as a Read tool prints it);
// a block without an end goes as far as base64 does.
func keyBlock(s []byte, pos int) (start, end int, ok bool) {
	head := bytes.ToUpper(s[pos:min(len(s), pos+130)])
	i := bytes.Index(head, []byte("PRIVATE KEY"))
	if i < 0 {
		return 0, 0, false
	}
	dashes := bytes.Index(head[i:], []byte("-----"))
	if dashes < 0 || bytes.Contains(head[10:i], []byte("-----")) {
		return 0, 0, false
	}
	body := pos + i + dashes + 5
	rest := s[body:min(len(s), body+maxKeyBlock)]
	if e := bytes.Index(rest, []byte("-----END")); e >= 0 && longestBase64(rest[:e]) >= 40 {
		end = body + e
		if shut := bytes.Index(s[end+5:min(len(s), end+100)], []byte("-----")); shut >= 0 {
			end += 5 + shut + 5
		}
		return pos, end, true
	}
	n := base64Lines(rest)
	return pos, body + n, longestBase64(rest[:n]) >= 40
}

func base64Byte(c byte) bool {
	return is(c, wordByte) && c != '_' || c == '+' || c == '/' || c == '='
}

// longestBase64 returns the length of the longest run of base64 in b. An escaped
// slash belongs to it.
func longestBase64(b []byte) int {
	best, n := 0, 0
	for i, c := range b {
		if base64Byte(c) || c == '\\' && i+1 < len(b) && b[i+1] == '/' {
			n++
			best = max(best, n)
			continue
		}
		n = 0
	}
	return best
}

// base64Lines returns how far b goes on with base64, blanks, line breaks (escaped
// or not) and the line numbers of a Read tool.
func base64Lines(b []byte) int {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case base64Byte(c), c == ' ', c == '\n', c == '\r', c == '\t', c == '\\':
			i++
		case bytes.HasPrefix(b[i:], []byte("→")):
			i += len("→")
		default:
			return i
		}
	}
	return len(b)
}

// password returns the password of the URL whose "://" is at s[pos].
func password(s []byte, pos int) (start, end int, ok bool) {
	i := pos + 3
	for n := 0; ; n++ {
		if i >= len(s) || n > 128 || endsUser(s[i]) {
			return 0, 0, false
		}
		if s[i] == ':' {
			break
		}
		i++
	}
	start = i + 1
	at := -1
	for i = start; i < len(s) && i-start < 512 && !endsUser(s[i]); i++ {
		if s[i] == '@' {
			at = i
		}
	}
	if at < start+3 || at+1 >= len(s) || !is(s[at+1], wordByte) && s[at+1] != '[' && s[at+1] != '$' && s[at+1] != '{' {
		return 0, 0, false
	}
	v := s[start:at]
	if v[0] == '$' || v[0] == '<' || v[0] == '{' || v[0] == '%' && !is(v[1], hexByte) || placeholder(v) {
		return 0, 0, false
	}
	return start, at, true
}

func endsUser(c byte) bool {
	switch c {
	case '/', '"', '\'', '`', '<', '>', '\\', '?', '#', '(', ')', ',', ';':
		return true
	}
	return c <= ' '
}

// authorization returns the credential behind an Authorization header or a scheme
// whose literal is at s[pos].
func authorization(s []byte, pos int, lit string) (start, end int, ok bool) {
	i := pos + len(lit)
	if lit == "authorization" {
		name := nameStart(s, pos)
		a, ok := readAssignment(s, name, i, false)
		if !ok || !bytes.ContainsAny(s[i:min(len(s), i+8)], ":=,>") {
			return 0, 0, false
		}
		i = a.start
		if n := scheme(s, i); n > 2 && i+n < len(s) && s[i+n] == ' ' {
			i += n + 1
		}
		return credential(s, i, 8)
	}
	if !boundary(s, pos) {
		return 0, 0, false
	}
	i += runOf(s, i, 8, spaceByte)
	if lit == "basic " {
		start, end, ok = credential(s, i, 8)
		return start, end, ok && isBasic(s[start:end])
	}
	return credential(s, i, 16)
}

// credential returns the token at s[i] if it has min bytes and looks like one.
func credential(s []byte, i, min int) (start, end int, ok bool) {
	n := runOf(s, i, 2*window, tokenByte)
	v := trimSentence(s[i : i+n])
	if len(v) < min || bytes.HasPrefix(v, []byte("0x")) || placeholder(v) || isPath(v) {
		return 0, 0, false
	}
	_, digits, _ := count(v)
	return i, i + len(v), digits > 0 && !wordy(v) || isBasic(v)
}

// scheme returns the length of an authentication scheme's name at s[i].
func scheme(s []byte, i int) int {
	n := 0
	for i+n < len(s) && n < 24 && (is(s[i+n], wordByte) || s[i+n] == '-') {
		n++
	}
	return n
}
