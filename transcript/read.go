package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Reader reads transcripts into a journal. It may be used from many goroutines, for
// different files.
type Reader struct {
	Journal  *journal.Journal // nil: what is read is counted and not written
	Redactor *redact.Redactor
	// Host is this machine: whose paths the positions are. User is whose files these are.
	Host, User string

	buffers lines.Buffers

	mu    sync.Mutex
	metas map[string]time.Time // of the agents' records that were read
	kin   kin
}

// FileReport says what Read did with one file.
type FileReport struct {
	Path    string `json:"path"`
	Session string `json:"session_id"`
	Agent   string `json:"agent_id,omitempty"`
	Bytes   int64  `json:"bytes"` // read
	Lines   int64  `json:"lines"` // likewise, blank and broken ones included
	Events  int64  `json:"events"`
	Blank   int64  `json:"blank,omitempty"`   // lines
	Broken  int64  `json:"broken,omitempty"`  // lines
	Restart bool   `json:"restart,omitempty"` // it was read before, and is another file now
	Waiting int64  `json:"waiting,omitempty"` // bytes of a last line that is not whole yet
	Copied  int64  `json:"copied,omitempty"`  // lines that another session's file had first, and tells alone
	// Problems names the first of the broken lines, and what ended the reading early.
	Problems []Problem `json:"problems,omitempty"`

	failed  bool // something was wrong with the file, not with a line
	foreign bool // it is no transcript, whatever its name
	whole   bool // it was read to its end, but for what is Waiting
	again   bool // something beside it could not be read, and is to be looked at again
	begins  begins
	tellers []string // the files that tell what is Copied
	kinds   map[string]int64
	unknown map[string]int64 // types that this version does not know
	types   map[schema.Type]int64
	tells   []failure.Failure // of the recording, that lines tell of
	entry   entry
	info    os.FileInfo
}

const (
	batchBytes  = 192 << 10 // of encoded events that one Append takes
	noteBytes   = 64 << 20  // after so much of a file its position is written: what a kill makes read again
	maxProblems = 20        // of one file; the rest is counted
)

// errAppend is wrapped by what the journal did not take: no other file fares better.
var errAppend = errors.New("write the journal")

// Read appends what is new in a file since a position, which may be of another file
// that was there before, and returns the position that it read to. What is wrong with
// the file or its lines is in the report. The error is that ctx ended or that the
// journal could not be written; what was read until then is kept, and its position.
// progress, which may be nil, gets the bytes read.
func (r *Reader) Read(ctx context.Context, file File, from Position, progress func(bytes, lines int64)) (FileReport, Position, error) {
	return r.read(ctx, file, from, progress, nil)
}

// read is Read; live, which may be nil, is what is kept of the file until it grows.
func (r *Reader) read(ctx context.Context, file File, from Position, progress func(bytes, lines int64), live *live) (FileReport, Position, error) {
	p := &reading{Reader: r, file: file, from: from, at: from, progress: progress, live: live,
		report: FileReport{Path: file.Path, Session: file.Session, Agent: file.Agent,
			kinds: map[string]int64{}, unknown: map[string]int64{}, types: map[schema.Type]int64{}}}
	err := p.run(ctx)
	live.keep(p, err)
	var system *os.PathError
	switch {
	case err == nil, errors.Is(err, errAppend), ctx.Err() != nil && errors.Is(err, ctx.Err()):
	case errors.Is(err, errForeign):
		err, p.report.foreign, p.report.info = nil, true, nil
	case errors.As(err, &system):
		p.problem(0, system.Err)
		err, p.report.failed = nil, true
	default:
		p.problem(0, err)
		err, p.report.failed = nil, true
	}
	return p.report, p.position(p.at), err
}

