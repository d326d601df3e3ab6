package transcript

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/internal/replace"
	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
)

// IndexFile is the cache of positions, below a home.
const IndexFile = "transcripts.index"

const indexHeader = "actiongraph transcripts 2"

// entry is what the index says of a file.
type entry struct {
	Position
	session string // whose journal holds the position
	size    int64  // of the file, when it was read
	modTime int64  // likewise, ns; 0 where it was too fresh to tell a later change by, or lookAgain
	inode   uint64 // of the file; 0 where it has none
	end     int64  // how long that journal was then: another length may be of one that lacks the position
	mark    uint64 // hash of that journal's last bytes before end
	// whole says that the file was read to its end, so that its time may be noted once it
	// is old enough. A reading that was stopped, or a journal that was full, left the rest
	// for the next one. Of what the index on disk says it is not known, nor asked.
	whole bool
	skipped
	begins // of a session's own file
}

// unchanged reports whether the file is as it was when it was read.
func (e entry) unchanged(f File) bool {
	return e.modTime != 0 && e.size == f.Size && e.modTime == f.ModTime.UnixNano()
}

// leftOut reports whether the file was read and nothing of it is in a journal: the policy leaves
// the session out. The index on disk does not name it: see Journal.StaysOut.
func (e entry) leftOut() bool { return e.end == 0 && e.Offset > 0 }

// lookAgain is the modTime of a file beside which something could not be read.
const lookAgain = -1

// remind notes what else is to be looked at when the file is read.
func (e entry) remind(f *File) {
	f.replaced = e.inode != 0 && f.inode != 0 && e.inode != f.inode
	f.again = e.modTime == lookAgain
	f.skipped, f.begins = e.skipped, e.begins
}

// markBytes is how much of a journal's end tells it from another one.
const markBytes = 256

// seal notes how long the journal is and what it ends with.
func (e *entry) seal(j *journal.Journal) {
	c, err := j.Content(e.session)
	if err != nil {
		return
	}
	defer c.Close()
	e.end, e.mark = c.Size(), markAt(c, c.Size())
}

// held reports whether the journal is the one that e was noted with, as it was or longer: it
// is only ever appended to.
func (e *entry) held(j *journal.Journal) bool {
	file, err := j.Stat(e.session)
	if err != nil || file.Size <= e.end {
		return err == nil && file.Size == e.end
	}
	c, err := j.Content(e.session)
	if err != nil {
		return false
	}
	defer c.Close()
	return e.mark != 0 && e.mark == markAt(c, e.end)
}

func markAt(f io.ReaderAt, end int64) uint64 {
	sum, err := lines.HashLine(f, max(0, end-markBytes), end)
	if err != nil {
		return 0
	}
	return sum
}

// fresh is how old a file's time has to be to tell a later change by: a file system's
// clock ticks in milliseconds, some in seconds.
const fresh = 2 * time.Second

// newEntry is what is known after a reading that came to p.
func newEntry(f File, p Position, r *FileReport) entry {
	e := entry{Position: p, session: f.Session, skipped: f.skipped.plus(r), size: r.info.Size(), inode: tail.FileID(r.info)}
	if e.begins = r.begins; e.begins == (begins{}) && !r.Restart {
		e.begins = f.begins // it was not looked at again
	}
	e.whole = r.whole && !r.failed && !r.again
	if r.again {
		e.modTime = lookAgain
	}
	if e.whole && time.Since(r.info.ModTime()) >= fresh {
		e.modTime = r.info.ModTime().UnixNano()
	}
	return e
}

// readIndex reads the cache; what cannot be read of it is not in it.
func readIndex(home, host string) map[string]entry {
	index := map[string]entry{}
	b, err := os.ReadFile(filepath.Join(home, IndexFile))
	if err != nil {
		return index
	}
	text := string(b)
	head, text, _ := strings.Cut(text, "\n")
	if head != indexHeader+" "+strconv.Quote(host) {
		return index // of another version, or copied from another machine
	}
	for line := range strings.Lines(text) {
		path, e, ok := parseEntry(line)
		if ok {
			index[path] = e
		}
	}
	return index
}

