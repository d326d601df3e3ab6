// Package secretstest makes secrets that gitleaks finds, of every one of its rules: what
// redaction, scanning and scrubbing are held against. Tests alone import it.
package secretstest

import (
	"fmt"
	"math/rand"
	"os"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"
)

// Excluded are gitleaks' rules that are no vendor's with a fixed shape, and why.
func Excluded() map[string]string {
	return map[string]string{
		"pkcs12-file":            "a file name, no expression",
		"generic-api-key":        "no fixed shape: any value of some entropy next to a word like key or access",
		"kubernetes-secret-yaml": "no fixed shape: any base64, ten characters or longer, within 300 of the words kind: Secret",
		"hashicorp-tf-password":  "no fixed shape: any 8 to 20 characters in quotes after the word password",
		"curl-auth-header":       "no vendor's: whatever follows the name of a header",
		"curl-auth-user":         "no vendor's: whatever follows an option of curl",
	}
}

const perContext = 4 // secrets a rule and context

// Sample is a text in which gitleaks finds a secret by a rule.
type Sample struct{ Rule, Text, Secret string }

// Parts are what of a secret is recognised where it was not taken out whole.
func (s Sample) Parts() []string {
	if n := len(s.Secret); n > 24 {
		return []string{s.Secret[n/2 : n/2+12], s.Secret[n-12:]}
	}
	return []string{s.Secret}
}

// Seed is $GITLEAKS_SEED, which repeats a run, else the time.
func Seed() int64 {
	if seed, err := strconv.ParseInt(os.Getenv("GITLEAKS_SEED"), 10, 64); err == nil {
		return seed
	}
	return time.Now().UnixNano()
}

// Samples makes secrets of each of gitleaks' rules that is not Excluded, always the same from a
// seed. A rule of which none could be made is an error.
func Samples(seed int64) (samples []Sample, err error) {
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		return nil, err
	}
	o := oracle{d: d, gen: generator{rand.New(rand.NewSource(seed))}}
	for _, id := range d.Config.OrderedRules {
		if _, out := Excluded()[id]; out {
			continue
		}
		found := o.samples(d.Config.Rules[id])
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no generated secret is one to gitleaks itself: exclude the rule with a reason, or teach the generator", id)
		}
		samples = append(samples, slices.DeleteFunc(found, func(s Sample) bool { return untold(s.Secret) })...)
	}
	return samples, nil
}

// untold reports whether a secret has letters alone and is no longer than a word. Where only a
// vendor's name is beside it, it cannot be told from one: package redact says so.
func untold(secret string) bool {
	return len(secret) < 26 && strings.Trim(secret, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// oracle makes secrets that gitleaks finds.
type oracle struct {
	d   *detect.Detector
	gen generator
}

// samples returns texts in which gitleaks reports the rule: the secret where
// nothing says what it is, if that is enough for gitleaks, else behind names as
// programs, shells and settings write them.
func (o *oracle) samples(rule config.Rule) []Sample {
	re, err := syntax.Parse(rule.Regex.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	groups := captures(re)
	if len(groups) == 0 {
		groups = []*syntax.Regexp{re}
	}
	var list []Sample
	for _, group := range groups {
		found := o.try(rule, group, neutral())
		if len(found) == 0 {
			found = o.try(rule, group, append(named(rule), own()[rule.RuleID]...))
		}
		list = append(list, found...)
	}
	if len(list) == 0 {
		list = o.try(rule, re, neutral())
	}
	return list
}

func neutral() []string {
	return []string{
		"echo %s",
		"printf '%%s\\n' \"%s\" > out.txt",
		"- item: %s\n- item: b",
		"const v = '%s';\nrun(v)",
		`{"a": {"b": "%s"}}`,
		"     1→line one\n     2→%s\n",
	}
}

// own are contexts of rules that ask for more than a name.
func own() map[string][]string {
	return map[string][]string{
		"sidekiq-sensitive-url": {"bundle install --source https://%s@gems.contribsys.com/", "source 'https://%s@enterprise.contribsys.com/'"},
		"sonar-api-token":       {"sonar.login=%s", "export SONAR_TOKEN=%s", "sonar.token = %s"},
	}
}

// named returns contexts under the names that a rule's id and keywords suggest.
func named(rule config.Rule) (list []string) {
	words := strings.Split(rule.RuleID, "-")
	camel := words[0]
	for _, w := range words[1:] {
		camel += strings.ToUpper(w[:1]) + w[1:]
	}
	snake := strings.Join(words, "_")
	list = append(list,
		"export "+strings.ToUpper(snake)+"=%s",
		strings.ToUpper(snake)+"=\"%s\"\nOTHER=1",
		"services:\n  web:\n    "+snake+": %s\n",
		`{"`+camel+`": "%s"}`,
		`{\"`+camel+`\": \"%s\"}`,
		"const "+camel+" = '%s';",
		snake+" := `%s`",
	)
	for _, k := range rule.Keywords {
		list = append(list, k+" = \"%s\"", k+": %s", "--"+k+"=%s")
		list = append(list, strings.ToUpper(k)+"_ID=%s", k+".key => '%s'")
	}
	return list
}

func (o *oracle) try(rule config.Rule, re *syntax.Regexp, contexts []string) (list []Sample) {
	for _, context := range contexts {
		for n, tries := 0, 0; n < perContext && tries < 12; tries++ {
			made := o.gen.string(re)
			text := fmt.Sprintf(context, made)
			if secret, ok := o.finds(rule, text); ok {
				if re.Op == syntax.OpCapture && len(made) > len(secret) {
					secret = made // gitleaks names the first of several groups
				}
				list = append(list, Sample{rule.RuleID, text, secret})
				n++
			} else if tries == 5 && n == 0 {
				break
			}
		}
	}
	return list
}

func (o *oracle) finds(rule config.Rule, text string) (secret string, ok bool) {
	f := detect.Fragment{Raw: text} //lint:ignore SA1019 Detect takes no other before v9
	if rule.Path != nil {
		f.FilePath = pathFor(rule)
	}
	for _, finding := range o.d.Detect(f) {
		if finding.RuleID == rule.RuleID {
			return finding.Secret, true
		}
	}
	return "", false
}

func pathFor(rule config.Rule) string {
	for _, p := range []string{"main.tf", "nuget.config", "index.php", "values.yaml"} {
		if rule.Path.MatchString(p) {
			return p
		}
	}
	return ""
}
