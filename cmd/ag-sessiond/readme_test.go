package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every verb is in README's table of verbs, and every verb of the table is one.
func TestREADMENamesEveryVerb(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "\n## Verbs\n")
	table, _, _ = strings.Cut(table, "\nExit codes:")
	named := map[string]bool{"completion": false} // which cobra adds as it runs
	for row := range strings.Lines(table) {
		if verbs, _, is := strings.Cut(strings.TrimPrefix(row, "| "), " | "); is {
			for _, word := range regexp.MustCompile("`([a-z-]+)").FindAllStringSubmatch(verbs, -1) {
				named[word[1]] = true
			}
		}
	}
	for _, cmd := range (&app{}).rootCmd().Commands() {
		if !cmd.Hidden && !named[cmd.Name()] {
			t.Errorf("README's table has no %s", cmd.Name())
		}
		delete(named, cmd.Name())
	}
	delete(named, "completion")
	for name := range named {
		t.Errorf("README's table has %s, which is no verb", name)
	}
}
