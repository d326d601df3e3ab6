package config

import (
	"strings"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	for text, want := range map[string]string{
		``:                            "",
		`older_than = "90d"`:          "",
		`older_than = "12w"`:          "",
		`older_than = "90"`:           `:1: [retention]: older_than = "90": want an age`,
		`pack_after = "30d"`:          "",
		`pack_after = "30"`:           `:1: [retention]: pack_after = "30": want an age`,
		`pack_after = "0d"`:           `pack_after = "0d": want at least a day`,
		`older_than = "1h"`:           "at least a day",
		`older_than = "0d"`:           "at least a day",
		`older_than = "-5d"`:          "want an age",
		`keep_tags = ["a", ""]`:       "is no tag",
		`keep_tag = ["a"]`:            "keep_tags",
		`keep_tags = ["release-one"]`: "",
	} {
		err := Check("/home/dev/.actiongraph", []byte("[retention]\n"+text+"\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for span, want := range map[string]time.Duration{"": 0, "90d": 90 * 24 * time.Hour, "1.5w": 252 * time.Hour} {
		if got := (Retention{PackAfter: span}).PackAge(); got != want {
			t.Errorf("%q is %v, want %v", span, got, want)
		}
		if got := (Retention{OlderThan: span}).Age(); got != want {
			t.Errorf("%q is %v, want %v", span, got, want)
		}
	}
}
