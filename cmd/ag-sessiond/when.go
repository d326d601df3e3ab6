package main

import (
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/config"
)

// whenHelp says in flags' help what parseWhen takes.
const whenHelp = "2h, 3d, today, yesterday, 2026-11-20, '2026-11-20 14:30' or RFC 3339"

// parseWhen reads a time as people say it, in the zone of now: a span before now
// (30m, 2h, 3d, 1w), now, today, yesterday, a date, a date and time, or RFC 3339.
// A day is its first moment, or with end its last: --until yesterday includes
// yesterday.
func parseWhen(s string, now time.Time, end bool) (time.Time, error) {
	day := func(t time.Time) time.Time {
		if end {
			return t.AddDate(0, 0, 1).Add(-time.Nanosecond)
		}
		return t
	}
	y, m, d := now.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	switch strings.ToLower(s) {
	case "":
		return time.Time{}, nil
	case "now":
		return now, nil
	case "today":
		return day(midnight), nil
	case "yesterday":
		return day(midnight.AddDate(0, 0, -1)), nil
	}
	if span, ok := parseSpan(s); ok {
		return now.Add(-span), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return day(t), nil
	}
	for _, layout := range []string{
		"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, "2006-01-02T15:04:05", time.RFC3339Nano,
	} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%q is no time: say %s", s, whenHelp)
}

// parseSpan reads 90s, 2h, 1h30m, 3d or 2w, which people call so long ago, too.
func parseSpan(s string) (time.Duration, bool) {
	return config.Span(strings.TrimSuffix(strings.TrimSpace(s), " ago"))
}
