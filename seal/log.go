package seal

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

const logName = "log"

func logPath(home string) string { return filepath.Join(journal.SealsDir(home), logName) }

// Begun reports whether anything was ever sealed in a home.
func Begun(home string) bool {
	_, err := os.Stat(logPath(home))
	return err == nil
}

// Lock is held by the one who writes seals, or verifies them.
const Lock = "seal.lock"

// lockWait is how long one waits for another: to verify a large home takes that long.
const lockWait = time.Minute

// ErrDamaged is of a log that is not as it was written: nothing is added to that.
var ErrDamaged = errcode.New(errcode.SealBroken, "the log of seals is damaged (ag-sessiond verify --seal says what holds beside it)")

// log is what is known of a home's log.
type log struct {
	home   string
	offset int64 // of what was read
	last   Entry
	tip    []byte // the last line
	// chains holds the last entry of each session's chain, by name: a Seal, or what ended it.
	chains map[string]Entry
	key    ed25519.PublicKey // Begin's
}

func newLog(home string) *log { return &log{home: home, chains: map[string]Entry{}} }

// wrongLine says which line of the log is not as it was written, and why.
type wrongLine struct {
	number int64
	why    string
}

func (w *wrongLine) Error() string {
	return fmt.Sprintf("%v: entry %d: %s", ErrDamaged, w.number, w.why)
}
func (w *wrongLine) Unwrap() error { return ErrDamaged }

// read reads what was added to the log since, and checks that each entry follows the one before. It
// checks no signature but the last: who cannot sign cannot change a line in front of that either. torn is how
// many bytes are behind the last whole line. each, which may be nil, gets every entry.
func (g *log) read(each func(Entry)) (torn int64, err error) {
	f, err := os.Open(logPath(g.home))
	if errors.Is(err, fs.ErrNotExist) && g.offset == 0 {
		return 0, g.missing()
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() < g.offset {
		return 0, errors.Join(err, &wrongLine{g.last.Number, "the log was cut"})
	}
	in := bufio.NewReader(io.NewSectionReader(f, g.offset, 1<<62-g.offset))
	var last line
	for {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			torn = int64(len(text))
			break
		}
		if err != nil {
			return 0, err
		}
		l, err := g.take(text[:len(text)-1])
		if err != nil {
			return 0, err
		}
		if last = l; each != nil {
			each(g.last)
		}
		g.offset += int64(len(text))
	}
	switch {
	case last.Entry != nil && !last.verify(g.key):
		return 0, g.badSignature()
	case g.last.Number == 0:
		return torn, g.missing()
	}
	return torn, nil
}

// missing is the error of a log without an entry beside sessions' files: it was begun before the first of these.
func (g *log) missing() error {
	files, err := os.ReadDir(journal.SealsDir(g.home))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if slices.ContainsFunc(files, func(f fs.DirEntry) bool { return filepath.Ext(f.Name()) == Suffix }) {
		return &wrongLine{1, "the log was removed, and the files of sessions' seals are there"}
	}
	return nil
}

// take adds one line to what is known.
func (g *log) take(text []byte) (line, error) {
	number := g.last.Number + 1
	l, e, err := parseLine(text)
	switch {
	case err != nil:
		return l, &wrongLine{number, err.Error()}
	case e.Number != number:
		return l, &wrongLine{number, fmt.Sprintf("it is entry %d: entries are missing, or were put in", e.Number)}
	case number > 1 && e.Previous != hashOf(g.tip).String():
		return l, &wrongLine{number - 1, "it was changed: the next entry has another hash of it"}
	case e.Records < 0 || e.Bytes < 0:
		return l, &wrongLine{number, errNoEntry.Error()}
	case (number == 1) != (e.Action == Begin):
		return l, &wrongLine{number, "a log begins once"}
	}
	switch e.Action {
	case Begin:
		if g.key, err = parseKey(e.PublicKey); err != nil {
			return l, &wrongLine{number, err.Error()}
		}
	case Seal, Rewrite, Forget:
		g.chains[e.Name] = e
	default:
		return l, &wrongLine{number, fmt.Sprintf("what %q does is not known: a newer version of this program may have written it", e.Action)}
	}
	g.last, g.tip = e, bytes.Clone(text)
	return l, nil
}

