package cypher_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
)

// labels are all that a node can have; those of the types come after Action's, which a
// type's own style has to override.
func labels() []string {
	out := []string{"Session", "Agent", "Tool", "Tag", "File", "Action"}
	for _, t := range graph.ActionTypes() {
		for _, l := range t.Labels() {
			if !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	return out
}

// TestStyles wants a rule for every label and relationship type, in both files: what has
// none looks like nothing in particular, and a later rule wins in both languages.
func TestStyles(t *testing.T) {
	for file, rules := range map[string]struct{ node, edge string }{
		"actiongraph.grass": {`(?m)^node\.(\w+) \{$`, `(?m)^relationship\.(\w+) \{$`},
		"actiongraph.gss":   {`(?m)^@NodeStyle HasLabel\(node, "(\w+)"\) \{$`, `(?m)^@EdgeStyle Equals\(Type\(edge\), "(\w+)"\) \{$`},
	} {
		data, err := os.ReadFile("../deploy/style/" + file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		names := func(pattern string) (out []string) {
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
				out = append(out, m[1])
			}
			return out
		}
		nodes := names(rules.node)
		for _, l := range labels() {
			at := slices.Index(nodes, l)
			if at < 0 {
				t.Errorf("%s: no rule for the label %s", file, l)
			}
			if slices.Index(labels(), l) > slices.Index(labels(), "Action") && at < slices.Index(nodes, "Action") {
				t.Errorf("%s: Action's rule comes after %s's and hides it", file, l)
			}
		}
		if slices.Index(nodes, "Message") > slices.Index(nodes, "UserMessage") {
			t.Errorf("%s: Message's rule hides UserMessage's", file)
		}
		edges := names(rules.edge)
		for _, e := range graph.EdgeTypes() {
			if !slices.Contains(edges, string(e)) {
				t.Errorf("%s: no rule for %s", file, e)
			}
		}
		if strings.Count(text, "{\n") != strings.Count(text, "\n}") {
			t.Errorf("%s: braces do not match", file)
		}
		for _, color := range regexp.MustCompile(`#\w+`).FindAllString(text, -1) {
			if !regexp.MustCompile(`^#[0-9A-F]{6}$`).MatchString(color) {
				t.Errorf("%s: %s is no colour", file, color)
			}
		}
	}
}

// Neo4j Browser does not document comments in a stylesheet, nor other properties than
// those that it exports itself.
func TestGrassIsWhatBrowserExports(t *testing.T) {
	data, err := os.ReadFile("../deploy/style/actiongraph.grass")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^((node|relationship)(\.\w+)? \{|\}|  (diameter|color|border-color|border-width|text-color-internal|text-color-external|font-size|caption|shaft-width|padding): [^;]+;)$`)
	for _, l := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if !line.MatchString(l) {
			t.Errorf("%q", l)
		}
	}
}

// TestGSSIsDocumented holds actiongraph.gss against Memgraph Lab's documentation: its
// functions and directive properties
// (memgraph.com/docs/memgraph-lab/features/graph-style-script).
func TestGSSIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../deploy/style/actiongraph.gss")
	if err != nil {
		t.Fatal(err)
	}
	functions := []string{
		"And", "AsText", "Darker", "Equals", "HasLabel", "HasProperty", "If", "Lighter", "Matches", "Property", "Slice", "Type",
	}
	properties := []string{
		"arrow-size", "border-color", "border-width", "color", "color-hover", "color-selected", "font-size", "label", "shape", "size", "width",
	}
	shapes := []string{"dot", "square", "diamond", "triangle", "triangleDown", "star"}
	for _, l := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(l, "//") {
			continue
		}
		code := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(l, `""`)
		for _, m := range regexp.MustCompile(`(\w+)\(`).FindAllStringSubmatch(code, -1) {
			if !slices.Contains(functions, m[1]) {
				t.Errorf("%s: %s is no function", l, m[1])
			}
		}
		if strings.Count(code, "(") != strings.Count(code, ")") {
			t.Errorf("%s: brackets do not match", l)
		}
		name, value, ok := strings.Cut(strings.TrimSpace(l), ": ")
		if !ok || !strings.HasPrefix(l, "  ") {
			continue
		}
		if !slices.Contains(properties, name) {
			t.Errorf("%s: no such property", l)
		}
		if name == "shape" && !slices.Contains(shapes, strings.Trim(value, `"`)) {
			t.Errorf("%s: no such shape", l)
		}
	}
}
