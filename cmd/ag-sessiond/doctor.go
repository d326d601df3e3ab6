package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/doctor"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Is everything recorded? If not, why, and what to do",
		Long: `Look at everything that recording depends on, a line each: OK, WARN or FAIL, what was
found and what to do about it. Exit code 0 says that nothing fails, 1 that something does.

The registered hook is called as Claude Code calls it, with a probe that is looked for in
the journal and taken away again; no list ever shows it. Run it in a project's folder to
have that project's settings looked at, too. Nothing else is changed, and a check that
hangs fails by itself after some seconds.`,
		Example: `  ag-sessiond doctor
  ag-sessiond doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

type doctorReport struct {
	Home   string         `json:"home"`
	OK     bool           `json:"ok"` // no check failed
	Checks []doctor.Check `json:"checks"`
}

func (a *app) doctor(ctx context.Context) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	checks := doctor.Run(ctx, doctor.Env{Home: home, Version: versions().Version, Events: claudeEvents(), Getenv: a.env, Now: a.now})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if a.json {
		err = a.printJSON(doctorReport{home, !doctor.Failed(checks), checks})
	} else {
		a.printChecks(checks)
	}
	if err != nil || !doctor.Failed(checks) {
		return err
	}
	var failed []string
	for _, c := range checks {
		if c.Status == doctor.Fail {
			failed = append(failed, c.Name)
		}
	}
	return errcode.With(errcode.DoctorFailed, fmt.Errorf("%s: %s", render.Plural(int64(len(failed)), "check")+" failed", strings.Join(failed, ", ")))
}

// printChecks prints a line a check, none cut: the end is the cure.
func (a *app) printChecks(checks []doctor.Check) {
	width := 0
	for _, c := range checks {
		width = max(width, len(render.OneLine(c.Name)))
	}
	arrow := " -> "
	if a.style.UTF8 {
		arrow = " → "
	}
	like := map[doctor.Status]string{doctor.OK: "completed", doctor.Warn: "blocked", doctor.Fail: "failed"}
	for _, c := range checks {
		line := fmt.Sprintf("%s  %-*s  %s", render.PaintStatus(a.style, like[c.Status], fmt.Sprintf("%-4s", c.Status)), width, render.OneLine(c.Name), render.OneLine(c.Detail))
		if c.Cure != "" {
			line += arrow + render.OneLine(c.Cure)
		}
		a.printf("%s\n", line)
	}
}
