package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
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

On a narrow terminal columns are left out, ids first; --json has all of them.

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
	return a.queryGraph(ctx, func(store *neo4j.Store, name string) error {
		info, err := store.Info(ctx)
		if err != nil {
			return interruptedOr(ctx, unavailable(err))
		}
		if err := a.findSessions(ctx, store, name, q, params); err != nil {
			return err
		}
		if err := findWords(info.Dialect, q, params); err != nil {
			return err
		}
		n, err := a.printRows(ctx, store, ask{statement: q.Text(info.Dialect), params: params, saved: true})
		if err != nil || n > 0 {
			return err
		}
		if err := a.noteEmptyGraph(ctx, store, name); err != nil {
			return err
		}
		if !a.json {
			a.nothing("no rows")
		}
		return nil
	})
}

// findSessions puts the id of the session in place of what a person calls it.
func (a *app) findSessions(ctx context.Context, store *neo4j.Store, graph string, q cypher.Query, params map[string]any) error {
	for _, p := range q.Params {
		if name, _ := params[p.Name].(string); p.Type == cypher.SessionParam && name != "" {
			s, err := session(ctx, store, name, howToFill(graph))
			if err != nil {
				return interruptedOr(ctx, err)
			}
			params[p.Name] = s.SessionID
		}
	}
	return nil
}

// findWords puts the engine's own query in place of the words that a person typed.
func findWords(d cypher.Dialect, q cypher.Query, params map[string]any) error {
	for _, p := range q.Params {
		if p.Type != cypher.WordsParam {
			continue
		}
		typed, _ := params[p.Name].(string)
		query, err := neo4j.SearchQuery(d, typed)
		if err != nil {
			return usagef("%s=%s: %w", p.Name, typed, err)
		}
		params[p.Name] = query
	}
	return nil
}

// queryGraph calls fn with the database that --graph names, or the only one of the
// configuration, and its name.
func (a *app) queryGraph(ctx context.Context, fn func(*neo4j.Store, string) error) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	if name == "" {
		c, err := a.config()
		if err != nil {
			return err
		}
		switch len(c.Graph) {
		case 0:
			return usagef("which database? Cypher runs on a Neo4j or Memgraph, not on the embedded store: give --graph URL, or name one in %s",
				a.configPath())
		case 1:
			name = c.Graph[0].Name
		default:
			return usagef("which database? give --graph with one of %s, which %s has, or a URL", graphNames(c), config.FileName)
		}
	}
	return a.withGraph(ctx, name, true, func(store *neo4j.Store) error { return fn(store, name) })
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
		case ok && text == "" && p.Type == cypher.SessionParam && (p.Required || p.Default != ""):
			return nil, usagef("%s= is empty: give a session's id, a prefix of one, or latest", p.Name)
		case ok && text == "" && p.Required:
			return nil, usagef("%s= is empty: want %s", p.Name, p.Help)
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
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && n < 1 { // they count
			return nil, usagef("%s=%s: want 1 or more (%s)", p.Name, text, p.Help)
		}
		if err == nil {
			return n, nil
		}
		return nil, usagef("%s=%s: want an int (%s)", p.Name, text, p.Help)
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
		if allowed := allowedValues(p); len(allowed) > 0 {
			return text, checkOneOf(p.Name+"=", text, allowed)
		}
		return text, nil
	}
	if err != nil {
		return nil, usagef("%s=%s: want a %s (%s)", p.Name, text, p.Type, p.Help)
	}
	return v, nil
}

// allowedValues are those of a string whose help is a list of words and nothing else:
// active, completed or unknown.
func allowedValues(p cypher.Param) []string {
	rest, last, isList := strings.Cut(p.Help, " or ")
	values := append(strings.Split(rest, ", "), last)
	if p.Type != cypher.StringParam || !isList || slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, " ") }) {
		return nil
	}
	return values
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
	if name, value, ok := strings.Cut(prefix, "="); ok {
		return a.completeValue(cmd, q, name, value)
	}
	var out []string
	for _, p := range q.Params {
		name := p.Name + "="
		given := slices.ContainsFunc(args[1:], func(arg string) bool { return strings.HasPrefix(arg, name) })
		if !given && strings.HasPrefix(name, prefix) {
			out = append(out, name+"\t"+p.Help)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeValue completes the value of a query's parameter where there are some to name:
// a session of the database, or one of a few words.
func (a *app) completeValue(cmd *cobra.Command, q cypher.Query, name, prefix string) (out []string, _ cobra.ShellCompDirective) {
	i := slices.IndexFunc(q.Params, func(p cypher.Param) bool { return p.Name == name })
	if i < 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	values := allowedValues(q.Params[i])
	if q.Params[i].Type == cypher.SessionParam {
		if c, err := a.config(); err == nil && len(a.graphs) == 0 && len(c.Graph) == 1 {
			a.graphs = names{c.Graph[0].Name} // which the query asks, too
		}
		values, _ = a.completeSession(cmd, nil, prefix)
	}
	for _, v := range values {
		if strings.HasPrefix(v, prefix) {
			out = append(out, name+"="+v)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
