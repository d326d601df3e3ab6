// Package usage makes the report of tokens and what they cost: by day, week, month,
// session, model, project or agent. It adds up what a connector.Reader's Usage answers
// with and prices it; it asks nobody.
//
// # What is counted
//
// A model call is one API message, counted once by its message id however many lines of
// however many transcripts repeat it, each figure at the greatest that any of them states
// (package graph). Input are the tokens that no cache had a part in, as vendors say it.
//
// It is counted once a session. What a fork copied is its parent's, and what a session
// that an old version resumed under a new id copied is that of the session before: the
// copied lines say so, or are found in its file (package transcript). Where that was gone before
// anybody read it, its messages are counted in the first copy of it that is on disk.
//
// # What it costs
//
// The cost that the record itself states (cost_usd) stands. Any other is computed from a
// price table: prices.json, list prices with their date and source, before which those of
// config.toml come. Old calls are priced by the same table. A model that no price is
// known of has no cost, and is named.
//
// # Agreement with ccusage
//
// On the same files the tokens are those of ccusage 20.0.24 but for these causes, which
// sum to the difference exactly (TestCcusage):
//
//  1. Lines that only one reads. ccusage skips lines with a null where its schema has
//     none, with a version that is none, and with a space after "usage":. It reads usage
//     in progress lines and, as calls of their own, an advisor's iterations.
//  2. Sessions: a message with one request id in two sessions is one to ccusage; we count
//     it in each, unless the second is a fork, whose copied lines are the first's.
//  3. Requests: a message with two request ids, or with none and two times, is two to
//     ccusage; to us it is one.
//  4. Figures: ccusage takes the line of a message with the greatest total, and no
//     sidechain's where there is another, we the greatest of each figure.
//  5. Splits: where a line divides its cache writes by time to live, ccusage takes the sum
//     of the parts, we the line's own sum.
//
// Days: a message whose lines are on two sides of midnight is of the day of its first; in
// ccusage of the day of the line that it took. Costs differ as the price tables do:
// ccusage has LiteLLM's.
package usage

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

//go:embed prices.json
var pricesJSON []byte

// Rates are US dollars per million tokens.
type Rates struct {
	Input        float64 `json:"input"`
	Output       float64 `json:"output"`
	CacheRead    float64 `json:"cache_read"`
	CacheWrite5m float64 `json:"cache_write_5m"`
	CacheWrite1h float64 `json:"cache_write_1h"`
}

// Long are the rates of a call whose prompt is longer than Tokens: one of
// graph.UsageTiers.
type Long struct {
	Tokens int64 `json:"tokens"`
	Rates
}

// Price is what some models cost. A name is a model's id without date, provider and
// region ("claude-opus-4-5"), and may have asterisks, each for any text.
type Price struct {
	Models []string `json:"models"`
	Rates
	Fast float64 `json:"fast"` // times the rates where the speed is fast; 0 is not known
	Over *Long   `json:"over"`
	// Source is where the price is from, if not from where its table is.
	Source string `json:"-"`
}

// Table are prices; the first whose name fits counts.
type Table struct {
	AsOf      string  `json:"as_of"` // a date
	Source    string  `json:"source"`
	WebSearch float64 `json:"web_search"` // dollars a request
	Prices    []Price `json:"prices"`
}

// ListPrices is the table that comes with this program.
func ListPrices() (Table, error) {
	var t Table
	if err := json.Unmarshal(pricesJSON, &t); err != nil {
		return t, fmt.Errorf("read prices.json: %w", err)
	}
	for _, p := range t.Prices {
		if err := p.Check(); err != nil {
			return t, fmt.Errorf("prices.json: %s: %w", strings.Join(p.Models, ", "), err)
		}
	}
	return t, nil
}

// Check refuses prices that are none.
func (p *Price) Check() error {
	all := []float64{p.Input, p.Output, p.CacheRead, p.CacheWrite5m, p.CacheWrite1h, p.Fast}
	if p.Over != nil {
		o := p.Over
		all = append(all, o.Input, o.Output, o.CacheRead, o.CacheWrite5m, o.CacheWrite1h)
		known := false
		for _, tier := range graph.UsageTiers() {
			known = known || tier == o.Tokens
		}
		if !known {
			return fmt.Errorf("over.tokens %d: want one of %v", o.Tokens, graph.UsageTiers())
		}
	}
	for _, v := range all {
		if !(v >= 0 && v < 1e6) { // nor NaN
			return fmt.Errorf("price %v: want dollars per million tokens", v)
		}
	}
	if len(p.Models) == 0 {
		return errors.New("no model is named")
	}
	return nil
}

