package redact

// ruleNamed is the rule of values that only their name gives away.
const ruleNamed = "secret"

// assignment is where a value that was given to a name stands.
type assignment struct {
	start   int  // of the value, behind its quote
	quote   byte // 0 where there is none
	slashes int  // backslashes before the quote: the depth of nested JSON
	op      byte // = : , > or a blank (a command line's --name value)
	tight   bool // no blank on either side of the operator
	nameEnd int
}

// readAssignment reads what follows a name that ends at s[end]: the quote that
// closes the name, an operator in one of the ways that shells, JSON, YAML, INI,
// XML and programming languages write it, and the quote that opens the value.
// It gives the same answer before and after a JSON string is decoded.
func readAssignment(s []byte, start, end int, loose bool) (a assignment, ok bool) {
	i, quoted := skipQuotes(s, end)
	named := i
	i = skipBlanks(s, i)
	blank := i - named
	if i >= len(s) {
		return a, false
	}
	opAt := i
	a.nameEnd = end
	switch c := s[i]; {
	case c == ':' || c == '=' || c == '?' || c == '|' || c == '-' || c == '+' || c == '!':
		a.op, i = operator(s, i)
	case c == ',' && (quoted || loose):
		a.op, i = ',', i+1
	case c == '>' && (loose || start > 0 && s[start-1] == '<'):
		a.op, i = '>', i+1
	case blank > 0 && isFlag(s, start):
		a.op, opAt = ' ', i
	case blank > 0 && quoted && hasValueAttr(s, i):
		a.op, i = '=', i+len(`value=`)
	case blank > 0:
		a.op, i = declared(s, i)
	}
	if a.op == 0 {
		return a, false
	}
	valueAt := skipBlanks(s, i)
	after := valueAt - i
	i = valueAt
	if a.op == ':' && !quoted {
		if op, j := declared(s, i); op != 0 { // password: str = "…"
			i = skipBlanks(s, j)
		}
	}
	a.tight = blank == 0 && after == 0 && opAt == end
	a.start, a.quote, a.slashes = openQuote(s, i)
	return a, a.start < len(s)
}

// operator reads = == => := :: ::: ||: ?= += -> != and their like at s[i].
func operator(s []byte, i int) (op byte, end int) {
	end = i
	for end < len(s) && end-i < 4 {
		switch c := s[end]; c {
		case '=', ':':
			op = c
		case '>':
			if end == i || s[end-1] != '=' && s[end-1] != '-' {
				return op, end
			}
			op = '='
		case '|', '?', '+', '-', '!':
			if op != 0 {
				return op, end
			}
		default:
			return op, end
		}
		end++
	}
	return op, end
}

// declared reads the type between a name and the = of its value (`string =`,
// `Optional[str] =`), at most 40 bytes.
func declared(s []byte, i int) (op byte, end int) {
	blank := false
	for j := i; j < len(s) && j-i < 40; {
		if n := blankAt(s, j); n > 0 {
			j, blank = j+n, true
			continue
		}
		switch c := s[j]; {
		case c == '=' && blank, c == ':' && blank && j+1 < len(s) && s[j+1] == '=':
			return operator(s, j)
		case is(c, wordByte), c == '.', c == '[', c == ']', c == '*', c == '&', c == '?', c == '|', c == '<', c == '>':
		default:
			return 0, i
		}
		j, blank = j+1, false
	}
	return 0, i
}

func hasValueAttr(s []byte, i int) bool {
	return i+6 < len(s) && (string(s[i:i+6]) == "value=" || string(s[i:i+6]) == "Value=")
}

// isFlag reports whether the name at s[start] is an option: --name.
func isFlag(s []byte, start int) bool {
	return start+1 < len(s) && s[start] == '-' && s[start+1] == '-' || start > 1 && s[start-1] == '-' && s[start-2] == '-'
}

// nameStart returns where the name around s[pos] begins.
func nameStart(s []byte, pos int) int {
	i := pos
	for i > 0 && pos-i < 64 && (is(s[i-1], wordByte) || s[i-1] == '-' || s[i-1] == '.') {
		if i > 1 && s[i-2] == '\\' && isEscapeLetter(s[i-1]) {
			break
		}
		i--
	}
	return i
}

func isEscapeLetter(c byte) bool {
	return c == 'n' || c == 't' || c == 'r' || c == 'b' || c == 'f'
}

// nameEnd returns where the name that holds lit at s[pos] ends, if it is the name
// of a credential and something is assigned to it.
func nameEnd(s []byte, pos int, lit string) (end int, ok bool) {
	end = pos + len(lit)
	for n := 0; end < len(s) && n < 24 && (is(s[end], wordByte) || s[end] == '-' && end+1 < len(s) && is(s[end+1], wordByte)); n++ {
		end++
	}
	if end < len(s) && is(s[end], wordByte) || end+1 < len(s) && s[end] == '.' && is(s[end+1], wordByte) {
		return 0, false
	}
	start := nameStart(s, pos)
	if nameKind(s[start:end]) == noName {
		return 0, false
	}
	a, ok := readAssignment(s, start, end, false)
	return end, ok && (a.quote != 0 || a.start+4 <= len(s) && (!endsBare(s[a.start+3]) || s[a.start+3] == '\\'))
}

