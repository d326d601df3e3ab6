package connector

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"

	"github.com/actiongraph/actiongraph/graph"
)

const (
	// partBytes is how much of a session's journal makes a part: as maps of nodes and
	// properties it takes some ten times as much memory.
	partBytes = 2 << 20
	// partsBuffered is how much of all parts of a graph is in memory before it goes to a file.
	partsBuffered = 8 << 20
)

// parts are the ops that make a graph, dealt out by the keys of what they are about, so
// that two graphs that do not fit the memory are compared part by part
// (graph.Comparison). What is more than partsBuffered is in a file without a name, which
// ends with the process.
type parts struct {
	dirs     []string // where the file may be: the first that can be written
	seed     maphash.Seed
	limit    int // of buffered
	parts    []onePart
	buffered int
	file     *os.File
	end      int64
}

// onePart is what of a part is still in memory, and where in the file what was before that.
type onePart struct {
	buffer []byte
	pieces []piece
}

type piece struct{ at, size int64 }

// numParts is how many parts a session is compared in whose journal has so many bytes.
func numParts(bytes int64) int { return int(1 + bytes/partBytes) }

// put adds an op. What is said of one node, or of one edge, is in one part, in its order.
// The removal of a node takes its edges with it, wherever they are.
func (p *parts) put(op *graph.Op) error {
	n := uint64(len(p.parts))
	switch op.Kind {
	case graph.DelNode:
		for i := range p.parts {
			if err := p.add(i, op); err != nil {
				return err
			}
		}
		return nil
	case graph.PutNode:
		return p.add(int(maphash.String(p.seed, op.Node.Key)%n), op)
	}
	// With the ends alone, every HAS_ACTION of a session would be in one part.
	from, to := maphash.String(p.seed, op.Edge.From.Key), maphash.String(p.seed, op.Edge.To.Key)
	return p.add(int((3*from+to)%n), op)
}

func (p *parts) add(i int, op *graph.Op) (err error) {
	part := &p.parts[i]
	before := len(part.buffer)
	part.buffer, err = appendOp(part.buffer, op)
	if p.buffered += len(part.buffer) - before; err == nil && p.buffered > p.limit {
		err = p.spill()
	}
	return err
}

// spill writes what is buffered to the file.
func (p *parts) spill() (err error) {
	if p.file == nil {
		if p.file, err = unnamedFile(p.dirs); err != nil {
			return fmt.Errorf("a session of this size is compared through a temporary file: %w", err)
		}
	}
	for i := range p.parts {
		part := &p.parts[i]
		if len(part.buffer) == 0 {
			continue
		}
		if _, err := p.file.WriteAt(part.buffer, p.end); err != nil {
			return fmt.Errorf("a session of this size is compared through a temporary file: %w", err)
		}
		size := int64(len(part.buffer))
		part.pieces = append(part.pieces, piece{p.end, size})
		part.buffer = part.buffer[:0]
		p.end += size
	}
	p.buffered = 0
	return nil
}

// graph makes one part's graph.
func (p *parts) graph(i int) (*graph.Graph, error) {
	part := &p.parts[i]
	var ops []byte
	for _, piece := range part.pieces {
		at := len(ops)
		ops = append(ops, make([]byte, piece.size)...)
		if _, err := p.file.ReadAt(ops[at:], piece.at); err != nil {
			return nil, fmt.Errorf("read the temporary file of the comparison: %w", err)
		}
	}
	g, r := graph.New(), opReader{s: string(append(ops, part.buffer...))}
	for len(r.s) > 0 {
		op := r.next()
		if r.err != nil {
			return nil, r.err
		}
		g.Apply(op)
	}
	return g, nil
}

// reset forgets all ops.
func (p *parts) reset() {
	clear(p.parts)
	p.buffered, p.end = 0, 0
}

func (p *parts) close() error {
	if p.file == nil {
		return nil
	}
	name := p.file.Name()
	err := p.file.Close()
	os.Remove(name) // on Windows, where what is open keeps its name
	return err
}

// unnamedFile makes a file that nobody else may read, and that goes when it is closed.
func unnamedFile(dirs []string) (*os.File, error) {
	var errs []error
	for _, dir := range dirs {
		f, err := os.CreateTemp(dir, ".verify-*")
		if err == nil {
			os.Remove(f.Name())
			return f, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
