package secrets

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/detect"
	"github.com/zricethezav/gitleaks/v8/logging"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/redact"
)

// Options are what NewRules takes.
type Options struct {
	// Key keys the fingerprints: the journal's.
	Key []byte
	// Allow are the fingerprints of what is known and no secret.
	Allow []string
	// Policy is the capture policy, of which only the patterns of secrets are used; nil has none.
	Policy *policy.Policy
}

// Rules finds secrets in texts. It is safe for concurrent use.
type Rules struct {
	detector *detect.Detector
	redactor *redact.Redactor
	key      []byte
	allow    map[string]bool
	mark     *regexp.Regexp // of what was taken out
	hash     *regexp.Regexp // see noSecret
	named    *regexp.Regexp
}

// NewRules compiles the rules, which takes a few hundredths of a second.
func NewRules(o Options) (*Rules, error) {
	logging.Logger = zerolog.Nop() // at level trace it would print what was found
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		return nil, fmt.Errorf("gitleaks' rules: %w", err)
	}
	d.IgnoreGitleaksAllow = true // a word in a text must not hide what stands beside it
	for id, rule := range d.Config.Rules {
		// A text of a session has no file name that a rule could ask for.
		if rule.Path = nil; rule.Regex == nil || slices.Contains(judgedByName(), id) {
			delete(d.Config.Rules, id)
			continue
		}
		d.Config.Rules[id] = rule
	}
	r := &Rules{detector: d, key: o.Key, allow: map[string]bool{}, hash: hashes(), named: hashNames()}
	for _, fingerprint := range o.Allow {
		r.allow[fingerprint] = true
	}
	var patterns *policy.Policy
	if expressions := o.Policy.Rules().Redact; len(expressions) > 0 {
		if patterns, err = policy.New(policy.Rules{Redact: expressions}); err != nil {
			return nil, err
		}
	}
	r.redactor = redact.New(redact.Options{Policy: func() *policy.Policy { return patterns }})
	r.mark = marks(d, patterns)
	return r, nil
}

// judgedByName are the rules of gitleaks that only make sense in the kind of file that they
// name: in any other text this one would find every "password" in quotes. Redact's own rule of
// names decides there which value is one.
func judgedByName() []string { return []string{"hashicorp-tf-password"} }

// marks matches what redaction and scrubbing leave in the place of a secret. What only looks
// like it is a text, in which one may hide.
func marks(d *detect.Detector, patterns *policy.Policy) *regexp.Regexp {
	ids := redact.RuleIDs()
	for id := range d.Config.Rules {
		ids = append(ids, id)
	}
	if patterns != nil {
		for _, p := range patterns.Patterns() {
			ids = append(ids, p.Name)
		}
	}
	for i, id := range ids {
		ids[i] = regexp.QuoteMeta(id)
	}
	return regexp.MustCompile(`\[REDACTED:(?:` + strings.Join(ids, "|") + `|custom-\d{1,3})\]`)
}

// hit is one secret that was found.
type hit struct{ rule, fingerprint string }

// clean returns a text without its secrets, and what was found, each place once. name is the
// member of JSON that the text is the value of, "" where it is none.
func (r *Rules) clean(name, text string) (string, []hit) {
	if len(text) < shortest && name == "" || redact.Opaque(name, text) {
		return text, nil
	}
	text, hits := r.byRedact(name, text)
	for range 16 { // what stands behind a secret can become another's beginning
		found := r.byGitleaks(text)
		if len(found) == 0 {
			break
		}
		var b strings.Builder
		last := 0
		for _, s := range found {
			b.WriteString(text[last:s.start] + markOf(s.rule))
			last = s.end
			hits = append(hits, s.hit)
		}
		text = b.String() + text[last:]
	}
	return text, hits
}

// shortest is the least length of what gitleaks finds.
const shortest = 8

func markOf(rule string) string { return "[REDACTED:" + rule + "]" }

