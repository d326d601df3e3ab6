package main

import (
	"context"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/actiongraph/actiongraph/internal/watch"
	"github.com/actiongraph/actiongraph/live"
)

func (a *app) watchCmd() *cobra.Command {
	var plain bool
	last := 20
	cmd := &cobra.Command{
		Use:   "watch [SESSION]",
		Short: "See what sessions are doing now, as they do it",
		Long: `Show the sessions that run: what each is doing and for how long, whether it waits for a
permission, its turn, tokens, cost and last error; the latest activity first. Those that
ended in the last ten minutes are there, too. With SESSION, show its actions as they
happen, subagents' indented, until it ends; "latest" is the one that did something last.

Keys: up and down, enter follows a session, esc goes back, q or Ctrl-C ends it. In a
session, up stops at what is shown, end follows again. Where standard input or output is
no terminal, and with --plain, it writes a line for each change instead; with --json an
object a line, {"session":…} or {"action":…}.

It reads the journal alone: no daemon is needed, and nothing is written. Tokens and cost
come from transcripts, which the daemon reads as they grow (ag-sessiond run). No hook tells
how a permission was answered: a call that was allowed shows as waiting until it ends, one
that was refused with Esc until the next prompt, or the transcript, says otherwise. A
session that was silent for a day runs no more.`,
		Example: `  ag-sessiond watch
  ag-sessiond watch latest
  ag-sessiond watch --json | jq -r 'select(.session.state == "waiting").session.session_id'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if last < 0 {
				return usagef("--last %d: give a number of actions", last)
			}
			session := ""
			if len(args) == 1 {
				if session = args[0]; session == "" {
					return usagef("a session's id is empty: give an id, a prefix of one, or latest")
				}
			}
			return a.watch(cmd.Context(), session, plain, last)
		},
	}
	cmd.Flags().BoolVar(&plain, "plain", false, "write lines, also to a terminal")
	cmd.Flags().IntVar(&last, "last", last, "of a session, how `many` actions of before are written as lines")
	return cmd
}

func (a *app) watch(ctx context.Context, session string, plain bool, last int) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	there, err := recorded(home)
	if err != nil {
		return err
	}
	if !there {
		a.note("nothing is recorded in %s yet: %s", home, howToStart)
		return nil
	}
	j, err := a.journal()
	if err != nil {
		return err
	}
	if session != "" {
		if session, err = live.Find(j, session); err != nil {
			return err
		}
	}
	prices, err := a.prices()
	if err != nil {
		return err
	}
	// What the watch on the folder logs (no notifications, polling instead) changes nothing
	// that is shown, but for a second's delay.
	w := &live.Watcher{Journal: j, Session: session, Prices: &prices, Log: zerolog.Nop()}
	if screen, ok := a.screen(); ok && !plain && !a.json {
		return watch.Screen(ctx, w, a.style, os.Stdin, screen)
	}
	lines := &watch.Lines{Out: a.out, Note: a.note, Style: a.style, Last: last}
	if a.json {
		lines.JSON = func(v any) error {
			text, err := encodeJSON(v, "")
			if err != nil {
				return err
			}
			_, err = a.out.Write(text)
			return err
		}
	}
	return lines.Run(ctx, w)
}

// screen is the terminal that can be drawn on, with keys to read.
func (a *app) screen() (*os.File, bool) {
	f, ok := a.stdout.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd())) && term.IsTerminal(int(os.Stdin.Fd())) && a.env("TERM") != "dumb"
}
