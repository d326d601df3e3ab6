package graph

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func TestFilesOf(t *testing.T) {
	patch := "*** Begin Patch\n*** Update File: src/a.go\n*** Move to: src/b.go\n@@\n-old\n+new\n+more\n*** Add File: /abs/c\n+x\n*** Update File: src/a.go\n*** End Patch"
	quoted, _ := json.Marshal(patch)
	for name, c := range map[string]struct {
		tool, input string
		edge        EdgeType
		want        []string
	}{
		"Read":                       {"Read", `{"file_path":"/w/a"}`, Read, []string{"/w/a"}},
		"MultiEdit":                  {"MultiEdit", `{"file_path":"/w/a","edits":[]}`, Wrote, []string{"/w/a"}},
		"NotebookEdit":               {"NotebookEdit", `{"notebook_path":"/w/n.ipynb"}`, Wrote, []string{"/w/n.ipynb"}},
		"apply_patch, input":         {"apply_patch", `{"input":` + string(quoted) + `}`, Wrote, []string{"/w/src/a.go", "/w/src/b.go", "/abs/c"}},
		"apply_patch, command":       {"apply_patch", `{"command":` + string(quoted) + `}`, Wrote, []string{"/w/src/a.go", "/w/src/b.go", "/abs/c"}},
		"apply_patch, only the text": {"apply_patch", string(quoted), Wrote, []string{"/w/src/a.go", "/w/src/b.go", "/abs/c"}},
		"relative":                   {"Read", `{"file_path":"src/rel.go"}`, Read, []string{"/w/src/rel.go"}},
		"not clean":                  {"Write", `{"file_path":"/w/src/../src/./rel.go"}`, Wrote, []string{"/w/src/rel.go"}},
		"relative and not clean":     {"Edit", `{"file_path":"../w//src/rel.go"}`, Wrote, []string{"/w/src/rel.go"}},
		"of the home":                {"Read", `{"file_path":"~/a"}`, Read, []string{"~/a"}},
		"of Windows":                 {"Read", `{"file_path":"C:\\p\\..\\a.go"}`, Read, []string{`C:\p\..\a.go`}},
		"of Windows, relative":       {"Read", `{"file_path":"src\\a.go"}`, Read, []string{`src\a.go`}},
		"of Windows, slashes":        {"Read", `{"file_path":"c:/p/../a.go"}`, Read, []string{"c:/p/../a.go"}},
		"Bash":                       {"Bash", `{"command":"cat /w/a"}`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := schema.Event{ToolName: c.tool, ToolInput: json.RawMessage(c.input), WorkingDirectory: "/w"}
			edge, paths := filesOf(&e)
			want(t, "files", paths, c.want)
			want(t, "edge", edge, c.edge)
			if c.tool == "apply_patch" {
				added, removed, ok := lineCounts(&e)
				want(t, "lines", []any{added, removed, ok}, []any{int64(3), int64(1), true})
			}
		})
	}
}

// inventoryOf is the call of a skill that lists n files, and two of them again.
func inventoryOf(n int) schema.Event {
	list := make([]string, 0, n+2)
	for i := range n {
		list = append(list, fmt.Sprintf("f%d", i))
	}
	list = append(list, "./f0", "/abs")
	inventory, _ := json.Marshal(map[string]any{"inventory": list})
	return schema.Event{V: schema.Version, EventType: schema.ToolStart, SessionID: "s", SourceSDK: "x", Origin: schema.OriginAudit, Timestamp: epoch,
		ToolName: "Skill", ToolUseID: "t", EventID: fmt.Sprint("start ", n), ToolInput: json.RawMessage(`{"skill":"pdf"}`), Extra: inventory}
}

// A skill may list very many files: each is looked at once, they stay in their order, and so
// many are linked as a store can stand. Steps are counted as allocations.
func TestLongInventories(t *testing.T) {
	const n = 100_000
	e := inventoryOf(n)
	edge, paths := filesOf(&e)
	want(t, "edge, number, ends", []any{edge, len(paths), paths[0], paths[n-1], paths[n]}, []any{Read, n + 1, "pdf/f0", fmt.Sprintf("pdf/f%d", n-1), "/abs"})
	steps := func(e schema.Event) float64 { return testing.AllocsPerRun(1, func() { filesOf(&e) }) }
	if few, many := steps(inventoryOf(n/4)), steps(e); many > 6*few {
		t.Errorf("four times as many files take %.0f steps instead of %.0f", many, few)
	}
	g := apply("s", []schema.Event{e})
	files := 0
	for _, x := range g.Edges() {
		if x.Type == Read {
			files++
		}
	}
	call := g.Node(Ref{LabelAction, toolCallKey("s", "t").String()})
	want(t, "linked, omitted", []any{files, call.Prop("files_omitted")}, []any{maxFiles, int64(n + 1 - maxFiles)})
}

