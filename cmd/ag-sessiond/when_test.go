package main

import (
	"testing"
	"time"
)

func TestParseWhen(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	now := time.Date(2026, 11, 22, 1, 30, 0, 0, zone) // yesterday in UTC
	for _, tc := range []struct {
		in  string
		end bool
		utc string
	}{
		{"now", false, "2026-11-21T23:30:00Z"},
		{"2h", false, "2026-11-21T21:30:00Z"},
		{"1h30m", false, "2026-11-21T22:00:00Z"},
		{"3d", false, "2026-11-18T23:30:00Z"},
		{"3d ago", false, "2026-11-18T23:30:00Z"},
		{"1.5d", false, "2026-11-20T11:30:00Z"},
		{"2w", false, "2026-11-07T23:30:00Z"},
		{"2h", true, "2026-11-21T21:30:00Z"},
		{"today", false, "2026-11-21T22:00:00Z"},
		{"Yesterday", false, "2026-11-20T22:00:00Z"},
		{"yesterday", true, "2026-11-21T21:59:59.999999999Z"},
		{"2026-11-20", false, "2026-11-19T22:00:00Z"},
		{"2026-11-20", true, "2026-11-20T21:59:59.999999999Z"},
		{"2026-11-20 14:30", true, "2026-11-20T12:30:00Z"},
		{"2026-11-20T14:30:05", false, "2026-11-20T12:30:05Z"},
		{"2026-11-20T14:30:05Z", true, "2026-11-20T14:30:05Z"},
		{"2026-11-20T14:30:05.5-01:00", false, "2026-11-20T15:30:05.5Z"},
	} {
		got, err := parseWhen(tc.in, now, tc.end)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != tc.utc {
			t.Errorf("%q (end %v) = %v, %v; want %s", tc.in, tc.end, got.UTC().Format(time.RFC3339Nano), err, tc.utc)
		}
	}
	if got, err := parseWhen("", now, true); err != nil || !got.IsZero() {
		t.Errorf("no time is %v, %v", got, err)
	}
	for _, in := range []string{"soon", "-2h", "2026-13-01", "d", "999999999w", "NaNd", "12"} {
		if got, err := parseWhen(in, now, false); exitCode(err) != exitUsage {
			t.Errorf("%q = %v, %v; want an error of usage", in, got, err)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/home/dev/repo": "/home/dev/repo", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(rm -rf /)": "'$(rm -rf /)'",
		"~/x": "'~/x'", "a\nb\x1b[31m'\\": `$'a\012b\033[31m\'\\'`, "ü": "'ü'", "a\u202eb": `$'a\342\200\256b'`,
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestStyle(t *testing.T) {
	for _, tc := range []struct {
		env   map[string]string
		utf8  bool
		width int
	}{
		{nil, true, defaultWidth},
		{map[string]string{"LANG": "C"}, false, defaultWidth},
		{map[string]string{"LANG": "en_US.UTF-8"}, true, defaultWidth},
		{map[string]string{"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, false, defaultWidth},
		{map[string]string{"LC_CTYPE": "C.utf8", "LANG": "C", "COLUMNS": "80"}, true, 80},
		{map[string]string{"COLUMNS": "3"}, true, 20},
		{map[string]string{"COLUMNS": "wide"}, true, defaultWidth},
	} {
		s := styleOf(nil, func(k string) string { return tc.env[k] })
		if s.UTF8 != tc.utf8 || s.Width != tc.width || s.Color {
			t.Errorf("%v: %+v", tc.env, s)
		}
	}
}

func TestEscapeControls(t *testing.T) {
	in := `{"a":"x` + "\u009b31m\x7f\u202e\u00a0é世" + `"}`
	if got, want := string(escapeControls([]byte(in))), `{"a":"x\u009b31m\u007f\u202e`+"\u00a0é世"+`"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
