package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/export"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/replace"
)

func (a *app) exportCmd() *cobra.Command {
	var format, file string
	cmd := &cobra.Command{
		Use:   "export SESSION",
		Short: "Write one session as a document that can be shared",
		Long: `Write one session as a document that people can read without this program: prompts,
answers, thinking, tool calls with input and result (folded), subagents where they were
spawned, what failed and what was denied, tokens and what they cost as "usage" has them.

HTML is one page without scripts, which loads nothing from anywhere. Texts pass redaction
once more, images and binary content are named and left out; user, host and directory are not named
in its head. They may be in the texts, as may be what no rule of redaction knows: read it
before you share it.`,
		Example: `  ag-sessiond export latest --format md
  ag-sessiond export c8813339 --format html -o session.html`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOneOf("--format", format, exportFormats()); err != nil {
				return err
			}
			if a.json {
				return usagef("export has no --json: ag-sessiond show %s --json prints all there is", args[0])
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.export(ctx, r, s, format, file)
			})
		},
	}
	a.readsAt(cmd)
	cmd.Flags().StringVar(&format, "format", "md", "md (Markdown) or html")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write this `file`, not stdout; a new one is readable by you alone")
	fixedCompletion(cmd, "format", exportFormats())
	return cmd
}

func exportFormats() []string { return []string{"md", "html"} }

func (a *app) export(ctx context.Context, r connector.Reader, s graph.SessionRow, format, file string) error {
	actions, err := r.Actions(ctx, graph.ActionFilter{Session: s.SessionID, Content: true})
	if err != nil {
		return err
	}
	agents, err := r.Agents(ctx, s.SessionID)
	if err != nil {
		return err
	}
	used, err := a.used(ctx, r, s.SessionID)
	if err != nil {
		return err
	}
	in, err := a.inherit(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	redactor := a.redactor()
	c := export.Conversation{Session: s, Actions: actions, Agents: agents, Usage: used, Redact: func(text string) string {
		text, _ = redactor.Text(text)
		return text
	}}
	for _, part := range in.parts {
		shared := export.Shared{Head: part.head()}
		if shared.Actions, shared.Agents, err = in.content(ctx, part); err != nil {
			return err
		}
		c.Shared = append(c.Shared, shared)
	}
	write := c.Markdown
	if format == "html" {
		write = c.HTML
	}
	if file == "" || file == "-" || isStdout(file) {
		return write(a.out)
	}
	if err := writeFile(file, write); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	a.note("%s", file)
	return nil
}

// writeFile writes a file as a whole or not at all: a page that ends in the middle must not
// be shared for a whole one. A new one is the owner's alone, as what it was made from; one
// that is there keeps its mode. What is no file (a device, a pipe, /dev/stdout) is written
// into, never replaced, and of a link it is the file it leads to.
func writeFile(name string, write func(io.Writer) error) error {
	mode := fs.FileMode(0o600)
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return usagef("%s is a directory: name a file in it", name)
	case err == nil && !info.Mode().IsRegular():
		return writeInto(name, write)
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if _, err := os.Lstat(name); err == nil {
		target, err := filepath.EvalSymlinks(name)
		if err != nil {
			return fmt.Errorf("%s is a link that leads nowhere: %w", name, err)
		}
		name = target
	}
	return replace.File(name, ".ag-export-*", func(f *os.File) error {
		return errors.Join(write(f), f.Chmod(mode))
	}, nil)
}

// writeInto writes to what is there and is no file.
func writeInto(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// isStdout reports whether name leads to what stdout is, as /dev/stdout does also where a
// shell has sent it to a file.
func isStdout(name string) bool {
	out, err := os.Stdout.Stat()
	if err != nil {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && os.SameFile(info, out)
}
