package transcript

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// live is what is kept of a file between two readings of it, so that the next one says
// nothing twice and need not look again for where a fork's lines come from. All of it
// can be lost.
type live struct {
	position Position
	events   *claude.Transcript // nil: nothing is kept
	used     time.Time
}

func (l *live) at(p Position) *claude.Transcript {
	if l == nil || l.position != p {
		return nil
	}
	return l.events
}

// keep notes how a reading ended.
func (l *live) keep(p *reading, err error) {
	if l == nil {
		return
	}
	switch {
	case err != nil:
		l.events = nil // it saw lines of which not all is in the journal
	case p.events != nil && !p.events.Own():
		l.events = nil // of what a fork copies more may come, which is looked for again
	case p.events != nil:
		l.position, l.events = p.at, p.events
	}
}

// young reports whether a file begins with another session's lines, and they may still be
// being copied: until that is done nobody can say how far they go.
func (r *Reader) young(file File) bool {
	if file.Agent != "" || time.Since(file.ModTime).Abs() > forkSettles {
		return false // a time to come says nothing
	}
	f, info, err := lines.Open(file.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	h, err := readHead(lines.Peek(f), named(file.Path))
	h.size = info.Size()
	return err == nil && (h.marked || h.foreign || h.compacted != "" || len(r.kin.of(file.Path, h, r.Journal)) > 0)
}

// settle waits for that.
func (r *Reader) settle(ctx context.Context, file File) {
	for begun := time.Now(); r.young(file) && time.Since(begun) < forkPatience; {
		select {
		case <-time.After(forkSettles / 5):
		case <-ctx.Done():
			return
		}
		if now, err := Stat(file.Path); err == nil {
			file.ModTime = now.ModTime
		}
	}
}

const (
	// forkSettles is how long after the last write a fork's copied lines are all there: the
	// runtime writes what it has every 100 ms.
	forkSettles = 500 * time.Millisecond
	// forkPatience is how long is waited for such a pause.
	forkPatience = 5 * time.Second
)

// readMeta appends what the record beside an agent's transcript says, if that is new:
// it may appear after the transcript's last line.
func (r *Reader) readMeta(ctx context.Context, file File, from Position) error {
	p := &reading{Reader: r, file: file, from: from, at: from, noted: from}
	p.report.types = map[schema.Type]int64{}
	var err error
	if p.f, p.report.info, err = lines.Open(file.Path); err != nil {
		return nil // it has gone
	}
	defer p.f.Close()
	if p.lines, err = lines.New(p.f, from); err != nil {
		return nil
	}
	p.meta(p.source())
	if err := p.flush(false); err != nil {
		return err
	}
	if p.report.again {
		return p.report.problemError()
	}
	return ctx.Err()
}

// hasMeta reports whether an agent's record was read by this process.
func (r *Reader) hasMeta(file File) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.metas[file.metaPath()]
	return ok
}

// problemError is the first thing that was wrong with a file as a whole.
func (f *FileReport) problemError() error {
	for _, p := range f.Problems {
		if p.Line == 0 {
			return fmt.Errorf("%s", p)
		}
	}
	return fmt.Errorf("%s: %w", f.Path, os.ErrInvalid)
}
