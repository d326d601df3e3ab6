package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// textLines is a text in lines as wide as there is room for, at most limit of them;
// the last says how many more there are.
func (p *painter) textLines(text string, limit int) []string {
	text = strings.Trim(Clean(text), "\n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var lines []string
	total := 0
	for line := range strings.Lines(text) {
		if total++; total <= limit {
			lines = append(lines, strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), " \n"))
		}
	}
	if total > limit {
		lines = append(lines, fmt.Sprintf("%s %s", p.ellipsis(), moreLines(total-limit)))
	}
	return lines
}

func moreLines(n int) string { return Plural(int64(n), "more line") }

// body draws a text below a branch, indented.
func (p *painter) body(branch, what, text string, failed bool) {
	lines := p.textLines(text, p.limit(0))
	if len(lines) == 0 {
		return
	}
	color := ""
	if failed {
		color = red
	}
	p.line(branch+"  ", p.paint(dim, what+":"))
	for _, l := range lines {
		p.line(branch+"    ", p.paint(color, p.clip(l, p.Width-width(branch)-4)))
	}
}

// input draws the members of a call's input one by one, texts as text, so that a
// command or a file's content reads as it is.
func (p *painter) input(branch string, a *graph.ActionRow) {
	members := wholeInput(a)
	for _, key := range sortedKeys(members) {
		var text string
		if json.Unmarshal(members[key], &text) != nil {
			var b bytes.Buffer
			if json.Indent(&b, members[key], "", "  ") != nil {
				continue
			}
			text = b.String()
		}
		if text = strings.Trim(Clean(text), "\n"); strings.Contains(text, "\n") {
			p.body(branch, OneLine(key), text, false)
			continue
		}
		p.line(branch+"  ", p.paint(dim, OneLine(key)+": ")+p.clip(text, p.Width-width(branch)-width(key)-4))
	}
}

// Snippet draws a part of a text with what matched in it marked: in colour, or
// between brackets where there is none. marks are byte ranges of text.
func (s Style) Snippet(text string, marks [][2]int) string {
	var b strings.Builder
	pos := 0
	for _, m := range marks {
		from, to := m[0], m[1]
		if from < pos || to < from || to > len(text) {
			continue
		}
		b.WriteString(flat(text[pos:from]))
		word := flat(text[from:to])
		if s.Color {
			b.WriteString(s.paint(bold+";"+yellow, word))
		} else {
			b.WriteString(s.pick("«", "[") + word + s.pick("»", "]"))
		}
		pos = to
	}
	b.WriteString(flat(text[pos:]))
	return strings.TrimSpace(b.String())
}

// flat is a piece of a line: clean, its newlines and tabs blanks, its own blanks
// kept.
func flat(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Clean(s))
}
