package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/nearest"
)

func (a *app) addCmd() *cobra.Command {
	var namespace string
	cmd := &cobra.Command{
		Use:   "add action KEY=VALUE...",
		Short: "Record one Action grain, and print its hash",
		Long: `Record one Action grain of the Open Memory Specification: what a tool was called with
and what it gave. Only tool_name is required. The hash is of what the grain says, and
to add the same grain again changes nothing; related_to of another grain names it.

` + grainKeysHelp() + `
A VALUE that is - is read from stdin, and one that is @FILE from the file: those of
content, input, error and output_schema. Begin a text with @@ that begins with @ itself.`,
		Example: `  ag-sessiond add action tool_name=web_search content="72F, partly cloudy" duration_ms=340
  ag-sessiond add action tool_name=database_query is_error=true error="connection timeout after 5000ms"
  make test 2>&1 | ag-sessiond add action tool_name=make content=- tags=build,ci --namespace nightly`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeGrain,
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := parseGrainArgs(args, namespace, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return a.addGrain(g)
		},
	}
	namespaceFlag(cmd.Flags(), &namespace, "the `namespace`, which is the session ns-NAMESPACE (default default)")
	return cmd
}

func (a *app) addGrain(g actiongraph.Grain) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		return unavailable(err)
	}
	defer h.Close()
	hash, err := h.Add(g)
	var bad *jsonl.LineError
	var gone *actiongraph.ForgottenError
	switch {
	case errors.As(err, &bad):
		return usagef("%w", err)
	case errors.As(err, &gone):
		return err
	case err != nil:
		return unavailable(err)
	case a.json:
		return a.printJSON(map[string]string{"hash": hash, "namespace": g.Namespace, "session_id": jsonl.NamespaceSession(g.Namespace)})
	}
	a.printf("%s\n", hash)
	return nil
}

// grainKey is one field of a grain as a person writes it.
type grainKey struct {
	name, want string
	long       bool // may come from a file or stdin
	set        func(g *actiongraph.Grain, value string) error
}

func grainKeys() []grainKey {
	return []grainKey{
		{"tool_name", "the tool or function that was called", false, func(g *actiongraph.Grain, v string) error { return text(&g.ToolName, v) }},
		{"input", "a JSON object, its arguments", true, func(g *actiongraph.Grain, v string) error { return object(&g.Input, v) }},
		{"content", "what it gave", true, func(g *actiongraph.Grain, v string) error { return text(&g.Content, v) }},
		{"is_error", "true or false", false, func(g *actiongraph.Grain, v string) error { return value(&g.IsError, v) }},
		{"error", "what went wrong; an action with is_error=true has failed, others not", true, func(g *actiongraph.Grain, v string) error { return text(&g.Error, v) }},
		{"duration_ms", "a number of milliseconds", false, func(g *actiongraph.Grain, v string) error { return value(&g.DurationMS, v) }},
		{"parent_task_id", "the task or workflow step that it is part of", false, func(g *actiongraph.Grain, v string) error { return text(&g.ParentTaskID, v) }},
		{"tags", "words with commas between", false, func(g *actiongraph.Grain, v string) error { return words(&g.Tags, v) }},
		{"related_to", "hashes of other grains with commas between", false, func(g *actiongraph.Grain, v string) error { return words(&g.RelatedTo, v) }},
		{"confidence", "a number from 0 to 1", false, func(g *actiongraph.Grain, v string) error { return value(&g.Confidence, v) }},
		{"namespace", "as --namespace", false, func(g *actiongraph.Grain, v string) error { return text(&g.Namespace, v) }},
		{"created_at", "a time like 2026-03-01T10:15:00Z, else it is now", false, func(g *actiongraph.Grain, v string) (err error) {
			g.CreatedAt, err = time.Parse(time.RFC3339Nano, v)
			return err
		}},
		{"output_schema", "a JSON object, the JSON Schema of what it gives", true, func(g *actiongraph.Grain, v string) error { return object(&g.OutputSchema, v) }},
	}
}

func grainKeysHelp() string {
	var b strings.Builder
	for _, k := range grainKeys() {
		fmt.Fprintf(&b, "  %-15s %s\n", k.name, k.want)
	}
	return b.String()
}