// parseEntry reads what appendEntry wrote; a line that was cut short is none.
func parseEntry(line string) (path string, e entry, ok bool) {
	line, ok = strings.CutSuffix(line, "\n")
	if !ok {
		return
	}
	var fields [14]string
	for i := range fields {
		if fields[i], line, ok = strings.Cut(line, "\t"); !ok {
			return
		}
	}
	e.session = fields[0]
	for i, p := range []*int64{&e.size, &e.modTime, &e.end, &e.Offset, &e.Lines} {
		n, err := strconv.ParseInt(fields[1+i], 10, 64)
		if err != nil {
			return path, e, false
		}
		*p = n
	}
	if min(e.size, e.end, e.Offset, e.Lines) < 0 {
		return path, e, false // no file of this program has that
	}
	var all uint64
	for i, p := range []*uint64{&e.Sum, &e.First, &all, &e.inode, &e.mark, &e.begins.first, &e.begins.answer} {
		n, err := strconv.ParseUint(fields[6+i], 16, 64)
		if err != nil {
			return path, e, false
		}
		*p = n
	}
	var err error
	if e.skipped, err = parseSkipped(fields[13]); err != nil {
		return path, e, false
	}
	e.All = uint32(all)
	if path = line; strings.HasPrefix(path, `"`) {
		if path, err = strconv.Unquote(path); err != nil {
			return path, e, false
		}
	}
	return path, e, true
}

func appendEntry(b []byte, path string, e entry) []byte {
	b = append(b, e.session...)
	for _, n := range []int64{e.size, e.modTime, e.end, e.Offset, e.Lines} {
		b = strconv.AppendInt(append(b, '\t'), n, 10)
	}
	for _, n := range []uint64{e.Sum, e.First, uint64(e.All), e.inode, e.mark, e.begins.first, e.begins.answer} {
		b = strconv.AppendUint(append(b, '\t'), n, 16)
	}
	b = append(e.skipped.append(append(b, '\t')), '\t')
	if strings.ContainsAny(path, "\n\r\"") {
		path = strconv.Quote(path)
	}
	return append(append(b, path...), '\n')
}

// writeIndex puts changed entries into the cache. It is read again first, so that what
// another import wrote meanwhile mostly stays; what is lost is looked up. A session that was forgotten
// is not in it: where one is while this goes on, it is written again.
func writeIndex(j *journal.Journal, host string, changed map[string]entry) error {
	if len(changed) == 0 {
		return nil
	}
	for range 10 {
		seen := j.ForgottenAt()
		forgotten, err := j.AllForgotten()
		if err != nil {
			return err
		}
		all := readIndex(j.Home(), host)
		maps.Copy(all, changed)
		maps.DeleteFunc(all, func(_ string, e entry) bool { return e.leftOut() || forgotten(e.session) })
		if err := putIndex(j.Home(), host, all); err != nil || j.ForgottenAt().Equal(seen) {
			return err
		}
	}
	return nil
}

// DropForgotten takes sessions that were forgotten out of the index, whichever machine wrote it,
// and removes what a kill left beside it.
func DropForgotten(j *journal.Journal) error {
	path := filepath.Join(j.Home(), IndexFile)
	entries, err := os.ReadDir(j.Home())
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), IndexFile+".") && strings.HasSuffix(e.Name(), ".tmp") {
			err = errors.Join(err, os.Remove(filepath.Join(j.Home(), e.Name())))
		}
	}
	forgotten, askErr := j.AllForgotten()
	text, readErr := os.ReadFile(path)
	if errors.Is(readErr, fs.ErrNotExist) {
		return err
	}
	if err := errors.Join(err, askErr, readErr); err != nil {
		return err
	}
	var kept []byte
	for line := range bytes.Lines(text) {
		if session, _, _ := bytes.Cut(line, []byte{'\t'}); !forgotten(string(session)) {
			kept = append(kept, line...)
		}
	}
	if len(kept) == len(text) {
		return nil
	}
	return replace.File(path, IndexFile+".*.tmp", replace.Text(kept), nil)
}

// putIndex writes the cache.
func putIndex(home, host string, all map[string]entry) error {
	path := filepath.Join(home, IndexFile)
	err := replace.File(path, IndexFile+".*.tmp", func(f *os.File) error {
		w := bufio.NewWriterSize(f, 64<<10)
		fmt.Fprintf(w, "%s %q\n", indexHeader, host)
		var line []byte
		for path, e := range all {
			line = appendEntry(line[:0], path, e)
			w.Write(line)
		}
		return w.Flush()
	}, nil)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
