package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// document is a file as far as it was looked at whether it is one JSON value over many
// lines, such as a batch of grains that was written to be read by people. Lines are seen by the first
// of them, which is a value, or none at all. A first line that was torn off may look as if
// a value began: the next one does not go on with it then.
type document struct {
	scan       valueScan
	at         int64 // bytes that were looked at
	begin, end int64 // of the value; end is 0 until it is complete
	inside     bool  // the value has begun
	many       bool  // its first line is over, and it is not
	comma      bool  // of its first line
	bare       bool  // nothing but an opening was on its first line: nobody writes such a line of JSONL
	lined      bool  // it is lines
	broken     bool  // it is no JSON, and a document unless tornHead says otherwise

	around  uint64 // of the file, up to at: what was written anew has something else there
	modTime int64  // when it was looked at, Unix nanoseconds
}

// errUnfinished is of a document that is not complete.
var errUnfinished = errors.New("it is one JSON value over many lines, and its end is missing: it was cut off, or is still being written")

// badDocument says what is wrong with one.
type badDocument struct {
	line int64
	err  error
}

func (e *badDocument) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

// look goes on to the end of what src has, or until it is clear that it is lines.
func (d *document) look(src io.Reader) error {
	in := bufio.NewReaderSize(src, 16<<10)
	for !d.lined && !d.broken {
		c, err := in.ReadByte()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // of what is being packed
		}
		if err != nil {
			return lines.IgnoreEOF(err)
		}
		d.next(c)
		d.at++
	}
	return nil
}

func (d *document) next(c byte) {
	blank := c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0
	switch {
	case d.end > 0 && d.many && !blank:
		d.stop() // something follows it
	case d.end > 0:
		d.lined = !d.many && (c == '\n' || !blank)
	case !d.inside && (blank || d.at < int64(len(byteOrderMark)) && c == byteOrderMark[d.at]):
	case !d.inside && c != '{' && c != '[':
		d.lined = true
	default:
		d.inValue(c)
	}
}

func (d *document) inValue(c byte) {
	if !d.inside {
		d.inside, d.begin = true, d.at
	}
	switch d.scan.next(c) {
	case ends:
		d.end = d.at + 1
	case breaks:
		d.stop()
	}
	if d.many {
		return
	}
	d.comma = d.comma || c == ',' && !d.scan.inString
	if c == '\n' && !d.lined {
		d.many = true
		d.bare = !d.comma && (d.scan.last == '{' || d.scan.last == '[')
	}
}

// stop is where it does not go on as a document would.
func (d *document) stop() {
	d.broken = d.many && d.bare
	d.lined = !d.broken
}

// document returns the value that a file is, if it is a document: nil of lines. Of one that is not
// complete the error is errUnfinished; it goes on from there when the file grew.
func (s *stream) document(f *os.File, info fs.FileInfo) ([]byte, error) {
	if err := s.lookOn(f, info); err != nil {
		return nil, err
	}
	d := &s.doc
	size := d.at - d.begin
	switch {
	case d.lined, !d.inside:
		return nil, nil
	case d.broken:
		if err := s.tornHead(f, info); err != nil || d.lined {
			return nil, err
		}
		return nil, s.whyBroken(f)
	case size > lines.MaxLine && d.many:
		return nil, &badDocument{1, fmt.Errorf("a JSON value over many lines, and longer than %d bytes: write one value on each line, as jq -c does", lines.MaxLine)}
	case d.end == 0 && d.many:
		return nil, errUnfinished
	case d.end == 0, !d.many && d.scan.last == '}': // no line yet, or one
		return nil, nil
	case !d.many && s.patient > 0 && time.Since(info.ModTime()).Abs() < s.patient: // a newline may follow
		return nil, errCopying
	}
	return s.part(f, d.begin, d.end)
}

// lookOn looks at what is new.
func (s *stream) lookOn(f *os.File, info fs.FileInfo) error {
	d := &s.doc
	if d.at > 0 {
		sum, err := sumAround(f, d.at)
		if s.packed || err != nil || sum != d.around || info.Size() == d.at && info.ModTime().UnixNano() != d.modTime {
			*d = document{}
		}
	}
	src, err := s.content(f, d.at)
	if err != nil {
		return err
	}
	if err := d.look(src); err != nil {
		return err
	}
	d.modTime = info.ModTime().UnixNano()
	if !s.packed {
		d.around, err = sumAround(f, d.at)
	}
	return err
}

// content is what is in a file from an offset on.
func (s *stream) content(f *os.File, from int64) (io.Reader, error) {
	if !s.packed {
		return io.NewSectionReader(f, from, 1<<62-from), nil
	}
	return s.unpack(bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), packedBuffer))
}

func (s *stream) part(f *os.File, begin, end int64) ([]byte, error) {
	src, err := s.content(f, 0)
	if err != nil {
		return nil, err
	}
	s.lead = make([]byte, begin)
	if _, err := io.ReadFull(src, s.lead); err != nil {
		return nil, err
	}
	text := make([]byte, end-begin)
	_, err = io.ReadFull(src, text)
	return text, err
}

