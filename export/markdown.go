package export

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

// Markdown writes the conversation as Markdown with <details> blocks, as GitHub and most
// others read it. The error is the writer's.
func (c Conversation) Markdown(w io.Writer) error {
	d := c.document()
	m := newMarkdown(w)
	m.printf("# %s\n\n", escapeInline(d.Title))
	for _, f := range d.Facts {
		m.printf("- **%s:** %s\n", f.Name, escapeInline(f.Text))
	}
	n := 0
	for _, t := range d.Turns {
		m.printf("\n---\n")
		if t.Prompt != nil {
			n++
			m.printf("\n## Prompt %d%s\n\n%s\n", n, after(" · ", t.Prompt.When), quoted(m.prose(t.Prompt.Text, true)))
		}
		for _, e := range t.Entries {
			m.entry(e)
		}
	}
	if d.Left != "" {
		m.printf("\n---\n\n*%s*\n", escapeInline(d.Left))
	}
	return m.w.Flush()
}

type markdown struct {
	w    *bufio.Writer
	link *regexp.Regexp // what may follow the text of a link
}

func newMarkdown(w io.Writer) *markdown {
	return &markdown{
		w:    bufio.NewWriter(w),
		link: regexp.MustCompile(`^\((?:https?://|mailto:|#|\.{0,2}/|[\w./-]+\))`),
	}
}

func (m *markdown) printf(format string, args ...any) { fmt.Fprintf(m.w, format, args...) }

func (m *markdown) entry(e *entry) {
	switch e.Kind {
	case "prompt":
		m.printf("\n%s\n", quoted(m.prose(e.Text, true)))
	case "answer":
		if e.Status != "" {
			m.printf("\n%s **%s**\n", e.Mark, e.Status)
		}
		m.printf("\n%s\n", m.prose(e.Text, false))
	case "error":
		m.printf("\n%s **%s**\n", e.Mark, escapeInline(e.Head))
		m.block(field{Text: e.Text})
	case "thinking":
		m.fold("Thinking", func() { m.printf("\n%s\n", quoted(m.prose(e.Text, true))) })
	case "note":
		m.printf("\n*%s*\n", escapeInline(e.Head))
		m.fields(e)
	default:
		m.fold(summary(e), func() { m.fields(e) })
	}
}

// fields writes what is in an entry.
func (m *markdown) fields(e *entry) {
	for _, f := range e.Input {
		m.field(f)
	}
	if e.Text != "" {
		m.block(field{Text: e.Text})
	}
	for _, kid := range e.Entries {
		m.entry(kid)
	}
	if len(e.Output) > 0 && e.Kind == "call" {
		m.printf("\n**Result**\n")
	}
	for _, f := range e.Output {
		m.field(f)
	}
}

func (m *markdown) field(f field) {
	switch {
	case f.Inline:
		m.printf("\n**%s:** %s\n", escapeInline(f.Name), codeSpan(f.Text))
		return
	case f.Name != "":
		m.printf("\n**%s**\n", escapeInline(f.Name))
	}
	m.block(f)
}

// block is a text in a fence.
func (m *markdown) block(f field) {
	if f.Text != "" {
		m.printf("\n%s\n", fenced(f.Text, f.Lang))
	}
}

func (m *markdown) fold(summary string, body func()) {
	m.printf("\n<details>\n<summary>%s</summary>\n", summary)
	body()
	m.printf("\n</details>\n")
}

// summary is the line of what is folded, as HTML: within it Markdown has no meaning.
func summary(e *entry) string {
	s := html.EscapeString(e.Head)
	switch e.Kind {
	case "system":
		return "System: " + s
	case "call":
		if tool, what, ok := strings.Cut(s, ": "); ok {
			s = "<b>" + tool + "</b> <code>" + what + "</code>"
		} else {
			s = "<b>" + s + "</b>"
		}
	case "agent":
		s = "<b>Subagent</b> " + s
	}
	s = strings.TrimSpace(e.Mark + " " + s)
	if e.Status != "" {
		s += " — <b>" + html.EscapeString(e.Status) + "</b>"
	}
	return s + after(" · ", e.Took)
}

func after(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}

// fenced is a text in a fence that no line of it can close.
func fenced(text, lang string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	return fence + lang + "\n" + text + "\n" + fence
}

// quoted is Markdown as a block quote.
func quoted(s string) string {
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteByte('>')
		if line != "" {
			b.WriteString(" " + line)
		}
	}
	return b.String()
}

