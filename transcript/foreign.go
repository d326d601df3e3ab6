package transcript

import (
	"bytes"
	"errors"
	"io"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// errForeign is of a file that is named like a transcript and is none.
var errForeign = errors.New("no transcript")

// foreign reports whether what a file begins with is of another format that is known: the
// files of a journal are named after sessions, too. What nobody knows is a transcript of a
// version to come.
func foreign(f io.ReaderAt) bool {
	for l := lines.Peek(f); l.Offset() < identifyBytes; {
		line, err := l.Next()
		if err != nil {
			return false
		}
		if len(bytes.TrimSpace(line)) > 0 {
			format, ok := jsonl.Detect(line)
			return ok && format != jsonl.Claude
		}
	}
	return false
}