// byRedact takes out what redaction would take out today.
func (r *Rules) byRedact(name, text string) (string, []hit) {
	out := r.redactor.Value(name, text)
	if out == text {
		return text, nil
	}
	// Between the marks of out is what was kept, in order: what is not, was the secret.
	var b strings.Builder
	var hits []hit
	rest, last := text, 0
	for _, m := range r.mark.FindAllStringIndex(out, -1) {
		kept, mark := out[last:m[0]], out[m[0]:m[1]]
		rest = strings.TrimPrefix(rest, kept)
		last = m[1]
		b.WriteString(kept)
		if strings.HasPrefix(rest, mark) { // it was there before
			b.WriteString(mark)
			rest = rest[len(mark):]
			continue
		}
		next := out[last:]
		if loc := r.mark.FindStringIndex(next); loc != nil {
			next = next[:loc[0]]
		}
		end := strings.Index(rest, next)
		if next == "" && last == len(out) || end < 0 {
			end = len(rest)
		}
		h := r.hit(strings.TrimSuffix(strings.TrimPrefix(mark, "[REDACTED:"), "]"), rest[:end])
		if r.allow[h.fingerprint] {
			b.WriteString(rest[:end])
		} else {
			b.WriteString(mark)
			hits = append(hits, h)
		}
		rest = rest[end:]
	}
	return b.String() + out[last:], hits
}

// span is a secret in text[start:end].
type span struct {
	start, end int
	hit
}

// byGitleaks returns where gitleaks finds secrets in a text, or in one that it holds behind the
// escapes of JSON, however many there are: in order, none overlapping another.
func (r *Rules) byGitleaks(text string) (spans []span) {
	view, at := text, []int(nil)
	for range 5 {
		for _, s := range r.findIn(view) {
			if at != nil {
				s.start, s.end = at[s.start], at[s.end]
			}
			spans = append(spans, s)
		}
		if !strings.Contains(view, `\"`) && !strings.Contains(view, `\u00`) && !strings.Contains(view, `\/`) {
			break
		}
		next, from, ok := plain(view)
		if !ok {
			break
		}
		if at != nil {
			for i := range from {
				from[i] = at[from[i]]
			}
		}
		view, at = next, from
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	var out []span
	for _, s := range spans {
		if len(out) > 0 && s.start < out[len(out)-1].end {
			out[len(out)-1].end = max(out[len(out)-1].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}

// marked stands in the place of marks.
const marked = "\x00"

// findIn is byGitleaks for a text as it is.
func (r *Rules) findIn(text string) (spans []span) {
	if len(text) < shortest {
		return nil
	}
	// In the place of marks is what no rule looks for, as long, so that places stay. What a rule
	// finds around one, as redact has it, is none.
	text = r.mark.ReplaceAllStringFunc(text, func(m string) string { return " " + strings.Repeat(marked, len(m)-2) + " " })
	seen := map[string]bool{}
	whole := detect.Fragment{Raw: text} //lint:ignore SA1019 Detect takes no other before v9
	for _, f := range r.detector.Detect(whole) {
		secret := strings.TrimSpace(f.Secret)
		h := r.hit(f.RuleID, secret)
		if secret == "" || strings.Contains(secret, marked) || seen[secret] || r.allow[h.fingerprint] || r.noSecret(f.RuleID, text, secret) {
			continue
		}
		seen[secret] = true
		for at := 0; ; {
			i := strings.Index(text[at:], secret)
			if i < 0 {
				break
			}
			spans = append(spans, span{at + i, at + i + len(secret), h})
			at += i + len(secret)
		}
	}
	return spans
}

func (r *Rules) hit(rule, secret string) hit {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte("secret " + rule + ":" + secret))
	return hit{rule, rule + ":" + hex.EncodeToString(mac.Sum(nil)[:8])}
}

// noSecret is what gitleaks' loosest rule finds and is none, as redact has it: hashes, uuids,
// numbers and paths that no credential's name precedes. Where one does, redact's own rules have
// found it before.
func (r *Rules) noSecret(rule, text, secret string) bool {
	if rule != "generic-api-key" {
		return false
	}
	at := strings.Index(text, secret)
	return r.hash.MatchString(secret) || r.named.MatchString(text[max(0, at-8):max(0, at)])
}

// hashes matches what a hash, a uuid, a number, a word, a path or the name of a file is.
func hashes() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}|` +
		`[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|` +
		`-?0[xX][0-9a-fA-F]{1,16}|-?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?|` +
		`[A-Za-z_]+[0-9]{0,3}|[\w-]+\.[a-z]{2,4}|[\w.-]+(?:/[A-Za-z_-]+[0-9]{0,3})+)$`)
}

// hashNames matches what stands in front of a hash and says what it is: of a Go module, of a
// subresource, of a pinned key.
func hashNames() *regexp.Regexp { return regexp.MustCompile(`(?:h1:|sha(?:1|256|384|512)[-:=] ?)$`) }