// Cost computes what the calls of a row cost, in whole billionths of a dollar; ok is
// false where no price is known, even of calls that used nothing. It is no int64: a
// million dollars for a million tokens is a price, and their product has to fit.
func (t *Table) Cost(r graph.UsageRow) (nanos float64, ok bool) {
	nanos, _, ok = t.cost(r, t.price)
	return nanos, ok
}

// cost is Cost by the prices that price finds, and the source of the price: "" where the
// record states the cost.
func (t *Table) cost(r graph.UsageRow, price func(model string) *Price) (nanos float64, source string, ok bool) {
	if r.Stated {
		return float64(r.CostNanos), "", true
	}
	p := price(r.Model)
	if p == nil {
		return 0, "", false
	}
	rates, times := p.Rates, 1.0
	if p.Over != nil && r.Over >= p.Over.Tokens {
		rates = p.Over.Rates
	}
	if r.Speed == "fast" {
		if times = p.Fast; times == 0 {
			return 0, "", false
		}
	}
	// What no time to live is stated of was written for five minutes, the default.
	short := max(r.CacheWrite-r.CacheWrite1h, r.CacheWrite5m)
	dollars := times * (float64(r.Input)*rates.Input + float64(r.Output)*rates.Output + float64(r.CacheRead)*rates.CacheRead +
		float64(short)*rates.CacheWrite5m + float64(r.CacheWrite1h)*rates.CacheWrite1h) / 1e6
	nanos = math.Round((dollars + float64(r.WebSearches)*t.WebSearch) * 1e9)
	if math.IsInf(nanos, 0) || math.IsNaN(nanos) {
		return 0, "", false
	}
	return nanos, cmp.Or(p.Source, t.Source), true
}

// finder is price for many rows of few models.
func (t *Table) finder() func(model string) *Price {
	found := map[string]*Price{}
	return func(model string) *Price {
		p, ok := found[model]
		if !ok {
			p = t.price(model)
			found[model] = p
		}
		return p
	}
}

// price finds the price of a model, or nil.
func (t *Table) price(model string) *Price {
	short := ShortName(model)
	for i := range t.Prices {
		for _, name := range t.Prices[i].Models {
			if fits(name, short) || fits(name, model) {
				return &t.Prices[i]
			}
		}
	}
	return nil
}

// ShortName is a model's id without what does not tell models apart: the provider and
// region before it, its date, and what context or version of an interface it was asked
// with. us.anthropic.claude-opus-4-5-20251101-v1:0 is claude-opus-4-5.
func ShortName(model string) string {
	s := strings.ToLower(model)
	if i := strings.Index(s, "claude"); i > 0 && (s[i-1] == '.' || s[i-1] == '/') {
		s = s[i:]
	}
	s, _, _ = strings.Cut(s, "[") // [1m]
	s, _, _ = strings.Cut(s, "@") // @20251101
	if i := strings.LastIndex(s, "-v"); i > 0 && isDigits(strings.ReplaceAll(s[i+2:], ":", "")) {
		s = s[:i] // -v1:0
	}
	s = strings.TrimSuffix(s, "-latest")
	if i := len(s) - len("-20251101"); i > 0 && s[i] == '-' && isDigits(s[i+1:]) {
		s = s[:i]
	}
	if strings.HasPrefix(s, "claude") {
		s = strings.ReplaceAll(s, ".", "-") // claude-opus-4.5
	}
	return s
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// fits reports whether a name with asterisks is the text.
func fits(name, text string) bool {
	first, rest, some := strings.Cut(name, "*")
	if !some {
		return name == text
	}
	if text, some = strings.CutPrefix(text, first); !some {
		return false
	}
	for {
		var part string
		if part, rest, some = strings.Cut(rest, "*"); !some {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
}