func text(to *string, v string) error {
	*to = v
	return nil
}

func value[T bool | *float64](to *T, v string) error { return json.Unmarshal([]byte(v), to) }

func object(to *json.RawMessage, v string) error {
	var b bytes.Buffer // as one line, which a file need not be
	if err := json.Compact(&b, []byte(v)); err != nil {
		return err
	}
	if *to = b.Bytes(); (*to)[0] != '{' {
		return errors.New("no object")
	}
	return nil
}

func words(to *[]string, v string) error {
	for word := range strings.SplitSeq(v, ",") {
		if word = strings.TrimSpace(word); word == "" {
			return errors.New("an empty one")
		}
		*to = append(*to, word)
	}
	return nil
}

// parseGrainArgs reads the grain that a command line says: its type, and KEY=VALUE.
func parseGrainArgs(args []string, namespace string, stdin io.Reader) (g actiongraph.Grain, err error) {
	if args[0] != "action" {
		return g, usagef("a grain of type %q: want action, the only one that is recorded", args[0])
	}
	keys, given := grainKeys(), map[string]bool{}
	for _, arg := range args[1:] {
		name, v, ok := strings.Cut(arg, "=")
		i := slices.IndexFunc(keys, func(k grainKey) bool { return k.name == name })
		switch {
		case !ok:
			return g, usagef("%q: want KEY=VALUE, as in tool_name=web_search", arg)
		case i < 0:
			return g, usagef("an action has no key %q: %s", name, otherKey(name, keys))
		case given[name]:
			return g, usagef("%s is given twice", name)
		}
		given[name] = true
		if keys[i].long {
			if v == "-" && given[v] {
				return g, usagef("%s=-: stdin is another key's already", name)
			}
			given[v] = given[v] || v == "-"
			if v, err = longValue(name, v, stdin); err != nil {
				return g, err
			}
		}
		if keys[i].set(&g, v) != nil {
			return g, usagef("%s=%.40s: want %s", name, v, keys[i].want)
		}
	}
	if given["namespace"] {
		if err := jsonl.CheckNamespace(g.Namespace); err != nil {
			return g, usagef("namespace=%.100q: %v", g.Namespace, err)
		}
	}
	if namespace != "" && given["namespace"] && g.Namespace != namespace {
		return g, usagef("namespace=%s and --namespace %s: which of the two?", g.Namespace, namespace)
	}
	g.Namespace = cmp.Or(g.Namespace, namespace, jsonl.DefaultNamespace)
	return g, nil
}

// otherKey is the key that was probably meant.
func otherKey(name string, keys []grainKey) string {
	if now := map[string]string{"arguments": "input", "result": "content", "success": "is_error, the other way around"}[name]; now != "" {
		return "since OMS 1.2 it is " + now
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	if near := nearest.Of(name, names); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return "want one of " + strings.Join(names, ", ")
}

// maxValue bounds what is read for one key. The journal keeps the first MiB of a text.
const maxValue = 64 << 20

// longValue is the value of a key whose text may be elsewhere.
func longValue(name, v string, stdin io.Reader) (string, error) {
	switch {
	case strings.HasPrefix(v, "@@"):
		return v[1:], nil
	case v == "-":
	case strings.HasPrefix(v, "@"):
		f, err := os.Open(v[1:])
		if err != nil {
			return "", usagef("%s: %w", name, err)
		}
		defer f.Close()
		stdin = f
	default:
		return v, nil
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxValue+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	case len(text) > maxValue:
		return "", usagef("%s: longer than %d MiB", name, maxValue>>20)
	}
	return string(text), nil
}

// completeGrain completes the type, then the keys that are not given yet.
func completeGrain(_ *cobra.Command, args []string, prefix string) (out []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		return []string{"action"}, cobra.ShellCompDirectiveNoFileComp
	}
	if name, _, ok := strings.Cut(prefix, "="); ok {
		if name == "is_error" {
			return []string{"is_error=true", "is_error=false"}, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	for _, k := range grainKeys() {
		given := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, k.name+"=") })
		if !given && strings.HasPrefix(k.name, prefix) {
			out = append(out, k.name+"=\t"+k.want)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
