package export

import "strings"

// part is a piece of a text: prose, or code that stands in fences or is indented.
type part struct {
	Code bool
	Lang string // of code, as its fence has it
	Text string
}

// parts cuts a text at its fences of three or more ` or ~, however far they are indented and
// in whatever list or quote they are, and at its indented code. A fence that is never closed
// ends with its quote, or with the text.
func parts(text string) []part {
	c := cutter{}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case c.open != "" && c.within(line), c.code > 0 && c.indented(line), c.begins(line):
		default:
			c.prose(line)
		}
	}
	c.flush()
	return c.out
}

// cutter is where in a text parts is. Columns count from 0.
type cutter struct {
	out    []part
	lines  []string // of the part that is not in out yet
	open   string   // the fence that the lines are within
	lang   string   // what that says
	quotes int      // how many quotes it is in
	width  int      // the column that its code begins at
	code   int      // the column that indented code begins at, where the lines are that
	item   int      // the column that the text of the last item of a list begins at
	said   bool     // lines are prose, and one of them is not blank
	shift  int      // how far prose is moved to the left, which has lost the item it was in
}

func (c *cutter) flush() {
	code := c.open != "" || c.code > 0
	s := strings.Join(c.lines, "\n")
	if c.code > 0 {
		s = strings.TrimRight(s, " \t\n")
	}
	if code || strings.TrimSpace(s) != "" {
		c.out = append(c.out, part{code, c.lang, strings.Trim(s, "\n")})
	}
	c.lines, c.open, c.lang, c.code, c.shift, c.said = nil, "", "", 0, 0, false
}

// within takes a line of an open fence, but for one that ends the quote that it is in.
func (c *cutter) within(line string) bool {
	for range c.quotes {
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), ">")
		if !ok {
			c.flush()
			return false
		}
		line = strings.TrimPrefix(rest, " ")
	}
	fence, rest := cutFence(strings.TrimLeft(line, " \t"))
	if fence != "" && fence[0] == c.open[0] && len(fence) >= len(c.open) && strings.TrimSpace(rest) == "" {
		c.flush()
		return true
	}
	c.lines = append(c.lines, unindented(line, c.width))
	return true
}

// indented takes a line of indented code, but for one that ends it.
func (c *cutter) indented(line string) bool {
	if !blank(line) && indentation(line) < c.code {
		c.flush()
		return false
	}
	c.lines = append(c.lines, unindented(line, c.code))
	return true
}

// begins takes a line that opens a fence or begins indented code.
func (c *cutter) begins(line string) bool {
	n := lead(line)
	before := line[:n]
	if fence, rest := cutFence(line[n:]); fence != "" && (fence[0] == '~' || !strings.Contains(rest, "`")) {
		if isItem(before) {
			c.prose(strings.TrimRight(before, " \t"))
			c.item = columns(before)
		}
		c.flush()
		inner := before[strings.LastIndexByte(before, '>')+1:]
		c.open, c.lang, c.quotes = fence, language(rest), strings.Count(before, ">")
		if c.quotes > 0 {
			inner = strings.TrimPrefix(inner, " ")
		}
		c.width = columns(inner)
		return true
	}
	if blank(line) || indentation(line) < c.item+4 || len(c.lines) > 0 && !blank(c.lines[len(c.lines)-1]) {
		return false
	}
	c.flush()
	c.code = c.item + 4
	c.lines = append(c.lines, unindented(line, c.code))
	return true
}

func (c *cutter) prose(line string) {
	in := indentation(line)
	switch before := line[:lead(line)]; {
	case isItem(before):
		c.item = columns(before)
	case in == 0 && !blank(line) && len(c.lines) > 0 && blank(c.lines[len(c.lines)-1]):
		c.item = 0
	}
	switch {
	case blank(line):
	case in < c.shift:
		c.shift = 0
	case in >= 4 && !c.said:
		c.shift = in
	}
	c.said = c.said || !blank(line)
	c.lines = append(c.lines, unindented(line, c.shift))
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// lead is the length of what says that a line is quoted or in a list, and of the spaces
// around that.
func lead(line string) int {
	for i := 0; ; {
		i += len(line[i:]) - len(strings.TrimLeft(line[i:], " \t"))
		n := marker(line[i:])
		if n == 0 {
			return i
		}
		i += n
	}
}

// marker is the length of the sign of a quote or of an item of a list at the beginning of s.
func marker(s string) int {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	n := 1
	switch {
	case s == "":
		return 0
	case s[0] == '>':
		return 1
	case digits > 0 && digits <= 9 && digits < len(s) && (s[digits] == '.' || s[digits] == ')'):
		n = digits + 1
	case s[0] != '-' && s[0] != '+' && s[0] != '*':
		return 0
	}
	if n < len(s) && s[n] != ' ' && s[n] != '\t' {
		return 0
	}
	return n
}

func isItem(lead string) bool { return strings.Trim(lead, "> \t") != "" }

// columns is how wide s is: a tab goes on to the next fourth column.
func columns(s string) (n int) {
	for i := range len(s) {
		n = column(n, s[i])
	}
	return n
}

// column is where the sign after c stands, which stands at n.
func column(n int, c byte) int {
	if c == '\t' {
		return n + 4 - n%4
	}
	return n + 1
}

func indentation(line string) int {
	return columns(line[:len(line)-len(strings.TrimLeft(line, " \t"))])
}

// unindented is a line without the spaces in its first n columns.
func unindented(line string, n int) string {
	at, i := 0, 0
	for i < len(line) && at < n && (line[i] == ' ' || line[i] == '\t') {
		at = column(at, line[i])
		i++
	}
	return strings.Repeat(" ", max(at-n, 0)) + line[i:]
}

// cutFence gives the fence that s begins with, and what follows.
func cutFence(s string) (fence, rest string) {
	n := 0
	for n < len(s) && (s[0] == '`' || s[0] == '~') && s[n] == s[0] {
		n++
	}
	if n < 3 {
		return "", ""
	}
	return s[:n], s[n:]
}

// language is the word after a fence, if it is one that names a language.
func language(info string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(info), " ")
	for _, r := range word {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '#' || r == '-' || r == '_') {
			return ""
		}
	}
	if len(word) > 20 {
		return ""
	}
	return word
}
