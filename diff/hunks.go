package diff

import (
	"strings"

	"github.com/aymanbagabas/go-udiff/lcs"
)

// around is how many lines of both are told before and after those that differ.
const around = 2

// field compares two texts, of which one may be absent.
func (c *comparison) field(x, y field) Field {
	out := Field{Name: x.name}
	a, b := strings.TrimRight(x.text, "\n"), strings.TrimRight(y.text, "\n")
	if !strings.Contains(a, "\n") && !strings.Contains(b, "\n") {
		out.A, out.B = a, b
		return out
	}
	out.Hunks = hunks(split(a), split(b), split(c.a.neutral.text(a, x.printed)), split(c.b.neutral.text(b, y.printed)))
	return out
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// hunks tells the lines by which a and b differ; neutral ones decide what is equal.
func hunks(a, b, neutralA, neutralB []string) (out []Hunk) {
	endA, endB := 0, 0 // what has been told
	for _, d := range lcs.DiffLines(neutralA, neutralB) {
		fromA, fromB := max(endA, d.Start-around), max(endB, d.ReplStart-around)
		if n := len(out); n == 0 || d.Start-endA > 2*around {
			if n > 0 {
				last := &out[n-1]
				last.Lines = appendLines(last.Lines, " ", a[endA:endA+around])
			}
			out = append(out, Hunk{A: fromA + 1, B: fromB + 1})
		} else {
			fromA = endA
		}
		h := &out[len(out)-1]
		h.Lines = appendLines(h.Lines, " ", a[fromA:d.Start])
		h.Lines = appendLines(h.Lines, "-", a[d.Start:d.End])
		h.Lines = appendLines(h.Lines, "+", b[d.ReplStart:d.ReplEnd])
		endA, endB = d.End, d.ReplEnd
	}
	if n := len(out); n > 0 {
		out[n-1].Lines = appendLines(out[n-1].Lines, " ", a[endA:min(len(a), endA+around)])
	}
	return out
}

func appendLines(to []string, sign string, lines []string) []string {
	for _, l := range lines {
		to = append(to, sign+l)
	}
	return to
}
