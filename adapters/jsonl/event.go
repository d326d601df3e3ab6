package jsonl

import (
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func (d *Decoder) event(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	panic("not yet")
}