// tornHead makes lines of a document that broke off if they are: the first of them was torn off
// right behind its opening then, or is of something else. One of those behind it is whole, in
// the first column and of a format that is known, as nothing is in what people indent. If such
// a value has a comma behind it first, it is a member of a list that somebody got wrong. As many are looked
// at as where a format is looked for, each time from the beginning: a file that grows is the same
// in whatever pieces that was.
func (s *stream) tornHead(f *os.File, info fs.FileInfo) error {
	l, done, err := s.lines(f, lines.Position{})
	if err != nil {
		return err
	}
	defer done()
	for asked := 0; asked < detectLines && (l.Count() == 0 || l.Offset() < detectBytes); {
		line, err := l.Next()
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if ended && s.patient > 0 && time.Since(info.ModTime()).Abs() < s.patient {
			return errCopying // more may say it
		}
		if ended {
			return nil
		}
		if err != nil {
			return err
		}
		text := trim(line)
		if len(text) == 0 {
			continue
		}
		asked++
		value, member := bytes.CutSuffix(text, []byte{','})
		if line[0] != ' ' && line[0] != '\t' && s.knows(value) {
			s.doc.lined, s.doc.broken = !member, member
			return nil
		}
	}
	return nil
}

// knows reports whether a line is one whole value of a format that is known, or that was named.
func (s *stream) knows(line []byte) bool {
	if len(line) == 0 || line[0] != '{' && line[0] != '[' || !json.Valid(line) {
		return false
	}
	_, known := jsonl.Detect(line)
	return known || s.o.Format != ""
}

// someName finds a member of grains and events: what breaks off in the middle of a batch is
// none that can be told by its own members.
var someName = regexp.MustCompile(`"(grains|grain_type|tool_name|event_type)"\s*:`)

// whyBroken says what is wrong with a document, and where; one of no format that is known is
// nobody's.
func (s *stream) whyBroken(f *os.File) error {
	text, err := s.part(f, s.doc.begin, s.doc.at)
	if err != nil {
		return err
	}
	if _, known := jsonl.Detect(text); !known && s.o.Format == "" && !someName.Match(text) {
		return errForeign
	}
	if s.doc.end > 0 {
		line, column := s.lineOf(text, int64(len(text)))
		return &badDocument{line, fmt.Errorf("column %d: something follows the JSON value that ends before: write one value on each line, as jq -c does", column)}
	}
	var value json.RawMessage
	err = json.Unmarshal(text, &value)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &badDocument{1, fmt.Errorf("not valid JSON: %w", err)}
	}
	line, column := s.lineOf(text, syntax.Offset)
	return &badDocument{line, fmt.Errorf("column %d: not valid JSON: %w", column, err)}
}

// lineOf returns the line and the byte in it, both from 1, of the n-th byte of a document.
func (s *stream) lineOf(text []byte, n int64) (line, column int64) {
	before := append(bytes.Clone(s.lead), text[:max(n-1, 0)]...)
	return int64(bytes.Count(before, []byte{'\n'})) + 1, int64(len(before) - bytes.LastIndexByte(before, '\n'))
}

// identifyDocument is identify of a document: its identity is all that is in it.
func (s *stream) identifyDocument(info fs.FileInfo) (known bool, err error) {
	s.whole, s.first = true, lines.Hash(s.text)
	if s.beside != nil {
		if err := s.beside(s.first); err != nil {
			return false, err
		}
	}
	records, err := s.records(s.first)
	if err != nil {
		return false, err
	}
	h := head{line: s.text, format: s.o.Format}
	if h.format == "" {
		h.format, _ = jsonl.Detect(s.text)
	}
	if err := s.settle(h, records); err != nil {
		return false, err
	}
	s.session(h, records)
	s.noted, s.at, s.alike = record{}, lines.Position{}, len(records) > 0
	for _, rec := range records {
		if rec.format == s.src.Format && rec.Lines == 1 && rec.broken == 0 {
			s.goOn(rec)
			s.at = s.endOfDocument()
			s.noted.Position = s.at
			s.size, s.modTime, s.text = info.Size(), info.ModTime().UnixNano(), nil
			return true, nil
		}
	}
	return false, nil
}

func (s *stream) endOfDocument() lines.Position {
	return lines.Position{Offset: s.doc.at, Lines: 1, Sum: s.first, First: s.first, All: max(lines.Sum(0, s.text), 1)}
}

// readDocument takes in a document as one line.
func (s *stream) readDocument(info fs.FileInfo) error {
	b := &block{}
	b.reset(0)
	b.long, b.ends, b.bytes, b.end = s.text, []int{0}, s.doc.at, s.endOfDocument()
	b.lineOf = func(column int) (int64, int64) { return s.lineOf(b.long, int64(column)) }
	b.at = info.ModTime()
	if s.writes() {
		b.spill = s.put
	}
	s.size, s.modTime = info.Size(), info.ModTime().UnixNano()
	s.pipeline().decoding().decode(b)
	s.text = nil
	return s.commit(b)
}
