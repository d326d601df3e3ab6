package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Price is one [prices."MODEL"]: what a model costs in US dollars per million tokens. It
// comes before the list price. The name may have asterisks, each for any text; of several
// that fit the longest counts.
type Price struct {
	Input  *float64 `toml:"input"`
	Output *float64 `toml:"output"`
	// CacheRead, CacheWrite5m and CacheWrite1h are by default 0.1, 1.25 and 2 times Input,
	// as in most of Anthropic's prices.
	CacheRead    *float64 `toml:"cache_read"`
	CacheWrite5m *float64 `toml:"cache_write_5m"`
	CacheWrite1h *float64 `toml:"cache_write_1h"`
	// Fast is how many times as much all of these are where the speed is "fast"; without
	// it what such calls cost is not known.
	Fast *float64 `toml:"fast"`
}

// Models lists the names in Prices, those first that come before others.
func (c *Config) Models() []string {
	return slices.SortedFunc(maps.Keys(c.Prices), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "*"), strings.Count(b, "*")), cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

// complete fills in defaults, and refuses what is no price.
func (p *Price) complete() error {
	if p.Input == nil || p.Output == nil {
		return fmt.Errorf("input and output are to be there: US dollars per million tokens")
	}
	fill := func(to **float64, times float64) {
		if *to == nil {
			v := times * *p.Input
			*to = &v
		}
	}
	fill(&p.CacheRead, 0.1)
	fill(&p.CacheWrite5m, 1.25)
	fill(&p.CacheWrite1h, 2)
	fill(&p.Fast, 0)
	for _, v := range []*float64{p.Input, p.Output, p.CacheRead, p.CacheWrite5m, p.CacheWrite1h, p.Fast} {
		if !(*v >= 0 && *v < 1e6) { // nor NaN
			return fmt.Errorf("%v: want US dollars per million tokens", *v)
		}
	}
	return nil
}
