// Package gitleakstest holds package redact against gitleaks' rules. It is a module
// of its own so that gitleaks' two hundred dependencies stay out of the program's
// go.mod. Run it with
//
//	cd redact/gitleakstest && go test ./...
//
// GITLEAKS_SEED=n repeats a run: the seed is printed.
package gitleakstest
