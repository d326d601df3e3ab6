package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) graphSchemaCmd() *cobra.Command {
	parent := &cobra.Command{
		Use:   "graph-schema",
		Short: "Set up, drop or clear what a store keeps the graph in",
		Long: `Make or remove constraints and indexes, or the graph itself, in a Neo4j or Memgraph
(--graph) or in the embedded store. The journal is never touched: what was recorded is
folded into a store again by sync, run, or the next verb that reads.`,
		Example: `  ag-sessiond graph-schema setup --graph bolt://localhost:7687
  ag-sessiond graph-schema clear`,
		Args: a.noSuchVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	setup := &cobra.Command{
		Use:   "setup",
		Short: "Make the constraints and indexes that are missing",
		Long: `Make the constraints and indexes that are missing. sync and run do so first, so this
is for doing it at another time. Without --graph it makes the embedded store's file.`,
		Example: `  ag-sessiond graph-schema setup --graph bolt://localhost:7687`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.schemaSetup(cmd.Context()) },
	}
	drop := &cobra.Command{
		Use:   "drop",
		Short: "Remove the constraints and indexes; the data stays",
		Long: `Remove the constraints and indexes. The data stays, and every question about it becomes
slow. The next sync or run makes them again. The embedded store's are part of its file:
clear removes that.`,
		Example: `  ag-sessiond graph-schema drop --graph bolt://localhost:7687`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.schemaDrop(cmd.Context()) },
	}
	var yes bool
	clear := &cobra.Command{
		Use:   "clear",
		Short: "Delete the graph; the journal stays",
		Long: `Delete the graph: with --graph every Session, Action, Agent, Tool, Tag and File of the
database and the positions of all journals in it, whoever wrote them; without it the
embedded store's file. It says how much that is, and asks, unless --yes is given.

Constraints and indexes of a database stay. Each machine's journal stays, and its next
sync folds it into the database again from the beginning; the embedded store is made
again by the next verb that reads.`,
		Example: `  ag-sessiond graph-schema clear
  ag-sessiond graph-schema clear --graph bolt://localhost:7687 --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.schemaClear(cmd.Context(), cmd.InOrStdin(), yes)
		},
	}
	clear.Flags().BoolVar(&yes, "yes", false, "do not ask")
	for _, verb := range []*cobra.Command{setup, drop, clear} {
		a.graphFlag(verb, "act on this Neo4j or Memgraph, by `URL` or name in config.toml, not on the embedded store")
	}
	a.add(parent, "", setup, drop, clear)
	return parent
}

// schemaDone says what was done, to people or as JSON.
func (a *app) schemaDone(done, store, text string) error {
	if a.json {
		return a.printJSON(map[string]string{"done": done, "store": store})
	}
	a.printf("%s\n", text)
	return nil
}

// changeGraph has fn change the database of a name and prints what fn says about it. An
// exitError of fn's is its own refusal; any other error is the database's.
func (a *app) changeGraph(ctx context.Context, name, done string, fn func(s *neo4j.Store, what string) (text string, err error)) error {
	return a.withGraph(ctx, name, false, func(store *neo4j.Store) error {
		info, err := store.Info(ctx)
		if err != nil {
			return interruptedOr(ctx, unavailable(err))
		}
		text, err := fn(store, fmt.Sprintf("%s (%s %s)", name, info.Product, info.Version))
		var refused *exitError
		if errors.As(err, &refused) {
			return err
		}
		if err != nil {
			return interruptedOr(ctx, unavailable(err))
		}
		return a.schemaDone(done, name, text)
	})
}

func (a *app) schemaSetup(ctx context.Context) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	if name != "" {
		return a.changeGraph(ctx, name, "setup", func(s *neo4j.Store, what string) (string, error) {
			return "constraints and indexes are there in " + what, s.Setup(ctx)
		})
	}
	j, err := a.journal()
	if err != nil {
		return err
	}
	path := filepath.Join(j.Home(), storeFile)
	lock, err := lockStore(j.Home())
	if err != nil {
		return err
	}
	defer lock.Unlock()
	store, err := a.openStore(path)
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		return unavailable(err)
	}
	return a.schemaDone("setup", path, path+" is there")
}

// lockStore takes the lock of those that write the embedded store.
func lockStore(home string) (*connector.Lock, error) {
	lock, err := connector.LockHome(home, connector.GraphLock, syncPatience)
	if errors.Is(err, connector.ErrLocked) {
		if by, running, _ := connector.Held(home, connector.RunLock); running {
			err = errcode.With(errcode.DaemonRunning, fmt.Errorf("the daemon (%s) keeps this store: stop it first", by))
		}
	}
	return lock, unavailable(err)
}

func (a *app) schemaDrop(ctx context.Context) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	if name == "" {
		return usagef("the embedded store's indexes are part of its file: ag-sessiond graph-schema clear removes it; --graph drops those of a database")
	}
	return a.changeGraph(ctx, name, "drop", func(s *neo4j.Store, what string) (string, error) {
		return "constraints and indexes are gone from " + what + "; the data stays, and the next sync or run makes them again", s.Drop(ctx)
	})
}

func (a *app) schemaClear(ctx context.Context, stdin io.Reader, yes bool) error {
	name, err := a.oneGraph()
	if err != nil {
		return err
	}
	if name == "" {
		return a.clearEmbedded(ctx, stdin, yes)
	}
	return a.changeGraph(ctx, name, "clear", func(s *neo4j.Store, what string) (string, error) {
		has, err := s.Contents(ctx)
		if err != nil {
			return "", err
		}
		question := fmt.Sprintf("delete %s with %s and %s, of %s, and their %s, %s and %s from %s?", render.Plural(has.Sessions, "session"),
			render.Plural(has.Actions, "action"), render.Plural(has.Agents, "subagent"), render.Plural(has.Journals, "journal"),
			render.Plural(has.Tools, "tool"), render.Plural(has.Tags, "tag"), render.Plural(has.Files, "file"), what)
		if err := a.confirm(ctx, stdin, question, yes); err != nil {
			return "", err
		}
		if a.daemonKeeps(name) {
			a.note("the daemon of this home keeps %s: it fills it again from the journal with the next event; stop it first to leave the graph empty", name)
		}
		return "the graph is gone from " + what + "; each machine's sync folds its journal into it again", s.Clear(ctx)
	})
}

// daemonKeeps reports whether a daemon that runs for this home keeps a database in step.
func (a *app) daemonKeeps(name string) bool {
	home, err := a.homeDir()
	if err != nil {
		return false
	}
	if _, running, err := connector.Held(home, connector.RunLock); err != nil || !running {
		return false
	}
	c, err := a.config()
	if err != nil {
		return false
	}
	g, err := a.findGraph(c, name)
	if err != nil {
		return false
	}
	said, err := readReport(home)
	return err == nil && slices.ContainsFunc(said.Stores, func(h storeHealth) bool { return h.URL == g.URL && h.Database == g.Database })
}

// clearEmbedded removes the embedded store's file, under the lock of those that write it.
func (a *app) clearEmbedded(ctx context.Context, stdin io.Reader, yes bool) error {
	path, err := a.storePath()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return a.schemaDone("clear", path, "there is no "+path)
	}
	what := "what it holds cannot be read"
	err = a.peek(ctx, func(r connector.Reader) error {
		sum, err := r.Summary(ctx, "")
		if err == nil {
			what = render.Plural(sum.SessionCount, "session") + ", " + render.Plural(sum.ActionCount, "action")
		}
		return err
	})
	var none *exitError
	if errors.As(err, &none) || ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err := a.confirm(ctx, stdin, fmt.Sprintf("delete %s (%s)?", path, what), yes); err != nil {
		return err
	}
	lock, err := lockStore(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	// The log last: without its file it is nothing, but a file without its log lacks
	// what was written last.
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unavailable(err)
		}
	}
	return a.schemaDone("clear", path, path+" is gone; the next verb that reads folds the journal into a new one")
}

// confirm asks on the terminal. Without one only --yes will do: a script that deletes
// has to say so.
func (a *app) confirm(ctx context.Context, stdin io.Reader, question string, yes bool) error {
	if yes {
		return nil
	}
	if terminalWidth(a.err) == 0 || !isTerminal(stdin) {
		return usagef("%s there is no terminal to ask on: give --yes", question)
	}
	fmt.Fprintf(a.err, "%s [y/N] ", render.OneLine(question))
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdin).ReadString('\n') // an end without an answer is no
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case got := <-answer:
		if got == "y" || got == "yes" {
			return nil
		}
	}
	return &exitError{code: exitFailed, err: errcode.With(errcode.Declined, errors.New("nothing was deleted"))}
}

// isTerminal reports whether somebody can type an answer.
func isTerminal(r io.Reader) bool {
	w, ok := r.(io.Writer) // an *os.File, or a test's pipe
	return ok && terminalWidth(w) > 0
}
