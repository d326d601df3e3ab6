package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/trace"
)

// exported is how export-trace was asked for a trace.
type exported struct {
	format      string
	stated      bool // the format is what somebody asked for
	output      string
	endpoint    string
	content     bool
	withParents bool
}

func (a *app) exportTraceCmd() *cobra.Command {
	var x exported
	cmd := &cobra.Command{
		Use:   "export-trace SESSION",
		Short: "Write one session for other programs: events, audit dump, OpenTelemetry spans, timeline",
		Long: `Write what was recorded of one session in a form that other programs read:

  jsonl   its events in their logical order, as they are in the journal: imported into an
          empty home they give the same graph (default)
  audit   an audit dump of agent_framework
  otlp    spans by OpenTelemetry's conventions for generative AI, as OTLP/JSON
  chrome  a timeline for ui.perfetto.dev and chrome://tracing

jsonl and audit have all that was said and done. otlp and chrome have names of tools,
models and agents, times, figures and statuses; with --content also prompts, answers,
inputs and results, which pass redaction once more. A fork's trace is what it recorded
itself; with --with-parents what it inherited comes first.

With --otlp-endpoint the spans are sent to a collector by OTLP/HTTP, and nothing is
written. Its headers are those of OTEL_EXPORTER_OTLP_HEADERS. Nothing is ever sent without
that flag. docs/export-trace.md has each span and attribute.`,
		Example: `  ag-sessiond export-trace latest > session.jsonl
  ag-sessiond export-trace c8813339 --format chrome -o session.json
  ag-sessiond export-trace latest --otlp-endpoint http://localhost:4318`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			x.stated = cmd.Flags().Changed("format")
			if err := x.check(); err != nil {
				return err
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, _ connector.Reader, s graph.SessionRow) error {
				return a.exportTrace(ctx, s.SessionID, x)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&x.format, "format", string(trace.Events), "jsonl, audit, otlp or chrome")
	flags.StringVarP(&x.output, "output", "o", "", "write this `file`, not stdout; a new one is readable by you alone")
	flags.StringVar(&x.endpoint, "otlp-endpoint", "", "send spans to the collector at this `URL`")
	flags.BoolVar(&x.content, "content", false, "otlp, chrome: with prompts, answers, inputs and results")
	flags.BoolVar(&x.withParents, "with-parents", false, "with what a fork inherited")
	fixedCompletion(cmd, "format", traceFormats())
	return cmd
}

func traceFormats() (out []string) {
	for _, f := range trace.Formats() {
		out = append(out, string(f))
	}
	return out
}

func (x *exported) check() error {
	if err := checkOneOf("--format", x.format, traceFormats()); err != nil {
		return err
	}
	if x.endpoint != "" {
		if x.stated && x.format != string(trace.OTLP) {
			return usagef("--otlp-endpoint takes spans, not --format %s", x.format)
		}
		if x.output != "" {
			return usagef("--otlp-endpoint and --output: give one of them")
		}
		x.format = string(trace.OTLP)
	}
	if x.content && (x.format == string(trace.Events) || x.format == string(trace.Audit)) {
		return usagef("--content is of otlp and chrome: %s always has it", x.format)
	}
	return nil
}

func (a *app) exportTrace(ctx context.Context, id string, x exported) error {
	_, log, err := a.ownHistory(ctx, id)
	if err != nil {
		return err
	}
	redactor := a.redactor()
	bar := a.countBar(ctx, "events")
	defer bar.done()
	o := trace.Options{Parents: x.withParents, Content: x.content, Progress: bar.count, Redact: func(text string) string {
		text, _ = redactor.Text(text)
		return text
	}}
	if x.endpoint != "" {
		return a.sendTrace(ctx, log, x.endpoint, o)
	}
	var report trace.Report
	write := func(w io.Writer) (err error) {
		report, err = trace.Write(ctx, w, log, trace.Format(x.format), o)
		return err
	}
	if x.output == "" || x.output == "-" || isStdout(x.output) {
		if err := write(a.out); err != nil {
			return err
		}
		bar.done()
		a.noteTrace(report)
		return nil
	}
	if err := writeFile(x.output, write); err != nil {
		return fmt.Errorf("export-trace: %w", err)
	}
	bar.done()
	if a.json {
		return a.printJSON(report)
	}
	a.noteTrace(report)
	a.note("%s: %s", x.output, traceCount(report))
	return nil
}

// sendTrace sends spans. A collector that took some of them has done it in part.
func (a *app) sendTrace(ctx context.Context, log *history.Log, endpoint string, o trace.Options) error {
	headers, err := trace.ParseHeaders(cmp.Or(a.env("OTEL_EXPORTER_OTLP_TRACES_HEADERS"), a.env("OTEL_EXPORTER_OTLP_HEADERS")))
	if err != nil {
		return usagef("OTEL_EXPORTER_OTLP_HEADERS: %w", err)
	}
	collector := trace.Collector{Endpoint: endpoint, Headers: headers}
	if err := collector.Check(); err != nil {
		return usagef("--otlp-endpoint: %w", err)
	}
	report, err := collector.Send(ctx, log, o)
	if err != nil {
		return unavailable(err)
	}
	if a.json {
		err = a.printJSON(report)
	} else {
		a.noteTrace(report)
		a.printf("sent %s\n", traceCount(report))
	}
	if report.Rejected > 0 {
		return errcode.With(errcode.CollectorFailed, fmt.Errorf("the collector rejected %s: %s", render.Plural(report.Rejected, "span"), cmp.Or(report.Message, "it does not say why")))
	}
	if report.Message != "" {
		a.note("the collector says: %s", report.Message)
	}
	return err
}

// noteTrace says what is not in a trace.
func (a *app) noteTrace(r trace.Report) {
	if r.Missing != "" {
		a.note("the parent %s is not in this journal: what was inherited from it is not in the trace", r.Missing)
	}
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(r.Left)) {
		parts = append(parts, render.Plural(int64(r.Left[what]), strings.ReplaceAll(what, "_", " ")))
	}
	if len(parts) > 0 {
		a.note("the format has nothing for: %s", strings.Join(parts, ", "))
	}
}

func traceCount(r trace.Report) string {
	what := map[trace.Format]string{trace.Events: "event", trace.Audit: "line", trace.OTLP: "span", trace.Chrome: "slice"}[r.Format]
	return render.Plural(int64(r.Items), what)
}
