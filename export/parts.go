package export

import "strings"

// part is a piece of a text: prose, or what stands between a pair of fences.
type part struct {
	Code bool
	Lang string // of code, as its fence has it
	Text string
}

// parts cuts a text at its fences of three or more ` or ~, however far they are indented.
// One that is never closed ends with the text.
func parts(text string) (out []part) {
	var lines []string
	flush := func(code bool, lang string) {
		if s := strings.Join(lines, "\n"); code || strings.TrimSpace(s) != "" {
			out = append(out, part{code, lang, strings.Trim(s, "\n")})
		}
		lines = nil
	}
	var open, lang, indent string // the fence that the line is within
	for line := range strings.SplitSeq(text, "\n") {
		fence, rest, before := cutFence(line)
		switch {
		case open == "" && fence != "" && !(fence[0] == '`' && strings.Contains(rest, "`")):
			flush(false, "")
			open, lang, indent = fence, language(rest), before
		case open != "" && fence != "" && fence[0] == open[0] && len(fence) >= len(open) && strings.TrimSpace(rest) == "":
			flush(true, lang)
			open, lang = "", ""
		default:
			if open != "" {
				line = strings.TrimPrefix(line, indent)
			}
			lines = append(lines, line)
		}
	}
	flush(open != "", lang)
	return out
}

// cutFence gives the fence that a line begins with, what follows and what is before it.
func cutFence(line string) (fence, rest, indent string) {
	s := strings.TrimLeft(line, " \t")
	indent = line[:len(line)-len(s)]
	n := 0
	for n < len(s) && (s[0] == '`' || s[0] == '~') && s[n] == s[0] {
		n++
	}
	if n < 3 {
		return "", "", ""
	}
	return s[:n], s[n:], indent
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
