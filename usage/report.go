package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// By is what the rows of a report are.
type By string

// The reports.
const (
	Day     By = "day"
	Week    By = "week" // from Monday on
	Month   By = "month"
	Session By = "session"
	Model   By = "model"
	Project By = "project"
	Agent   By = "agent"
)

// Reports lists them.
func Reports() []By { return []By{Day, Week, Month, Session, Model, Project, Agent} }

// MainThread is the name of the lane that is no subagent's, in reports by agent.
const MainThread = "main"

// Options say what a report is like.
type Options struct {
	By     By
	Models bool // keep models apart in each row
	Agents bool // keep the main thread and the types of subagents apart in each row
}

// Filter makes f ask for what the report needs to know.
func (o Options) Filter(f graph.UsageFilter) graph.UsageFilter {
	f.ByDay = o.By == Day || o.By == Week || o.By == Month
	f.BySession = o.By == Session
	f.ByProject = o.By == Project
	f.ByAgent = o.By == Agent || o.Agents
	return f
}

// Report is what was used, and what it cost.
type Report struct {
	By   By    `json:"by"`
	Rows []Row `json:"rows"`
	// Total is all of Rows.
	Total Sums `json:"total"`
	// Unpriced are the models whose price is not known, sorted; "" is a model that is
	// not known itself, and used some.
	Unpriced []string `json:"unpriced_models"`
	// Missing is how many subagents have no file: then every figure may be short of the
	// truth.
	Missing int `json:"missing_agents,omitempty"`
	// PricesAsOf is the date of the price table, PricesSource where it is from; before
	// that, with commas, where other prices that were used are from.
	PricesAsOf   string `json:"prices_as_of"`
	PricesSource string `json:"prices_source"`
}

// Row is one line of a report. Key is the day, the Monday of the week, the month
// (2026-11), the session's id, the model, the project's directory or the agent's type.
type Row struct {
	Key       string    `json:"key"`
	Title     string    `json:"title,omitempty"`     // of a session
	Project   string    `json:"project,omitempty"`   // of a session
	StartedAt time.Time `json:"started_at,omitzero"` // of a session
	Sums
	// Parts are what the options keep apart, the dearest first.
	Parts []Part `json:"parts,omitempty"`
}

// Part is a share of a row: of one model, of one kind of agent, or both.
type Part struct {
	Model string `json:"model,omitempty"`
	Agent string `json:"agent,omitempty"`
	Sums
}

// Sums are figures that were added up.
type Sums struct {
	Models       []string `json:"models"` // sorted
	Calls        int64    `json:"calls"`
	Input        int64    `json:"input_tokens"`
	Output       int64    `json:"output_tokens"`
	CacheWrite   int64    `json:"cache_creation_input_tokens"`
	CacheWrite5m int64    `json:"ephemeral_5m_input_tokens"` // of cache writes, where it is stated
	CacheWrite1h int64    `json:"ephemeral_1h_input_tokens"`
	CacheRead    int64    `json:"cache_read_input_tokens"`
	Tokens       int64    `json:"total_tokens"` // input, output, cache writes and reads
	WebSearches  int64    `json:"web_search_requests"`
	// LowerBound says that the figures of some call may be short of the truth.
	LowerBound bool `json:"lower_bound"`
	// CostUSD is nil where no price is known. CostLowerBound says that there are calls
	// whose cost is not in it, or may be short of the truth: it is true where CostUSD is nil.
	CostUSD        *float64 `json:"cost_usd"`
	CostLowerBound bool     `json:"cost_lower_bound"`

	nanos    float64 // whole billionths of a dollar
	priced   bool
	unpriced bool
}

