package claude

import (
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// maxQueue is how many prompts wait at most; people queue a few.
const maxQueue = 100

// takesUp reports whether a line of the queue says that the agent took up a prompt while
// its turn ran, of which no other line tells. It keeps account of what waits.
//
// Recorded with 2.0.60, 2.1.14, 2.1.50, 2.1.76, 2.1.90 and 2.1.96: what was typed is in the line
// enqueue; popAll takes it back, dequeue begins a turn with it (a user line follows), and
// remove, mostly without a text, hands it to the running turn. From 2.1.100 on an
// attachment queued_command follows. Tasks of the runtime, {"task_id":…}, wait in the same
// queue and are removed after the prompts.
func (t *Transcript) takesUp(l *line) bool {
	var version string
	if a := t.about[l.session]; a != nil {
		version = a.version
	}
	if version != "" && !before(version, 2, 1, 97) {
		t.queue = nil
		return false
	}
	text, _ := contentText(l.content)
	at := slices.Index(t.queue, text)
	switch schema.FieldString(l.raw, "operation") {
	case "enqueue":
		if text != "" && !strings.HasPrefix(text, `{"task_id":`) && len(t.queue) < maxQueue {
			t.queue = append(t.queue, strings.Clone(text))
		}
		return false
	case "popAll":
	case "dequeue":
		at = 0
	case "remove":
		if l.taken = text; text == "" && len(t.queue) > 0 {
			at, l.taken = 0, t.queue[0]
		}
	}
	if at >= 0 && at < len(t.queue) {
		t.queue = slices.Delete(t.queue, at, at+1)
	}
	l.promptID = t.prompt
	return l.taken != "" && version != ""
}

// before reports whether a version, "2.0.46", is before another.
func before(version string, than ...int) bool {
	parts := strings.SplitN(version, ".", len(than))
	for k, n := range than {
		if k == len(parts) {
			return true
		}
		if v, err := strconv.Atoi(parts[k]); err != nil || v != n {
			return err == nil && v < n
		}
	}
	return false
}
