package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/settings"
)

// howToStart is what an empty state says to do next.
const howToStart = `to record Claude Code sessions, run "ag-sessiond install" and use claude as usual`

// keptDir is where install keeps what settings files were, below the home.
const keptDir = "installed"

func (a *app) installCmd() *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install [claude]",
		Short: "Have Claude Code's sessions recorded: put the hooks into its settings",
		Long: `Register ag-hook for Claude Code's hook events in its settings file: ~/.claude/settings.json
(or in $CLAUDE_CONFIG_DIR), which is for every project; with --project
./.claude/settings.json, which is shared with whoever works there; with --local
./.claude/settings.local.json, which is not.

Only our entries change: all else keeps its order, its formatting and its spelling, and what
the file was is kept in the home, so that uninstall gives back the same bytes. Run it again
after an update or when the binary has moved; where nothing is to be done nothing is
written. An entry of ours that a matcher or an "if" limits to some of an event is mended. Where the hook is registered in another file of this user, project or plugin it
says so instead: every event would be recorded twice.

Where --home or $AG_HOME names another home than ~/.actiongraph, the hook is registered with
--home: Claude Code may be started where the variable is not set.

Then doctor looks whether everything works, and on a terminal you are asked whether the
history that Claude Code keeps on disk is to be imported, too. With --json neither is done.`,
		Example: `  ag-sessiond install
  ag-sessiond install --dry-run
  ag-sessiond install --project --yes --no-import`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: []string{"claude"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkAgent(args); err != nil {
				return err
			}
			if o.history && o.noHistory {
				return usagef("--import or --no-import, not both")
			}
			scope, err := o.scope()
			if err != nil {
				return err
			}
			return a.install(cmd.Context(), asker{a, cmd.InOrStdin()}, scope, o)
		},
	}
	o.flags(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.history, "import", false, "import the history that is on disk, without asking")
	flags.BoolVar(&o.noHistory, "no-import", false, "import none, without asking")
	return cmd
}

// scopeOptions are the flags of install and uninstall.
type scopeOptions struct {
	user, project, local bool
	dryRun, yes          bool
}

func (o *scopeOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.user, "user", false, "the user's settings: every project")
	flags.BoolVar(&o.project, "project", false, "the settings of the project in this folder")
	flags.BoolVar(&o.local, "local", false, "the settings of this user for the project in this folder")
	flags.BoolVarP(&o.dryRun, "dry-run", "n", false, "print what would change, and change nothing")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
}

// scopes are those that the flags name.
func (o *scopeOptions) scopes() (named []settings.Scope) {
	for _, s := range []struct {
		asked bool
		scope settings.Scope
	}{{o.user, settings.User}, {o.project, settings.Project}, {o.local, settings.Local}} {
		if s.asked {
			named = append(named, s.scope)
		}
	}
	return named
}

type installOptions struct {
	scopeOptions
	history, noHistory bool
}

func (o *installOptions) scope() (settings.Scope, error) {
	switch named := o.scopes(); len(named) {
	case 0:
		return settings.User, nil
	case 1:
		return named[0], nil
	}
	return "", usagef("one of --user, --project and --local: hooks in two files would record events twice")
}

func checkAgent(args []string) error {
	if len(args) > 0 && args[0] != "claude" {
		return usagef("no hooks are known for %q: want claude", args[0])
	}
	return nil
}

// installReport is what install says as JSON.
type installReport struct {
	File       string         `json:"file"`
	Scope      settings.Scope `json:"scope"`
	Changed    bool           `json:"changed"`
	DryRun     bool           `json:"dry_run"`
	Binary     string         `json:"binary"`
	Events     int            `json:"events"`
	Diff       string         `json:"diff,omitempty"`       // of what was to be done
	Registered []place        `json:"registered_elsewhere"` // files that have the hook, too
}

// place is a file that has our hook.
type place struct {
	File   string         `json:"file"`
	Scope  settings.Scope `json:"scope"`
	Plugin string         `json:"plugin,omitempty"`
}

// cure says how to get the hook out of there.
func (p place) cure() string {
	switch p.Scope {
	case settings.Plugin:
		return "claude plugin uninstall " + p.Plugin
	case settings.Managed:
		return "ask who manages " + p.File
	}
	return "ag-sessiond uninstall --" + string(p.Scope)
}