// Make makes a report of rows that were asked for with o.Filter.
func Make(rows []graph.UsageRow, o Options, prices *Table) Report {
	rep := Report{By: o.By, PricesAsOf: prices.AsOf, Unpriced: []string{}, Rows: []Row{}}
	at, sources := map[string]int{}, []string{}
	priceOf := prices.finder()
	for _, r := range rows {
		key := keyOf(o.By, r)
		i, ok := at[key]
		if !ok {
			i = len(rep.Rows)
			at[key] = i
			rep.Rows = append(rep.Rows, Row{Key: key, Title: r.Title, StartedAt: r.StartedAt})
			if o.By == Session {
				rep.Rows[i].Project = r.Project
			}
		}
		if r.Calls == 0 && r.LowerBounds > 0 { // subagents of which no call is known
			rep.Missing += int(r.LowerBounds)
			rep.Rows[i].miss(r)
			rep.Total.miss(r)
			if o.Models || o.Agents {
				rep.Rows[i].part(r, o).miss(r)
			}
			continue
		}
		nanos, source, known := prices.cost(r, priceOf)
		if source != "" && source != prices.Source && !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
		silent := r.Model == "" && r.Input+r.Output+r.CacheRead+r.CacheWrite == 0 // no price would tell its cost
		if !known && !silent && !slices.Contains(rep.Unpriced, r.Model) {
			rep.Unpriced = append(rep.Unpriced, r.Model)
		}
		rep.Rows[i].add(r, nanos, known)
		rep.Total.add(r, nanos, known)
		if o.Models || o.Agents {
			rep.Rows[i].part(r, o).add(r, nanos, known)
		}
	}
	for i := range rep.Rows {
		rep.Rows[i].finish()
		for j := range rep.Rows[i].Parts {
			rep.Rows[i].Parts[j].finish()
		}
		slices.SortStableFunc(rep.Rows[i].Parts, func(a, b Part) int {
			return cmp.Or(a.compare(b.Sums), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Model, b.Model))
		})
	}
	rep.Total.finish()
	slices.Sort(sources)
	rep.PricesSource = strings.Join(append(sources, prices.Source), ", ")
	slices.Sort(rep.Unpriced)
	slices.SortFunc(rep.Rows, func(a, b Row) int { return compareRows(o.By, a, b) })
	return rep
}

// keyOf names the row of a report that r belongs to.
func keyOf(by By, r graph.UsageRow) string {
	switch by {
	case Session:
		return r.SessionID
	case Model:
		return r.Model
	case Project:
		return r.Project
	case Agent:
		return agentName(r.Agent)
	case Month:
		return r.Day[:len("2026-11")]
	case Week:
		if day, err := time.Parse(time.DateOnly, r.Day); err == nil {
			return day.AddDate(0, 0, -(int(day.Weekday())+6)%7).Format(time.DateOnly)
		}
	}
	return r.Day
}

func agentName(kind string) string {
	if kind == "" {
		return MainThread
	}
	return kind
}

// compareRows puts times in their order, and anything else the dearest first.
func compareRows(by By, a, b Row) int {
	switch by {
	case Day, Week, Month:
		return cmp.Compare(a.Key, b.Key)
	case Session:
		if c := a.StartedAt.Compare(b.StartedAt); c != 0 {
			return c
		}
		return cmp.Compare(a.Key, b.Key)
	}
	return cmp.Or(a.compare(b.Sums), cmp.Compare(a.Key, b.Key))
}

// part is the share of the row that r belongs to.
func (row *Row) part(r graph.UsageRow, o Options) *Sums {
	var model, agent string
	if o.Models {
		model = r.Model
	}
	if o.Agents {
		agent = agentName(r.Agent)
	}
	i := slices.IndexFunc(row.Parts, func(p Part) bool { return p.Model == model && p.Agent == agent })
	if i < 0 {
		i = len(row.Parts)
		row.Parts = append(row.Parts, Part{Model: model, Agent: agent})
	}
	return &row.Parts[i].Sums
}

func (s *Sums) add(r graph.UsageRow, nanos float64, known bool) {
	if i, has := slices.BinarySearch(s.Models, r.Model); !has {
		s.Models = slices.Insert(s.Models, i, r.Model)
	}
	s.Calls += r.Calls
	s.Input += r.Input
	s.Output += r.Output
	s.CacheWrite += r.CacheWrite
	s.CacheWrite5m += r.CacheWrite5m
	s.CacheWrite1h += r.CacheWrite1h
	s.CacheRead += r.CacheRead
	s.Tokens += r.Input + r.Output + r.CacheWrite + r.CacheRead
	s.WebSearches += r.WebSearches
	s.LowerBound = s.LowerBound || r.LowerBounds > 0
	s.nanos += nanos
	s.priced = s.priced || known
	s.unpriced = s.unpriced || !known
}

// miss notes subagents whose calls are not known, nor what these cost.
func (s *Sums) miss(r graph.UsageRow) {
	s.LowerBound = s.LowerBound || r.LowerBounds > 0
	s.unpriced = true
}

func (s *Sums) finish() {
	if s.Models == nil {
		s.Models = []string{}
	}
	if s.priced || !s.unpriced {
		dollars := s.nanos / 1e9
		s.CostUSD = &dollars
	}
	s.CostLowerBound = s.LowerBound || s.unpriced
}

// compare puts the dearer sums first; of those that cost the same, the greater.
func (s *Sums) compare(other Sums) int {
	return cmp.Or(cmp.Compare(other.nanos, s.nanos), cmp.Compare(other.Tokens, s.Tokens))
}
