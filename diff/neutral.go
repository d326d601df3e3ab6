package diff

import (
	"regexp"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/history"
)

// neutral makes texts of a recording comparable with another's: what two recordings of the
// same work never have in common is the same sign in both.
type neutral struct {
	ids    map[string]bool
	days   map[string]bool
	places *strings.Replacer

	uuid, moment, clock, duration, scratch, commit *regexp.Regexp
}

// shortestID is how long an identifier is at least: a producer may call its calls 1, 2, 3.
const shortestID = 8

func newNeutral(log *history.Log, r *recording) *neutral {
	n := &neutral{
		ids: map[string]bool{}, days: map[string]bool{},
		uuid:     regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		moment:   regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d`),
		clock:    regexp.MustCompile(`^\d\d:\d\d(:\d\d(\.\d+)?)?Z?$`),
		duration: regexp.MustCompile(`^(\d+(\.\d+)?(ns|ms)|\d+\.\d+s(ec)?|\d+m\d+(\.\d+)?s)$`),
		scratch:  regexp.MustCompile(`^(tmp[._-]?\w{6,}|.*\d{4,}.*|claude-\d+)$`),
		commit:   regexp.MustCompile(`^[0-9a-f]*[0-9][0-9a-f]*$`),
	}
	add := func(id string) {
		if len(id) >= shortestID && strings.ContainsAny(id, "0123456789") {
			n.ids[id] = true
		}
	}
	for _, s := range log.Segments {
		add(s.Session)
	}
	for i := range r.actions {
		add(r.actions[i].ToolUseID)
		add(r.actions[i].PromptID)
	}
	for i := range r.agents {
		add(r.agents[i].AgentID)
	}
	var places []string
	if dir := strings.TrimRight(r.session.WorkingDirectory, `/\`); len(dir) > len("/tmp") {
		places = append(places, dir, "•dir", dashed(dir), "•dir")
	}
	const most = 40 * 24 * time.Hour // a session that says it lasted for centuries has not that many days
	from, until := r.session.StartedAt, r.session.LastEventAt
	for day := from; !from.IsZero() && until.Sub(from) < most && !day.After(until.Add(24*time.Hour)); day = day.Add(24 * time.Hour) {
		n.days[day.Format(time.DateOnly)] = true
		places = append(places, day.Format("Jan _2"), "•day")
	}
	n.places = strings.NewReplacer(places...)
	return n
}

// dashed is a directory as runtimes name folders after it.
func dashed(dir string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, dir)
}

// text is s without identifiers, moments and the names of temporary files. In what a command
// printed, clocks, durations and commit ids are as volatile; in a file they are its content.
func (n *neutral) text(s string, printed bool) string {
	s = n.places.Replace(s)
	if !strings.ContainsAny(s, "0123456789") {
		return s
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		start, digit := i, false
		for i < len(s) && isWord(s[i]) {
			digit = digit || s[i] >= '0' && s[i] <= '9'
			i++
		}
		if !digit {
			i = max(i, start+1)
			continue
		}
		word := strings.TrimRight(s[start:i], ".:-")
		if sign := n.sign(s[:start], word, s[start+len(word):], printed); sign != word {
			b.WriteString(s[done:start])
			b.WriteString(sign)
			done = start + len(word)
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.' || c == ':'
}

// sign is what stands for a word, between what is before it and after it: itself, if it is
// not volatile.
func (n *neutral) sign(before, word, after string, printed bool) string {
	name, rest, _ := strings.Cut(word, ".")
	switch {
	case n.ids[word]:
		return "•id"
	case n.ids[name]:
		return "•id." + rest
	case isRuntimeID(word):
		return "•id"
	case len(word) >= 36 && n.uuid.MatchString(word):
		return n.uuid.ReplaceAllString(word, "•id")
	case len(word) >= 16 && n.moment.MatchString(word):
		return "•time"
	case n.days[word]:
		return "•day"
	case (strings.HasSuffix(before, "/tmp/") || strings.HasSuffix(before, "/T/")) && n.scratch.MatchString(word):
		return "•tmp"
	case printed && n.isFigure(before, word, after):
		return "•"
	}
	return word
}

// isRuntimeID reports the ids that models' vendors give to calls and messages.
func isRuntimeID(word string) bool {
	for _, prefix := range []string{"toolu_", "msg_", "req_", "call_"} {
		if rest, ok := strings.CutPrefix(word, prefix); ok && len(rest) >= shortestID {
			return true
		}
	}
	return false
}

// isFigure reports a clock, a duration, a count of tokens or the id of a commit.
func (n *neutral) isFigure(before, word, after string) bool {
	switch {
	case len(word) <= 24 && (n.clock.MatchString(word) || n.duration.MatchString(word)):
		return true
	case len(word) == 40 && strings.HasSuffix(before, "commit "), // of git log
		len(word) >= 7 && len(word) <= 12 && (strings.HasPrefix(after, "]") || strings.HasPrefix(after, " ") && (before == "" || strings.HasSuffix(before, "\n"))): // of git commit, git log --oneline
		return n.commit.MatchString(word)
	}
	key := strings.TrimRight(before[max(0, len(before)-24):], `": =`)
	for _, figure := range []string{"duration_ms", "durationMs", "total_tokens", "totalTokens", "subagent_tokens"} {
		if strings.HasSuffix(key, figure) {
			return true
		}
	}
	return false
}
