package redact

import "bytes"

// placeholder reports whether v stands for a value instead of being one: a
// variable, a template, a type, asterisks, or words that documentation uses.
func placeholder(v []byte) bool {
	switch v[0] {
	case '$', '<', '{', '[', '*', '%', '!', '(':
		if v[0] != '$' && v[0] != '*' && v[0] != '!' && v[0] != '%' || variable(v) {
			return true
		}
	}
	l := bytes.ToLower(v[:min(len(v), 128)])
	if placeholderWord(string(bytes.Trim(l, "_-. "))) || distinct(v) <= 2 {
		return true
	}
	for _, p := range []string{
		"your", "my-", "my_", "xxx", "env.", "process.env", "os.environ", "os.getenv", "secrets.", "vars.", "var.", "config.", "settings.",
		"self.", "this.", "args.", "op://", "vault:", "ref+", "arn:", "projects/", "file:", "enc[", "sha256-", "sha384-", "sha512-",
		"test-", "test_", "fake-", "fake_", "dummy-", "dummy_", "mock-", "mock_", "some-", "some_", "insert",
	} {
		if bytes.HasPrefix(l, []byte(p)) && len(v) < 64 {
			return true
		}
	}
	for _, p := range []string{"example", "placeholder", "changeme", "change-me", "change_me", "change_this", "replace", "xxxx", "****", "....", "redacted", "-here", "_here", "${", "{{"} {
		if bytes.Contains(l, []byte(p)) {
			return true
		}
	}
	return typeName(l)
}

// variable reports whether v, which begins with a sigil, is a reference, a mask or
// a format: $NAME, %NAME%, ****, !vault. A password may begin like that and go on
// otherwise.
func variable(v []byte) bool {
	for _, c := range v[1:] {
		if !is(c, wordByte) && !bytes.ContainsRune([]byte("$*%!{}().:[]-"), rune(c)) {
			return false
		}
	}
	_, digits, _ := count(v)
	return digits <= 1 || v[0] == '$' && !is(v[1], digitByte)
}

func placeholderWord(s string) bool {
	switch s {
	case "", "true", "false", "null", "none", "nil", "undefined", "string", "str", "text", "number", "bytes", "object", "any", "required", "optional",
		"hidden", "masked", "secret", "password", "passwd", "pass", "pwd", "passphrase", "token", "key", "apikey", "api-key", "api_key", "test",
		"testing", "sample", "todo", "tbd", "n/a", "foo", "bar", "baz", "foobar", "dummy", "fake", "mock", "default", "empty", "unset", "value",
		"admin", "root", "user", "username", "bearer", "basic", "mypassword", "mysecret", "mytoken", "password1", "pass123", "...":
		return true
	}
	return false
}

// typeName reports whether l is the name of a type or algorithm: words with
// digits that stand where a value would.
func typeName(l []byte) bool {
	for _, p := range []string{"uint", "int", "float", "sha", "md", "utf", "base", "varchar", "aes", "hs", "rs", "es", "ed", "u", "i", "f"} {
		if rest, ok := bytes.CutPrefix(l, []byte(p)); ok && len(rest) > 0 && len(rest) <= 5 && runOf(rest, 0, 5, digitByte) == len(rest) {
			return true
		}
	}
	return false
}

func distinct(v []byte) int {
	var seen [256]bool
	n := 0
	for _, c := range v {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

// namesHash reports whether a name speaks of a hash or an id: what is assigned to
// it may have the shape of a vendor's key.
func namesHash(name []byte) bool {
	start := 0
	for i := 0; i <= len(name); i++ {
		inWord := i < len(name) && is(name[i], wordByte) && name[i] != '_'
		camel := inWord && i > start && name[i] <= 'Z' && name[i] >= 'A' && name[i-1] >= 'a'
		if inWord && !camel {
			continue
		}
		switch string(bytes.ToLower(name[start:i])) {
		case "sha", "sha1", "sha256", "md5", "hash", "commit", "digest", "checksum", "revision", "rev", "release", "version", "integrity",
			"etag", "trace", "span", "image", "event", "issue", "build", "run", "session", "uuid", "guid", "fingerprint", "ref", "head":
			return true
		}
		start = i
		if !camel {
			start = i + 1
		}
	}
	return false
}
