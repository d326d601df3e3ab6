package redact_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/secrets/secretstest"
)

// TestRedactCatchesWhatGitleaksFinds makes secrets of every rule of gitleaks that has a shape.
// GITLEAKS_SEED repeats a run.
func TestRedactCatchesWhatGitleaksFinds(t *testing.T) {
	seed := secretstest.Seed()
	t.Logf("GITLEAKS_SEED=%d", seed)
	samples, err := secretstest.Samples(seed)
	if err != nil {
		t.Fatal(err)
	}
	r := redact.New(redact.Options{})
	rules, missed := map[string]int{}, map[string][]secretstest.Sample{}
	caught := 0
	for _, s := range samples {
		rules[s.Rule]++
		if survives(t, r, s) {
			missed[s.Rule] = append(missed[s.Rule], s)
		} else {
			caught++
		}
	}
	for id, list := range missed {
		t.Logf("%s: missed %d of %d, such as %q in %.300q", id, len(list), rules[id], list[0].Secret, list[0].Text)
	}
	t.Logf("%d rules, %d of %d secrets caught (%.2f %%)", len(rules), caught, len(samples), 100*float64(caught)/float64(len(samples)))
	if len(rules) < 150 {
		t.Errorf("%d rules were compared, want 150 or more", len(rules))
	}
	if caught < len(samples) {
		t.Errorf("%d secrets were missed", len(samples)-caught)
	}
}

// survives reports whether a recognisable part of the secret is left in the line
// of an event whose command holds it.
func survives(t *testing.T, r *redact.Redactor, s secretstest.Sample) bool {
	t.Helper()
	input, err := json.Marshal(map[string]string{"command": s.Text})
	if err != nil {
		t.Fatal(err)
	}
	line := r.Event(schema.Event{EventID: "e", SessionID: "s", ToolInput: input}).Bytes()
	e, err := schema.Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	left := schema.FieldString(e.ToolInput, "command")
	return slices.ContainsFunc(s.Parts(), func(p string) bool { return strings.Contains(left, p) })
}
