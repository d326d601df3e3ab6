package diff

import (
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/internal/render"
)

// hunks draws what differs in a text.
func (p *printer) hunks(indent int, hunks []Hunk) {
	left := mostLines
	for n, h := range hunks {
		if n > 0 {
			p.line(indent, "...", "", p.style.Dim)
		}
		lines := h.Lines
		if !p.Full && len(lines) > left {
			lines = lines[:max(left, 0)]
		}
		if p.Width >= sideBySide && !p.Full {
			p.beside(indent, lines)
		} else {
			p.below(indent, lines)
		}
		if left -= len(h.Lines); left < 0 && !p.Full {
			p.line(indent, "more lines differ (--full)", "", p.style.Dim)
			return
		}
	}
}

// runs passes lines to yield: one that both have, or those that only A and only B has between
// two such.
func runs(lines []string, yield func(both, a, b []string)) {
	for i := 0; i < len(lines); {
		if lines[i][0] == ' ' {
			yield([]string{lines[i][1:]}, nil, nil)
			i++
			continue
		}
		var a, b []string
		for ; i < len(lines) && lines[i][0] != ' '; i++ {
			if lines[i][0] == '-' {
				a = append(a, lines[i][1:])
			} else {
				b = append(b, lines[i][1:])
			}
		}
		yield(nil, a, b)
	}
}

// below draws lines as a unified diff does.
func (p *printer) below(indent int, lines []string) {
	runs(lines, func(both, a, b []string) {
		for _, l := range both {
			p.line(indent, "  "+clean(l), "", plain)
		}
		a, b = p.focus(a, b, p.Width-indent-2)
		for _, l := range a {
			p.line(indent, "- "+l, "", p.style.Bad)
		}
		for _, l := range b {
			p.line(indent, "+ "+l, "", p.style.Good)
		}
	})
}

// beside draws A's lines on the left and B's on the right.
func (p *printer) beside(indent int, lines []string) {
	room := (p.Width - indent - len(" | ")) / 2
	row := func(a, bar, b string, paintA, paintB func(string) string) {
		a, b = p.style.Truncate(a, room), p.style.Truncate(b, room)
		gap := strings.Repeat(" ", max(0, room-render.Width(a)))
		text := strings.Repeat(" ", indent) + paintA(a) + gap + p.style.Dim(bar) + paintB(b)
		p.w.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	runs(lines, func(both, a, b []string) {
		for _, l := range both {
			row(clean(l), "   ", clean(l), plain, plain)
		}
		a, b = p.focus(a, b, room)
		for k := range max(len(a), len(b)) {
			bar := " | "
			if k >= len(b) {
				bar = " < "
			} else if k >= len(a) {
				bar = " > "
			}
			row(at(a, k), bar, at(b, k), p.style.Bad, p.style.Good)
		}
	})
}

// before is how many bytes of what two long lines have in common are shown before what differs.
const before = 30

// focus cleans lines, and drops of two that are too long the beginning that they have in
// common: what differs would be cut off.
func (p *printer) focus(a, b []string, room int) (cleanA, cleanB []string) {
	for _, l := range a {
		cleanA = append(cleanA, clean(l))
	}
	for _, l := range b {
		cleanB = append(cleanB, clean(l))
	}
	if p.Full || p.Width == 0 || len(a) != len(b) {
		return cleanA, cleanB
	}
	for i, x := range cleanA {
		y := cleanB[i]
		n := 0
		for n < min(len(x), len(y)) && x[n] == y[n] {
			n++
		}
		if n -= before; n <= 0 || render.Width(x) <= room && render.Width(y) <= room {
			continue
		}
		for n > 0 && !utf8.RuneStart(x[n]) {
			n--
		}
		cleanA[i], cleanB[i] = p.pick("…", "...")+x[n:], p.pick("…", "...")+y[n:]
	}
	return cleanA, cleanB
}

// pick returns what can be shown.
func (p *printer) pick(utf8, ascii string) string {
	if p.UTF8 {
		return utf8
	}
	return ascii
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// clean is one line of a text as a terminal may have it.
func clean(line string) string {
	return strings.ReplaceAll(strings.ReplaceAll(render.Clean(line), "\n", " "), "\t", "    ")
}
