package redact

// What no vendor's rule knows, and only its name gives away: names are judged by
// nameKind, values by credible.
var plainRules = []rule{
	{id: ruleNamed, kind: named, fold: true, lits: []string{
		"pass", "pwd", "secret", "token", "credential", "auth", "key",
	}},
}
