package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
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

// block draws JSON below a branch: the members of an object one by one, texts as
// text, so that a command or a file's content reads as it is.
func (p *painter) block(branch, what string, raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "{}" {
		return
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		p.body(branch, what, string(raw), false)
		return
	}
	for _, key := range sortedKeys(object) {
		var text string
		if json.Unmarshal(object[key], &text) != nil {
			var b bytes.Buffer
			if json.Indent(&b, object[key], "", "  ") != nil {
				continue
			}
			text = b.String()
		}
		if text = strings.Trim(Clean(text), "\n"); !strings.Contains(text, "\n") {
			line := OneLine(key) + ": " + text
			p.line(branch+"  ", p.clip(line, p.Width-width(branch)-2))
			continue
		}
		p.body(branch, OneLine(key), text, false)
	}
}
