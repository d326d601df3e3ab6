package diff

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/render"
)

// Terminal is where text goes to.
type Terminal struct {
	Width int // columns; 0 is no limit
	Color bool
	UTF8  bool
	// Full shows what is the same, too, and texts as long as they are.
	Full bool
}

const (
	// sideBySide is the width from which texts stand beside each other.
	sideBySide = 120
	// mostLines are those that are shown of one text, and of what only one has, unless Full.
	mostLines = 40
)

// Text writes the diff for people: turn by turn what differs, with what is the same on one
// line, and then what each did in sum. The error is the writer's.
func (d *Diff) Text(w io.Writer, t Terminal) error {
	p := &printer{Terminal: t, style: render.Style{Width: t.Width, Color: t.Color, UTF8: t.UTF8}, w: bufio.NewWriter(w)}
	p.heads(d)
	for _, turn := range d.Turns {
		p.turn(turn)
	}
	p.summary(d)
	return p.w.Flush()
}

type printer struct {
	Terminal
	style render.Style
	w     *bufio.Writer
}

// line writes one line, cut to the width but with Full.
func (p *printer) line(indent int, text, right string, paint func(string) string) {
	style := p.style
	style.Width -= indent
	if p.Full || p.Width == 0 {
		style.Width = 0
	}
	p.w.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+style.Ends(clean(text), right, paint), " ") + "\n")
}

func plain(text string) string { return text }

func (p *printer) heads(d *Diff) {
	for _, head := range []struct {
		name  string
		paint func(string) string
		Session
	}{{"A", p.style.Bad, d.A}, {"B", p.style.Good, d.B}} {
		text := head.name + "  " + render.OneLine(head.SessionID) + "  " + render.Time(head.StartedAt)
		if head.ForkedFrom != "" {
			text += "  fork of " + render.OneLine(head.ForkedFrom)
		}
		if head.MissingParent != "" {
			text += "  fork of " + render.OneLine(head.MissingParent) + ", which is not recorded here"
		}
		p.line(0, text, "", head.paint)
		if head.Title != "" {
			p.line(3, render.OneLine(head.Title), "", p.style.Dim)
		}
	}
	p.w.WriteByte('\n')
}

func (p *printer) turn(it *Item) {
	side := cmp.Or(it.A, it.B)
	name := fmt.Sprintf("turn %d", *side.Turn)
	if it.A != nil && it.B != nil && *it.A.Turn != *it.B.Turn {
		name = fmt.Sprintf("turn %d / %d", *it.A.Turn, *it.B.Turn)
	}
	if *side.Turn == 0 {
		name = "before the first prompt"
	}
	calls := render.Plural(int64(side.Figures.Calls), "call")
	switch it.Change {
	case Same:
		p.line(0, fmt.Sprintf("%s: same, %s", name, calls), p.took(it), p.style.Dim)
	case AOnly:
		p.line(0, fmt.Sprintf("- %s, only in A, %s: %s", name, calls, side.Gist), "", p.style.Bad)
	case BOnly:
		p.line(0, fmt.Sprintf("+ %s, only in B, %s: %s", name, calls, side.Gist), "", p.style.Good)
	default:
		p.line(0, strings.TrimSuffix(name+": "+side.Gist, ": "), p.took(it), p.style.Strong)
	}
	p.fields(2, it)
	p.items(2, it.Items)
}

// items draws what is within an item; what is the same in a row is one line.
func (p *printer) items(indent int, items []*Item) {
	only := 0
	for i := 0; i < len(items); i++ {
		if it := items[i]; it.Change == Changed || p.Full {
			p.item(indent, it)
			continue
		} else if it.Change != Same {
			if only++; only <= mostLines {
				p.item(indent, it)
			}
			continue
		}
		start := i
		for i+1 < len(items) && items[i+1].Change == Same {
			i++
		}
		p.line(indent, fmt.Sprintf("= %d the same", i-start+1), "", p.style.Dim)
	}
	if only > mostLines && !p.Full {
		p.line(indent, fmt.Sprintf("%s more only in one of them (--full)", render.Count(int64(only-mostLines))), "", p.style.Dim)
	}
}

func (p *printer) item(indent int, it *Item) {
	mark, side, paint := "~", cmp.Or(it.A, it.B), plain
	switch it.Change {
	case Same:
		mark, paint = "=", p.style.Dim
	case AOnly:
		mark, paint = "-", p.style.Bad
	case BOnly:
		mark, paint = "+", p.style.Good
	}
	name := strings.ReplaceAll(it.Kind, "_", " ")
	if it.Kind == kindCall {
		name = render.OneLine(it.Name)
	} else if it.Kind == kindAgent {
		name = strings.TrimSpace("subagent " + render.OneLine(it.Name))
	}
	gist := render.OneLine(side.Gist)
	if it.Change == Changed && (it.Kind == kindAnswer || len(it.Fields) > 0 && strings.HasPrefix(it.Fields[0].Name, "input.") && it.A.Gist != it.B.Gist) {
		gist = "" // both are below
	}
	if it.Change != Changed && side.Status != "" && side.Status != "completed" {
		gist += " (" + strings.ReplaceAll(render.OneLine(side.Status), "_", " ") + ")"
	}
	p.line(indent, strings.TrimRight(mark+" "+name+"  "+gist, " "), p.took(it), paint)
	p.fields(indent+4, it)
	p.items(indent+2, it.Items)
}

