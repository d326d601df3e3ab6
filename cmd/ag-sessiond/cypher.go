package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector/neo4j"
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
be read as such (3, true, ["a","b"]), else a string.

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
			store, err := a.queryGraph(cmd.Context())
			if err != nil {
				return err
			}
			defer store.Close()
			return a.printRows(cmd.Context(), store, statement, values, limit)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&params, "param", "p", nil, "a parameter, as `NAME=VALUE`; may be repeated")
	flags.IntVar(&limit, "limit", 1000, "at most this `many` rows; 0 is all")
	a.graphFlag(cmd, "ask this Neo4j or Memgraph, by `URL` or name in config.toml")
	return cmd
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

// errEnough ends a query whose limit of rows is reached.
var errEnough = errors.New("enough rows")

// printRows runs a statement and prints its rows: at most limit, or all where it is 0.
func (a *app) printRows(ctx context.Context, store *neo4j.Store, statement string, params map[string]any, limit int) error {
	rows := table{}
	err := store.Query(ctx, statement, params, func(columns []string, row []any) error {
		rows.columns = columns
		if limit > 0 && len(rows.rows) == limit {
			return errEnough
		}
		rows.rows = append(rows.rows, row)
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		a.note("showing the first %d; --limit 0 shows all", limit)
	case errors.Is(err, neo4j.ErrWrites), errors.Is(err, neo4j.ErrStatement):
		return usagef("%w", err)
	case err != nil:
		return interruptedOr(ctx, unavailable(err))
	}
	if a.json {
		return a.printJSON(rows)
	}
	if len(rows.rows) == 0 {
		a.nothing("no rows")
		return nil
	}
	return a.rowTable(rows)
}
