package main

import (
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/usage"
)

func (a *app) usageTable(report usage.Report, o usageOptions) error {
	first := render.Column{Title: strings.ToUpper(string(o.By))}
	switch o.By {
	case usage.Day, usage.Week, usage.Month:
	case usage.Project:
		first.Give, first.Left = 16, true
	default:
		first.Give = 12
	}
	agents, models := render.Column{Title: "AGENT", Give: 8, Drop: 9}, render.Column{Title: "MODELS", Give: 8, Drop: 4}
	if o.Models {
		models.Drop = 9 // without it its lines could not be told apart
	}
	names := modelNames(report.Total.Models)
	if names.collide {
		first.Give, models.Give = wholeIf(o.By == usage.Model, first.Give), wholeIf(o.Models, models.Give)
	}
	cols := []render.Column{first, {Title: "STARTED", Drop: 6}, {Title: "TITLE", Give: 12, Drop: 5}, agents, models,
		{Title: "INPUT", Right: true, Drop: 7}, {Title: "OUTPUT", Right: true, Drop: 8}, {Title: "CACHE CREATE", Right: true, Drop: 1},
		{Title: "CACHE READ", Right: true, Drop: 2}, {Title: "TOTAL", Right: true, Drop: 3}, {Title: "COST", Right: true}}
	var cells [][]string
	for i, label := range a.usageLabels(report, names) {
		row := report.Rows[i]
		agent, models := "", names.list(row.Models)
		if len(row.Parts) == 1 { // which is all of the row
			agent, row.Parts = row.Parts[0].Agent, nil
		}
		if o.By == usage.Model {
			models = "" // the first column has it
		}
		cells = append(cells, slices.Concat([]string{label, started(row, o), caption(row), agent, models}, a.sumCells(row.Sums)))
		for _, p := range row.Parts {
			cells = append(cells, slices.Concat([]string{"", "", "", p.Agent, names.list(p.Models)}, a.sumCells(p.Sums)))
		}
	}
	cells = append(cells, slices.Concat([]string{"Total", "", "", "", ""}, a.sumCells(report.Total)))
	return a.style.Table(a.out, cols, cells)
}

func started(row usage.Row, o usageOptions) string {
	if row.StartedAt.IsZero() {
		return ""
	}
	return row.StartedAt.In(o.filter.Zone).Format("2006-01-02 15:04")
}

// caption is a session's title, unless that is only its id.
func caption(row usage.Row) string {
	if row.Title == row.Key {
		return ""
	}
	return row.Title
}

// usageLabels are the first cells of the rows.
func (a *app) usageLabels(report usage.Report, names shortNames) (labels []string) {
	for _, row := range report.Rows {
		label := row.Key
		switch {
		case report.By == usage.Model:
			label = names.list([]string{label})
		case report.By == usage.Project:
			label = homeRelative(label)
		}
		if label == "" {
			label = "(unknown)"
		}
		labels = append(labels, label)
	}
	if report.By == usage.Session {
		return shortIDs(labels)
	}
	return labels
}

func (a *app) sumCells(s usage.Sums) []string {
	least := ""
	if s.LowerBound {
		least = a.style.AtLeast()
	}
	return []string{render.Count(s.Input), least + render.Count(s.Output), render.Count(s.CacheWrite),
		render.Count(s.CacheRead), least + render.Count(s.Tokens), a.style.Dollars(s)}
}

// wholeIf is what a column may give: nothing where its texts have to be whole.
func wholeIf(whole bool, give int) int {
	if whole {
		return 0
	}
	return give
}

// shortNames names models as people do: opus-4-5, sonnet-4. Two that would have one name
// keep the whole one.
type shortNames struct {
	names   map[string]string
	collide bool
}

func modelNames(models []string) shortNames {
	s := shortNames{names: map[string]string{}}
	same := map[string][]string{}
	for _, m := range models {
		short := "(unknown)"
		if m != "" {
			short = strings.TrimPrefix(usage.ShortName(m), "claude-")
		}
		same[short] = append(same[short], m)
	}
	for short, models := range same {
		for _, m := range models {
			if s.names[m] = short; len(models) > 1 && m != "" {
				s.names[m], s.collide = m, true
			}
		}
	}
	return s
}

func (s shortNames) list(models []string) string {
	var names []string
	for _, m := range models {
		names = append(names, s.names[m])
	}
	return strings.Join(names, ", ")
}

// usageNotes explains the marks of a table that has them.
func (a *app) usageNotes(report usage.Report) {
	switch {
	case report.Missing > 0:
		a.note("%s a lower bound: of %s there is no file, of some calls there may be no final figures", a.style.AtLeast(),
			render.Plural(int64(report.Missing), "subagent"))
	case report.Total.LowerBound:
		a.note("%s a lower bound: of some calls the transcript has no final figures", a.style.AtLeast())
	}
	if len(report.Unpriced) > 0 {
		a.note("no price is known of %s: [prices] in %s takes one", strings.Join(render.Models(report.Unpriced), ", "), a.configPath())
	}
}
