package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/settings"
)

// limit says what part of its event a handler is called for; "" is all of it.
func limit(entry settings.Entry) string {
	var only []string
	if !entry.Every() {
		only = append(only, entry.Matcher)
	}
	if entry.If != "" {
		only = append(only, entry.If)
	}
	return strings.Join(only, " and ")
}

// never reports whether a handler has an "if" at an event that is none of a tool: it never
// runs then.
func never(entry settings.Entry) bool {
	tool := []string{"PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest", "PermissionDenied"}
	return entry.If != "" && !slices.Contains(tool, entry.Event)
}

// inPart names events of which only some come to a handler, beside those that are whole.
func inPart(all []registration, whole map[string]bool) []Check {
	var events, cures []string
	for _, r := range all {
		only := limit(r.entry)
		if only == "" || whole[r.entry.Event] || never(r.entry) {
			continue
		}
		events = append(events, fmt.Sprintf("%s: only %s", r.entry.Event, only))
		if cure := r.unlimited(); !slices.Contains(cures, cure) {
			cures = append(cures, cure)
		}
	}
	if len(events) == 0 {
		return nil
	}
	return warn(strings.Join(cures, "; "), "recorded in part: %s", strings.Join(events, ", "))
}

func lacking(events []string) []Check {
	if len(events) == 0 {
		return nil
	}
	return warn(install, "%s not recorded: %s", plural(len(events), "event is", "events are"), strings.Join(events, ", "))
}

// unlimited says how to have a handler called for all of its event: install does not edit
// what is within a longer command, nor what is not the user's.
func (r registration) unlimited() string {
	switch {
	case r.entry.Wrapped() || r.file.Scope == settings.Plugin || r.file.Scope == settings.Managed:
		return fmt.Sprintf(`take "matcher" and "if" off ag-hook in %s, line %d`, r.file.Path, r.entry.Line)
	case r.file.Scope == settings.User:
		return install
	}
	return install + " --" + string(r.file.Scope)
}