// reading is one Read.
type reading struct {
	*Reader
	file     File
	from, at Position // at is up to where everything is in the journal
	noted    Position // the position that is there, too
	report   FileReport
	progress func(bytes, lines int64)
	live     *live

	f      *os.File
	lines  *lines.Reader
	first  uint64 // hash of the first line
	all    uint32 // sum of all lines
	events *claude.Transcript
	facts  []schema.Event // of the last line
	batch  []redact.Line
	memory []byte // of the batch
	size   int
	place  string    // of the last event that said one
	sought bool      // place was looked for in the file
	latest time.Time // of all events
	timed  bool      // a line had events
	told   Position  // progress
}

func (p *reading) problem(line int64, err error) {
	if len(p.report.Problems) < maxProblems {
		p.report.Problems = append(p.report.Problems, Problem{Path: p.file.Path, Line: line, Error: err.Error()})
	}
}

func (p *reading) run(ctx context.Context) (err error) {
	if p.f, p.report.info, err = lines.Open(p.file.Path); err != nil {
		return err
	}
	defer p.f.Close()
	same, err := p.from.Matches(p.f)
	if err != nil {
		return err
	}
	if same && (p.file.replaced || p.report.info.Size() <= p.from.Offset) {
		same, err = p.from.Holds(p.f) // it changed, and did not grow
	}
	if err != nil {
		return err
	}
	if !same {
		p.report.Restart = true
		p.from, p.at = Position{}, Position{}
	}
	p.noted, p.told, p.first, p.all = p.from, p.from, p.from.First, p.from.All
	if p.lines, err = lines.New(p.f, p.from); err != nil {
		return err
	}
	p.lines.Use = &p.buffers
	defer func() {
		p.lines.Close()
		p.buffers.Put(p.memory)
	}()
	p.lines.Ahead(p.report.info.Size() - p.lines.Offset())
	if p.lines.Offset() < p.report.info.Size() {
		if err := p.begin(); err != nil {
			return err
		}
		if err = p.read(ctx); err == nil {
			p.untimed()
		}
	} else {
		p.remember()
		if p.file.again {
			p.meta(p.source())
		}
	}
	if errors.Is(err, errAppend) {
		return err
	}
	if err = errors.Join(err, p.flush(true)); err == nil {
		p.report.Waiting = max(0, p.report.info.Size()-p.lines.Offset())
		p.report.whole = true
	}
	return err
}

// begin prepares what the events of the file depend on beside its lines.
func (p *reading) begin() error {
	if p.from.Offset == 0 && foreign(p.f) {
		return errForeign
	}
	src := p.source()
	if p.events = p.live.at(p.from); p.events == nil {
		if err := p.origins(&src); err != nil {
			return err
		}
		p.events = claude.NewTranscript(src)
		if p.from.Offset > 0 {
			if err := p.before(); err != nil {
				return err
			}
		}
	} else {
		p.remember()
	}
	p.meta(src)
	return nil
}

// read goes through the lines that are whole.
func (p *reading) read(ctx context.Context) error {
	for {
		line, err := p.lines.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		p.report.Lines++
		p.all = lines.Sum(p.all, line)
		p.line(line)
		if p.size < batchBytes && len(p.batch) < 1000 && p.lines.Offset()-p.told.Offset < noteBytes {
			continue
		}
		if err := p.flush(p.lines.Offset()-p.noted.Offset >= noteBytes); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// untimed tells what a file says whose lines have no time: with that of its last change,
// once it is so old that no line with a time is to be expected.
func (p *reading) untimed() {
	if p.timed || p.from.Offset > 0 || time.Since(p.report.info.ModTime()) < settledFor {
		return
	}
	events, err := p.events.Flush(p.report.info.ModTime().UTC())
	if err != nil {
		p.problem(0, err)
	}
	p.timed = len(events) > 0
	for i := range events {
		p.add(&events[i])
	}
}

// line adds the events of one line to the batch.
func (p *reading) line(line []byte) {
	n := p.lines.Count()
	switch {
	case p.lines.TooLong():
		p.broken(n, fmt.Errorf("longer than %d bytes", p.lines.Max))
		return
	case len(bytes.TrimSpace(line)) == 0:
		p.report.Blank++
		return
	}
	events, kind, unknown, err := p.decode(line, n)
	if err != nil {
		p.broken(n, err)
		return
	}
	p.facts = events
	if unknown || kind == "" {
		kind = p.name(kind)
		p.report.unknown[kind]++
	}
	p.report.kinds[kind]++
	p.timed = p.timed || len(events) > 0
	for i := range events {
		p.add(&events[i])
	}
}

// position is from where the next reading may go on, once all before at is in the
// journal. What a file begins with may have no time of its own, and is told with the
// first line that has one: until then nothing of it is there.
func (p *reading) position(at Position) Position {
	if p.from.Offset == 0 && !p.timed {
		return p.from
	}
	return at
}

func (p *reading) broken(n int64, err error) {
	p.report.Broken++
	p.problem(n, err)
}

// decode asks the adapter. One line that it cannot stand must not keep the rest out.
func (p *reading) decode(line []byte, n int64) (events []schema.Event, kind string, unknown bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the adapter panicked: %v (report it)", v)
		}
	}()
	return p.events.AppendEvents(p.facts[:0], line, n)
}

