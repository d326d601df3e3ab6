package transcript

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// source is what the path and the surroundings say of the file.
func (p *reading) source() claude.Source {
	src := claude.Source{Session: p.file.Session, Agent: p.file.Agent, Host: p.Host, User: p.User, Written: p.report.info.ModTime().UTC()}
	if p.Journal != nil {
		src.HashKey = p.Journal.Key()
	}
	return src
}

// origins says where the lines of a fork, or of a session that an old version resumed, come
// from. All of its lines have to be seen first; of a file that is none only those up to
// the first answer are.
func (p *reading) origins(src *claude.Source) error {
	if p.file.Agent != "" {
		return nil
	}
	defer p.lines.GoTo(p.lines.Offset(), p.lines.Count())
	p.lines.GoTo(0, 0)
	h, err := readHead(p.lines, named(p.file.Path))
	if err != nil {
		return err
	}
	h.size, p.report.begins = p.report.info.Size(), h.begins
	relatives := p.kin.of(p.file.Path, h, p.Journal)
	if h.marked {
		p.lines.GoTo(0, 0)
		if src.Origins, err = marked(p.lines); err != nil {
			return err
		}
	}
	if len(relatives) == 0 && !h.foreign {
		return nil
	}
	f, release := p.family(h, relatives)
	defer release()
	p.lines.GoTo(0, 0)
	found, parent, err := f.copies(p.lines)
	if h.marked { // of a line whose mark is not written yet the other file knows
		found = slices.DeleteFunc(found, func(c claude.Copies) bool { return c.Renamed })
	} else {
		src.Origins, p.report.tellers = parent, f.tellers
	}
	src.Copies = found
	p.copied(found)
	return err
}

// marked reads the marks of a fork's lines.
func marked(l *lines.Reader) ([]claude.Origin, error) {
	var scan claude.OriginScan
	for {
		line, err := l.Next()
		if err == io.EOF {
			return scan.Origins(), nil
		}
		if err != nil {
			return nil, err
		}
		scan.Line(line)
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
		err = lines.ErrNotRegular
	case err == nil && info.Size() > maxMeta:
		err = fmt.Errorf("%d bytes, more than %d", info.Size(), maxMeta)
	}
	if err != nil {
		p.noMeta(path, err)
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
		p.noMeta(path, err)
		return
	}
	at := p.began()
	if at.IsZero() {
		return // it is due with the first line
	}
	e, ok := claude.AgentFact(src, text, at)
	if !ok {
		p.noMeta(path, errors.New("not one whole JSON object: whose agent it is stays unknown until the file is whole, and is read again then"))
		return
	}
	p.add(&e)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.metas == nil {
		p.metas = map[string]time.Time{}
	}
	p.metas[path] = info.ModTime()
}

// noMeta says what is wrong with a subagent's record, which the next reading looks at
// again.
func (p *reading) noMeta(path string, err error) {
	p.report.Problems = append(p.report.Problems, intake.NewProblem(path, err))
	p.report.again = true
}

// began is when the first line of the file was written that says so; zero where that
// is not there yet.
func (p *reading) began() (at time.Time) {
	defer p.lines.GoTo(p.lines.Offset(), p.lines.Count())
	p.lines.GoTo(0, 0)
	for range 100 {
		line, err := p.lines.Next()
		if err != nil {
			break
		}
		if at, err := time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp")); err == nil {
			return at.UTC()
		}
	}
	return at
}
