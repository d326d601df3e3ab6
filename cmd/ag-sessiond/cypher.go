package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/cypher"
)

// maxStatement bounds what cypher reads from stdin: a wrong pipe must not fill memory.
const maxStatement = 1 << 20

func (a *app) cypherCmd() *cobra.Command {
	var params []string
	var limit int
	cmd := &cobra.Command{
		Use:   "cypher STATEMENT",
		Short: "Run any Cypher that reads on a Neo4j or Memgraph",
		Long: `Run one statement, read-only: what would write is refused, and whatever was done is
rolled back. STATEMENT - is read from stdin. The value of a parameter is JSON where it can
be read as such (3, true, ["a","b"]), else a string. The text of a saved query
(ag-sessiond queries NAME) has the defaults that it names.

Columns have the names that the statement gives them; where they are wider than the
terminal, rows are printed below one another. A table is printed when all its rows are
there; with --json each row is printed as it comes, which --limit 0 of many is for.

Without --graph it is the database in config.toml, if there is one only.`,
		Example: `  ag-sessiond cypher 'MATCH (s:Session) RETURN s.name, s.status' --graph bolt://localhost:7687
  ag-sessiond cypher 'MATCH (a:ToolCall {tool_name: $tool}) RETURN count(a)' -p tool=Bash --graph team
  ag-sessiond queries cost-by-day | ag-sessiond cypher - -p since=2026-11 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usagef("--limit %d: give a number, 0 is all", limit)
			}
			values, err := parameters(params)
			if err != nil {
				return err
			}
			statement, err := statementText(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return a.queryGraph(cmd.Context(), func(store *neo4j.Store, name string) error {
				return a.cypher(cmd.Context(), store, name, ask{statement: statement, params: values, limit: limit})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&params, "param", "p", nil, "a parameter, as `NAME=VALUE`; may be repeated")
	flags.IntVar(&limit, "limit", 1000, "at most this `many` rows; 0 is all")
	a.graphFlag(cmd, "ask this Neo4j or Memgraph, by `URL` or name in config.toml")
	return cmd
}

func (a *app) cypher(ctx context.Context, store *neo4j.Store, name string, q ask) error {
	if asksForPlan(q.statement) {
		info, err := store.Info(ctx)
		if err != nil {
			return interruptedOr(ctx, unavailable(err))
		}
		if info.Dialect == cypher.Neo4j { // whose plan is beside the rows
			return usagef("the plan of EXPLAIN and PROFILE is not shown here: ask for it in Neo4j Browser or cypher-shell")
		}
	}
	if err := a.savedDefaults(ctx, store, name, q); err != nil {
		return err
	}
	n, err := a.printRows(ctx, store, q)
	if err == nil && n == 0 && !a.json {
		a.nothing("no rows")
	}
	return err
}

// savedDefaults gives a statement that is the text of a saved query, which its first line
// says, the defaults of the parameters that it uses and that were not given.
func (a *app) savedDefaults(ctx context.Context, store *neo4j.Store, name string, ask ask) error {
	all, err := cypher.Queries()
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(ask.statement, "\n")
	i := slices.IndexFunc(all, func(q cypher.Query) bool { return strings.TrimSpace(line) == "// "+q.Summary })
	if i < 0 {
		return nil
	}
	q := all[i]
	q.Params = slices.DeleteFunc(slices.Clone(q.Params), func(p cypher.Param) bool {
		_, given := ask.params[p.Name]
		return given || !strings.Contains(ask.statement, "$"+p.Name)
	})
	params, err := typed(q, nil, a.now())
	if err == nil {
		err = a.findSessions(ctx, store, name, q, params)
	}
	maps.Copy(ask.params, params)
	return err
}

// asksForPlan reports whether a statement begins with EXPLAIN or PROFILE, comments and
// CYPHER's options aside.
func asksForPlan(statement string) bool {
	options := false
	for text := statement; ; {
		text = skipComments(text)
		word := text
		if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
			word = text[:i]
		}
		switch {
		case strings.EqualFold(word, "EXPLAIN"), strings.EqualFold(word, "PROFILE"):
			return true
		case strings.EqualFold(word, "CYPHER"), options && strings.ContainsAny(word, "=0123456789"):
			options, text = true, text[len(word):]
		default:
			return false
		}
	}
}

// skipComments returns a statement from its first word on.
func skipComments(text string) string {
	for {
		text = strings.TrimSpace(text)
		switch {
		case strings.HasPrefix(text, "//"):
			_, text, _ = strings.Cut(text, "\n")
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
		default:
			return text
		}
	}
}

func statementText(arg string, stdin io.Reader) (string, error) {
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(stdin, maxStatement+1))
		if err != nil {
			return "", fmt.Errorf("read the statement: %w", err)
		}
		if len(b) > maxStatement {
			return "", usagef("the statement on stdin is longer than %d bytes", maxStatement)
		}
		arg = string(b)
	}
	arg = strings.TrimSuffix(strings.TrimSpace(arg), ";")
	if arg == "" {
		return "", usagef("the statement is empty")
	}
	return arg, nil
}

// parameters reads NAME=VALUE.
func parameters(args []string) (map[string]any, error) {
	out := map[string]any{}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		name = strings.TrimPrefix(name, "$")
		if !ok || name == "" {
			return nil, usagef("--param %q: want NAME=VALUE", arg)
		}
		out[name] = parameterValue(text)
	}
	return out, nil
}

// parameterValue is JSON with integers that stay integers, else a string.
func parameterValue(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return text
	}
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}