// What a call leaves out goes with the list that it is left out of.
func TestInventoriesThatDisagree(t *testing.T) {
	r, _ := seeded(5)
	few, many := inventoryOf(3), inventoryOf(maxFiles+5)
	many.Timestamp = epoch.Add(time.Second)
	g := apply("s", []schema.Event{many, few})
	want(t, "omitted", g.Node(Ref{LabelAction, toolCallKey("s", "t").String()}).Prop("files_omitted"), nil)
	matchAll(t, "inventories", "s", []schema.Event{many, few}, r, 1)
	few.Timestamp = many.Timestamp.Add(time.Second)
	matchAll(t, "inventories", "s", []schema.Event{many, few}, r, 1)
}

// TestFilesWithoutAPlace: a relative path is left so where nothing tells what it is relative
// to, or a Windows directory does.
func TestFilesWithoutAPlace(t *testing.T) {
	for dir, path := range map[string]string{"": "a/b", `C:\w`: "a/./b"} {
		e := schema.Event{ToolName: "Read", ToolInput: json.RawMessage(`{"file_path":"a/./b"}`), WorkingDirectory: dir}
		_, paths := filesOf(&e)
		want(t, dir, paths, []string{path})
	}
}

// TestOneFileIsOne: however calls name a file, it is one node, within its repository.
func TestOneFileIsOne(t *testing.T) {
	var l said
	for k, path := range []string{"src/rel.go", "/proj/repo/src/rel.go", "/proj/repo/src/../src/rel.go"} {
		id := string(rune('a' + k))
		call := schema.Event{EventType: schema.ToolStart, ToolName: "Read", ToolUseID: id, WorkingDirectory: "/proj/repo",
			ToolInput: json.RawMessage(`{"file_path":"` + path + `"}`), Metadata: json.RawMessage(`{"repo_root":"/proj/repo"}`)}
		l.line("assistant", float64(2*k), call)
		l.line("user", float64(2*k+1), returned(id, `"text"`))
	}
	g := l.graph(t)
	var files []string
	for _, n := range g.Nodes() {
		if n.Label == LabelFile {
			files = append(files, n.Key)
		}
	}
	want(t, "files", files, []string{FileKey("", "/proj/repo/src/rel.go")})
	in := "completed, repo_path src/rel.go"
	want(t, "calls", actions(g, ToolCall, "repo_path"), []string{in, in, in})
}

// A tool_result line has neither its tool's name nor its input: what it says is joined
// with its call, and nothing is stored twice.
func TestResultsOfTranscripts(t *testing.T) {
	var l said
	call := schema.Event{EventType: schema.ToolStart, ToolName: "Edit", ToolUseID: "t1",
		ToolInput: json.RawMessage(`{"file_path":"/w/a","old_string":"x","new_string":"y\nz"}`)}
	l.line("assistant", 1, call)
	l.line("user", 2, returned("t1", `{"filePath":"/w/a","oldString":"x","newString":"y\nz","originalFile":"x\n","userModified":false,
		"structuredPatch":[{"oldStart":1,"lines":["-x","+y","+z"]}]}`))
	call.ToolName, call.ToolUseID, call.ToolInput = "Write", "t2", json.RawMessage(`{"file_path":"/w/b","content":"one\ntwo"}`)
	l.line("assistant", 3, call)
	l.line("user", 4, returned("t2", `{"type":"create","filePath":"/w/b","content":"one\ntwo","structuredPatch":[],"originalFile":null}`))
	g := l.graph(t)
	want(t, "results", actions(g, ToolResult, "name", "tool_name", "lines_added", "lines_removed", "text", "properties"), []string{
		`completed, name Edit result, tool_name Edit, lines_added 2, lines_removed 1, properties {"result":{"userModified":false,` +
			`"structuredPatch":[{"oldStart":1,"lines":["-x","+y","+z"]}]}}`,
		`completed, name Write result, tool_name Write, lines_added 2, lines_removed 0, properties {"result":{"type":"create","structuredPatch":[]}}`,
	})
	for id, path := range map[string]string{"t1": "/w/a", "t2": "/w/b"} {
		if !g.HasEdge(EdgeKey{Wrote, Ref{LabelAction, ToolCallID("s", id)}, Ref{LabelFile, FileKey("", path)}}) {
			t.Errorf("%s did not write %s", id, path)
		}
	}
}

// A call that was not made says so; one that failed under a version that writes no
// decision ran.
func TestFailedCallsOfTranscripts(t *testing.T) {
	var l said
	for k, message := range []string{"<tool_use_error>Error: No such tool available: X</tool_use_error>", "Exit code 1\nno"} {
		id := string(rune('a' + k))
		l.line("assistant", float64(2*k), schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: id})
		e := returned(id, `"no"`)
		e.IsError, e.ErrorMessage = true, message
		l.line("user", float64(2*k+1), e)
	}
	want(t, "calls", actions(l.graph(t), ToolCall, "never_ran", "duration_ms"), []string{"failed, never_ran true", "failed, duration_ms 1000"})
}
