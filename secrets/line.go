package secrets

import (
	"maps"

	"github.com/actiongraph/actiongraph/schema"
)

// record returns one line of a journal without its secrets, and passes each to found with where
// it stands in the event. A line in which none is found is returned as it is.
func (r *Rules) record(line []byte, found func(event, field string, h hit)) []byte {
	if !schema.Valid(line) {
		text, hits := r.clean("", string(line))
		if len(hits) == 0 {
			return line
		}
		for _, h := range hits {
			found("", "a torn line", h)
		}
		return []byte(text)
	}
	counts := map[string]int{}
	event := ""
	out := walk(line, isID, func(path func() string, name, text string) string {
		text, hits := r.clean(name, text)
		for _, h := range hits {
			if event == "" {
				event = schema.FieldString(line, "event_id")
			}
			counts[h.rule]++
			found(event, path(), h)
		}
		return text
	})
	if len(counts) == 0 {
		return line
	}
	// The event says what it lost, as one does that redaction has seen. A line that no version
	// of ours can say so in has lost it all the same.
	e, err := schema.Decode(out)
	if err != nil || e.V > schema.Version {
		return out
	}
	if e.Redacted = maps.Clone(e.Redacted); e.Redacted == nil {
		e.Redacted = map[string]int{}
	}
	for rule, n := range counts {
		e.Redacted[rule] += n
	}
	return e.AppendJSON(nil)
}

// isID says which members of an event are ids, hashes and times, which are keys: readers compare
// them byte by byte, and redaction leaves them alone, too.
func isID(member string) bool {
	switch member {
	case "v", "event_id", "event_type", "session_id", "timestamp", "origin", "agent_id", "seq", "caused_by", "frame_id", "input_hash",
		"prompt_hash", "prompt_id", "tool_use_id", "message_id", "task_id", "parent_task_id", "related_to", "parent_session_id",
		"parent_event_id", "redacted", "cut":
		return true
	}
	return false
}

// text returns a text that may be one JSON value without its secrets: a property of a store, a
// line of a log.
func (r *Rules) text(name, text string, found func(field string, h hit)) string {
	if len(text) > 1 && (text[0] == '{' || text[0] == '[') && schema.Valid([]byte(text)) {
		return string(walk([]byte(text), nil, func(path func() string, member, s string) string {
			s, hits := r.clean(member, s)
			for _, h := range hits {
				found(path(), h)
			}
			return s
		}))
	}
	text, hits := r.clean(name, text)
	for _, h := range hits {
		found("", h)
	}
	return text
}
