package source

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// pipeline decodes the blocks of one file on all cores: one goroutine reads and writes, in
// the order of the file, the others decode.
type pipeline struct {
	blocks   *sync.Pool // of blocks that nobody uses
	decoding func() *decoding
	work     chan *block // nil until there is more than one block
	workers  sync.WaitGroup
	flying   []*block // in the order of the file
}

func (s *stream) pipeline() *pipeline {
	return &pipeline{blocks: &s.blocks, decoding: func() *decoding {
		return &decoding{decoder: jsonl.NewDecoder(s.src), redactor: s.Redactor, path: s.path,
			strict: s.o.Strict, count: !s.writes()}
	}}
}

// take returns a block to be filled.
func (p *pipeline) take(before int64) *block {
	b, _ := p.blocks.Get().(*block)
	if b == nil {
		b = &block{}
	}
	b.reset(before)
	return b
}

// give has a block decoded; alone says that there is no other one to read meanwhile.
func (p *pipeline) give(b *block, alone bool) {
	p.flying = append(p.flying, b)
	if alone && len(p.flying) == 1 {
		p.decoding().decode(b)
		return
	}
	if p.work == nil {
		p.work = make(chan *block, depth())
		for range cores() {
			p.workers.Go(func() {
				d := p.decoding()
				for b := range p.work {
					d.decode(b)
				}
			})
		}
	}
	p.work <- b
}

// depth is how many blocks are decoded or wait for it at most.
func depth() int { return cores() + 2 }

// cores is how many blocks are decoded at a time: many times what one goroutine reads.
func cores() int { return min(runtime.GOMAXPROCS(0), 8) }

func (p *pipeline) stop() {
	if p.work != nil {
		close(p.work)
		p.workers.Wait()
	}
}

// run reads from l, which reads f (nil of a pipe), what is whole, at most about limit bytes; more says that there is more.
// at is the time of what states none, nor does its order tell; zero is when it came.
func (s *stream) run(ctx context.Context, f *os.File, l *lines.Reader, limit int64, at time.Time) (more bool, err error) {
	p := s.pipeline()
	defer p.stop()
	all, begun := s.at.All, l.Offset()
	if s.at.Lines == 0 {
		all = 0
	}
	for {
		b := p.take(l.Count())
		err := b.fill(l, &all, s.first, s.order)
		if len(b.ends) > 0 {
			s.ordered = b.end.Offset
		}
		if b.at = at; at.IsZero() {
			b.at = time.Now().UTC()
		}
		if failed := s.date(f, b); failed != nil {
			return false, errors.Join(failed, s.commitAll(p, 0))
		}
		if s.undated(b, at) {
			p.blocks.Put(b)
			return false, errCopying
		}
		last := err != nil || l.Offset()-begun >= limit || ctx.Err() != nil
		if b.long != nil && s.writes() { // what it gives is appended at once, behind what is before it
			if err := s.commitAll(p, 0); err != nil {
				return false, err
			}
			b.spill = s.put
		}
		keep := depth() - 1
		if last || b.long != nil {
			keep = 0
		}
		if len(b.ends) > 0 {
			p.give(b, keep == 0)
		} else {
			p.blocks.Put(b)
		}
		if err := s.commitAll(p, keep); err != nil {
			return false, err
		}
		switch {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		case ctx.Err() != nil:
			return true, ctx.Err()
		case last:
			return true, nil
		}
	}
}

// commitAll appends what the blocks gave, the first of them first, but for keep of them.
func (s *stream) commitAll(p *pipeline, keep int) error {
	for len(p.flying) > keep {
		b := p.flying[0]
		<-b.done
		p.flying = p.flying[1:]
		if err := s.commit(b); err != nil {
			return err
		}
		b.long, b.spill = nil, nil
		p.blocks.Put(b)
	}
	return nil
}
