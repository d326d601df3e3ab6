package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/config"
)

func TestPrices(t *testing.T) {
	c, err := config.Load(home(t, "[prices.\"claude-*\"]\ninput = 2\noutput = 10.5\n[prices.\"claude-opus-*\"]\ninput=1\noutput=1\ncache_read = 0\n"+
		"[prices.exact]\ninput=0\noutput=0\nfast=2", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Models(), []string{"exact", "claude-opus-*", "claude-*"}; !slices.Equal(got, want) {
		t.Errorf("models %v, want %v", got, want)
	}
	p := c.Prices["claude-*"]
	if *p.Input != 2 || *p.Output != 10.5 || *p.CacheRead != 0.2 || *p.CacheWrite5m != 2.5 || *p.CacheWrite1h != 4 || *p.Fast != 0 {
		t.Errorf("the other prices follow from input: %v %v %v %v", *p.CacheRead, *p.CacheWrite5m, *p.CacheWrite1h, *p.Fast)
	}
	if p := c.Prices["claude-opus-*"]; *p.CacheRead != 0 {
		t.Error("a price of 0 is one")
	}
	for text, want := range map[string]string{
		"[prices.x]\ninput = 1":                             `[prices."x"]: input and output are to be there`,
		"[prices.x]\ninput = -1\noutput = 1":                "-1: want US dollars",
		"[prices.x]\ninput = nan\noutput = 1":               "NaN: want US dollars",
		"[prices.x]\ninput = \"1\"\noutput = 1":             "prices.x.input: want a number",
		"[prices.x]\ninput = 1\noutput = 1\ncache_raed = 3": "unknown key prices.x.cache_raed: did you mean cache_read?",
		"[prices]\nx = 3":                                   "config.toml:2",
	} {
		if _, err := config.Load(home(t, text, 0o600)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
