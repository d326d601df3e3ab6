package redact

import (
	"bytes"
	"slices"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// leastWhole is how long an input or a result may be at least, in bytes, however short its
// strings are cut: one of many values that is kept as a text says no more whose call it is.
const leastWhole = 64 << 10

// current returns the Redactor of the policy in force, which is r itself where nobody set
// one. It shares the rules with r.
func (r *Redactor) current() *Redactor {
	if r.options.Policy == nil {
		return r
	}
	p := r.options.Policy()
	if p == nil {
		return r
	}
	now := r.inForce.Load()
	if now != nil && now.keeper.Policy() == p {
		return now
	}
	of := &Redactor{
		max: r.max, anchors: r.anchors, rules: r.rules, exprs: r.exprs,
		patterns: p.Patterns(), keeper: policy.NewKeeper(p, r.options.Key, r.options.Project),
	}
	// A gist is shorter than any cut, and a size is that of the whole text.
	if n := p.Rules().MaxChars; n > 0 && p.Rules().Content != policy.Gist && p.Rules().Content != policy.None {
		of.max = min(n, of.max)
	}
	of.whole = min(max(maxStrings*of.max, leastWhole), r.whole)
	if !r.inForce.CompareAndSwap(now, of) { // another goroutine was first: what it learns of calls is one
		return r.current()
	}
	return of
}

// name is what stands in the mark of what a rule, or one of the user's patterns, found.
func (r *Redactor) name(slot int) string {
	if slot < len(r.rules) {
		return r.rules[slot].id
	}
	return r.patterns[slot-len(r.rules)].Name
}

// content is the value of an event's text. A short cut must not take away the tags by
// which the fold knows a slash command.
func (r *Redactor) content(e *schema.Event, f *findings) string {
	if r.keeper == nil {
		return r.value(e.Content, f)
	}
	redacted := *e
	redacted.Content = r.plain(e.Content, f)
	return policy.Cut(&redacted, func(s string) string { return r.cut(s, f) })
}

// custom takes out what the user's patterns find, between the marks of what was taken
// out: a pattern that fits a mark would find it again and again.
func (r *Redactor) custom(s []byte, f *findings) []byte {
	for i, p := range r.patterns {
		var out []byte
		for len(s) > 0 {
			begin, end := r.nextMark(s)
			out = append(out, r.apply(s[:begin], matches(p, s[:begin], len(r.rules)+i), f)...)
			out = append(out, s[begin:end]...)
			s = s[end:]
		}
		s = out
	}
	return s
}

// nextMark returns where the first mark of a rule or pattern is in s, its end where there
// is none. What only looks like one is text, in which a secret may hide.
func (r *Redactor) nextMark(s []byte) (begin, end int) {
	for at := 0; ; {
		i := bytes.Index(s[at:], []byte(markOpen))
		if i < 0 {
			return len(s), len(s)
		}
		begin = at + i
		at = begin + len(markOpen)
		shut := bytes.IndexByte(s[at:], ']')
		if shut < 0 {
			return len(s), len(s)
		}
		id := string(s[at : at+shut])
		if slices.ContainsFunc(r.rules, func(ru *rule) bool { return ru.id == id }) ||
			slices.ContainsFunc(r.patterns, func(p policy.Pattern) bool { return p.Name == id }) {
			return begin, at + shut + 1
		}
	}
}

func matches(p policy.Pattern, s []byte, slot int) (spans []span) {
	for _, m := range p.Expr.FindAllSubmatchIndex(s, -1) {
		start, end := m[2*p.Group], m[2*p.Group+1]
		if start < 0 { // the group is in another branch
			start, end = m[0], m[1]
		}
		if start < end {
			spans = append(spans, span{start, end, slot})
		}
	}
	return spans
}

// AsksWhere reports whether the policy in force decides by folders what is recorded.
func (r *Redactor) AsksWhere() bool {
	k := r.current().keeper
	return k != nil && len(k.Policy().Rules().ExcludeProjects) > 0
}
