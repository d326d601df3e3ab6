package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/graph"
)

// embedded is what the embedded store is called beside the graph databases.
const embedded = sqlite.Name

// schemes are those of the URLs that a graph database has.
func schemes() []string {
	return []string{"bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"}
}

// names are the values of --graph, each once: cobra parses flags twice before it asks
// for completions, and to name one database twice is no contradiction.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }
func (n *names) Type() string   { return "stringArray" }
func (n *names) Set(value string) error {
	if !slices.Contains(*n, value) {
		*n = append(*n, value)
	}
	return nil
}

// graphFlag gives a verb the flag --graph. The verb looks at a.graphs, or asks
// a.oneGraph.
func (a *app) graphFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().Var(&a.graphs, "graph", usage)
	_ = cmd.RegisterFlagCompletionFunc("graph", a.completeGraph)
}

// readsGraph is graphFlag for the verbs that answer from one store.
func (a *app) readsGraph(cmd *cobra.Command) {
	a.graphFlag(cmd, "answer from this Neo4j or Memgraph, by `URL` or name in config.toml, not from the embedded store")
	a.eventsFlag(cmd)
	a.orGraph(cmd)
}

// completeGraph offers the names in the configuration.
func (a *app) completeGraph(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, _ := a.config() // what is wrong with it is for a verb to say
	var out []string
	for _, g := range c.Graph {
		out = append(out, g.Name+"\t"+g.URL)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// oneGraph is the one --graph of a verb that takes one; "" is the embedded store.
func (a *app) oneGraph() (string, error) {
	switch len(a.graphs) {
	case 0:
		return "", nil
	case 1:
		return a.graphs[0], nil
	}
	return "", usagef("--graph is given %d times: this verb takes one", len(a.graphs))
}

// configPath is where the configuration is, or would be.
func (a *app) configPath() string {
	home, _ := a.configHome() // where none is known the name alone
	return filepath.Join(home, config.FileName)
}

// config reads the home's configuration. Where no home is known there is none.
func (a *app) config() (config.Config, error) {
	home, err := a.configHome()
	if err != nil {
		return config.Config{}, nil
	}
	c, err := config.LoadWith(home, a.env)
	if err != nil {
		return c, errcode.With(errcode.ConfigInvalid, usagef("%w", err))
	}
	for _, g := range c.Graph {
		if err := checkScheme(g.URL); err != nil {
			return c, errcode.With(errcode.ConfigInvalid, usagef("%s: graph %s: %w", config.FileName, g.Name, err))
		}
	}
	return c, nil
}

func checkScheme(url string) error {
	scheme, _, _ := strings.Cut(url, "://")
	if slices.Contains(schemes(), scheme) {
		return nil
	}
	return fmt.Errorf("url %s: scheme %q is none of %s", url, scheme, strings.Join(schemes(), ", "))
}

// findGraph returns the database that a value of --graph means: one in the
// configuration by its name or URL, else the URL itself, with who logs in there from
// the environment.
func (a *app) findGraph(c config.Config, value string) (config.Graph, error) {
	same := func(g config.Graph) bool {
		return g.Name == value || strings.TrimSuffix(g.URL, "/") == strings.TrimSuffix(value, "/")
	}
	if i := slices.IndexFunc(c.Graph, same); i >= 0 {
		return c.Graph[i], nil
	}
	if !strings.Contains(value, "://") {
		has := "none"
		if len(c.Graph) > 0 {
			has = graphNames(c)
		}
		return config.Graph{}, usagef("--graph %q: neither a URL like bolt://localhost:7687 nor a name in %s, which has %s", value, config.FileName, has)
	}
	if kind, _, err := eventstore.KindOf(value); err == nil {
		return config.Graph{}, usagef("--graph: %s://… is an event store, and no graph: reading verbs take it as --events, and ag-sessiond migrate as --from and --to", kind)
	}
	g, err := config.FromEnvironment(value, a.env)
	if err == nil {
		err = checkScheme(value)
	}
	if err != nil {
		return g, usagef("--graph: %w", err)
	}
	// Its host may be the name of another one.
	if slices.ContainsFunc(c.Graph, func(o config.Graph) bool { return o.Name == g.Name }) || g.Name == embedded {
		g.Name = g.URL
	}
	return g, nil
}

// graphNames are the names in the configuration, for a message.
func graphNames(c config.Config) string {
	var all []string
	for _, g := range c.Graph {
		all = append(all, g.Name)
	}
	return strings.Join(all, ", ")
}

// givenGraphs are the databases that --graph names, each once.
func (a *app) givenGraphs(c config.Config) ([]config.Graph, error) {
	var out []config.Graph
	for _, value := range a.graphs {
		g, err := a.findGraph(c, value)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o config.Graph) bool { return o == g }) {
			continue
		}
		if slices.ContainsFunc(out, func(o config.Graph) bool { return o.Name == g.Name }) {
			g.Name = g.URL // two schemes of one server
		}
		out = append(out, g)
	}
	return out, nil
}

