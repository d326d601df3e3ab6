package gitleakstest

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"
)

// excluded are gitleaks' rules without a keyword or without a fixed shape.
var excluded = map[string]string{
	"pkcs12-file":            "a file name, no expression",
	"generic-api-key":        "no fixed shape: any value of some entropy next to a word like key or access",
	"kubernetes-secret-yaml": "no fixed shape: any base64, ten characters or longer, within 300 of the words kind: Secret",
}

const perContext = 4 // secrets a rule and context

// sample is a text in which gitleaks finds a secret.
type sample struct{ text, secret string }

func TestRedactCatchesWhatGitleaksFinds(t *testing.T) {
	seed := time.Now().UnixNano()
	if s := os.Getenv("GITLEAKS_SEED"); s != "" {
		seed, _ = strconv.ParseInt(s, 10, 64)
	}
	t.Logf("GITLEAKS_SEED=%d", seed)
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		t.Fatal(err)
	}
	o := oracle{d: d, gen: generator{rand.New(rand.NewSource(seed))}}
	r := redact.New(redact.Options{})
	rules, total, caught := 0, 0, 0
	var report []string
	for _, id := range d.Config.OrderedRules {
		if _, ok := excluded[id]; ok {
			continue
		}
		rule := d.Config.Rules[id]
		samples := o.samples(rule)
		if len(samples) == 0 {
			t.Errorf("%s: no generated secret is one to gitleaks itself: exclude the rule with a reason, or teach the generator", id)
			continue
		}
		rules++
		var missed []sample
		for _, s := range samples {
			if survives(t, r, s) {
				missed = append(missed, s)
			}
		}
		total, caught = total+len(samples), caught+len(samples)-len(missed)
		if len(missed) > 0 {
			report = append(report, fmt.Sprintf("%s: missed %d of %d, such as %q in %.300q", id, len(missed), len(samples), missed[0].secret, missed[0].text))
		}
	}
	for _, line := range report {
		t.Log(line)
	}
	t.Logf("%d rules, %d of %d secrets caught (%.2f %%)", rules, caught, total, 100*float64(caught)/float64(total))
	if rules < 150 {
		t.Errorf("%d rules were compared, want 150 or more", rules)
	}
	if caught*100 < total*95 {
		t.Errorf("%d of %d secrets caught, want at least 95 %%", caught, total)
	}
}

// survives reports whether a recognisable part of the secret is left in the line
// of an event whose command holds it.
func survives(t *testing.T, r *redact.Redactor, s sample) bool {
	t.Helper()
	input, err := json.Marshal(map[string]string{"command": s.text})
	if err != nil {
		t.Fatal(err)
	}
	line := r.Event(schema.Event{EventID: "e", SessionID: "s", ToolInput: input}).Bytes()
	e, err := schema.Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	left := schema.FieldString(e.ToolInput, "command")
	parts := []string{s.secret}
	if n := len(s.secret); n > 24 {
		parts = []string{s.secret[n/2 : n/2+12], s.secret[n-12:]}
	}
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(left, p) })
}

// oracle makes secrets that gitleaks finds.
type oracle struct {
	d   *detect.Detector
	gen generator
}

// samples returns texts in which gitleaks reports the rule: the secret where
// nothing says what it is, if that is enough for gitleaks, else behind names as
// programs, shells and settings write them.
func (o *oracle) samples(rule config.Rule) []sample {
	re, err := syntax.Parse(rule.Regex.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	groups := captures(re)
	if len(groups) == 0 {
		groups = []*syntax.Regexp{re}
	}
	var list []sample
	for _, group := range groups {
		found := o.try(rule, group, neutral)
		if len(found) == 0 {
			found = o.try(rule, group, append(named(rule), own[rule.RuleID]...))
		}
		list = append(list, found...)
	}
	if len(list) == 0 {
		list = o.try(rule, re, neutral)
	}
	return list
}

var neutral = []string{
	"echo %s",
	"printf '%%s\\n' \"%s\" > out.txt",
	"- item: %s\n- item: b",
	"const v = '%s';\nrun(v)",
	`{"a": {"b": "%s"}}`,
	"     1→line one\n     2→%s\n",
}

// own are contexts of rules that ask for more than a name.
var own = map[string][]string{
	"sidekiq-sensitive-url": {"bundle install --source https://%s@gems.contribsys.com/", "source 'https://%s@enterprise.contribsys.com/'"},
	"sonar-api-token":       {"sonar.login=%s", "export SONAR_TOKEN=%s", "sonar.token = %s"},
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

func (o *oracle) try(rule config.Rule, re *syntax.Regexp, contexts []string) (list []sample) {
	for _, context := range contexts {
		for n, tries := 0, 0; n < perContext && tries < 12; tries++ {
			made := o.gen.string(re)
			text := fmt.Sprintf(context, made)
			if secret, ok := o.finds(rule, text); ok {
				if re.Op == syntax.OpCapture && len(made) > len(secret) {
					secret = made // gitleaks names the first of several groups
				}
				list = append(list, sample{text, secret})
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
