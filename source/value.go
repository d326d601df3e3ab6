package source

// valueScan follows one JSON object or array from its first byte on, over as many lines as it
// takes, and tells where it ends, or that it is no JSON any more. It sees how the parts of a
// value stand to each other; what a number or an escape may be is for who decodes it. It goes on
// with what is written later, so that a value that grows is looked at once.
type valueScan struct {
	open     []byte // the brackets that are not closed yet
	last     byte   // of the value so far, without blanks; 'x' of a number or word
	inString bool
	escaped  bool
	split    bool // a blank came behind last
}

// verdict is what valueScan makes of a byte.
type verdict byte

const (
	goesOn verdict = iota
	ends           // the value is complete with this byte
	breaks         // no value goes on so
)

// maxDepth is how deep values may be in each other: as in encoding/json.
const maxDepth = 10_000

func (v *valueScan) next(c byte) verdict {
	switch {
	case v.escaped:
		v.escaped = false
		return goesOn
	case v.inString:
		return v.text(c)
	}
	switch c {
	case ' ', '\t', '\r', '\n':
		v.split = true
		return goesOn
	case '"':
		if v.valueEnded() {
			return breaks
		}
		v.inString = true
		return goesOn
	case '{', '[':
		if !v.mayBegin() || len(v.open) == maxDepth {
			return breaks
		}
		v.open = append(v.open, c)
	case '}', ']':
		if c-v.top() != 2 || v.last == ',' || v.last == ':' { // in ASCII each is two behind the one that it closes
			return breaks
		}
		if v.open = v.open[:len(v.open)-1]; len(v.open) == 0 {
			v.last = c
			return ends
		}
	case ',':
		if !v.valueEnded() {
			return breaks
		}
	case ':':
		if v.last != '"' || v.top() != '{' {
			return breaks
		}
	default:
		return v.word(c)
	}
	v.last, v.split = c, false
	return goesOn
}

// text is a byte of a string, which has no newline in it.
func (v *valueScan) text(c byte) verdict {
	switch c {
	case '\\':
		v.escaped = true
	case '"':
		v.inString, v.last, v.split = false, '"', false
	case '\n':
		return breaks
	}
	return goesOn
}

// word is a byte of a number, or of true, false or null.
func (v *valueScan) word(c byte) verdict {
	ok := v.last == 'x' && !v.split || v.mayBegin() && len(v.open) > 0
	if !ok || (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' {
		return breaks
	}
	v.last, v.split = 'x', false
	return goesOn
}

func (v *valueScan) top() byte {
	if len(v.open) == 0 {
		return 0
	}
	return v.open[len(v.open)-1]
}

// valueEnded reports whether a value is complete in front of what comes.
func (v *valueScan) valueEnded() bool {
	return v.last == '"' || v.last == '}' || v.last == ']' || v.last == 'x'
}

// mayBegin reports whether a value that is no text, and so no name, may begin here.
func (v *valueScan) mayBegin() bool {
	switch v.last {
	case 0, ':', '[':
		return true
	case ',':
		return v.top() == '['
	}
	return false
}