// allGraphs are the databases of the configuration, then what --graph adds to them.
func (a *app) allGraphs(c config.Config) ([]config.Graph, error) {
	given, err := a.givenGraphs(c)
	out := slices.Clone(c.Graph)
	for _, g := range given {
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out, err
}

// withGraph calls fn with the database that name means, a URL or a name in the
// configuration. It does not connect yet: one that is down is no error before fn asks it.
func (a *app) withGraph(ctx context.Context, name string, readOnly bool, fn func(*neo4j.Store) error) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	g, err := a.findGraph(c, name)
	if err != nil {
		return err
	}
	store, err := a.open(ctx, g, readOnly, zerolog.Nop())
	if err != nil {
		return err
	}
	defer store.Close()
	return fn(store)
}

func (a *app) open(ctx context.Context, g config.Graph, readOnly bool, log zerolog.Logger) (*neo4j.Store, error) {
	password, err := g.Secret(a.env)
	if err != nil {
		return nil, unavailable(err)
	}
	store, err := neo4j.Open(ctx, neo4j.Options{
		URL: g.URL, User: g.User, Password: password, Database: g.Database, ReadOnly: readOnly, Log: log,
		UserAgent: "actiongraph/" + versions().Version,
	})
	if err != nil {
		return nil, usagef("%w", err)
	}
	return store, nil
}

// readGraph calls fn with a graph database, which holds what any number of machines
// wrote into it: no journal is looked at, and no home is needed.
func (a *app) readGraph(ctx context.Context, fn func(context.Context, storeReader) error) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	return a.withGraph(ctx, name, true, func(store *neo4j.Store) error {
		if err := a.noteEmptyGraph(ctx, store, name); err != nil {
			return err
		}
		return fn(ctx, store)
	})
}

// noteEmptyGraph says of a database without a session how it gets some.
func (a *app) noteEmptyGraph(ctx context.Context, store connector.Reader, name string) error {
	some, err := store.Sessions(ctx, graph.SessionFilter{Limit: 1})
	if err != nil {
		return interruptedOr(ctx, unavailable(err))
	}
	if a.empty = len(some) == 0; a.empty {
		a.note("nothing is recorded in %s yet: %s", name, howToFill(name))
	}
	return nil
}

// howToFill is what an empty database says to do next: it was recorded already, or is
// to be, elsewhere.
func howToFill(name string) string {
	return fmt.Sprintf("ag-sessiond sync --graph %s, or run --graph %s, on the machine that has the journal", name, name)
}

// interruptedOr is err, or that somebody pressed ctrl-C while it happened.
func interruptedOr(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return err
}

// peek calls fn with the store as it is, if there is one.
func (a *app) peek(ctx context.Context, fn func(connector.Reader) error) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	if name != "" {
		return a.withGraph(ctx, name, true, func(store *neo4j.Store) error { return fn(store) })
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	store, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer store.Close()
	return fn(store)
}
