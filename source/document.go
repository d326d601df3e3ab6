package source

import (
	"io"
	"io/fs"
	"os"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// document returns a file that is one JSON value over many lines, such as a batch of grains
// that was written to be read by people; nil of what is lines. That is seen by its first
// line, which is no value.
func (s *stream) document(f *os.File, info fs.FileInfo) []byte {
	if s.packed || s.lined || info.Size() == 0 || info.Size() > lines.MaxLine {
		return nil
	}
	var begin [512]byte
	n, _ := f.ReadAt(begin[:], 0)
	if head := trim(begin[:n], 1); len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return nil
	}
	text := make([]byte, info.Size())
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, info.Size()), text); err != nil {
		return nil
	}
	text = trim(text, 1)
	if end, ok := schema.ValueEnd(text); !ok || end != len(text) {
		return nil
	}
	return text
}

// readDocument takes in a document as one line. Its identity is all that is in it: known
// says that it was read before.
func (s *stream) readDocument(text []byte, info fs.FileInfo) (known bool, err error) {
	s.whole, s.first = true, lines.Hash(text)
	format := s.o.Format
	if format == "" {
		format, _ = jsonl.Detect(text)
	}
	records, err := s.records(s.first)
	if err != nil {
		return false, err
	}
	s.noted, s.at = record{}, lines.Position{}
	h := head{line: text, format: format}
	if err := s.settle(h, records); err != nil {
		return false, err
	}
	s.session(h, records)
	for _, rec := range records {
		if rec.format == s.src.Format && rec.Lines == 1 {
			return true, nil
		}
	}
	b := &block{}
	b.reset(0)
	b.long, b.ends, b.bytes = text, []int{0}, info.Size()
	b.end = lines.Position{Offset: info.Size(), Lines: 1, Sum: s.first, First: s.first, All: max(lines.Sum(0, text), 1)}
	s.size, s.modTime = info.Size(), info.ModTime().UnixNano()
	b.at = info.ModTime()
	if s.writes() {
		b.spill = s.put
	}
	s.pipeline().decoding().decode(b)
	return false, s.commit(b)
}
