// Package secrets finds credentials in what a home holds, and takes them out.
//
// Redaction (package redact) takes them out of what is recorded before it is written; it has to be
// quick, and so knows shapes and names. This package looks again, when somebody asks, at
// everything that is there: with today's rules of redact, the user's own patterns, and every rule
// of gitleaks (github.com/zricethezav/gitleaks, the library: linking it costs 8 MB and 1 ms of
// a start). What redact or gitleaks learned since, and what other programs wrote, is found so.
//
// # What is looked at
//
// Every string of every event, packed or not, at any depth, as a person has it: without the
// escapes of JSON, those of JSON in a string in JSON too. Torn lines, as text. What a store
// holds, property by property, and the raw bytes of the embedded one: a page that was freed may
// still have what was in it. The logs of the home. Ids and hashes are left alone: they are keys.
// So are signatures of thinking blocks and the bytes of images.
//
// # What is none
//
// Gitleaks' rule generic-api-key takes any value of some entropy for a secret that stands near
// a word like key. Of what it alone finds, hashes, uuids, numbers, words, paths and names of files
// are none, as redact has it; where a credential's name precedes one, redact has found it before.
// Rules that ask for the kind of file that a text is from look at every text, but for
// hashicorp-tf-password, which would find every "password" in quotes. What is known and no
// secret can be allowed by its fingerprint: the rule, and a hash of the secret, keyed by the home.
//
// # How it goes away
//
// Scrub rewrites the journal (journal.Rewrite), beside whoever writes to it. A store notices that
// a session's file was replaced, drops all that it has of the session, folds it again, and
// writes its file anew (connector.Compactor). Logs are overwritten in place: who writes them has
// them open. Then everything is scanned again.
//
// It is best effort. A password in a sentence has no shape that a rule knows.
package secrets