// badSignature finds the first line whose signature is wrong.
func (g *log) badSignature() error {
	text, err := os.ReadFile(logPath(g.home))
	if err != nil {
		return err
	}
	number := int64(0)
	for text := range bytes.Lines(text) {
		number++
		if l, _, err := parseLine(bytes.TrimSuffix(text, []byte("\n"))); err != nil || !l.verify(g.key) {
			break
		}
	}
	return &wrongLine{number, "its signature is wrong"}
}

// end is what stores keep of the log.
func (g *log) end() schema.SealHead {
	return schema.SealHead{Number: g.last.Number, Line: string(g.tip)}
}

// lock keeps others who write seals, or verify them, out.
func lock(home string, wait time.Duration) (*connector.Lock, error) {
	l, err := connector.LockHome(home, Lock, wait)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return l, nil
}

// writer is a log that is written. Who has one holds the lock.
type writer struct {
	*log
	journal *journal.Journal
	at      time.Time
	private ed25519.PrivateKey // once it was needed
	lines   []byte             // of entries that are not written yet
	named   bool               // files of leaves got their names, which are not on the disk yet
}

// write opens the log to be written, and begins it where there is none. each, which may be nil, gets
// every entry that was added.
func (g *log) write(j *journal.Journal, at time.Time, each func(Entry)) (*writer, error) {
	torn, err := g.read(each)
	if err == nil && torn > 0 {
		err = os.Truncate(logPath(g.home), g.offset)
	}
	w := &writer{log: g, journal: j, at: at.UTC()}
	if err != nil || g.last.Number > 0 {
		return w, err
	}
	if err := makeDir(journal.SealsDir(g.home)); err != nil {
		return nil, err
	}
	key, err := makeKey(g.home)
	if err != nil {
		return nil, err
	}
	begin := Entry{Action: Begin, Journal: j.ID(), PublicKey: encodeKey(key.Public().(ed25519.PublicKey))}
	if err := w.add(begin); err != nil {
		return nil, err
	}
	return w, w.commit() // in front of the first session's file: see missing
}

func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = os.Chmod(dir, 0o700) // the umask may have taken more than it should
	}
	return err
}

// add signs an entry, to be written by commit.
func (w *writer) add(e Entry) error {
	if err := w.unlock(); err != nil {
		return err
	}
	e.Number, e.Time = w.last.Number+1, w.at
	if w.tip != nil {
		e.Previous = hashOf(w.tip).String()
	}
	text, err := e.sign(w.private)
	if err != nil {
		return err
	}
	if _, err := w.take(text); err != nil {
		return err
	}
	w.lines = append(append(w.lines, text...), '\n')
	return nil
}

// unlock reads the key, which is to be the one that the log was begun with.
func (w *writer) unlock() (err error) {
	if w.private != nil {
		return nil
	}
	key, err := readKey(w.home)
	if errors.Is(err, fs.ErrNotExist) {
		err = errcode.With(errcode.SealKey, fmt.Errorf("%w: restore it from a backup; without it nobody can go on with %s (docs/seal.md)", err, logPath(w.home)))
	}
	if err == nil && w.key != nil && !w.key.Equal(key.Public()) {
		err = errcode.With(errcode.SealKey, fmt.Errorf("%s is not the key that the log of seals was begun with: restore that from a backup", filepath.Join(w.home, KeyFile)))
	}
	if err == nil {
		w.private = key
	}
	return err
}

// commit brings what was added to the disk.
func (w *writer) commit() error {
	if len(w.lines) == 0 {
		return nil
	}
	if w.named {
		if err := syncDir(journal.SealsDir(w.home)); err != nil {
			return err
		}
	}
	path := logPath(w.home)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(w.lines); err != nil {
		err = errors.Join(err, f.Truncate(w.offset)) // a full disk
	} else {
		err = errors.Join(f.Chmod(0o600), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if w.offset == 0 {
		err = errors.Join(syncDir(journal.SealsDir(w.home)), syncDir(w.home))
	}
	w.offset, w.lines = w.offset+int64(len(w.lines)), nil
	return err
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // which has no fsync of a folder
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
