package actiongraph_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// retold collects what calls were given and returned, wherever a payload or a line of a file
// says it, and all else that it says.
func retold(v any, name string, ofCall bool, texts, rest map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, v := range v {
			switch k {
			case "tool_input", "tool_response", "toolUseResult", "input", "trigger_file_path":
				retold(v, k, true, texts, rest)
			case "command", "description":
				retold(v, k, ofCall || name == "background_tasks" || name == "meta", texts, rest)
			default:
				retold(v, k, ofCall, texts, rest)
			}
		}
	case []any:
		for _, v := range v {
			retold(v, name, ofCall, texts, rest)
		}
	case string:
		if note := strings.HasPrefix(v, "<task-notification>"); note {
			for _, tag := range []string{"summary", "result", "output-file"} {
				_, said, _ := strings.Cut(v, "<"+tag+">")
				said, _, _ = strings.Cut(said, "</"+tag+">")
				texts[said] = true
			}
		} else if ofCall {
			texts[v] = true
		} else {
			rest[v] = true
		}
	}
}

// TestNothingOfACallIsKept: of calls that are left out no eight bytes of a text are in the
// home, also where a runtime says them again, but where somebody else says the same.
func TestNothingOfACallIsKept(t *testing.T) {
	for dir, wants := range map[string][]string{
		"l_bg_bash":     {"sleep 1; echo bgdone", "run a mock command", "Background command \"run a mock command\" completed (exit code 0)"},
		"d_agent_bg":    {"bg agent", "Agent \"bg agent\" finished", "SCRIPT:sub_slow CWD:/home/dev/work/d_agent_bg/repo bg"},
		"c_parallel_ro": {"/home/dev/work/c_parallel_ro/repo/b.txt"},
		"d_agent_fg":    nil,
		"b_failures":    nil,
	} {
		dir := filepath.Join("internal/e2e/testdata/captures", dir)
		home := homeWith(t, "[capture]\nexclude_tools = [\"*\"]\n")
		playHooks(t, home, dir)
		importFiles(t, home, dir)
		texts, rest := map[string]bool{}, map[string]bool{}
		in, _ := payloads(t, dir)
		for _, payload := range in {
			var v any
			if json.Unmarshal(payload, &v) == nil {
				retold(v, "", false, texts, rest)
			}
		}
		metas := must(filepath.Glob(filepath.Join(dir, "*.meta.json")))(t)
		for _, path := range metas {
			var v any
			if err := json.Unmarshal(must(os.ReadFile(path))(t), &v); err != nil {
				t.Fatal(err)
			}
			retold(v, "meta", false, texts, rest)
		}
		for _, want := range wants {
			if !texts[want] {
				t.Errorf("%s: %q is not looked for", dir, want)
			}
		}
		may := map[string]bool{}
		// How a call ended, and the hook of who captured this, which a session's file names.
		for _, own := range []string{"<tool_use_error>", "completed", "async_launched", "hook.py Stop /home/dev/captures"} {
			pieces(own, may)
		}
		for s := range rest {
			pieces(s, may)
		}
		kept := map[string]bool{}
		for _, f := range must(must(journal.Open(home))(t).Files())(t) {
			data := must(os.ReadFile(filepath.Join(journal.Dir(home), f.Session+journal.Suffix)))(t)
			for line := range bytes.Lines(data) {
				pieces(skeleton(line), may)
				for _, name := range []string{"metadata", "event_type"} {
					pieces(schema.FieldString(schema.Field(line, name), "source")+schema.FieldString(line, name), may)
				}
			}
			pieces(string(data), kept)
		}
		for text := range texts {
			for i := 0; i+8 <= len(text); i++ {
				if piece := text[i : i+8]; kept[piece] && !may[piece] && !word.MatchString(text) {
					t.Errorf("%s: %q of %.200q is in the journal", dir, piece, text)
					break
				}
			}
		}
	}
}
