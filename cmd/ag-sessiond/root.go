package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
)

// app is what every verb shares: where output goes, the common flags, the clock.
type app struct {
	out    *bufio.Writer
	stdout io.Writer // what out writes to
	err    io.Writer
	style  render.Style
	now    func() time.Time
	env    func(string) string

	home string // --home
	json bool   // --json

	graphs names // --graph, of the verbs that have it

	events   string // --events, of a store that is no home
	borrowed string // the home that --events was copied to

	at string // --at, likewise

	empty    bool          // nothing is recorded yet, and that was said
	patience time.Duration // how long to wait for another process to catch the store up
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{
		out: bufio.NewWriter(stdout), stdout: stdout, err: stderr, now: time.Now, env: os.Getenv,
		style: styleOf(stdout, os.Getenv),
	}
	root := a.rootCmd()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(stderr)
	a.initCompletion(root)
	err := root.ExecuteContext(ctx)
	if failed := a.giveBack(); failed != nil {
		err = errors.Join(err, failed)
	}
	// Output that did not arrive is a failure: a full disk must not look like done.
	if flushErr := a.out.Flush(); err == nil && flushErr != nil {
		err = errcode.With(errcode.OutputFailed, fmt.Errorf("write output: %w", flushErr))
	}
	if errors.Is(err, context.Canceled) {
		err = errcode.New(errcode.Interrupted, "interrupted")
	}
	var e *exitError
	if err != nil && !(errors.As(err, &e) && e.silent) {
		code := codeOf(err)
		fmt.Fprintf(stderr, "ag-sessiond: %s\n  %s: %s\n", strings.TrimRight(render.Clean(err.Error()), "\n"), code, code.Doc())
	}
	return exitCode(err)
}

func (a *app) rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "ag-sessiond",
		Short: "What did my coding agent do?",
		Long: `ag-sessiond answers questions about recorded agent sessions.

Hooks append what an agent does to a journal; every verb that reads first catches a
local store up with it, so no daemon is needed. SESSION is a session's id, a unique
prefix of it, or "latest".

To start recording: ag-sessiond install

Exit codes: 0 done, 1 failed or in part, 2 usage, 3 differs (verify, replay, diff) or found
(secrets scan), 4 unavailable.`,
		Example: `  ag-sessiond sessions --since yesterday
  ag-sessiond show latest
  ag-sessiond search "connection refused" --failed`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          a.noSuchVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.enterEvents(cmd); err != nil {
			return err
		}
		return a.enterHome(cmd)
	}
	root.Version = versions().String()
	root.SetVersionTemplate("{{.Version}}\n")
	flags := root.PersistentFlags()
	flags.StringVar(&a.home, "home", "", "the `directory` of journal and store (default $AG_HOME, else ~/.actiongraph)")
	flags.BoolVar(&a.json, "json", false, "print JSON; times are UTC")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w\nsee %s --help", err, cmd.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(&cobra.Group{ID: "read", Title: "Questions:"}, &cobra.Group{ID: "keep", Title: "Keeping the record:"})
	reading := []*cobra.Command{a.sessionsCmd(), a.showCmd(), a.actionsCmd(), a.traceCmd(), a.summaryCmd(), a.toolsCmd(),
		a.sequenceCmd(), a.searchCmd(), a.graphCmd(), a.resumeCmd()}
	reading = append(reading, a.recallCmd(), a.profileCmd())
	reading = append(reading, a.filesCmd())
	reading = append(reading, a.usageCmd())
	reading = append(reading, a.exportCmd(), a.exportTraceCmd())
	reading = append(reading, a.forksCmd())
	for _, cmd := range reading {
		a.readsGraph(cmd)
	}
	a.add(root, "read", reading...)
	a.add(root, "read", a.diffCmd(), a.inspectCmd(), a.watchCmd(), a.failuresCmd())
	a.add(root, "read", a.queriesCmd(), a.queryCmd(), a.cypherCmd())
	a.add(root, "keep", a.installCmd(), a.uninstallCmd(), a.hooksCmd(), a.importCmd(), a.tailCmd(), a.addCmd(), a.syncCmd(), a.runCmd(), a.serviceCmd(), a.statusCmd(), a.verifyCmd(), a.tagCmd(), a.untagCmd(), a.forkCmd(),
		a.graphSchemaCmd())
	a.add(root, "keep", a.forgetCmd(), a.pruneCmd())
	a.add(root, "keep", a.replayCmd(), a.doctorCmd(), a.metricsCmd(), a.quickstartCmd())
	a.add(root, "keep", a.configCmd(), a.secretsCmd(), a.packCmd(), a.migrateCmd(), a.sealCmd())
	a.add(root, "", a.schemaCmd(), a.versionCmd())
	return root
}

// initCompletion makes cobra's own command, which keeps the output it finds, and has
// it refuse a shell that it does not know, as other verbs refuse their arguments.
func (a *app) initCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Args, cmd.RunE = a.noSuchVerb, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		cmd.Example = "  ag-sessiond completion bash > /etc/bash_completion.d/ag-sessiond\n  source <(ag-sessiond completion zsh)"
	}
}

// add puts verbs below parent; what is wrong with their arguments is an error of
// usage.
func (a *app) add(parent *cobra.Command, group string, verbs ...*cobra.Command) {
	for _, v := range verbs {
		v.GroupID = group
		v.DisableFlagsInUseLine = false
		if check := v.Args; check != nil {
			v.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				var e *exitError
				if err == nil || errors.As(err, &e) {
					return err
				}
				return usagef("%w\nusage: %s", err, cmd.UseLine())
			}
		}
		parent.AddCommand(v)
	}
}

// noSuchVerb refuses the arguments of a command that only has subcommands.
func (a *app) noSuchVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.SuggestionsMinimumDistance == 0 {
		cmd.SuggestionsMinimumDistance = 2 // which cobra itself only sets where it refuses
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s has no verb %q: %s", cmd.CommandPath(), args[0], hint)
}

// printf writes to stdout; what becomes of it shows when it is flushed.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// note tells a person something beside the answer.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.err, render.Clean(fmt.Sprintf(format, args...)))
}

// nothing says that an answer is empty, and what to do; not where nothing is
// recorded, which was said already.
func (a *app) nothing(format string, args ...any) {
	if !a.empty {
		a.note(format, args...)
	}
}
