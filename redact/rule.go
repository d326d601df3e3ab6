package redact

// kind says how a rule reads what follows its literal.
type kind uint8

const (
	// shape: expr matches from the literal on.
	shape kind = iota
	// assigned: the literal is part of a name, and expr matches the whole value
	// that is assigned to it (discord_client_id = "…").
	assigned
	// named: the literal is part of a name that says its value is a credential
	// (DB_PASSWORD=…); the value is judged, not matched.
	named
	private  // <private>…</private>
	pem      // a private key block
	userinfo // scheme://user:password@host
	header   // an authentication scheme and its credential
	escaped  // no rule: a JSON escape that could hide a literal
)

// wordStart, as rule.back, says that the match begins with the word that the
// literal ends or is part of.
const wordStart = -1

// rule is one row of the tables in rules_*.go.
type rule struct {
	id   string   // what stands in [REDACTED:<id>]
	kind kind     // how to read what follows a literal
	lits []string // at least three bytes each; every match contains one of them
	expr string   // regular expression; its first group, where it has one, is the secret

	fold  bool   // literals match in any case; they are written in lower case
	glued bool   // the literal is so unlike anything else that it needs no word boundary before it
	run   int    // least number of token bytes from the literal on: what is shorter is not even compiled for
	back  int    // where the match begins: this many bytes before the literal, or wordStart
	near  string // what must stand in the 600 bytes before the literal
	// entropy is the least Shannon entropy of the secret, bits a byte: it tells
	// keys from the words and repetitions that have the same shape.
	entropy float64
	digits  int // the least number of digits in the secret
}

// tables lists every rule. The order is the precedence where matches overlap:
// the earlier one names what was found.
func tables() [][]rule {
	return [][]rule{blockRules, cloudRules, forgeRules, aiRules, chatRules, payRules, saasRules, opsRules, plainRules}
}
