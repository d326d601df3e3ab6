package main

import (
	"context"

	"github.com/actiongraph/actiongraph/connector"
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
	Missing        int      `json:"missing_agents,omitempty"` // subagents without a file
	// ByAgent is whose it was: the main thread's and each type of subagent's.
	ByAgent []usage.Part `json:"usage_by_agent,omitempty"`
}

// asUsed is a report by agent as show and summary print it in JSON.
func asUsed(r *usage.Report) used {
	t := r.Total
	u := used{Input: t.Input, Output: t.Output, CacheRead: t.CacheRead, CacheWrite: t.CacheWrite, Tokens: t.Tokens, LowerBound: t.LowerBound,
		CostUSD: t.CostUSD, CostLowerBound: t.CostLowerBound, Unpriced: r.Unpriced, Missing: r.Missing}
	for _, row := range r.Rows {
		u.ByAgent = append(u.ByAgent, usage.Part{Agent: row.Key, Sums: row.Sums})
	}
	return u
}

// used asks what a session used; "" is all sessions.
func (a *app) used(ctx context.Context, r connector.Reader, session string) (usage.Report, error) {
	prices, err := a.prices()
	if err != nil {
		return usage.Report{}, err
	}
	rows, err := r.Usage(ctx, usage.SessionFilter(session))
	if err != nil {
		return usage.Report{}, err
	}
	return usage.OfSession(rows, &prices), nil
}