// prose is what somebody wrote in Markdown, without what would take over the document: its
// HTML and its images are text, its headings stand below ours, its fences are closed. With
// breaks its lines stay lines, as a person typed them.
func (m *markdown) prose(text string, breaks bool) string {
	var out []string
	for _, p := range parts(text) {
		if p.Code {
			out = append(out, fenced(p.Text, p.Lang))
			continue
		}
		lines := strings.Split(p.Text, "\n")
		for i, line := range lines {
			lines[i] = strings.TrimRight(m.proseLine(line), " ")
			if breaks && lines[i] != "" && i+1 < len(lines) && strings.TrimSpace(lines[i+1]) != "" {
				lines[i] += "  "
			}
		}
		out = append(out, strings.Join(lines, "\n"))
	}
	return strings.Join(out, "\n\n")
}

func (m *markdown) proseLine(line string) string {
	n := lead(line)
	indent, s := line[:n], line[n:]
	switch level := len(s) - len(strings.TrimLeft(s, "#")); {
	case s == "":
		if line = strings.TrimRight(line, " \t"); strings.HasSuffix(line, "-") {
			return line[:len(line)-1] + `\-` // one dash is enough for a heading
		}
		return line
	case level > 0 && level <= 6 && (len(s) == level || s[level] == ' ' || s[level] == '\t'):
		return indent + strings.Repeat("#", min(level+3, 6)) + m.inline(s[level:])
	case strings.Trim(s, "= \t") == "", strings.Trim(s, "- \t") == "" && len(s) > 1: // it would make the line above a heading
		return indent + `\` + s
	}
	return indent + m.inline(s)
}

// punctuation is what a backslash makes plain in Markdown.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// inline escapes one line. Neither a sign that begins HTML nor a backtick is left in it, for
// readers do not agree on where code ends: GitHub cuts tables at each | before it looks for
// code, and an address in a text takes the backtick after it. So code is written as HTML.
func (m *markdown) inline(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		switch s[i] {
		case '\\':
			if i+1 < len(s) && entity(s[i+1]) != "" {
				b.WriteString(entity(s[i+1])) // the sign itself is meant
				i += 2
				continue
			}
			if i+1 == len(s) || !strings.ContainsRune(punctuation, rune(s[i+1])) {
				b.WriteString(`\\`)
				i++
				continue
			}
			b.WriteString(s[i : i+2])
			i += 2
			continue
		case '`':
			n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
			end := closing(s[i+n:], n)
			if end < 0 {
				b.WriteString(strings.Repeat(entity('`'), n))
				i += n
				continue
			}
			b.WriteString(codeSpan(s[i+n : i+end]))
			i += n + end
			continue
		case '<', '>', '&':
			b.WriteString(entity(s[i]))
		case '!':
			b.WriteByte('!')
			if strings.HasPrefix(s[i+1:], "[") {
				b.WriteString(`\[`)
				i++
			}
		case ']':
			b.WriteByte(']')
			switch {
			case strings.HasPrefix(s[i+1:], "(") && !m.link.MatchString(s[i+1:]):
				b.WriteString(`\(`)
				i++
			case strings.HasPrefix(s[i+1:], ":"): // the address of a link elsewhere
				b.WriteString(`\:`)
				i++
			}
		default:
			b.WriteByte(s[i])
		}
		i++
	}
	return b.String()
}

// entity is a sign that must not be in the document at all, as HTML writes it: a backslash
// before it would be part of an address that the text has before that. "" is any other.
func entity(c byte) string {
	switch c {
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '&':
		return "&amp;"
	case '`':
		return "&#96;"
	}
	return ""
}

// codeSpan is code within a line, in which nothing has a meaning and no address is a link.
func codeSpan(s string) string {
	if len(s) > 2 && s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
		s = s[1 : len(s)-1] // room for a backtick
	}
	var b strings.Builder
	b.WriteString("<code>")
	for i := range len(s) {
		switch c := s[i]; {
		case entity(c) != "":
			b.WriteString(entity(c))
		case strings.IndexByte(`*_[]!|\~$`, c) >= 0, c == ':' && strings.HasPrefix(s[i:], "://"),
			c == '.' && strings.HasSuffix(strings.ToLower(s[:i]), "www"):
			fmt.Fprintf(&b, "&#%d;", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString("</code>")
	return b.String()
}

// closing finds the end of a code span: just after the next run of n backticks.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if i += run; run == n {
			return i
		}
	}
	return -1
}

// escapeInline is a text of one line in which nothing is markup.
func escapeInline(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case entity(c) != "":
			b.WriteString(entity(c))
			continue
		case strings.IndexByte(`\*_{}[]#|~!$`, c) >= 0:
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
