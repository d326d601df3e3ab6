package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Append writes each line to its session's file, with one write(2) each. It takes
// only what redaction returned, so that no writer can forget it.
//
// A nil error acknowledges every line: each is in its file whole, and no crash of
// this or another process takes it away again. On an error the lines before the
// failing one are written, and appending them again is harmless: a fact recorded
// twice is one fact.
func (j *Journal) Append(lines ...redact.Line) error {
	var f *os.File
	var open string
	defer func() { closeFile(f) }()
	var buf []byte
	for _, line := range lines {
		session := line.Session()
		if f == nil || session != open {
			closeFile(f)
			var err error
			if f, err = j.openAppend(session); err != nil {
				return err
			}
			open = session
		}
		record := line.Bytes()
		if len(record) > j.maxLine {
			return fmt.Errorf("journal: session %s: a record of %d bytes, the longest is %d", session, len(record), j.maxLine)
		}
		buf = frame(buf[:0], record)
		if err := j.put(f, buf); err != nil {
			return fmt.Errorf("journal: session %s: %w", session, err)
		}
		if line.Type() != schema.SessionEnd {
			continue
		}
		// The one moment at which nobody waits for the next hook.
		if err := f.Sync(); err != nil {
			return fmt.Errorf("journal: session %s: %w", session, err)
		}
	}
	return nil
}

// frame appends `\n{json}\n` to dst. The newline in front ends whatever a writer
// that died left behind; without it that torn tail would swallow this record.
func frame(dst, record []byte) []byte {
	dst = append(dst, '\n')
	dst = append(dst, record...)
	// Between the tokens of a JSON value a newline is a blank; inside a record it
	// would tear it in two.
	for body := dst[1:]; ; {
		i := bytes.IndexByte(body, '\n')
		if i < 0 {
			break
		}
		body[i] = ' '
		body = body[i+1:]
	}
	return append(dst, '\n')
}

// put writes one framed record with one system call. After a short write the rest
// must not follow: another process's record may stand between. The whole record is
// written again, once; the piece before it is a torn line, which readers skip.
func (j *Journal) put(f *os.File, framed []byte) error {
	for range 2 {
		n, err := j.write(f, framed)
		if err != nil {
			return err
		}
		if n == len(framed) {
			return nil
		}
	}
	return fmt.Errorf("write %s: %w", f.Name(), io.ErrShortWrite)
}

// openAppend opens a session's file, and makes what is missing on the way: the
// home may have been removed since Open.
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

func closeFile(f *os.File) {
	if f != nil {
		f.Close()
	}
}
