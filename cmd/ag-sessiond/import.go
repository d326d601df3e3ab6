package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/config"
)

func (a *app) importCmd() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import [PATH...|-]",
		Short: "Read in what is on disk: Claude Code's files, other agents' JSONL, another home",
		Long: `Read files into the journal and the store. A PATH is a file, a folder, a glob, or - for
stdin. What is in a file says what it is:

  claude        session files of Claude Code (transcripts)
  audit         audit dumps of agent_framework: trace-*.jsonl, one session a file
  trace-events  the TraceEvents that such dumps are made of
  oms           Action grains of OMS 1.1 to 1.3, bare or in {"grains":[...]} batches
  events        events of the Event Protocol, one a line: see ag-sessiond schema

Compressed files (gzip) are read as what is in them. Without a PATH the transcripts in
$CLAUDE_CONFIG_DIR/projects, ~/.claude/projects and ~/.config/claude/projects are read.

What was read before, or was recorded by hooks, is there once; to import again reads only
what is new. Ctrl-C, or a kill, loses nothing: import again to go on. A line that is broken
is reported with its file, number and column, and the rest goes on, unless --strict. A
file of no format that is known is named; if the command line names it, the exit code is 1.

A PATH that is a home of actiongraph (a directory such as ~/.actiongraph) is what a
second machine recorded, or a backup: what its journal has and this one has not is
appended. A session that was resumed on another machine is in a shared database twice:
the session, and SESSION~JOURNAL, which CONTINUES it. After the import it is one. Import
a journal that nobody writes any more: what is written after that is a part of its own
again, until the next import.`,
		Example: `  ag-sessiond import
  ag-sessiond import --since 30d --dry-run
  ag-sessiond import ~/backup/projects/-home-me-app -v
  ag-sessiond import traces/trace-260301_101500.jsonl 'logs/*.jsonl.gz'
  my-agent --log-json | ag-sessiond import --format oms --namespace research -
  scp -r laptop:.actiongraph /tmp/laptop && ag-sessiond import /tmp/laptop`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return a.importPaths(cmd.Context(), args, cmd.InOrStdin(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.dryRun, "dry-run", "n", false, "count what is new and write nothing")
	flags.StringVar(&o.since, "since", "", "of transcripts: only sessions that have something since this `TIME`: "+whenHelp)
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "say it file by file")
	flags.BoolVar(&o.strict, "strict", false, "end at the first bad line (not of transcripts)")
	o.formatFlags(cmd, importFormats())
	return cmd
}

// importOptions are the flags of import.
type importOptions struct {
	jsonlOptions
	dryRun, verbose, strict bool
	since                   string
}

// jsonlOptions are the flags of verbs that read JSONL.
type jsonlOptions struct {
	format, namespace string
	keepUnknown       bool
}

func (o *jsonlOptions) formatFlags(cmd *cobra.Command, formats []string) {
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", config.Auto, "what the files are: "+strings.Join(formats, ", "))
	namespaceFlag(flags, &o.namespace, "of Action grains: the `NAMESPACE` of those that name none (default "+jsonl.DefaultNamespace+")")
	flags.BoolVar(&o.keepUnknown, "keep-unknown", false, "of Action grains: keep those of other types, as unknown events")
	fixedCompletion(cmd, "format", formats)
}

// importFormats are the formats that import reads; a daemon reads transcripts by themselves.
func importFormats() []string {
	return slices.Insert(config.SourceFormats(), 1, string(jsonl.Claude))
}

// check refuses flags that contradict each other: one that is quietly ignored is one that
// somebody believes in.
func (o *jsonlOptions) check(formats []string) error {
	if err := checkOneOf("--format", o.format, formats); err != nil {
		return err
	}
	if grains := o.format == string(jsonl.OMS) || o.format == config.Auto; !grains && (o.namespace != "" || o.keepUnknown) {
		return usagef("--namespace and --keep-unknown are for Action grains, not for --format %s", o.format)
	}
	return nil
}

func (o *importOptions) check(paths []string) error {
	if err := o.jsonlOptions.check(importFormats()); err != nil {
		return err
	}
	transcripts := o.format == string(jsonl.Claude)
	switch {
	case o.format != config.Auto && !transcripts && len(paths) == 0:
		return usagef("--format %s: give a PATH, or - for stdin", o.format)
	case o.format != config.Auto && !transcripts && o.since != "":
		return usagef("--since is for transcripts, not for --format %s", o.format)
	case transcripts && o.strict:
		return usagef("--strict is not for transcripts: what is broken there was written so by a program that goes on")
	case transcripts && slices.Contains(paths, stdinPath):
		return usagef("transcripts are not read from stdin: their names say what they are; give files or folders")
	}
	return nil
}

// stdinPath is the PATH that stands for stdin.
const stdinPath = "-"

// importPaths tells homes from files.
func (a *app) importPaths(ctx context.Context, paths []string, stdin io.Reader, o importOptions) error {
	var homes []string
	for _, path := range paths {
		if isHome(path) {
			homes = append(homes, path)
		}
	}
	switch {
	case len(homes) == 0:
		return a.importFiles(ctx, paths, stdin, o)
	case len(homes) < len(paths):
		return usagef("%s is a home of actiongraph, and others of these are none: import them one after the other", homes[0])
	case o != (importOptions{jsonlOptions: jsonlOptions{format: config.Auto}}):
		return usagef("the flags of import are for files, not for a home (%s)", homes[0])
	}
	return a.importHomes(ctx, homes)
}
