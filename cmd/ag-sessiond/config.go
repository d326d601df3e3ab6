package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) configCmd() *cobra.Command {
	var means strings.Builder
	for _, v := range config.Variables() {
		fmt.Fprintf(&means, "  %-22s %s\n", v.Name, v.Means)
	}
	cmd := &cobra.Command{
		Use:   "config",
		Short: "What may be set: show it, set it, edit the file",
		Long: `Show and change what is set in config.toml of the home. What is not in there has its
default. A daemon takes a change over within two seconds.

A key is written with dots: api.listen. An entry of a list is named by its name, or by its
number from 1: graph.team.url, source.1.path; where a name has other characters than
letters, digits, - and _ it is in quotes: prices."claude-*".input. A flag comes before
the environment, that before the file, the file before the default:

` + strings.TrimRight(means.String(), "\n"),
		Example: `  ag-sessiond config show
  ag-sessiond config set api.listen 127.0.0.1:4009
  ag-sessiond config edit`,
		Args: a.noSuchVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.add(cmd, "", a.configShowCmd(), a.configGetCmd(), a.configSetCmd(), a.configUnsetCmd(), a.configPathCmd(), a.configEditCmd())
	return cmd
}

func (a *app) configShowCmd() *cobra.Command {
	var defaults bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every key, what it is, and where that comes from",
		Long: `Show every key with what is in force and where that comes from: the default, a line of
the file, or the environment. Passwords are not shown. With --default it prints a file with
every key, its default and what it means, as config.toml may begin.`,
		Example: `  ag-sessiond config show
  ag-sessiond config show --json
  ag-sessiond config show --default > ~/.actiongraph/config.toml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if defaults {
				a.printf("%s", config.Example)
				return nil
			}
			home, err := a.homeDir()
			if err != nil {
				return err
			}
			all, err := config.Settings(home, a.env)
			if err != nil {
				return usagef("%w", err)
			}
			if a.json {
				return a.printJSON(settingsJSON(all))
			}
			a.printSettings(all)
			return nil
		},
	}
	cmd.Flags().BoolVar(&defaults, "default", false, "print a file with every key and its default")
	return cmd
}

func (a *app) configGetCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "get KEY",
		Short: "Print what a key is",
		Long: `Print what a key is: a string without quotes, a list with a line for each. Of a table or
an entry all its keys, as show has them. A password is not printed.`,
		Example: `  ag-sessiond config get api.socket
  ag-sessiond config get graph.team`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeKey,
		RunE: func(_ *cobra.Command, args []string) error {
			home, err := a.homeDir()
			if err != nil {
				return err
			}
			found, err := config.Get(home, args[0], a.env)
			if err != nil {
				return usagef("%w", err)
			}
			if a.json {
				return a.printJSON(settingsJSON(found))
			}
			last := func(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
			if len(found) == 1 && last(found[0].Key) == last(args[0]) {
				return a.printSetting(found[0])
			}
			a.printSettings(found) // of a table
			return nil
		},
	}
}

// printSetting prints one value as scripts want it.
func (a *app) printSetting(s config.Setting) error {
	if s.Secret {
		return usagef("%s is not shown: it is in line %d of %s", s.Key, s.Line, a.configPath())
	}
	switch v := s.Value.(type) {
	case []string:
		for _, item := range v {
			a.printf("%s\n", render.OneLine(item))
		}
	case string:
		a.printf("%s\n", render.OneLine(v))
	default:
		a.printf("%s\n", s.Literal())
	}
	return nil
}

func (a *app) printSettings(all []config.Setting) {
	wide, wider := 0, 0
	for _, s := range all {
		wide = max(wide, utf8.RuneCountInString(s.Key))
		wider = max(wider, min(40, utf8.RuneCountInString(s.Literal())))
	}
	for _, s := range all {
		value := s.Literal()
		if s.Secret {
			value = "(not shown)"
		}
		a.printf("%-*s = %-*s # %s\n", wide, render.OneLine(s.Key), wider, render.OneLine(value), a.origin(s))
	}
}

// origin is where a setting comes from, for people.
func (a *app) origin(s config.Setting) string {
	switch s.From {
	case config.File:
		return fmt.Sprintf("%s:%d", config.FileName, s.Line)
	case config.Environment:
		return "environment, " + s.Variable
	}
	return s.From
}

type settingJSON struct {
	Key      string `json:"key"`
	Value    any    `json:"value"` // null where it is secret
	Secret   bool   `json:"secret,omitempty"`
	From     string `json:"from"`
	Line     int    `json:"line,omitempty"` // of config.toml
	Variable string `json:"variable,omitempty"`
}

func settingsJSON(all []config.Setting) []settingJSON {
	out := []settingJSON{}
	for _, s := range all {
		out = append(out, settingJSON(s))
	}
	return out
}

func (a *app) configPathCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Print where the file is, or would be",
		Example: `  ag-sessiond config path`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := a.homeDir(); err != nil {
				return err
			}
			a.printf("%s\n", a.configPath())
			if _, err := os.Stat(a.configPath()); errors.Is(err, fs.ErrNotExist) {
				a.note("there is no such file yet: everything has its default")
			}
			return nil
		},
	}
}

// givenValue is what set reads from the standard input.
const givenValue = "-"

func (a *app) configSetCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "set KEY VALUE [KEY VALUE]...",
		Short: "Set keys in the file",
		Long: `Set keys in config.toml; what they name is made where it is not there. Nothing else of the
file changes: comments, order and formatting stay. All of it is looked at before the file is
replaced: where something is wrong with it then, nothing changes.

VALUE is a string without quotes, a number, true or false, or a list: one string, or
'["a", "b"]'. With - the first line of the standard input is the value: a password on the
command line is in the shell's history. Setting password, password_file or password_env of
a graph takes the other two out, and says so. A list with comments in it is left to edit.`,
		Example: `  ag-sessiond config set transcripts.follow all
  ag-sessiond config set graph.team.url bolt://localhost:7687 graph.team.password - < password
  ag-sessiond config set source.1.path '~/agent/logs/*.jsonl' source.1.format oms`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args)%2 != 0 {
				return errors.New("want a value for each key")
			}
			return nil
		},
		ValidArgsFunction: a.completeKey,
		RunE: func(cmd *cobra.Command, args []string) error {
			var out []string
			err := a.changeConfig(func(text []byte) (_ []byte, err error) {
				for i := 0; i < len(args); i += 2 {
					if args[i+1] == givenValue {
						if args[i+1], err = firstLine(cmd.InOrStdin()); err != nil {
							return nil, fmt.Errorf("%s: %w", args[i], err)
						}
					}
					out = append(out, config.TakesOut(text, args[i])...)
					if text, err = config.Set(text, args[i], args[i+1]); err != nil {
						return nil, err
					}
				}
				return text, nil
			})
			if err != nil {
				return err
			}
			for _, key := range out {
				a.note("%s is taken out of %s: a password is given in one way", key, a.configPath())
			}
			return nil
		},
	}
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fmt.Errorf("read the value from the standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (a *app) configUnsetCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "unset KEY...",
		Short: "Take keys out of the file",
		Long: `Take keys out of config.toml, so that they have their defaults: with the name of a table
or an entry all that is in it. The rest of the file stays as it is.`,
		Example: `  ag-sessiond config unset api.listen
  ag-sessiond config unset graph.team`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeKey,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.changeConfig(func(text []byte) (_ []byte, err error) {
				for _, key := range args {
					if text, err = config.Unset(text, key); err != nil {
						return nil, err
					}
				}
				return text, nil
			})
		},
	}
}

// changeConfig changes the file, and says so where nothing came of it.
func (a *app) changeConfig(edit func([]byte) ([]byte, error)) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	var file *fs.PathError
	switch changed, err := config.Change(home, edit); {
	case errors.As(err, &file) || errors.Is(err, config.ErrChanged):
		return unavailable(err)
	case err != nil:
		return usagef("%w", err)
	case !changed:
		a.note("nothing changes: %s says so already", a.configPath())
	}
	return nil
}

// completeKey offers the keys that there are.
func (a *app) completeKey(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	home, err := a.homeDir()
	if cmd.Name() == "set" && len(args)%2 == 1 || cmd.Name() == "get" && len(args) > 0 || err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, _ := config.Settings(home, a.env) // what is wrong with the file is for a verb to say
	var keys []string
	for _, s := range all {
		keys = append(keys, s.Key)
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}
