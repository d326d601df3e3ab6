package transcript

import (
	"bytes"
	"cmp"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// where returns the folder by which the policy decides about an event: its own, or else that of
// the nearest line before it, at the head of a file of the first behind it. Titles and summaries
// say what a session in an excluded folder is about, and name none.
func (p *reading) where(e *schema.Event) string {
	if e.WorkingDirectory != "" {
		p.place = e.WorkingDirectory
	} else if p.place == "" && !p.sought && p.Redactor.AsksWhere() {
		p.place, p.sought = p.nearest(), true
	}
	return p.place
}

// nearest looks in the file for the place of what this reading begins with, mostly a little
// before it; "" where the file has none.
func (p *reading) nearest() (dir string) {
	end := p.from.Offset
	near := make([]byte, min(end, beforeBytes))
	n, _ := p.f.ReadAt(near, end-int64(len(near)))
	for near = near[:n]; len(near) > 0; {
		i := bytes.LastIndexByte(bytes.TrimSuffix(near, []byte("\n")), '\n') + 1
		if i == 0 && end > beforeBytes {
			break // the end of a line
		}
		if dir = schema.FieldString(near[i:], "cwd"); dir != "" {
			return dir
		}
		near = near[:i]
	}
	for all := lines.Peek(p.f); ; {
		line, err := all.Next()
		if err != nil || dir != "" && all.Offset() > end {
			return dir
		}
		dir = cmp.Or(schema.FieldString(line, "cwd"), dir)
	}
}
