package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/journal"
)

// quickstartRecording is three sessions as captured from Claude Code: one in which calls fail, and
// one task twice, between which somebody changed a file.
//
//go:embed quickstart/hooks.jsonl
var quickstartRecording []byte

const quickstartDir = "actiongraph_quickstart"

func (a *app) quickstartCmd() *cobra.Command {
	var dir string
	var interactive bool
	cmd := &cobra.Command{
		Use:   "quickstart",
		Short: "Show in a minute what there is, on a bundled recording",
		Long: `Record three bundled sessions of Claude Code into a home of their own, and ask about them:
show, search, fork, diff. Your own home, agent and settings are not touched; no agent
and no network are needed. The home stays, to be explored, until you remove the folder.`,
		Example: `  ag-sessiond quickstart
  ag-sessiond quickstart --interactive --dir /tmp/try`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.json || a.home != "" {
				return usagef("quickstart has no --json and no --home: it is for people, and makes a home of its own, --dir")
			}
			if interactive && !isTerminal(os.Stdin) {
				return usagef("--interactive waits for somebody to press Enter: stdin is no terminal")
			}
			q := quickstart{app: a, dir: dir}
			if interactive {
				q.typed = bufio.NewReader(os.Stdin)
			}
			return q.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", quickstartDir, "the `folder` to record into; one that is not there yet")
	cmd.Flags().BoolVar(&interactive, "interactive", false, "wait for Enter before each step")
	return cmd
}

// quickstart is one run of it.
type quickstart struct {
	app   *app
	dir   string
	typed *bufio.Reader // nil asks nobody
}

type quickstep struct {
	say  string
	args []string
	code int // the exit code that is right
}

func quicksteps() []quickstep {
	return []quickstep{
		{"Each session has one line, the newest first. ERRORS counts what failed in it.", []string{"sessions"}, 0},
		{"A session is a tree: what was asked, each call with how it went, and what a subagent did\nunder the call that spawned it. With --full it is the whole conversation.", []string{"show", "4adf4e78"}, 0},
		{"Everything that was said, called and answered can be searched. --failed leaves only what went wrong.", []string{"search", "exit", "code", "--failed"}, 0},
		{"A fork shares a session's history up to a point and goes on by itself. Nothing is copied,\nand the session that it is forked from stays as it is.", []string{"fork", "4adf4e78", "--at-turn", "1", "--label", "another try", "--id", "another-try"}, 0},
		{"The same task was done twice, and in between somebody changed config.txt: diff pairs turns and\ncalls, and shows that and what followed from it. Exit code 3 says that the sessions differ.", []string{"diff", "4adf4e78", "9f540f2c"}, exitDiffers},
	}
}

func (q *quickstart) run(ctx context.Context) error {
	if q.dir == "" {
		return usagef("--dir is empty: name a folder that is not there yet")
	}
	if _, err := os.Lstat(q.dir); err == nil {
		return usagef("%s is there already: remove it, or name another folder with --dir", q.dir)
	}
	home, err := filepath.Abs(q.dir)
	if err != nil {
		return err
	}
	q.say("Three recorded sessions of Claude Code go through the real adapter and redaction into a\njournal, an event a hook call, as ag-hook does it while an agent runs. They are in\n" + q.dir + ".")
	n, err := q.record(home)
	if err != nil {
		return unavailable(err)
	}
	q.app.printf("\n%d events recorded.\n", n)
	for _, step := range quicksteps() {
		if err := q.step(ctx, home, step); err != nil {
			return err
		}
	}
	q.say("The home stays in " + q.dir + " until you remove that folder. To go on:")
	for _, next := range quicknext() {
		q.app.printf("  ag-sessiond %s --home %s\n", next, q.dir)
	}
	q.app.printf("\nTo record your own sessions: ag-sessiond install\n")
	return nil
}

func quicknext() []string {
	return []string{"show 117f6eaf --full", "usage session", "export-trace 4adf4e78 --format chrome --output timeline.json"}
}

// say prints what a step is about.
func (q *quickstart) say(text string) { q.app.printf("\n%s\n", text) }

// record plays the recording, with its own clock.
func (q *quickstart) record(home string) (events int, err error) {
	j, err := journal.Open(home)
	if err != nil {
		return 0, err
	}
	redactor := j.Redactor("")
	for line := range bytes.Lines(quickstartRecording) {
		var call struct {
			RecvNS int64  `json:"recv_ns"`
			Stdin  string `json:"stdin"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			return events, fmt.Errorf("the bundled recording: %w", err)
		}
		env := claude.Env{Now: time.Unix(0, call.RecvNS).UTC(), HashKey: j.Key()}
		for _, e := range claude.Events([]byte(call.Stdin), env) {
			if err := j.Append(redactor.Event(e)); err != nil {
				return events, err
			}
			events++
		}
	}
	return events, nil
}

// step says what a command is for, and runs it as a process of its own: on every machine and day
// it prints the same, in UTC and without what a terminal would add.
func (q *quickstart) step(ctx context.Context, home string, s quickstep) error {
	q.say(s.say)
	if err := q.wait(s); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, append(s.args, "--home", home)...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "NO_COLOR=1", "COLUMNS=100", "LC_ALL=C.UTF-8", "AG_HOME="+home)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	var exited *exec.ExitError
	if errors.As(err, &exited) && exited.ExitCode() == s.code {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("ag-sessiond %s: %w\n%s", strings.Join(s.args, " "), err, problems.Bytes())
	}
	q.app.out.Write(out.Bytes())
	return q.app.out.Flush()
}

// wait shows the command and, where somebody is asked, waits until it is typed, or Enter.
func (q *quickstart) wait(s quickstep) error {
	q.app.printf("\n$ ag-sessiond %s", shellWords(s.args))
	if q.typed == nil {
		q.app.printf("\n")
		return nil
	}
	q.app.printf("\n[Enter, or type it] ")
	if err := q.app.out.Flush(); err != nil {
		return err
	}
	_, err := q.typed.ReadString('\n')
	if err == io.EOF {
		err = errors.New("stopped: there is no more input")
	}
	return err
}

// shellWords are arguments as a person types them.
func shellWords(args []string) string {
	words := make([]string, len(args))
	for i, w := range args {
		if words[i] = w; strings.Contains(w, " ") {
			words[i] = "'" + w + "'"
		}
	}
	return strings.Join(words, " ")
}
