package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// maxWrite bounds what several records are written with at once. A longer record is
// written alone.
const maxWrite = 64 << 10

// Append writes lines to the files of their sessions: each whole, by one write(2), which
// those that follow each other in a file share. It takes only what redaction returned, so
// that no writer can forget it. A line that the policy leaves out is counted, and so are those
// of a session without a file that starts where sessions are left out, or was left out whole
// before: for them nothing is opened and nothing made. A line of a session that was forgotten is
// dropped, silently: it is not even counted. Where such a session has a file, from a
// time without the rule, those of its lines are left out of which nobody knows where they happened.
//
// A nil error acknowledges every line: each is in its file whole, and no crash of
// this or another process takes it away again. On an error some of the lines may be
// written, and appending them again is harmless: a fact recorded twice is one fact.
func (j *Journal) Append(lines ...redact.Line) error {
	a := appending{j: j}
	if len(lines) > 1 {
		a.buf = j.buffer()
		defer func() { j.buffers.Put(a.buf) }()
	}
	for i, line := range lines {
		a.next = lines[i+1:]
		if err := a.add(line); err != nil {
			return errors.Join(err, a.close())
		}
	}
	return a.close()
}

func (j *Journal) buffer() *[maxWrite]byte {
	buf, _ := j.buffers.Get().(*[maxWrite]byte)
	if buf == nil {
		buf = new([maxWrite]byte)
	}
	return buf
}

// appending is one Append.
type appending struct {
	j       *Journal
	session string
	f       *os.File // of session
	framed  []byte   // records that are not written yet
	buf     *[maxWrite]byte
	next    []redact.Line // those that follow
	asked   bool          // whether session was left out whole: rule says by what, 0 where not
	rule    uint64
}

func (a *appending) add(line redact.Line) (err error) {
	if out, ok := line.LeftOut(); ok {
		return a.j.leave(out)
	}
	if session := line.Session(); a.f == nil || session != a.session {
		if err := a.close(); err != nil {
			return err
		}
		if a.f, err = a.open(line); err != nil || a.f == nil {
			return err
		}
		a.session, a.asked = session, false
	}
	// A position stays: the reader of a file of which a part is recorded goes on from there.
	if !line.Placed() && line.Type() != schema.SourcePosition && a.leftOut() != 0 {
		return a.j.leave(outOf(line, a.rule))
	}
	record := line.Bytes()
	if len(record) > a.j.maxLine {
		return fmt.Errorf("journal: session %s: a record of %d bytes, the longest is %d", a.session, len(record), a.j.maxLine)
	}
	if len(a.framed)+len(record)+2 > maxWrite {
		if err := a.flush(); err != nil {
			return err
		}
	}
	if a.framed == nil && a.buf != nil && len(record)+2 <= maxWrite {
		a.framed = a.buf[:0]
	}
	a.framed = frame(a.framed, record)
	if line.Type() != schema.SessionEnd {
		return nil
	}
	if err := a.flush(); err != nil || a.f == nil {
		return err
	}
	// The one moment at which nobody waits for the next hook.
	if err := a.f.Sync(); err != nil {
		return fmt.Errorf("journal: session %s: %w", a.session, err)
	}
	return nil
}

// open opens the file of a line's session. It is nil where the session has none and was
// forgotten, or is left out; the line is counted then.
func (a *appending) open(line redact.Line) (*os.File, error) {
	j, session := a.j, line.Session()
	path, err := j.path(session)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, wrap(err)
	}
	if j.Forgotten(session) {
		return nil, nil
	}
	if j.has(session) { // its events until now are packed
		return j.openAppend(session)
	}
	rule, out := j.staysOut(session)
	if !out && !line.Placed() {
		rule, out = a.startsOut(session)
	}
	if out {
		return nil, j.leave(outOf(line, rule))
	}
	return j.openAppend(session)
}

// leftOut returns the rule by which the session whose file is open was left out whole, 0 where
// it was not.
func (a *appending) leftOut() uint64 {
	if !a.asked {
		a.asked, a.rule = true, 0
		if rule, out := a.j.staysOut(a.session); out {
			a.rule = rule
		}
	}
	return a.rule
}

// outOf is what is counted of a line that is left out for its session's sake.
func outOf(line redact.Line, rule uint64) redact.LeftOut {
	return redact.LeftOut{Session: line.Session(), Event: schema.FieldString(line.Bytes(), "event_id"), Rule: rule}
}

