package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/config"
)

func TestSource(t *testing.T) {
	user, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	const first = "FILE:1: [[source]] number 1: "
	for _, tc := range []struct {
		name, text string
		want       []config.Source // HOME stands for the home
		err        string          // FILE stands for the file
	}{
		{"none", "", nil, ""},
		{"a file", "[[source]]\npath = \"/var/log/agent.jsonl\"", []config.Source{{Path: "/var/log/agent.jsonl", Format: config.Auto}}, ""},
		{"all keys, and two", "[[source]]\npath = \"~/logs/*.jsonl\"\nformat = \"oms\"\nnamespace = \"n\"\nkeep_unknown = true\n[[source]]\npath = \"dumps\"\nformat = \"audit\"",
			[]config.Source{{Path: filepath.Join(user, "logs/*.jsonl"), Format: "oms", Namespace: "n", KeepUnknown: true}, {Path: "HOME/dumps", Format: "audit"}}, ""},
		{"a namespace and auto", "[[source]]\npath = \"./a\"\nnamespace = \"n\"", []config.Source{{Path: "HOME/a", Format: config.Auto, Namespace: "n"}}, ""},
		{"no path", "[[source]]\nformat = \"oms\"", nil, first + `path is missing: give a file, a folder or a glob like path = "~/agent/logs/*.jsonl"`},
		{"an empty path", "[[source]]\npath = \" \"", nil, first + `path is missing: give a file, a folder or a glob like path = "~/agent/logs/*.jsonl"`},
		{"stdin", "[[source]]\npath = \"-\"", nil, first + `path "-": a daemon has no input: give a file, a folder or a glob`},
		{"a broken glob", "[[source]]\npath = \"/l/[a\"", nil, first + `path "/l/[a": a glob that nobody can read: close its [, or write \[ for the character`},
		{"a format misspelt", "[[source]]\npath = \"/l\"\nformat = \"audits\"", nil, first + `format "audits": did you mean "audit"?`},
		{"a format half said", "[[source]]\npath = \"/l\"\nformat = \"trace-event\"", nil, first + `format "trace-event": did you mean "trace-events"?`},
		{"no format", "[[source]]\npath = \"/l\"\nformat = \"syslog-ng\"", nil, first + `format "syslog-ng": there are auto, audit, trace-events, oms, events`},
		{"transcripts", "[[source]]\npath = \"/l\"\nformat = \"claude\"", nil, first + `format "claude": transcripts are followed by follow in [transcripts]`},
		{"a namespace of a dump", "[[source]]\npath = \"/l\"\nformat = \"audit\"\nnamespace = \"n\"", nil,
			first + `format "audit": namespace and keep_unknown are for Action grains: leave them out, or say format = "oms"`},
		{"the second is wrong", "[[source]]\npath = \"/l\"\n[[source]]\n", nil, `FILE:3: [[source]] number 2: path is missing: give a file, a folder or a glob like path = "~/agent/logs/*.jsonl"`},
		{"a namespace of control", "[[source]]\npath = \"/l\"\nnamespace = \"a\\u0085\"", nil, first + `namespace "a\u0085": it has a control character: leave that out`},
		{"a long namespace", "[[source]]\npath = \"/l\"\nnamespace = \"" + strings.Repeat("n", 257) + "\"", nil,
			first + `namespace "` + strings.Repeat("n", 257) + `": it has 257 bytes, at most 256: give it a shorter name`},
		{"another key", "[[source]]\npath = \"/l\"\nnamspace = \"n\"", nil, `FILE:3: unknown key source.namspace: did you mean namespace?`},
		{"another type", "[[source]]\npath = \"/l\"\nkeep_unknown = \"yes\"", nil, `FILE:3: source.keep_unknown: want true or false`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := home(t, tc.text, 0o600)
			got, err := config.Load(dir)
			if tc.err != "" {
				if err == nil || strings.ReplaceAll(err.Error(), filepath.Join(dir, config.FileName), "FILE") != tc.err {
					t.Errorf("\n got %v\nwant %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range tc.want {
				if rest, ok := strings.CutPrefix(tc.want[i].Path, "HOME/"); ok {
					tc.want[i].Path = filepath.Join(dir, rest)
				}
			}
			if diff := cmp.Diff(tc.want, got.Source); diff != "" {
				t.Error(diff)
			}
		})
	}
}
