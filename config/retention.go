package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Retention is [retention]: what the daemon does with old sessions.
type Retention struct {
	// OlderThan is an age like "90d": sessions of which nothing is as new are forgotten, as
	// by ag-sessiond prune. "", the default, forgets none.
	OlderThan string `toml:"older_than"`
	// KeepTags are tags; a session that has one of them stays, however old it is.
	KeepTags []string `toml:"keep_tags"`
	// PackAfter is an age like "30d": sessions that have ended are packed when nothing was written
	// to them for so long, as by ag-sessiond pack. "", the default, packs none.
	PackAfter string `toml:"pack_after"`
}

// leastAge is what ages are at least: a slip must not take away what is being recorded, nor pack
// it again and again.
const leastAge = 24 * time.Hour

// Age is OlderThan; 0 where no session is forgotten for its age.
func (r Retention) Age() time.Duration {
	age, _ := Span(r.OlderThan) // complete has read it
	return age
}

// PackAge is PackAfter; 0 where no session is packed for its age.
func (r Retention) PackAge() time.Duration {
	age, _ := Span(r.PackAfter)
	return age
}

func (r Retention) complete() error {
	if err := errors.Join(checkAge("older_than", r.OlderThan), checkAge("pack_after", r.PackAfter)); err != nil {
		return err
	}
	for _, tag := range r.KeepTags {
		if tag == "" {
			return fmt.Errorf("keep_tags: %q is no tag", tag)
		}
	}
	return nil
}

func checkAge(key, value string) error {
	if value == "" {
		return nil
	}
	age, ok := Span(value)
	if !ok {
		return fmt.Errorf("%s = %q: want an age like \"90d\" or \"12w\"", key, value)
	}
	if age < leastAge {
		return fmt.Errorf("%s = %q: want at least a day, \"1d\"", key, value)
	}
	return nil
}

// Span reads a span of time as people write it: 90s, 2h, 1h30m, 3d or 2w, at most 100 years.
func Span(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			f, err := strconv.ParseFloat(n, 64)
			f *= float64(unit)
			if err != nil || !(f >= 0 && f <= float64(100*366*24*time.Hour)) { // nor NaN
				return 0, false
			}
			return time.Duration(f), true
		}
	}
	span, err := time.ParseDuration(s)
	return span, err == nil && span >= 0
}
