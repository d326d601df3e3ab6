package redact

import (
	"bytes"
	"encoding/base64"
)

// nameClass says what a name promises about its value.
type nameClass uint8

const (
	noName       nameClass = iota
	passwordName           // chosen by people: any shape
	tokenName              // made by machines: letters and digits
	weakName               // FOO_KEY: a credential only where the value looks like nothing else
	authName               // Authorization: a scheme and a credential
)

// nameKind judges a name, in any of the usual spellings: dbPassword, DB_PASSWORD,
// x-api-key. Only what a name ends with counts: a password_hash is no password,
// and max_tokens no token.
func nameKind(name []byte) nameClass {
	var buf [96]byte
	n := 0
	for _, c := range name {
		if is(c, wordByte) && c != '_' && n < len(buf) {
			buf[n] = lower(c)
			n++
		}
	}
	b := trimSuffixes(buf[:n])
	if len(b) == 0 {
		return noName
	}
	// Of what is asked for below, few end in an s, and none in another letter than these.
	switch b[len(b)-1] {
	case 'd', 'e', 'h', 'l', 'n', 't', 'y':
	case 's':
		if !hasSuffix(b, "pass", "credentials") { // "input_tokens" is in every answer of a model
			return noName
		}
	default:
		return noName
	}
	switch {
	case hasSuffix(b, "password", "passwd", "passphrase", "passwort", "pwd"):
		return passwordName
	case hasSuffix(b, "pass"):
		return passClass(name, b)
	case hasSuffix(b, "authorization"):
		return authName
	case hasSuffix(b, "token"):
		if hasSuffix(b, "nexttoken", "pagetoken", "continuationtoken", "cursortoken", "synctoken", "canceltoken", "cancellationtoken",
			"eostoken", "bostoken", "padtoken", "unktoken", "septoken", "clstoken", "masktoken", "stoptoken", "pertoken", "maxtoken") {
			return noName
		}
		return tokenName
	case hasSuffix(b, "secret", "apikey", "credential", "credentials", "accesskey", "secretkey", "privatekey", "authkey", "signingkey",
		"encryptionkey", "masterkey", "accountkey", "sharedkey", "servicekey", "serverkey", "adminkey", "licensekey", "deploykey",
		"storagekey", "webhookkey", "appkey", "applicationkey", "subscriptionkey", "integrationkey", "ingestkey", "writekey",
		"hmackey", "jwtkey", "clientkey", "rootkey", "userkey", "securitykey", "consumerkey", "insertkey", "licencekey", "auth"):
		return tokenName
	case hasSuffix(b, "key") && len(name) > 3 && !hasLower(name) && bytes.ContainsAny(name, "_-"):
		return weakName
	}
	return noName
}

// trimSuffixes takes off what people put behind the name of a credential.
func trimSuffixes(b []byte) []byte {
	for len(b) > 0 && is(b[len(b)-1], digitByte) {
		b = b[:len(b)-1]
	}
	for _, s := range []string{"value", "prod", "production", "dev", "staging", "live", "base", "default", "old", "new", "primary", "secondary"} {
		if hasSuffix(b, s) && len(b)-len(s) >= 4 {
			return b[:len(b)-len(s)]
		}
	}
	return b
}

func hasSuffix(b []byte, suffixes ...string) bool {
	for _, s := range suffixes {
		if len(b) >= len(s) && b[len(b)-1] == s[len(s)-1] && string(b[len(b)-len(s):]) == s {
			return true
		}
	}
	return false
}

// passClass tells smtp_pass and dbPass from bypass and compass.
func passClass(name, b []byte) nameClass {
	if len(b) == 4 || hasSuffix(b, "dbpass", "sshpass", "smtppass", "userpass", "mailpass", "ftppass", "rootpass", "adminpass", "redispass", "mysqlpass", "pgpass") {
		return passwordName
	}
	i := bytes.LastIndexAny(name, "pP")
	if i > 0 && (name[i-1] == '_' || name[i-1] == '-' || name[i] == 'P' && hasLower(name[i-1:i])) {
		return passwordName
	}
	return noName
}

// credible reports whether v, given to a name of class k, looks like a credential
// and not like a placeholder, a type, a path or (strict: v stands bare where a
// program would write an expression) a variable.
func credible(k nameClass, v []byte, strict bool) bool {
	if k == authName {
		v = afterScheme(v)
	}
	if len(v) < 4 || bytes.IndexByte([]byte(`+,)\\`), v[0]) >= 0 || bytes.ContainsAny(v, " \t\r\n") || bytes.Contains(v, []byte(markOpen)) || placeholder(v) || isPath(v) {
		return false
	}
	letters, digits, symbols := count(v)
	if strict && (identifier(v) && mentionsSecret(v) || symbols > 0 && dotted(v)) {
		return false
	}
	switch k {
	case passwordName:
		if strict {
			return len(v) >= 6 && digits > 0 && letters > 0 && !wordDigits(v)
		}
		return len(v) >= 6 && (digits > 0 || symbols > 0) && !identifierWords(v) || jumbled(v)
	case authName:
		return len(v) >= 8 && (digits > 0 || len(v) >= 24)
	}
	if letters == 0 || digits == 0 || wordy(v) {
		return len(v) >= 8 && isBasic(v) || len(v) >= 16 && jumbled(v)
	}
	e := entropy(v)
	switch {
	case k == weakName:
		return len(v) >= 20 && digits >= 3 && e >= 3.5 && !isHex(v)
	case strict:
		return len(v) >= 16 && digits >= 2 && e >= 3
	}
	return len(v) >= 8 && e >= 2.5
}

