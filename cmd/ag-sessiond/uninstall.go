package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/service"
	"github.com/actiongraph/actiongraph/settings"
)

func (a *app) uninstallCmd() *cobra.Command {
	var o scopeOptions
	var purge bool
	cmd := &cobra.Command{
		Use:   "uninstall [claude]",
		Short: "Take the hooks out of Claude Code's settings again",
		Long: `Take our entries, and no others, out of Claude Code's settings files: out of those that the
flags name, else out of the user's, those of the project in this folder, and every one that
install put them into. A file that is still what install left becomes what it was before,
byte for byte; one that was not there goes.

What is recorded stays, and so does the service. With --purge the home goes, too: journal,
store, configuration and all. That is asked first, and without a terminal needs --yes. Its
service goes first, if one is installed; a home that a daemon has all the same is refused,
and so is a path that is no home, or that is your own home directory or holds it.
What actiongraph did not put into it stays, and is named. End sessions that run first: their
hooks may make a home again.`,
		Example: `  ag-sessiond uninstall
  ag-sessiond uninstall --project --dry-run
  ag-sessiond uninstall --purge --yes`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: []string{"claude"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkAgent(args); err != nil {
				return err
			}
			return a.uninstall(cmd.Context(), asker{a, cmd.InOrStdin()}, o, purge)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&purge, "purge", false, "remove the home, too, and everything that is recorded in it")
	return cmd
}

// uninstallReport is what uninstall says as JSON.
type uninstallReport struct {
	Files   []uninstalled `json:"files"` // those with our hook
	DryRun  bool          `json:"dry_run"`
	Service string        `json:"service,omitempty"` // the unit that went with the home
	Purged  string        `json:"purged,omitempty"`  // the home
	Left    []string      `json:"left,omitempty"`    // what was in it and not ours
}

type uninstalled struct {
	File    string `json:"file"`
	Removed bool   `json:"removed"` // the file itself went
	Diff    string `json:"diff"`
}

func (a *app) uninstall(ctx context.Context, ask asker, o scopeOptions, purge bool) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	if purge && !o.yes && !o.dryRun && !ask.person() {
		return usagef("--purge removes everything that is recorded in %s: say --yes where nobody can be asked", home)
	}
	if _, err := os.Lstat(home); purge && err == nil {
		if err := actiongraph.Removable(home); err != nil { // before the hooks go
			return unavailable(err)
		}
	}
	env, err := claudeEnv()
	if err != nil {
		return unavailable(err)
	}
	un := uninstallation{app: a, asker: ask, kept: settings.Kept(filepath.Join(home, keptDir)), home: home, scopeOptions: o}
	un.report = uninstallReport{Files: []uninstalled{}, DryRun: o.dryRun}
	failed := un.files(env)
	if purge && failed == nil {
		failed = un.purge(ctx)
	} else {
		un.tellService(ctx)
	}
	if a.json {
		return errors.Join(a.printJSON(un.report), failed)
	}
	return failed
}

// uninstallation is one run of uninstall.
type uninstallation struct {
	*app
	scopeOptions
	asker  asker
	kept   settings.Kept
	home   string
	report uninstallReport
}

// files takes the hooks out of settings files. One that cannot be changed keeps no other
// from it.
func (un *uninstallation) files(env settings.Env) error {
	var failed []error
	for _, path := range un.paths(env) {
		if err := un.file(path); err != nil {
			failed = append(failed, err)
		}
	}
	un.tellOthers(settings.Files(env))
	if len(un.report.Files) == 0 && len(failed) == 0 && !un.json {
		un.printf("nothing to do: ag-hook is in none of these settings\n")
	}
	return unavailable(errors.Join(failed...))
}

