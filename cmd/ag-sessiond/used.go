package main

import (
	"context"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/usage"
)

// used is what a session's model calls used and cost, by the rules of usage: what a
// SessionRow and a Summary say of it has neither caches nor prices.
type used struct {
	Input      int64 `json:"total_input_tokens"`
	Output     int64 `json:"total_output_tokens"`
	CacheRead  int64 `json:"total_cache_read_input_tokens"`
	CacheWrite int64 `json:"total_cache_creation_input_tokens"`
	Tokens     int64 `json:"total_tokens"` // all of these
	LowerBound bool  `json:"total_lower_bound"`
	// CostUSD is absent where no price is known, and where no model was called.
	CostUSD        *float64 `json:"total_cost_usd,omitempty"`
	CostLowerBound bool     `json:"cost_lower_bound"`
	Unpriced       []string `json:"unpriced_models,omitempty"`

	sums usage.Sums
}

// used asks for it; "" is all sessions.
func (a *app) used(ctx context.Context, r connector.Reader, session string) (u used, err error) {
	prices, err := a.prices()
	if err != nil {
		return u, err
	}
	o := usage.Options{By: usage.Model}
	rows, err := r.Usage(ctx, o.Filter(graph.UsageFilter{Session: session}))
	if err != nil {
		return u, err
	}
	report := usage.Make(rows, o, &prices)
	s := report.Total
	if len(rows) == 0 {
		s.CostUSD = nil
	}
	return used{Input: s.Input, Output: s.Output, CacheRead: s.CacheRead, CacheWrite: s.CacheWrite, Tokens: s.Tokens, LowerBound: s.LowerBound,
		CostUSD: s.CostUSD, CostLowerBound: s.CostLowerBound, Unpriced: report.Unpriced, sums: s}, nil
}

// usedWords says it in the words of two fields, tokens and cost; none where no model was
// called.
func (a *app) usedWords(u used) (tokens []string, cost string) {
	if u.sums.Calls == 0 {
		return nil, ""
	}
	least := ""
	if u.LowerBound {
		least = a.atLeast()
	}
	tokens = []string{render.Count(u.Input) + " in", least + render.Count(u.Output) + " out"}
	if u.CacheRead+u.CacheWrite > 0 {
		tokens = append(tokens, render.Count(u.CacheRead)+" cache read", render.Count(u.CacheWrite)+" cache written", least+render.Count(u.Tokens)+" in all")
	}
	if u.CostUSD != nil {
		cost = a.cost(u.sums)
	}
	switch {
	case len(u.Unpriced) > 0 && cost == "":
		cost = "no price is known of " + shortList(u.Unpriced)
	case len(u.Unpriced) > 0:
		cost += ", without " + shortList(u.Unpriced) + ": no price is known"
	}
	return tokens, render.OneLine(cost)
}
