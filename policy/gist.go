package policy

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// maxGist is how long an input or a result of many values may be in a gist, in bytes.
const maxGist = 8 << 10

// shorten leaves the first GistChars characters of each text, and of each value of an
// input. What was cut says its length and hash.
func shorten(e *schema.Event) {
	e.Content = formed(e, head)
	for _, s := range []*string{&e.ErrorMessage, &e.Title, &e.Reason, &e.Status, &e.ErrorType} {
		*s = head(*s)
	}
	e.ToolInput = shortenJSON(e.ToolInput, inputMember)
	e.Result = shortenJSON(e.Result, resultMember)
	e.Extra = shortenJSON(e.Extra, extraMember)
	e.Metadata = shortenJSON(e.Metadata, metadataMember)
}

func head(s string) string {
	if len(s) <= GistChars || utf8.RuneCountInString(s) <= GistChars || isGist(s) {
		return s
	}
	end := 0
	for range GistChars {
		_, n := utf8.DecodeRuneInString(s[end:])
		end += n
	}
	return schema.CutHead(s, end)
}

// isGist reports whether s is what head left of a text: it ends with the mark of what was cut.
func isGist(s string) bool {
	const open = "…[cut: "
	i := strings.LastIndex(s, open)
	if i < 0 || utf8.RuneCountInString(s[:i]) > GistChars {
		return false
	}
	var n int
	var sum []byte
	_, err := fmt.Sscanf(s[i:], open+"%d bytes, sha256:%64x", &n, &sum)
	return err == nil && s[i:] == fmt.Sprintf("%s%d bytes, sha256:%x]…", open, n, sum)
}

// shortenJSON shortens every string of a JSON value. Where that is still long, only what
// the fold looks at is kept of an object, and the head of the whole as a text.
func shortenJSON(raw []byte, member func(name string) kind) []byte {
	if len(raw) <= GistChars {
		return raw
	}
	out := shortStrings(raw)
	if len(out) <= maxGist {
		return out
	}
	text := schema.AppendString(nil, head(string(raw)))
	if raw[0] != '{' {
		return text
	}
	out = []byte{'{'}
	for name, v := range schema.Fields(raw) {
		if name != leftOut && member(name) != nothing && len(v) <= maxGist/4 {
			out = appendMember(out, name, shortStrings(v))
		}
	}
	return append(appendMember(out, leftOut, text), '}')
}

// shortStrings shortens the strings of a JSON value that are no names of members.
func shortStrings(raw []byte) []byte {
	out, last := make([]byte, 0, min(len(raw), maxGist)), 0
	for i := 0; i < len(raw); {
		if raw[i] != '"' {
			i++
			continue
		}
		n, _ := schema.ValueEnd(raw[i:])
		tok := raw[i : i+n]
		rest := bytes.TrimLeft(raw[i+n:], " \t")
		if len(tok) > GistChars && (len(rest) == 0 || rest[0] != ':') {
			text := schema.Unquote(tok)
			if short := head(text); short != text {
				out = append(out, raw[last:i]...)
				out = schema.AppendString(out, short)
				last = i + n
			}
		}
		i += n
	}
	return append(out, raw[last:]...)
}

// Cut returns an event's text as short cuts it, with the tags by which the fold knows a
// slash command and the end of a task.
func Cut(e *schema.Event, short func(string) string) string { return formed(e, short) }