// took is how long an item took, in both where it is in both.
func (p *printer) took(it *Item) string {
	of := func(s *Side) string {
		switch {
		case s == nil:
			return ""
		case s.Figures != nil:
			return render.Millis(&s.Figures.DurationMS)
		}
		return render.Millis(s.DurationMS)
	}
	a, b := of(it.A), of(it.B)
	if a == "" || b == "" || a == b {
		return cmp.Or(a, b)
	}
	return a + p.pick(" → ", " -> ") + b
}

func (p *printer) fields(indent int, it *Item) {
	for _, f := range it.Fields {
		name := render.OneLine(strings.TrimPrefix(f.Name, "input."))
		if f.Name == "status" {
			p.line(indent, "status: "+statusWords(f.A)+p.pick(" → ", " -> ")+statusWords(f.B), "", plain)
			continue
		}
		if it.Kind != kindAnswer {
			p.line(indent, name, "", p.style.Dim)
		}
		hunks := f.Hunks
		if hunks == nil {
			hunks = []Hunk{{Lines: slices.Concat(lineOf("-", f.A), lineOf("+", f.B))}}
		}
		p.hunks(indent, hunks)
	}
}

func statusWords(status string) string {
	return cmp.Or(strings.ReplaceAll(render.OneLine(status), "_", " "), "none")
}

func lineOf(sign, text string) []string {
	if text == "" {
		return nil
	}
	return []string{sign + text}
}

func (p *printer) summary(d *Diff) {
	p.w.WriteByte('\n')
	switch {
	case d.Same:
		p.line(0, "the same: "+render.Plural(int64(len(d.Turns)), "turn")+", "+render.Plural(int64(d.A.Totals.Calls), "call"), "", p.style.Strong)
	case d.First != nil:
		p.line(0, "first difference: "+d.First.String(), "", p.style.Strong)
	}
	p.w.WriteByte('\n')
	cols := []render.Column{{}, {Title: "A", Right: true}, {Title: "B", Right: true}}
	a, b := d.A.Totals, d.B.Totals
	number := func(f func(Figures) int) []string {
		return []string{render.Count(int64(f(a))), render.Count(int64(f(b)))}
	}
	rows := [][]string{
		append([]string{"calls"}, number(func(f Figures) int { return f.Calls })...),
		append([]string{"failed or refused"}, number(func(f Figures) int { return f.Failed })...),
		append([]string{"subagents"}, number(func(f Figures) int { return f.Agents })...),
		{"took", millis(a.DurationMS), millis(b.DurationMS)},
		{"tokens", p.least(a) + render.Count(a.Tokens), p.least(b) + render.Count(b.Tokens)},
		{"cost", p.dollars(a), p.dollars(b)},
	}
	_ = p.style.Table(p.w, cols, rows) // the error shows when it is flushed
	for _, files := range []struct {
		who  string
		list []string
	}{{"A", d.WrittenByA}, {"B", d.WrittenByB}} {
		for _, name := range files.list {
			p.line(0, "only "+files.who+" wrote "+render.OneLine(name), "", plain)
		}
	}
	p.line(0, fmt.Sprintf("events: %d shared, %d only in A, %d only in B", d.SharedEvents, d.AOnlyEvents, d.BOnlyEvents), "", p.style.Dim)
	p.line(0, fmt.Sprintf("divergent: %d nodes, %d relations", d.DivergentNodes, d.DivergentRelations), "", p.style.Dim)
}

func millis(ms float64) string { return render.Duration(time.Duration(ms * float64(time.Millisecond))) }

func (p *printer) least(f Figures) string {
	if f.LowerBound {
		return p.style.AtLeast()
	}
	return ""
}

func (p *printer) dollars(f Figures) string {
	if f.CostUSD == nil {
		return "-"
	}
	return fmt.Sprintf("%s$%.4f", p.least(f), *f.CostUSD)
}

// String says where it is in one line.
func (p *Place) String() string {
	turn, in := cmp.Or(p.TurnA, p.TurnB), ""
	switch p.In {
	case AOnly:
		in = ", only in A"
	case BOnly:
		in = ", only in B"
	}
	text := fmt.Sprintf("turn %d", *turn)
	switch p.Kind {
	case kindTurn:
	case kindAgent:
		text += ", subagent " + render.OneLine(p.Name)
	default:
		text += ", " + strings.ReplaceAll(cmp.Or(render.OneLine(p.Name), p.Kind), "_", " ")
	}
	if gist := render.OneLine(cmp.Or(p.GistA, p.GistB)); gist != "" && p.Kind != kindAnswer && p.Kind != kindTurn {
		text += " " + render.Style{UTF8: true}.Truncate(gist, 60)
	}
	if p.Field != "" {
		text += ": " + strings.TrimPrefix(p.Field, "input.")
	}
	return text + in
}
