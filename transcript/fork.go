package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// origins says where the lines of a fork come from. All of its lines have to be seen
// first; of a file that is none only those up to the first answer are.
func (p *reading) origins() ([]claude.Origin, error) {
	if p.file.Agent != "" {
		return nil, nil
	}
	defer p.lines.goTo(p.lines.off, p.lines.n)
	p.lines.goTo(0, 0)
	fork, err := isFork(p.lines)
	if err != nil || !fork {
		return nil, err
	}
	p.lines.goTo(0, 0)
	var scan claude.OriginScan
	for {
		line, err := p.lines.next()
		if err == io.EOF {
			return scan.Origins(), nil
		}
		if err != nil {
			return nil, err
		}
		scan.Line(line)
	}
}

// isFork reports whether a file, whose first lines l is at, begins with the lines of
// another session. A fork copies them from the beginning, so that either its first lines
// are marked forkedFrom or the first answer of the API was to another session's request.
func isFork(l *lines) (bool, error) {
	defer func(max int64) { l.max = max }(l.max)
	l.max = 1 << 20 // a longer line is no answer; to hold it would be to hold it twice
	for {
		line, err := l.next()
		if err != nil {
			return false, ignoreEOF(err)
		}
		if bytes.Contains(line, []byte(`"forkedFrom"`)) || bytes.Contains(line, []byte(`"requestSessionId"`)) {
			return true, nil
		}
		if bytes.Contains(line, []byte(`"requestId"`)) && schema.FieldString(line, "type") == "assistant" {
			return false, nil
		}
	}
}

const maxMeta = 64 << 10

// meta adds what the runtime's record of a subagent says, once each time it changes.
func (p *reading) meta(src claude.Source) {
	path := p.file.metaPath()
	if path == "" {
		return
	}
	info, err := os.Lstat(path) // a link may lead to what is no record
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return // agents of old versions have none
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%s: %w", path, errNotRegular)
	case err == nil && info.Size() > maxMeta:
		err = fmt.Errorf("%s: %d bytes, more than %d", path, info.Size(), maxMeta)
	}
	if err != nil {
		p.problem(0, err)
		return
	}
	p.mu.Lock()
	seen := p.metas[path]
	p.mu.Unlock()
	if seen.Equal(info.ModTime()) && p.from.Offset > 0 {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		p.problem(0, err)
		return
	}
	at := p.began()
	if at.IsZero() {
		return // it is due with the first line
	}
	e, ok := claude.AgentFact(src, text, at)
	if !ok {
		return // it is being written, or no object
	}
	p.add(&e)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.metas == nil {
		p.metas = map[string]time.Time{}
	}
	p.metas[path] = info.ModTime()
}

// began is when the first line of the file was written that says so; zero where that
// is not there yet.
func (p *reading) began() (at time.Time) {
	defer p.lines.goTo(p.lines.off, p.lines.n)
	p.lines.goTo(0, 0)
	for range 100 {
		line, err := p.lines.next()
		if err != nil {
			break
		}
		if at, err := time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp")); err == nil {
			return at.UTC()
		}
	}
	return at
}
