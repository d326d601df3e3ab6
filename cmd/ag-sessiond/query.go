package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) queryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "query NAME [PARAMETER=VALUE]...",
		Short: "Run a saved Cypher query on a Neo4j or Memgraph",
		Long: `Run a saved query, read-only. ag-sessiond queries says what there is, and which
parameters each takes. A session is an id, a unique prefix of one, or "latest"; times are
2h, 3d, yesterday, 2026-11-20, or RFC 3339; the items of a list are separated by commas.

Without --graph it is the database in config.toml, if there is one only.`,
		Example: `  ag-sessiond query failed-actions --graph bolt://localhost:7687
  ag-sessiond query session-chain session=latest limit=50 --graph team
  ag-sessiond query cost-by-day since=7d --json`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeQueryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := cypher.Queries()
			if err != nil {
				return err
			}
			q, err := findQuery(all, args[0])
			if err != nil {
				return err
			}
			given, err := assignments(args[1:], q)
			if err != nil {
				return err
			}
			return a.query(cmd.Context(), q, given)
		},
	}
	a.graphFlag(cmd, "ask this Neo4j or Memgraph, by `URL` or name in config.toml")
	return cmd
}

func (a *app) query(ctx context.Context, q cypher.Query, given map[string]string) error {
	params, err := typed(q, given, a.now())
	if err != nil {
		return err
	}
	store, err := a.queryGraph(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	info, err := store.Info(ctx)
	if err != nil {
		return interruptedOr(ctx, unavailable(err))
	}
	for _, p := range q.Params {
		if name, _ := params[p.Name].(string); p.Type == cypher.SessionParam && name != "" {
			s, err := session(ctx, store, name)
			if err != nil {
				return interruptedOr(ctx, err)
			}
			params[p.Name] = s.SessionID
		}
	}
	return a.printRows(ctx, store, q.Text(info.Dialect), params, 0)
}

// queryGraph opens the database that --graph names, or the only one of the
// configuration.
func (a *app) queryGraph(ctx context.Context) (*neo4j.Store, error) {
	name, err := a.oneGraph()
	if err != nil {
		return nil, err
	}
	if name == "" {
		c, err := a.config()
		if err != nil {
			return nil, err
		}
		if len(c.Graph) != 1 {
			return nil, usagef("which database? give --graph URL: Cypher runs on a Neo4j or Memgraph, not on the embedded store")
		}
		name = c.Graph[0].Name
	}
	return a.openGraph(ctx, name, true)
}

// assignments reads NAME=VALUE arguments of a query's parameters.
func assignments(args []string, q cypher.Query) (map[string]string, error) {
	var names []string
	for _, p := range q.Params {
		names = append(names, p.Name)
	}
	given := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, usagef("%q: want %s", arg, parameterHint(q))
		}
		if _, twice := given[name]; twice {
			return nil, usagef("parameter %s is given twice", name)
		}
		given[name] = value
	}
	for name := range given {
		found := false
		for _, n := range names {
			found = found || n == name
		}
		if !found {
			return nil, usagef("query %s has no parameter %q: %swant %s", q.Name, name, didYouMean(name, names), parameterHint(q))
		}
	}
	return given, nil
}

// parameterHint says what a query takes.
func parameterHint(q cypher.Query) string {
	if len(q.Params) == 0 {
		return "none: it has no parameters"
	}
	var all []string
	for _, p := range q.Params {
		all = append(all, p.Name+"="+string(p.Type))
	}
	return strings.Join(all, " ")
}

// typed gives every parameter its value, in the type that the query compares it with.
func typed(q cypher.Query, given map[string]string, now time.Time) (map[string]any, error) {
	out := map[string]any{}
	for _, p := range q.Params {
		text, ok := given[p.Name]
		switch {
		case !ok && p.Required:
			return nil, usagef("query %s needs %s=…: %s", q.Name, p.Name, p.Help)
		case !ok:
			text = p.Default
		}
		v, err := typedValue(p, text, now)
		if err != nil {
			return nil, err
		}
		out[p.Name] = v
	}
	return out, nil
}

func typedValue(p cypher.Param, text string, now time.Time) (v any, err error) {
	switch p.Type {
	case cypher.IntParam:
		v, err = strconv.ParseInt(text, 10, 64)
	case cypher.FloatParam:
		v, err = strconv.ParseFloat(text, 64)
	case cypher.BoolParam:
		v, err = strconv.ParseBool(text)
	case cypher.ListParam:
		items := []any{}
		for item := range strings.SplitSeq(text, ",") {
			if item != "" {
				items = append(items, item)
			}
		}
		return items, nil
	case cypher.TimeParam:
		t, err := parseWhen(text, now, p.Name == "until")
		if err != nil || t.IsZero() {
			return "", err
		}
		return schema.FormatTime(t), nil
	default:
		return text, nil
	}
	if err != nil {
		return nil, usagef("%s=%s: want %s %s (%s)", p.Name, text, article(p.Type), p.Type, p.Help)
	}
	return v, nil
}

func article(t cypher.ParamType) string {
	if t == cypher.IntParam {
		return "an"
	}
	return "a"
}

// completeQueryArgs completes the name of a query, then its parameters.
func (a *app) completeQueryArgs(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return completeQuery(cmd, args, prefix)
	}
	all, _ := cypher.Queries()
	q, err := findQuery(all, args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	given := strings.Join(args[1:], " ") + " "
	var out []string
	for _, p := range q.Params {
		if name := p.Name + "="; !strings.Contains(" "+given, " "+name) && strings.HasPrefix(name, prefix) {
			out = append(out, name+"\t"+p.Help)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
