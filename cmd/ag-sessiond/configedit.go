package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/errcode"
)

func (a *app) configEditCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "edit",
		Short: "Edit the file with $VISUAL or $EDITOR, and check it before it counts",
		Long: `Edit a copy of config.toml with $VISUAL, or $EDITOR. Where there is no file yet the copy has
every key with its default. The file stays as it is until the copy is right: what is wrong
is said, and asked whether to edit again.`,
		Example: `  ag-sessiond config edit
  EDITOR='code --wait' ag-sessiond config edit`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.editConfig(cmd) },
	}
}

// editConfig keeps the copy where what is in it did not become the file: it is somebody's
// work.
func (a *app) editConfig(cmd *cobra.Command) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(a.configPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	begin := old
	if err != nil {
		begin = []byte(config.Example)
	}
	copied, err := copyOf(home, begin)
	if err != nil {
		return unavailable(err)
	}
	text, err := a.editUntilRight(cmd, home, copied)
	if err == nil && bytes.Equal(text, begin) {
		a.note("nothing changes")
		return os.Remove(copied)
	}
	if err == nil {
		_, err = config.Change(home, func(now []byte) ([]byte, error) {
			if !bytes.Equal(now, old) {
				return nil, config.ErrChanged
			}
			return text, nil
		})
	}
	if err != nil {
		return fmt.Errorf("%w\nnothing is changed; what you wrote is in %s", err, copied)
	}
	return os.Remove(copied)
}

// copyOf is a file beside the configuration: that folder, like the file, is its owner's
// alone, and there may be a password in it.
func copyOf(home string, text []byte) (path string, err error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(home, "config-edit-*.toml")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	return f.Name(), errors.Join(err, f.Close())
}

func (a *app) editUntilRight(cmd *cobra.Command, home, path string) ([]byte, error) {
	answers := bufio.NewReader(cmd.InOrStdin())
	for {
		if err := a.runEditor(cmd, path); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, unavailable(err)
		}
		wrong := config.Check(home, text)
		if wrong == nil {
			return text, nil
		}
		a.note("%v", wrong)
		fmt.Fprint(a.err, "edit again? [Y/n] ")
		answer, err := answers.ReadString('\n')
		answer = strings.ToLower(strings.TrimSpace(answer))
		if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.EOF) && answer == "" || answer != "" && answer != "y" && answer != "yes" {
			fmt.Fprintln(a.err)
			return nil, usagef("%w", wrong)
		}
	}
}

// runEditor waits until the editor ends. As git has it, $VISUAL and $EDITOR may have
// arguments.
func (a *app) runEditor(cmd *cobra.Command, path string) error {
	editor := a.env("VISUAL")
	if editor == "" {
		editor = a.env("EDITOR")
	}
	if editor == "" {
		editor = "vi"
		if runtime.GOOS == "windows" {
			editor = "notepad"
		}
	}
	words := strings.Fields(editor)
	if _, err := os.Stat(editor); err == nil || len(words) == 0 {
		words = []string{editor} // a path with spaces
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	run := exec.CommandContext(cmd.Context(), words[0], append(words[1:], path)...)
	run.Stdin, run.Stdout, run.Stderr = cmd.InOrStdin(), os.Stdout, os.Stderr
	if err := run.Run(); err != nil {
		return unavailable(errcode.With(errcode.EditorFailed, fmt.Errorf("the editor %s: %w: set VISUAL or EDITOR to another", editor, err)))
	}
	return nil
}
