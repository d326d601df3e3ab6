package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
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

// wrapped is a text in lines of room columns, all of it but what comes after limit lines.
func (p *painter) wrapped(text string, limit, room int) []string {
	var lines []string
	for _, l := range p.textLines(text, math.MaxInt) {
		lines = append(lines, p.wrapLine(l, room)...)
	}
	if len(lines) > limit {
		more := fmt.Sprintf("%s %s", p.ellipsis(), moreLines(len(lines)-limit))
		lines = append(lines[:limit:limit], more)
	}
	return lines
}

// body draws a text below a branch, indented.
func (p *painter) body(branch, what, text string, failed bool) {
	lines := p.wrapped(text, mostLines, p.Width-width(branch)-4)
	if len(lines) == 0 {
		return
	}
	color := ""
	if failed {
		color = red
	}
	p.line(branch+"  ", p.paint(dim, what+":"))
	for _, l := range lines {
		p.line(branch+"    ", p.paint(color, l))
	}
}

// mostLines are those of an input or a result that are shown in full; a file that was read
// is not what was said.
const mostLines = 60

// input draws the members of a call's input. A subagent's prompt is drawn in the subagent.
func (p *painter) input(branch string, it *graph.TreeItem) {
	members := Input(it.Action)
	for _, kid := range it.Kids {
		if kid.Agent != nil && kid.Agent.Prompt != "" && kid.Agent.Prompt == schema.Unquote(members["prompt"]) {
			delete(members, "prompt")
		}
	}
	if Patch(it.Result) != "" { // which says the same, and where
		delete(members, "old_string")
		delete(members, "new_string")
	}
	p.members(branch, members)
}

// members draws the members of an object one by one, texts as text, so that a
// command or a file's content reads as it is.
func (p *painter) members(branch string, members map[string]json.RawMessage) {
	for _, key := range sortedKeys(members) {
		var text string
		if len(members[key]) == 0 {
			continue
		}
		if json.Unmarshal(members[key], &text) != nil {
			var b bytes.Buffer
			if json.Indent(&b, members[key], "", "  ") != nil {
				continue
			}
			text = b.String()
		}
		text = strings.Trim(Clean(text), "\n")
		room := p.Width - width(branch) - width(key) - 4
		if strings.Contains(text, "\n") || p.Width > 0 && width(text) > max(room, 10) {
			p.body(branch, OneLine(key), text, false)
			continue
		}
		p.line(branch+"  ", p.paint(dim, OneLine(key)+": ")+text)
	}
}

// Snippet draws a part of a text with what matched in it marked: in colour, or
// between brackets where there is none. marks are byte ranges of text. Of a text
// that is too wide the part around the first match is shown, in room columns; 0 is
// no limit.
func (s Style) Snippet(text string, marks [][2]int, room int) string {
	pieces := cutPieces(text, marks)
	if room > 0 {
		pieces = s.around(pieces, room)
	}
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case !p.marked:
			b.WriteString(p.text)
		case s.Color:
			b.WriteString(s.paint(bold+";"+yellow, p.text))
		default:
			b.WriteString(s.pick("«", "[") + p.text + s.pick("»", "]"))
		}
	}
	return strings.TrimSpace(b.String())
}

type piece struct {
	text   string
	marked bool
}

// cutPieces cuts a text at its marks and cleans the pieces: whatever sequence a
// mark may have cut in two, neither half of it is left.
func cutPieces(text string, marks [][2]int) (pieces []piece) {
	pos := 0
	for _, m := range marks {
		if m[0] < pos || m[1] < m[0] || m[1] > len(text) {
			continue
		}
		pieces = append(pieces, piece{flat(text[pos:m[0]]), false}, piece{flat(text[m[0]:m[1]]), true})
		pos = m[1]
	}
	return append(pieces, piece{flat(text[pos:]), false})
}

// around keeps room columns of pieces, from a little before the first match on.
func (s Style) around(pieces []piece, room int) (out []piece) {
	if head := width(pieces[0].text); len(pieces) > 1 && head > room/3 {
		pieces[0].text = s.ellipsis() + columns().TruncateLeft(pieces[0].text, head-room/3, "")
	}
	for _, p := range pieces {
		brackets := 0
		if p.marked && !s.Color {
			brackets = 2
		}
		n := width(p.text) + brackets
		if n > room {
			p.text = s.Truncate(p.text, room-brackets)
			return append(out, p)
		}
		room -= n
		out = append(out, p)
	}
	return out
}

// flat is a piece of a line: clean, its newlines and tabs blanks, its own blanks
// kept.
func flat(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Clean(s))
}

// Wrap writes parts, separated by commas, in lines that fit the width; lines but
// the first begin below the column at.
func (s Style) Wrap(at int, parts []string) string {
	var b strings.Builder
	used := at
	for i, p := range parts {
		if i < len(parts)-1 {
			p += ","
		}
		n := width(Clean(p)) // without its colour
		switch {
		case i > 0 && s.Width > 0 && used+1+n > s.Width:
			b.WriteString("\n" + strings.Repeat(" ", at) + p)
			used = at + n
		case i > 0:
			b.WriteString(" " + p)
			used += 1 + n
		default:
			b.WriteString(p)
			used += n
		}
	}
	return b.String()
}