func (a *app) install(ctx context.Context, ask asker, scope settings.Scope, o installOptions) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	recorder, err := a.recorder()
	if err != nil {
		return err
	}
	env, err := claudeEnv()
	if err != nil {
		return unavailable(err)
	}
	in := installation{app: a, asker: ask, kept: settings.Kept(filepath.Join(home, keptDir)), home: home, recorder: recorder}
	in.report = installReport{File: env.Path(scope), Scope: scope, DryRun: o.dryRun, Binary: recorder.Binary, Events: len(recorder.Events)}
	in.look(settings.Files(env))
	if len(in.report.Registered) > 0 && !in.here {
		return in.elsewhere()
	}
	if done, err := in.write(o); err != nil || !done {
		return err
	}
	if a.json {
		return a.printJSON(in.report)
	}
	a.printf("\n")
	if err := a.out.Flush(); err != nil {
		return err
	}
	failed := a.doctor(ctx)
	if ctx.Err() != nil {
		return failed
	}
	imported := in.offerHistory(ctx, o)
	in.ending()
	if failed != nil {
		return failed
	}
	return imported
}

// claudeEnv is where Claude Code would look if it were started here.
func claudeEnv() (settings.Env, error) {
	here, err := os.Getwd()
	if err != nil {
		return settings.Env{}, err
	}
	return settings.Here(here)
}

// installation is one run of install.
type installation struct {
	*app
	asker    asker
	kept     settings.Kept
	home     string
	recorder settings.Recorder
	report   installReport
	here     bool     // the file has the hook already
	notes    []string // what is to be said of what else is registered
}

// look finds what is registered where.
func (in *installation) look(files []settings.File) {
	in.report.Registered = []place{}
	others := map[string]int64{}
	for _, f := range files {
		if f.Err != nil && f.Path != in.report.File {
			in.notes = append(in.notes, fmt.Sprintf("not looked into: %v", f.Err))
		}
		ours := false
		for _, e := range f.Entries {
			switch {
			case e.Wrapped():
				in.notes = append(in.notes, fmt.Sprintf("%s:%d runs ag-hook within a longer command, which is left as it is: %s", f.Path, e.Line, e.Command))
				ours = true
			case e.Ours():
				ours = true
			default:
				others[strings.Join(append([]string{e.Type, e.Command}, e.Args...), " ")+" in "+f.Path]++
			}
		}
		switch {
		case !ours:
		case sameFile(f.Path, in.report.File):
			in.here = true
		default:
			in.report.Registered = append(in.report.Registered, place{File: f.Path, Scope: f.Scope, Plugin: f.Name})
		}
	}
	for _, other := range byCount(others) {
		in.notes = append(in.notes, fmt.Sprintf("left as it is: another hook on %s: %s", render.Plural(others[other], "event"), other))
	}
}

// sameFile reports whether two paths lead to one file, or are one path.
func sameFile(a, b string) bool {
	is, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return a == b || err == nil && err2 == nil && os.SameFile(is, other)
}

// elsewhere says that the hook is registered already, and where.
func (in *installation) elsewhere() error {
	if in.json {
		return in.printJSON(in.report)
	}
	for _, p := range in.report.Registered {
		in.printf("ag-hook is registered already: in %s (%s)\n", render.OneLine(p.File), p.Scope)
		in.note("to have it in %s instead, take it out there first: %s", in.report.File, p.cure())
	}
	// Claude Code runs equal commands of several settings files once, but not a plugin's,
	// nor what an update made different in one of them.
	in.printf("Nothing was written: two registrations record every event twice as soon as they differ.\n")
	return nil
}