// namedValue returns the credential that is assigned to the name around s[pos].
func namedValue(s []byte, pos int, lit string) (start, end int, ok bool) {
	nEnd, ok := nameEnd(s, pos, lit)
	if !ok {
		return 0, 0, false
	}
	nStart := nameStart(s, pos)
	name := s[nStart:nEnd]
	a, _ := readAssignment(s, nStart, nEnd, false)
	end = a.valueEnd(s)
	value := s[a.start:end]
	kind := nameKind(name)
	if a.op == ',' && kind != noName {
		kind = tokenName // one of a list, more often than not: "user", "password", "host"
	}
	if a.quote != 0 {
		closed := end == len(s) || s[end] != '\n' && s[end] != '\r' // else the quote closed "PWD=" + dir
		return a.start, end, closed && credible(kind, value, false)
	}
	if len(name) == len("pass") && !(a.op == '=' && a.tight) {
		return 0, 0, false // --- PASS: TestSomething/1
	}
	if end < len(s) && (s[end] == '(' || s[end] == '[' || s[end] == '{') {
		return 0, 0, false // a call, an index
	}
	value = trimSentence(value)
	if isNumber(value) || isVariable(value, a.tight) {
		return 0, 0, false
	}
	return a.start, a.start + len(value), credible(kind, value, !a.isSetting(s, nStart, name))
}

// trimSentence takes the full stop or colon off a value at the end of a sentence.
func trimSentence(v []byte) []byte {
	for len(v) > 0 && (v[len(v)-1] == '.' || v[len(v)-1] == ':') {
		v = v[:len(v)-1]
	}
	return v
}

// isSetting reports whether a bare value is written where only literals are
// (environment, .env, query string, YAML), and not where a program would name a
// variable.
func (a assignment) isSetting(s []byte, start int, name []byte) bool {
	if a.op == ' ' || isFlag(s, start) {
		return true
	}
	for start > 0 && s[start-1] == '-' {
		start--
	}
	lineStart := start
	for lineStart > 0 && (is(s[lineStart-1], spaceByte) || s[lineStart-1] == '-') {
		lineStart--
	}
	first := lineStart == 0 || s[lineStart-1] == '\n' || lineStart > 1 && s[lineStart-2] == '\\' && s[lineStart-1] == 'n'
	quoted := start > 0 && (s[start-1] == '"' || s[start-1] == '\'') // -H "X-Api-Key: …"
	if a.op == ':' {
		return (first || quoted) && !a.tight
	}
	if !a.tight {
		return first && !hasLower(name)
	}
	if first || !hasLower(name) {
		return true
	}
	switch s[start-1] {
	case '?', '&', ';', '"', '\'', '`':
		return true
	}
	return false
}

func hasLower(b []byte) bool {
	for _, c := range b {
		if 'a' <= c && c <= 'z' {
			return true
		}
	}
	return false
}

// vendorValue returns where the value stands that is assigned to a name in which
// a vendor's name ends at s[end].
func vendorValue(s []byte, end int) (a assignment, ok bool) {
	start := end
	for end < len(s) && end-start < 32 {
		n := blankAt(s, end)
		if n == 0 && (is(s[end], wordByte) || s[end] == '.' || s[end] == '-') {
			n = 1
		}
		if n == 0 {
			break
		}
		end += n
	}
	for end > start && is(s[end-1], spaceByte) {
		end--
	}
	a, ok = readAssignment(s, start, end, true)
	return a, ok && tokenRun(s, a.start, 12) >= 12
}

// assignedValue returns the value of the shape that a vendor's credentials have.
func (r *Redactor) assignedValue(s []byte, pos int, a *anchor) (start, end int, ok bool) {
	v, ok := vendorValue(s, pos+len(a.lit))
	if !ok {
		return 0, 0, false
	}
	name := s[nameStart(s, pos):v.nameEnd]
	isNamed := nameKind(name) != noName
	if !isNamed && namesHash(name) {
		return 0, 0, false
	}
	loc := r.expr(int(a.slot)).FindSubmatchIndex(s[v.start:min(len(s), v.start+window)])
	if loc == nil {
		return 0, 0, false
	}
	start, end = group(loc)
	start, end = v.start+start, v.start+end
	if end < len(s) && (is(s[end], wordByte) || s[end] == '-') {
		return 0, 0, false // a longer value, of another shape
	}
	value := s[start:end]
	if _, digits, _ := count(value); digits == 0 && len(value) < 26 && !jumbled(value) {
		return start, end, isNamed // linkedin: somecompanyname
	}
	return start, end, true
}
