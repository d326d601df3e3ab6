package trace

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/actiongraph/actiongraph/history"
)

// Format is what a trace is written as.
type Format string

// The formats.
const (
	Events Format = "jsonl"
	Audit  Format = "audit"
	OTLP   Format = "otlp"
	Chrome Format = "chrome"
)

// Formats lists the formats.
func Formats() []Format { return []Format{Events, Audit, OTLP, Chrome} }

// Options are how a trace is written.
type Options struct {
	// Parents writes what a fork inherited, too.
	Parents bool
	// Content has prompts, answers, inputs and results in OTLP and Chrome. The other two
	// formats are content.
	Content bool
	// Redact takes secrets out of a text of Content once more. nil leaves it as the journal
	// has it, from which they were taken when it was written.
	Redact func(string) string
	// Progress is called with how many records were read so far.
	Progress func(records int)
}

// Report says what was written.
type Report struct {
	Format   Format   `json:"format"`
	Sessions []string `json:"sessions"` // the ancestors first
	// Items are the records, lines or spans that were written, or sent.
	Items int `json:"items"`
	// Left counts what the format cannot carry, by type of action or event.
	Left map[string]int `json:"left_out,omitempty"`
	// Missing is the parent of a fork that is not there to be written.
	Missing string `json:"missing,omitempty"`
	// Rejected counts the spans that a collector did not take, for the reason in Message.
	Rejected int64  `json:"rejected,omitempty"`
	Message  string `json:"message,omitempty"`
}

// Write writes the trace of a session.
func Write(ctx context.Context, w io.Writer, log *history.Log, f Format, o Options) (Report, error) {
	log, report := begin(log, f, o)
	out := bufio.NewWriterSize(w, 1<<16)
	var err error
	switch f {
	case Events:
		err = report.events(ctx, out, log, o)
	case Audit:
		err = report.audit(ctx, out, log, o)
	case OTLP:
		err = report.otlp(ctx, out, log, o)
	case Chrome:
		err = report.chrome(ctx, out, log, o)
	default:
		err = fmt.Errorf("format %q: want one of %v", f, Formats())
	}
	if err == nil {
		err = out.Flush()
	}
	return report, err
}

// begin returns the part of a history that is to be written.
func begin(log *history.Log, f Format, o Options) (*history.Log, Report) {
	part := *log
	if !o.Parents {
		part.Segments = part.Segments[len(part.Segments)-1:]
	}
	report := Report{Format: f}
	for _, s := range part.Segments {
		report.Sessions = append(report.Sessions, s.Session)
	}
	if o.Parents {
		report.Missing = log.Missing
	}
	return &part, report
}

// leave counts what cannot be carried.
func (r *Report) leave(what string) {
	if r.Left == nil {
		r.Left = map[string]int{}
	}
	r.Left[what]++
}

// counted calls Progress every so many records.
func (o *Options) counted(n int) {
	if o.Progress != nil && n%1000 == 0 {
		o.Progress(n)
	}
}
