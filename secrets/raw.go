package secrets

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
)

const (
	rawChunk   = 1 << 20
	rawOverlap = 16 << 10 // what begins in one chunk may end in the next
	rawRun     = 16       // shorter runs of text are chance
)

// rawFile looks at the texts in the raw bytes of a file, wherever they begin, for what has a
// shape of its own: what stands next to what is chance there, so that no name says anything.
func (s *Scanner) rawFile(ctx context.Context, c *collector, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	name, buf, kept := filepath.Base(path), make([]byte, rawOverlap+rawChunk), 0
	for ctx.Err() == nil {
		n, err := io.ReadFull(f, buf[kept:])
		for _, run := range texts(buf[:kept+n]) {
			for _, h := range s.Rules.shapes(string(run)) {
				c.add(Finding{Rule: h.rule, Where: name, Field: rawField, Fingerprint: h.fingerprint})
			}
		}
		c.done(int64(n))
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
		kept = copy(buf, buf[len(buf)-rawOverlap:])
	}
	return nil
}

// Where and Field of findings that have no name of their own.
const (
	inTheJournal = "journal"
	rawField     = "raw bytes"
)

// texts returns the runs of text in b.
func texts(b []byte) (runs [][]byte) {
	start := -1
	for i := 0; i <= len(b); i++ {
		isText := i < len(b) && (b[i] >= ' ' && b[i] != 0x7f || b[i] == '\n' || b[i] == '\t' || b[i] == '\r')
		switch {
		case isText && start < 0:
			start = i
		case !isText && start >= 0:
			if i-start >= rawRun {
				runs = append(runs, b[start:i])
			}
			start = -1
		}
	}
	return runs
}

// shapes returns what the rules find that ask for a vendor's shape.
func (r *Rules) shapes(text string) (hits []hit) {
	for _, s := range r.findIn(text) {
		if !slices.Contains([]string{"generic-api-key", "kubernetes-secret-yaml", "curl-auth-header", "curl-auth-user"}, s.rule) && !slices.Contains(hits, s.hit) {
			hits = append(hits, s.hit)
		}
	}
	return hits
}
