package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/internal/nearest"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) queriesCmd() *cobra.Command {
	var engine string
	engines := []string{string(cypher.Neo4j), string(cypher.Memgraph)}
	cmd := &cobra.Command{
		Use:   "queries [NAME]",
		Short: "List the saved Cypher queries, or print one",
		Long: `List the saved queries for Neo4j and Memgraph: what each answers, and its parameters
with their defaults (a parameter without one has to be given). With NAME print its text,
to copy into Neo4j Browser or Memgraph Lab.`,
		Example: `  ag-sessiond queries
  ag-sessiond queries failed-actions
  ag-sessiond queries search --engine memgraph`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeQuery,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkOneOf("--engine", engine, engines); err != nil {
				return err
			}
			all, err := cypher.Queries()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.queries(all)
			}
			q, err := findQuery(all, args[0])
			if err != nil {
				return err
			}
			return a.queryText(q, cypher.Dialect(engine))
		},
	}
	cmd.Flags().StringVar(&engine, "engine", string(cypher.Neo4j), "print the text for neo4j or memgraph, where they differ")
	fixedCompletion(cmd, "engine", engines)
	return cmd
}

// queryInfo is a saved query as JSON.
type queryInfo struct {
	Name       string      `json:"name"`
	Summary    string      `json:"summary"`
	Parameters []paramInfo `json:"parameters"`
	Text       string      `json:"text,omitempty"`
}

type paramInfo struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Required bool    `json:"required"`
	Default  *string `json:"default,omitempty"`
	Help     string  `json:"help"`
}

func infoOf(q cypher.Query) queryInfo {
	info := queryInfo{Name: q.Name, Summary: q.Summary, Parameters: []paramInfo{}}
	for _, p := range q.Params {
		i := paramInfo{Name: p.Name, Type: string(p.Type), Required: p.Required, Help: p.Help}
		if !p.Required {
			i.Default = &p.Default
		}
		info.Parameters = append(info.Parameters, i)
	}
	return info
}

func (a *app) queries(all []cypher.Query) error {
	if a.json {
		infos := []queryInfo{}
		for _, q := range all {
			infos = append(infos, infoOf(q))
		}
		return a.printJSON(infos)
	}
	cols := []render.Column{{Title: "NAME"}, {Title: "ANSWERS", Give: 20, Wrap: true}, {Title: "PARAMETERS", Give: 14, Wrap: true}}
	var cells [][]string
	for _, q := range all {
		var params []string
		for _, p := range q.Params {
			params = append(params, paramUsage(p))
		}
		cells = append(cells, []string{q.Name, q.Summary, strings.Join(params, " ")})
	}
	return a.style.Table(a.out, cols, cells)
}

// paramUsage is a parameter as an argument: limit=20, and path=… where it has to be
// given.
func paramUsage(p cypher.Param) string {
	switch {
	case p.Required:
		return p.Name + "=…"
	case p.Default == "":
		return "[" + p.Name + "]"
	}
	return p.Name + "=" + p.Default
}

func (a *app) queryText(q cypher.Query, d cypher.Dialect) error {
	if a.json {
		info := infoOf(q)
		info.Text = q.Text(d)
		return a.printJSON(info)
	}
	a.printf("%s", q.Text(d))
	return nil
}

// findQuery returns the query of a name, or an error with the nearest names.
func findQuery(all []cypher.Query, name string) (cypher.Query, error) {
	var names []string
	for _, q := range all {
		if q.Name == name {
			return q, nil
		}
		names = append(names, q.Name)
	}
	return cypher.Query{}, usagef("there is no query %q: %sag-sessiond queries lists them", name, didYouMean(name, names))
}

// didYouMean asks for those of names that are nearest to what was typed, with a space
// behind it; "" where none is near.
func didYouMean(typed string, names []string) string {
	near := nearest.Of(typed, names)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, " or ") + "? "
}

// completeQuery completes the name of a saved query.
func completeQuery(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, _ := cypher.Queries() // an error is a verb's to say
	var out []string
	for _, q := range all {
		if strings.HasPrefix(q.Name, prefix) {
			out = append(out, q.Name+"\t"+q.Summary)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
