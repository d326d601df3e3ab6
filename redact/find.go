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
	return r.anchors.scan(s, func(pos int, a *anchor) bool { return plausible(s, pos, a) })
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
	if !ru.glued && ru.back == 0 && !boundary(s, pos) {
		return false
	}
	return ru.run == 0 || tokenRun(s, pos, ru.run) >= ru.run
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
	if a.rule.kind != private && a.rule.kind != pem && bytes.Contains(s[start:end], []byte(markOpen)) {
		return 0, 0, false
	}
	return start, end, true
}

func (r *Redactor) matchShape(s []byte, pos int, a *anchor) (start, end int, ok bool) {
	re := r.expr(int(a.slot))
	from := max(0, pos-a.rule.back)
	text := s[from:min(len(s), pos+window)]
	for at := 0; at < len(text); {
		loc := re.FindSubmatchIndex(text[at:])
		if loc == nil || from+at+loc[0] > pos {
			return 0, 0, false
		}
		if from+at+loc[1] > pos {
			start, end = group(loc)
			return from + at + start, longer(s, from+at+end, text, from), true
		}
		if a.rule.back == 0 {
			return 0, 0, false
		}
		at += max(loc[1], 1)
	}
	return 0, 0, false
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
		expr := ru.expr
		if ru.back == 0 {
			expr = `^(?:` + expr + `)`
		}
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

// inBase64 reports whether s[start] is inside the body of a data: URL, whose bytes
// can spell anything.
func inBase64(s []byte, start int, ru *rule) bool {
	if ru.kind != shape {
		return false
	}
	i := start
	for i > 0 && (is(s[i-1], wordByte) && s[i-1] != '_' || s[i-1] == '+' || s[i-1] == '/') {
		i--
	}
	return bytes.HasSuffix(s[:i], []byte(";base64,"))
}
