package jsonl

import (
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// SessionID names the session of a dump: the stem of its file's name and a short hash of
// its first line, so that two machines' dumps of one second stay apart.
func SessionID(stem string, firstLine []byte) string {
	return schema.SafeID(stem + "-" + schema.NewID("audit", string(firstLine))[:8])
}

func (d *Decoder) audit(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	panic("not yet")
}
