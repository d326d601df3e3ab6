package trace

import (
	"bufio"
	"context"

	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/schema"
)

// events writes the records as they were written. Up to where a file was read is of use to
// this journal's readers alone, and no import takes it.
func (r *Report) events(ctx context.Context, w *bufio.Writer, log *history.Log, o Options) error {
	return log.All(ctx, func(_ int, record *history.Record) error {
		if record.EventType == schema.SourcePosition {
			return nil
		}
		r.Items++
		o.counted(r.Items)
		w.Write(record.Line)
		return w.WriteByte('\n') // an error of the writer stays
	})
}
