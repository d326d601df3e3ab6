package diff

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/internal/render"
)

//go:embed page.html
var page string

//go:embed page.css
var css string

// HTML writes the diff as one page without scripts, which loads nothing, A on the left and B
// on the right. Every text passes redact, which may be nil. The error is the writer's.
func (d *Diff) HTML(w io.Writer, redact func(string) string) error {
	if redact == nil {
		redact = func(s string) string { return s }
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"text":   func(s string) string { return redact(render.Clean(s)) },
		"turn":   turnName,
		"kind":   func(it *Item) string { return cmp.Or(it.Name, strings.ReplaceAll(it.Kind, "_", " ")) },
		"side":   func(it *Item) *Side { return cmp.Or(it.A, it.B) },
		"rows":   rows,
		"took":   func(it *Item) string { return (&printer{Terminal: Terminal{UTF8: true}}).took(it) },
		"groups": groups,
		"count":  render.Count,
		"millis": millis,
		"time":   render.Time,
	}).Parse(page)
	if err != nil {
		return err
	}
	// The style is ours, and only it is allowed: none that a text might smuggle in.
	sum := sha256.Sum256([]byte(css))
	p := &printer{Terminal: Terminal{UTF8: true}, style: render.Style{UTF8: true}}
	b := bufio.NewWriter(w)
	err = t.Execute(b, struct {
		*Diff
		CSS          template.CSS
		Policy       string
		CostA, CostB string
	}{d, template.CSS(css), "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		p.dollars(d.A.Totals), p.dollars(d.B.Totals)})
	if err != nil {
		return err
	}
	return b.Flush()
}

// row is a line of A beside a line of B. Class says how they differ, "" if they do not.
type row struct{ Class, A, B string }

// rows are a field's lines, side by side.
func rows(f Field) (out []row) {
	hunks := f.Hunks
	if hunks == nil {
		hunks = []Hunk{{Lines: slices.Concat(lineOf("-", f.A), lineOf("+", f.B))}}
	}
	for n, h := range hunks {
		if n > 0 {
			out = append(out, row{"gap", "…", "…"})
		}
		runs(h.Lines, func(both, a, b []string) {
			for _, l := range both {
				out = append(out, row{"", l, l})
			}
			for k := range max(len(a), len(b)) {
				class := "changed"
				if k >= len(b) {
					class = "gone"
				} else if k >= len(a) {
					class = "new"
				}
				out = append(out, row{class, at(a, k), at(b, k)})
			}
		})
	}
	return out
}

// group is one item that differs, or as many as follow each other that do not.
type group struct {
	*Item
	Same []*Item
}

func groups(items []*Item) (out []group) {
	for _, it := range items {
		n := len(out)
		switch {
		case it.Change != Same:
			out = append(out, group{Item: it})
		case n > 0 && out[n-1].Item == nil:
			out[n-1].Same = append(out[n-1].Same, it)
		default:
			out = append(out, group{Same: []*Item{it}})
		}
	}
	return out
}

func turnName(it *Item) string {
	side := cmp.Or(it.A, it.B)
	switch {
	case *side.Turn == 0:
		return "Before the first prompt"
	case it.A != nil && it.B != nil && *it.A.Turn != *it.B.Turn:
		return fmt.Sprintf("Turn %d / %d", *it.A.Turn, *it.B.Turn)
	}
	return fmt.Sprintf("Turn %d", *side.Turn)
}