// startsOut looks at the lines that follow for where a session starts whose first events do not
// say where they happened: the first lines of a transcript.
func (a *appending) startsOut(session string) (rule uint64, ok bool) {
	for _, line := range a.next {
		if out, ok := line.LeftOut(); ok && out.Session == session {
			return out.Rule, true
		}
		if line.Session() == session && line.Placed() {
			break
		}
	}
	return 0, false
}

// flush writes the records that are not written yet. Where the file was renamed or removed
// since it was opened, whoever did so may have read it for the last time before this write: the
// records are written again, to the file that is there now, or to none where the session was
// forgotten. A record that stands in the journal twice is one fact.
func (a *appending) flush() error {
	framed := a.framed
	a.framed = nil
	if len(framed) == 0 {
		return nil
	}
	for range 10 {
		if err := a.j.put(a.f, framed); err != nil {
			return fmt.Errorf("journal: session %s: %w", a.session, err)
		}
		if !lost(a.f) {
			return nil
		}
		a.f.Close()
		if a.f = nil; a.j.Forgotten(a.session) {
			return nil
		}
		var err error
		if a.f, err = a.j.openAppend(a.session); err != nil || a.f == nil {
			return err
		}
	}
	return fmt.Errorf("journal: session %s: its file is replaced again and again: is another program at it?", a.session)
}

// lost reports whether the name of an open file now leads to another file, or to none.
func lost(f *os.File) bool {
	now, err := os.Stat(f.Name())
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	opened, err := f.Stat()
	return err == nil && !os.SameFile(opened, now)
}

func (a *appending) close() error {
	if a.f == nil {
		return nil
	}
	err := a.flush()
	a.f.Close()
	a.f = nil
	return err
}

// frame appends `\n{json}\n` to dst. The newline in front ends whatever a writer
// that died left behind; without it that torn tail would swallow this record.
func frame(dst, record []byte) []byte {
	dst = append(slices.Grow(dst, len(record)+2), '\n')
	begin := len(dst)
	dst = append(dst, record...)
	// Between the tokens of a JSON value a newline is a blank; inside a record it
	// would tear it in two.
	for body := dst[begin:]; ; {
		i := bytes.IndexByte(body, '\n')
		if i < 0 {
			break
		}
		body[i] = ' '
		body = body[i+1:]
	}
	return append(dst, '\n')
}

// put writes framed records with one system call. After a short write the rest must not
// follow: another process's record may stand between. The record that was torn is
// written again whole, once, with those behind it; the piece before it is a torn line,
// which readers skip.
func (j *Journal) put(f *os.File, framed []byte) error {
	for again := false; ; again = true {
		n, err := j.write(f, framed)
		if err != nil {
			return err
		}
		if n == len(framed) {
			return nil
		}
		done := whole(framed[:n])
		if done == 0 && again {
			return fmt.Errorf("write %s: %w", f.Name(), io.ErrShortWrite)
		}
		framed = framed[done:]
	}
}

// whole returns how long the records are that are whole in what was written of framed
// records: each has a newline at its beginning, one at its end, and none between.
func whole(written []byte) (n int) {
	for i := 0; ; {
		for range 2 {
			k := bytes.IndexByte(written[i:], '\n')
			if k < 0 {
				return n
			}
			i += k + 1
		}
		n = i
	}
}

// openAppend opens a session's file, and makes what is missing on the way: the
// home may have been removed since Open. It is nil where the session was forgotten while its
// file was made: Forget may have looked for that before.
func (j *Journal) openAppend(session string) (*os.File, error) {
	path, err := j.path(session)
	if err != nil {
		return nil, err
	}
	for range 3 {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, wrap(err)
		}
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, fileMode)
		switch {
		case err == nil && j.Forgotten(session):
			return nil, wrap(errors.Join(f.Close(), removeFile(path)))
		case err == nil:
			return f, wrap(chmod(f)) // the umask may have taken more than it should
		case errors.Is(err, fs.ErrExist): // another process was first
		case errors.Is(err, fs.ErrNotExist):
			if err := j.makeDirs(); err != nil {
				return nil, wrap(err)
			}
		default:
			return nil, wrap(err)
		}
	}
	return nil, fmt.Errorf("journal: %s: appears and disappears: is another program deleting it?", path)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("journal: %w", err)
}