func (p *reading) add(e *schema.Event) {
	if e.EventType == schema.Fork && p.Journal != nil && p.Journal.Forgotten(e.ParentSessionID) {
		return // it has what it shared for its own, and nothing is to name the other any more
	}
	p.report.Events++
	p.report.types[e.EventType]++
	if e.EventType == schema.Error && len(p.report.tells) < maxProblems {
		if f, ok := failure.Of(e); ok {
			p.report.tells = append(p.report.tells, f)
		}
	}
	if e.Timestamp.After(p.latest) {
		p.latest = e.Timestamp
	}
	if p.Journal == nil {
		return
	}
	line := p.redacted(e, p.where(e))
	p.batch = append(p.batch, line)
	p.size += len(line.Bytes())
}

// redacted makes a line for the batch; dir is where the event happened if it does not say so.
func (p *reading) redacted(e *schema.Event, dir string) (line redact.Line) {
	if p.memory == nil {
		if p.memory = p.buffers.Get(); p.memory == nil {
			p.memory = make([]byte, min(lines.BufferSize, 8<<10+2*p.lines.Room()))
		}
		p.memory = p.memory[:0]
	}
	line, p.memory = p.Redactor.AppendEventNear(p.memory, *e, dir)
	return line
}

// flush appends the batch; what was read so far is in the journal then. With it, where
// note says so, goes the position: behind the facts that it covers, in the same Append,
// since to open a journal's file takes longer than to write to it.
func (p *reading) flush(note bool) error {
	at, err := p.reached()
	if err != nil {
		return err
	}
	note = note && p.position(at) != p.noted
	if p.Journal != nil && (note || len(p.batch) > 0) {
		if note {
			e := p.record(at)
			p.batch = append(p.batch, p.redacted(&e, ""))
		}
		if err := p.Journal.Append(p.batch...); err != nil {
			return fmt.Errorf("%w: %w", errAppend, err)
		}
		clear(p.batch)
		p.batch, p.memory, p.size = p.batch[:0], p.memory[:0], 0
		if note {
			p.noted = at
		}
	}
	p.at = at
	p.report.Bytes = p.at.Offset - p.from.Offset
	if p.progress != nil && p.at != p.told {
		p.progress(p.at.Offset-p.told.Offset, p.at.Lines-p.told.Lines)
	}
	p.told = p.at
	return nil
}

// reached is the position behind the last line that was read.
func (p *reading) reached() (at Position, err error) {
	if p.lines.Count() == p.at.Lines {
		return p.at, nil // nothing was read since
	}
	if p.first == 0 {
		if p.first, err = lines.FirstHash(p.f, p.lines.Offset()); err != nil {
			return p.at, err
		}
	}
	if at, err = p.lines.Position(p.first); p.from.Offset == 0 || p.from.All != 0 {
		at.All = max(p.all, 1)
	}
	return at, err
}
