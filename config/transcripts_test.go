package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/config"
)

func TestTranscripts(t *testing.T) {
	user, err := os.UserHomeDir()
	if err != nil {
		t.Skip(err)
	}
	for _, tc := range []struct {
		name, text string
		want       []string // HOME stands for the home
		err        string   // FILE stands for the file
	}{
		{"no table", "", nil, ""},
		{"an empty table", "[transcripts]", nil, ""},
		{"none", "[transcripts]\nfollow = []", []string{}, ""},
		{"all", "[transcripts]\nfollow = [\"all\"]", []string{config.All}, ""},
		{"folders", "[transcripts]\nfollow = [\"announced\", \"~/p\", \"sub/p\", \"./q\"]",
			[]string{config.Announced, filepath.Join(user, "p"), "HOME/sub/p", "HOME/q"}, ""},
		{"a word misspelt", "[transcripts]\nfollow = [\"anounced\"]", nil, `FILE:1: [transcripts]: follow: "anounced": did you mean "announced"?`},
		{"another word", "[transcripts]\nfollow = [\"everything\"]", nil,
			`FILE:1: [transcripts]: follow: "everything": want "announced", "all" or a folder like "~/.claude/projects"`},
		{"an empty word", "[transcripts]\nfollow = [\"\"]", nil,
			`FILE:1: [transcripts]: follow: "": want "announced", "all" or a folder like "~/.claude/projects"`},
		{"a string", "[transcripts]\nfollow = \"all\"", nil, `FILE:2: transcripts.follow: want a list of strings, like ["a", "b"]`},
		{"a number in it", "[transcripts]\nfollow = [7]", nil, `FILE:2: transcripts.follow: want a list of strings, like ["a", "b"]`},
		{"another key", "[transcripts]\nfolow = []", nil, `FILE:2: unknown key transcripts.folow: did you mean follow?`},
		{"no table at all", "transcripts = true", nil, `FILE:1: transcripts: want a table, begun by [transcripts]`},
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
			for i, path := range tc.want {
				if rest, ok := strings.CutPrefix(path, "HOME/"); ok {
					tc.want[i] = filepath.Join(dir, rest)
				}
			}
			if diff := cmp.Diff(tc.want, got.Transcripts.Follow); diff != "" {
				t.Error(diff)
			}
		})
	}
}