// isNumber reports whether a bare value is a constant: 0xc0506617, -1.5e+01.
func isNumber(v []byte) bool {
	v = bytes.TrimLeft(v, "-")
	if hex, ok := bytes.CutPrefix(v, []byte("0x")); ok {
		return len(hex) <= 16 && isHex(hex)
	}
	return bytes.IndexByte(v, '.') >= 0 && len(bytes.Trim(v, "0123456789.e+-")) == 0
}

// isVariable reports whether a bare value is the name of what holds a secret:
// cfg.password, or, with blanks around its operator, testPrivateKey2.
func isVariable(v []byte, tight bool) bool {
	if len(v) == 0 || !mentionsSecret(v) {
		return false
	}
	return dotted(v) || !tight && identifier(v)
}

func memberSecret(name, value []byte) bool { return credible(nameKind(name), value, false) }

func count(v []byte) (letters, digits, symbols int) {
	for _, c := range v {
		switch {
		case is(c, digitByte):
			digits++
		case is(c, wordByte) && c != '_':
			letters++
		default:
			symbols++
		}
	}
	return letters, digits, symbols
}

func afterScheme(v []byte) []byte {
	if i := bytes.IndexByte(v, ' '); i > 0 && i < 20 {
		return bytes.TrimLeft(v[i:], " ")
	}
	return v
}

// isBasic reports whether v is the base64 of user:password.
func isBasic(v []byte) bool {
	v = bytes.TrimRight(v, "=")
	b := make([]byte, base64.RawStdEncoding.DecodedLen(len(v)))
	n, err := base64.RawStdEncoding.Decode(b, v)
	if err != nil || bytes.IndexByte(b[:n], ':') < 1 {
		return false
	}
	for _, c := range b[:n] {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func isHex(v []byte) bool {
	for _, c := range v {
		if !is(c, hexByte) && c != '-' {
			return false
		}
	}
	return true
}

// identifier reports whether v could be a name in a program.
func identifier(v []byte) bool {
	for _, c := range v {
		if !is(c, wordByte) {
			return false
		}
	}
	return !is(v[0], digitByte)
}

// mentionsSecret reports whether an identifier speaks of a secret, as variables
// that hold one do.
func mentionsSecret(v []byte) bool {
	l := bytes.ToLower(v)
	for _, w := range []string{"passw", "pwd", "token", "secret", "key", "cred", "auth", "pass"} {
		if bytes.Contains(l, []byte(w)) {
			return true
		}
	}
	return false
}

// identifierWords reports whether v is one or more words joined by _, without a
// digit among the letters: new_password, PASSWORD_FIELD.
func identifierWords(v []byte) bool {
	for _, c := range v {
		if is(c, digitByte) || !is(c, wordByte) {
			return false
		}
	}
	return true
}

// jumbled reports whether v, of letters alone, has its capitals where no camelCase
// has them: close together, and small letters between.
func jumbled(v []byte) bool {
	upper, turns := 0, 0
	for i, c := range v {
		if c >= 'A' && c <= 'Z' {
			upper++
		}
		if i > 0 && hasLower(v[i-1:i]) != hasLower(v[i:i+1]) {
			turns++
		}
	}
	return len(v) >= 8 && upper >= 3 && turns >= 4 && len(v) < 3*upper && identifierWords(v) && bytes.IndexByte(v, '_') < 0
}

// wordDigits reports whether v is a word with a number behind it, as variables and
// types are: user1, sha256. A password can be one; bare, in code, it is not told.
func wordDigits(v []byte) bool {
	i := len(v)
	for i > 0 && is(v[i-1], digitByte) {
		i--
	}
	return identifier(v) && identifierWords(v[:i])
}

// dotted reports whether v is names joined by dots: settings.API_KEY_V2.
func dotted(v []byte) bool {
	parts := bytes.Split(v, []byte("."))
	for _, p := range parts {
		if len(p) == 0 || len(p) > 30 || !identifier(p) {
			return false
		}
	}
	return len(parts) > 1
}

// wordy reports whether v is words, numbers and versions joined by punctuation, as
// names of things are: my-app-secret-v1, next/page.
func wordy(v []byte) bool {
	part, digits := 0, 0
	for i := 0; i <= len(v); i++ {
		if i == len(v) || !is(v[i], wordByte) || v[i] == '_' {
			if digits > 4 {
				return false
			}
			part, digits = 0, 0
			continue
		}
		if is(v[i], digitByte) {
			digits++
		} else if digits > 0 && part > digits {
			return false // a digit amid letters
		}
		part++
	}
	return true
}

// isPath reports whether v is a file path or a URL, which names a secret at most.
func isPath(v []byte) bool {
	switch {
	case bytes.HasPrefix(v, []byte("./")), bytes.HasPrefix(v, []byte("../")), bytes.HasPrefix(v, []byte("~/")), bytes.Contains(v, []byte("://")):
		return true
	case len(v) > 2 && v[1] == ':' && (v[2] == '\\' || v[2] == '/'):
		return true
	case v[0] == '/':
		return len(v) < 40 || bytes.ContainsAny(v, "._-") || wordy(v)
	}
	return false
}