// paths are the files to look into: of the scopes that the flags name, else all.
func (un *uninstallation) paths(env settings.Env) []string {
	scopes := un.scopes()
	if len(scopes) > 0 {
		var paths []string
		for _, s := range scopes {
			paths = append(paths, env.Path(s))
		}
		return paths
	}
	var paths []string
	for _, f := range settings.Files(env) {
		if f.Scope == settings.User || f.Scope == settings.Project || f.Scope == settings.Local {
			paths = append(paths, f.Path)
		}
	}
	for _, path := range un.kept.Paths() {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// file takes the hooks out of one file.
func (un *uninstallation) file(path string) error {
	plan, err := un.kept.PlanUninstall(path)
	if err != nil {
		return err
	}
	if plan.Changes() {
		un.report.Files = append(un.report.Files, uninstalled{File: path, Removed: plan.Remove, Diff: plan.Diff()})
	}
	asks := plan.Changes() && !un.yes && un.asker.person()
	if (un.dryRun || asks) && !un.json {
		un.printf("%s", render.Clean(plan.Diff()))
	}
	if un.dryRun {
		return nil
	}
	if asks {
		if ok, err := un.asker.agrees("Write this into " + render.OneLine(path) + "?"); err != nil || !ok {
			return err
		}
	}
	if plan, err = un.kept.Uninstall(path); err != nil || !plan.Changes() || un.json {
		return err
	}
	what := "ag-hook is out of %s\n"
	if plan.Remove {
		what = "ag-hook is out of %s, which held nothing else and is gone\n"
	}
	un.printf(what, render.OneLine(path))
	return nil
}

// tellOthers names the hooks of ours that stay: those in what is not the user's to edit
// here, and those within longer commands.
func (un *uninstallation) tellOthers(files []settings.File) {
	for _, f := range files {
		for _, e := range f.Entries {
			switch {
			case e.Wrapped():
				un.note("%s:%d runs ag-hook within a longer command, which is left as it is: %s", f.Path, e.Line, e.Command)
			case e.Ours() && (f.Scope == settings.Plugin || f.Scope == settings.Managed):
				un.note("ag-hook stays registered in %s (%s): %s", f.Path, f.Scope, place{File: f.Path, Scope: f.Scope, Plugin: f.Name}.cure())
			default:
				continue
			}
			break
		}
	}
}

// tellService says that a service stays: it would begin a daemon at each login, for ever.
func (un *uninstallation) tellService(ctx context.Context) {
	if unit, err := un.service(ctx); err == nil && unit != "" {
		un.note("the service of this home stays, %s: ag-sessiond service uninstall takes it out", unit)
	}
}

// purge removes the home.
func (un *uninstallation) purge(ctx context.Context) error {
	unit, err := un.service(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(un.home); errors.Is(err, fs.ErrNotExist) {
		if !un.json {
			un.printf("nothing to remove: there is no %s\n", render.OneLine(un.home))
		}
		return nil
	}
	if un.dryRun {
		if unit != "" && !un.json {
			un.printf("would take out the service: %s\n", render.OneLine(unit))
		}
		if !un.json {
			un.printf("would remove %s and everything that is recorded in it\n", render.OneLine(un.home))
		}
		return nil
	}
	if !un.yes {
		if ok, err := un.asker.dares("Remove " + render.OneLine(un.home) + " and everything that is recorded in it?"); err != nil || !ok {
			return err
		}
	}
	if err := un.endService(ctx, unit); err != nil {
		return err
	}
	left, err := actiongraph.RemoveHome(un.home)
	if errors.Is(err, connector.ErrLocked) {
		err = fmt.Errorf("%w: stop it and run this again", err)
	}
	if err != nil {
		return unavailable(err)
	}
	if un.report.Left = left; len(left) == 0 {
		un.report.Purged = un.home
		if !un.json {
			un.printf("%s is gone\n", render.OneLine(un.home))
		}
		return nil
	}
	for _, path := range left {
		un.note("not ours, and left: %s", path)
	}
	return errcode.With(errcode.HomeLeft, fmt.Errorf("%s is empty of all that was recorded, and stays for what else is in it", un.home))
}

// service is the unit of the home's service, "" where none is installed.
func (un *uninstallation) service(ctx context.Context) (unit string, err error) {
	s, err := un.app.service()
	if err != nil {
		return "", err
	}
	state, err := s.State(ctx, un.home)
	if errors.Is(err, service.ErrNoManager) || err == nil && !state.Installed {
		return "", nil
	}
	return state.Path, unavailable(err)
}

// endService takes the service of a home out that is about to go: it would make it again.
func (un *uninstallation) endService(ctx context.Context, unit string) error {
	if unit == "" {
		return nil
	}
	s, err := un.app.service()
	if err != nil {
		return unavailable(err)
	}
	done, err := s.Host.Uninstall(ctx, un.home)
	if err != nil && done.Changed {
		return unavailable(errcode.With(errcode.HomeLeft, fmt.Errorf("the service is gone, and the home stays: %w", err)))
	}
	if err != nil {
		return unavailable(errcode.With(errcode.ServiceFailed, fmt.Errorf("the home stays, as its service does: %w", err)))
	}
	if un.report.Service = unit; !un.json {
		un.printf("%s is gone, and the daemon with it\n", render.OneLine(unit))
	}
	return nil
}
