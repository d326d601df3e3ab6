package settings

import (
	"slices"
	"testing"
)

func TestCall(t *testing.T) {
	for line, want := range map[string]struct{ words, env []string }{
		`/bin/ag-hook claude`:                                      {[]string{"/bin/ag-hook", "claude"}, nil},
		`"/my bin/ag-hook" claude --home '/a b'`:                   {[]string{"/my bin/ag-hook", "claude", "--home", "/a b"}, nil},
		`X=1 AG_HOME=/h exec ag-hook claude --home=/x`:             {[]string{"ag-hook", "claude", "--home=/x"}, []string{"X=1", "AG_HOME=/h"}},
		`A=1 true; tee log | ${CLAUDE_PLUGIN_ROOT}/ag-hook claude`: {[]string{"${CLAUDE_PLUGIN_ROOT}/ag-hook", "claude"}, nil},
		`ag-hook --home /h claude`:                                 {[]string{"ag-hook", "--home", "/h", "claude"}, nil},
		`A=1 timeout 5 env B=2 sh -c 'C=3 /b/ag-hook claude'`:      {[]string{"/b/ag-hook", "claude"}, []string{"A=1", "B=2", "C=3"}},
		`/bin/other claude`:                                        {nil, nil},
	} {
		words, env := Entry{Type: "command", Command: line}.Call()
		if !slices.Equal(words, want.words) || !slices.Equal(env, want.env) {
			t.Errorf("%s: %q, %q", line, words, env)
		}
	}
	words, _ := Entry{Type: "command", Exec: true, Command: "/b n/ag-hook", Args: []string{"claude", "--home", "/h"}}.Call()
	if !slices.Equal(words, []string{"/b n/ag-hook", "claude", "--home", "/h"}) {
		t.Errorf("%q", words)
	}
}
