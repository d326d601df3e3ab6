// Package fulltext is what stores agree on about full-text search: the part of an action that
// is searched, the words of a question, which actions have them, and what is shown of a
// hit. An engine's index finds the candidates; here is what decides.
//
// Words are those of FTS5's unicode61 in Latin text with at most one diacritic a letter, and
// in any text of letters without marks. Elsewhere an index that is given Words finds a little
// more than SQLite's, and words weigh differently: unicode61 keeps ё, й, ή and が as they are,
// and ộ, which has two; makes ς σ, ſ s, and of the sign for micro the letter μ; ends a word at
// marks of other scripts (Hebrew points, Devanagari vowels); and knows Unicode 6.1.
package fulltext

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Document is what full-text search knows of an action. A recall looks at ToolName and
// Content alone, which is how each call is there once: by its ToolResult, or by the
// ToolCall itself where that ended without one. A call that is going on is not there: with
// each that ended its document would be written again.
type Document struct {
	ToolName string // of a ToolResult, or of a ToolCall that ended without one
	Content  string // of the same: what the call gave, its error unless the text says it, then its text
	Input    string // what a ToolCall was asked for
	Text     string // any other action's text
	Called   string // of all others, the tool's name and the error
}

// Empty reports whether there is nothing to be found.
func (d Document) Empty() bool { return d == Document{} }

// Searched lists the properties that the words of a document are made of. Which of its
// fields they are in hangs on the status, too.
func Searched() []string {
	return []string{"tool_name", "text", "error_message", "command", "file_path", "url", "pattern", "properties"}
}

// maxField bounds what is indexed of each field, in bytes: the index grows with the
// words, and what tells texts apart is at their beginning.
const maxField = 4096

// NewDocument makes the document of an action. get returns a property's value.
func NewDocument(typ graph.ActionType, get func(name string) any) Document {
	str := func(name string) string { s, _ := get(name).(string); return s }
	d := Document{ToolName: cut(str("tool_name")), Content: cut(str("error_message"))}
	if t := str("text"); typ == graph.ToolResult {
		if tells(t, str("error_message")) {
			d.Content = "" // or the snippets of failures say everything twice
		}
		d.Content = join(d.Content, cut(t)) // each up to maxField: a long error hides no text
	} else {
		d.Text = cut(t)
	}
	if typ == graph.ToolCall {
		d.Input = input(str)
	}
	if typ != graph.ToolResult && (typ != graph.ToolCall || !endedWithout(str("status"))) {
		d.Called, d.ToolName, d.Content = cut(join(d.ToolName, d.Content)), "", ""
	}
	return d
}

// endedWithout reports whether a call of this status ended without a result: whatever
// source says completed or failed says what the call gave.
func endedWithout(status string) bool {
	switch status {
	case "", schema.StatusPending, schema.StatusInProgress, schema.StatusCompleted, schema.StatusFailed:
		return false
	}
	return true
}

// input is what a call was asked for: the properties that were promoted from its input,
// then all other strings in it.
func input(str func(name string) string) string {
	var in lines
	var promoted []string
	for _, name := range [...]string{"command", "file_path", "url", "pattern"} {
		if s := str(name); s != "" {
			promoted = append(promoted, s)
			in.add(s)
		}
	}
	in.addStrings(schema.Field([]byte(str("properties")), "tool_input"), promoted)
	return cut(in.String())
}

// lines joins texts by line breaks, up to a little more than is indexed. The first is
// copied only where there are more.
type lines struct {
	first string
	all   []byte
}

func (l *lines) String() string {
	if l.all == nil {
		return l.first
	}
	return string(l.all)
}

func (l *lines) full() bool { return len(l.first) >= maxField || len(l.all) >= maxField }

func (l *lines) add(s string) {
	switch {
	case s == "" || l.full():
		return
	case l.first == "":
		l.first = s
		return
	case l.all == nil:
		l.all = append(make([]byte, 0, len(l.first)+1+min(len(s), maxField)), l.first...)
	}
	l.all = append(append(l.all, '\n'), s[:min(len(s), maxField)]...)
}

// tells reports whether text begins with the words of an error message: those of a
// failed call are the gist of its text, in which white space is one blank each, and
// which ends with … where it was cut, maybe inside a word.
func tells(text, message string) bool {
	message, isCut := strings.CutSuffix(message, "…")
	wordEnds := func() bool {
		r, _ := utf8.DecodeRuneInString(text)
		return text == "" || unicode.IsSpace(r)
	}
	for i, word := range strings.Fields(message) {
		if i > 0 && !wordEnds() {
			return false
		}
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if !strings.HasPrefix(text, word) {
			return false
		}
		text = text[len(word):]
	}
	return isCut || wordEnds()
}

// addStrings adds all strings in a JSON value but for the keys and those in promoted.
func (l *lines) addStrings(raw []byte, promoted []string) {
	if len(raw) == 0 || l.full() {
		return
	}
	switch raw[0] {
	case '"':
		if v := schema.Unquote(raw); !slices.Contains(promoted, v) {
			l.add(v)
		}
	case '{':
		for _, v := range schema.Fields(raw) {
			l.addStrings(v, promoted)
		}
	case '[':
		for v := range schema.Elements(raw) {
			l.addStrings(v, promoted)
		}
	}
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// cut returns the first maxField bytes of s, whole characters only.
func cut(s string) string {
	if len(s) <= maxField {
		return s
	}
	s = s[:maxField]
	for i := 0; i < utf8.UTFMax && len(s) > 0; i++ {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}