// write edits the settings file, and reports whether to go on.
func (in *installation) write(o installOptions) (bool, error) {
	plan, err := in.kept.PlanInstall(in.report.File, in.recorder)
	if err != nil {
		return false, unavailable(err)
	}
	if in.report.Changed = plan.Changes(); in.report.Changed {
		in.report.Diff = plan.Diff()
	}
	if o.dryRun {
		return false, in.dryRun()
	}
	if in.report.Changed {
		if ok, err := in.agreed(plan, o); err != nil || !ok {
			return false, err
		}
		if err := in.edit(); err != nil {
			return false, err
		}
	}
	if in.json {
		return true, nil
	}
	if in.report.Changed {
		in.printf("ag-hook is registered for %s in %s\n", render.Plural(int64(in.report.Events), "event"), render.OneLine(in.report.File))
	} else {
		in.printf("nothing to do: ag-hook is registered in %s\n", render.OneLine(in.report.File))
	}
	if n := len(in.recorder.Args); n > 1 && in.app.home == "" {
		in.printf("the hook has --home %s, as AG_HOME says here: it records there whether or not Claude Code has the variable\n", render.OneLine(in.recorder.Args[n-1]))
	}
	in.say()
	return true, nil
}

// edit makes the home, which has to take what is recorded, and changes the file.
func (in *installation) edit() error {
	h, err := actiongraph.Open(in.home, actiongraph.Options{})
	if err != nil {
		return unavailable(err)
	}
	if err := h.Close(); err != nil {
		return unavailable(err)
	}
	if _, err = in.kept.Install(in.report.File, in.recorder); err != nil {
		err = errcode.With(errcode.InstallFailed, fmt.Errorf("%w\nnothing was changed; what would go there, for whoever may write it: ag-sessiond hooks print claude", err))
	}
	return unavailable(err)
}

// say tells what else is registered, and who else has the file.
func (in *installation) say() {
	if in.report.Scope == settings.Project {
		in.note("a project's settings.json is shared: whoever has no %s gets an error at every step (--local is for you alone)", in.report.Binary)
	}
	for _, p := range in.report.Registered {
		in.note("ag-hook is registered in %s (%s), too, which may record every event twice: %s", p.File, p.Scope, p.cure())
	}
	for _, n := range in.notes {
		in.note("%s", n)
	}
}

func (in *installation) dryRun() error {
	if in.json {
		return in.printJSON(in.report)
	}
	if !in.report.Changed {
		in.printf("nothing to do: ag-hook is registered in %s\n", render.OneLine(in.report.File))
	}
	in.printf("%s", render.Clean(in.report.Diff))
	in.say()
	return nil
}

// agreed shows a person what would change, and asks.
func (in *installation) agreed(plan settings.Change, o installOptions) (bool, error) {
	if o.yes || !in.asker.person() {
		return true, nil
	}
	in.printf("%s", render.Clean(plan.Diff()))
	ok, err := in.asker.agrees("Write this into " + render.OneLine(plan.Path) + "?")
	if err == nil && !ok {
		in.printf("nothing was written\n")
	}
	return ok, err
}

// offerHistory imports what is on disk, where that is wanted.
func (in *installation) offerHistory(ctx context.Context, o installOptions) error {
	folders := actiongraph.TranscriptFolders()
	if len(folders) == 0 || o.noHistory {
		return nil
	}
	if !o.history {
		if !in.asker.person() || o.yes {
			in.note("there are sessions from before in %s: ag-sessiond import reads them in", strings.Join(folders, ", "))
			return nil
		}
		in.printf("\n")
		if ok, err := in.asker.agrees("Import the sessions from before that are in " + render.OneLine(strings.Join(folders, ", ")) + "?"); err != nil || !ok {
			return err
		}
	}
	return in.importFiles(ctx, nil, strings.NewReader(""), importOptions{jsonlOptions: jsonlOptions{format: config.Auto}})
}

// ending says what comes next.
func (in *installation) ending() {
	in.printf("\nUse claude as usual. After the next prompt:\n")
	for _, line := range [][2]string{
		{"ag-sessiond show latest", "what the session did"},
		{"ag-sessiond doctor", "whether everything is recorded"},
		{"ag-sessiond service install", "has the daemon run by itself: answers at once, graphs kept up"},
		{"ag-sessiond uninstall", "takes the hooks out again"},
	} {
		in.printf("  %-27s  # %s\n", line[0], line[1])
	}
	in.printf("What is recorded is in %s and leaves this machine nowhere, unless you name a database.\n", render.OneLine(in.home))
}
