package redact

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
)

// span is a secret: s[start:end], found by the rule in slot.
type span struct{ start, end, slot int }

// window is how far a shape's expression looks: more than any token's length, and
// a bound for what a hostile text can make one literal cost.
const window = 4096

// mayHold reports whether s, text or JSON, may hold a secret. It looks at what no
// JSON encoding changes, so that a whole line is asked once before any of its
// strings is decoded.
func (r *Redactor) mayHold(s []byte) bool {
	return len(r.patterns) > 0 || r.anchors.scan(s, func(pos int, a *anchor) bool { return plausible(s, pos, a) })
}

// plausible is the cheap test at a literal, before any expression is compiled.
func plausible(s []byte, pos int, a *anchor) bool {
	ru := a.rule
	switch ru.kind {
	case escaped:
		return hidesLetter(s, pos)
	case userinfo:
		_, _, ok := password(s, pos)
		return ok
	case named:
		_, ok := nameEnd(s, pos, a.lit)
		return ok
	case assigned:
		_, ok := vendorValue(s, pos+len(a.lit))
		return ok
	case header:
		return len(s) > pos+len(a.lit)+4
	}
	if ru.run > 0 && tokenRun(s, pos, ru.run) < ru.run {
		return false
	}
	if ru.near != "" && !bytes.Contains(s[max(0, pos-600):pos], []byte(ru.near)) {
		return false
	}
	start := ru.begin(s, pos)
	return start >= 0 && (ru.glued || boundary(s, start))
}

// begin returns where a match of the rule begins whose literal is at s[pos], or a
// negative number.
func (ru *rule) begin(s []byte, pos int) int {
	if ru.back != wordStart {
		return pos - ru.back
	}
	start := pos
	for start > 0 && pos-start < window && (is(s[start-1], wordByte) || s[start-1] == '-') {
		start--
	}
	return start
}

// tokenRun counts token bytes from pos on, at most max. An escaped slash is one.
func tokenRun(s []byte, pos, max int) int {
	n := 0
	for i := pos; i < len(s) && n < max; i++ {
		if s[i] == '\\' {
			for i+1 < len(s) && s[i+1] == '\\' {
				i++
			}
			if i+1 < len(s) && s[i+1] == '/' {
				continue
			}
			break
		}
		if !is(s[i], tokenByte) {
			break
		}
		n++
	}
	return n
}

// find returns the secrets of a text, in order, none overlapping another.
func (r *Redactor) find(s []byte) []span {
	spans, hidden := r.findPlain(s)
	if hidden || bytes.Contains(s, []byte(`\/`)) {
		view, at := unescape(s)
		more, _ := r.findPlain(view)
		for _, p := range more {
			spans = append(spans, span{at[p.start], at[p.end], p.slot})
		}
	}
	return merge(spans)
}

// findPlain returns the secrets of s as it is, and whether s holds escapes that
// could hide others.
func (r *Redactor) findPlain(s []byte) (spans []span, hidden bool) {
	r.anchors.scan(s, func(pos int, a *anchor) bool {
		if !plausible(s, pos, a) {
			return false
		}
		if a.rule.kind == escaped {
			hidden = true
			return false
		}
		if found(spans, pos, int(a.slot)) {
			return false
		}
		start, end, ok := r.match(s, pos, a)
		if ok && start < end && !inBase64(s, start, a.rule) {
			spans = append(spans, span{start, end, int(a.slot)})
		}
		return false
	})
	return spans, hidden
}

// found reports whether pos lies in what the same rule found just before: without
// it "sk-sk-sk-…" would cost its length squared.
func found(spans []span, pos, slot int) bool {
	for i := len(spans) - 1; i >= 0 && i >= len(spans)-8; i-- {
		if spans[i].slot == slot && pos < spans[i].end && pos >= spans[i].start {
			return true
		}
	}
	return false
}

// match returns what the rule of a finds at its literal at pos.
func (r *Redactor) match(s []byte, pos int, a *anchor) (start, end int, ok bool) {
	switch a.rule.kind {
	case private:
		start, end, ok = privateBlock(s, pos)
	case pem:
		start, end, ok = keyBlock(s, pos)
	case userinfo:
		start, end, ok = password(s, pos)
	case header:
		start, end, ok = authorization(s, pos, a.lit)
	case named:
		start, end, ok = namedValue(s, pos, a.lit)
	case assigned:
		start, end, ok = r.assignedValue(s, pos, a)
	default:
		start, end, ok = r.matchShape(s, pos, a)
	}
	if !ok || a.rule.entropy > 0 && entropy(s[start:end]) < a.rule.entropy {
		return 0, 0, false
	}
	if _, digits, _ := count(s[start:end]); digits < a.rule.digits {
		return 0, 0, false
	}
	if a.rule.kind != private && a.rule.kind != pem && bytes.Contains(s[start:end], []byte(markOpen)) {
		return 0, 0, false
	}
	return start, end, true
}

func (r *Redactor) matchShape(s []byte, pos int, a *anchor) (start, end int, ok bool) {
	from := a.rule.begin(s, pos)
	text := s[from:min(len(s), pos+window)]
	loc := r.expr(int(a.slot)).FindSubmatchIndex(text)
	if loc == nil {
		return 0, 0, false
	}
	start, end = group(loc)
	return from + start, longer(s, from+end, text, from), true
}

// longer moves the end of a match that reached the end of its window to the end of
// the token.
func longer(s []byte, end int, text []byte, from int) int {
	if end == from+len(text) {
		end += runOf(s, end, len(s), tokenByte)
	}
	return end
}

// group returns the first group of a match that took part, else the whole match.
func group(loc []int) (start, end int) {
	for i := 2; i+1 < len(loc); i += 2 {
		if loc[i] >= 0 {
			return loc[i], loc[i+1]
		}
	}
	return loc[0], loc[1]
}

func (r *Redactor) expr(slot int) *regexp.Regexp {
	e := &r.exprs[slot]
	e.once.Do(func() {
		ru := r.rules[slot]
		expr := `^(?:` + ru.expr + `)`
		if ru.fold {
			expr = `(?i)` + expr
		}
		e.re = regexp.MustCompile(expr)
		if ru.kind == assigned { // a vendor's shapes differ in length: the whole value counts
			e.re.Longest()
		}
	})
	return e.re
}

// merge sorts spans and joins those that overlap, under the name of the rule that
// comes first in the tables.
func merge(spans []span) []span {
	if len(spans) < 2 {
		return spans
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	out := spans[:1]
	for _, p := range spans[1:] {
		last := &out[len(out)-1]
		if p.start >= last.end {
			out = append(out, p)
			continue
		}
		last.end = max(last.end, p.end)
		last.slot = min(last.slot, p.slot)
	}
	return out
}

// inBase64 reports whether s[start] is amid base64, whose bytes can spell anything:
// the body of a data: URL, or a run that began long before.
func inBase64(s []byte, start int, ru *rule) bool {
	if ru.kind != shape {
		return false
	}
	i := start
	var upper, small, digits int
	for i > 0 && base64Byte(s[i-1]) && s[i-1] != '=' {
		i--
		switch c := s[i]; {
		case is(c, digitByte):
			digits++
		case c >= 'a':
			small++
		case c >= 'A':
			upper++
		}
	}
	return start-i >= 30 && min(upper, small, digits) >= 3 || bytes.HasSuffix(s[:i], []byte(";base64,"))
}
