package journal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// Position is a place in one session's file; see schema.Position.
type Position = schema.Position

// MaxLine is the longest record, in bytes, that Append writes and a Cursor
// returns. It bounds what a file of garbage without a newline makes a reader hold.
const MaxLine = 128 << 20

const (
	dirMode  = 0o700
	fileMode = 0o600
	idBytes  = 16
	keyBytes = 32
)

// Journal is one home directory's journal. Its methods may be called from many
// goroutines, and many processes may have the same home open.
type Journal struct {
	home string
	id   string
	key  []byte

	maxLine int
	write   func(f *os.File, p []byte) (int, error) // one write(2); tests make it fall short
	buffers sync.Pool                               // of *[maxWrite]byte, for Append
	cursors sync.Pool                               // of *[maxBuffer]byte, for Cursors

	policyOnce sync.Once
	policy     *policy.File // see policyFile

	codec Codec // nil: packed sessions cannot be read

	dirSync shared // the fsync of the directory of the sessions' files

	mu        sync.Mutex
	synced    map[string]bool      // sessions whose directory entry is on disk; "" stands for the home itself
	fileSyncs map[string]*fileSync // of the sessions that a Sync is at
	packed    map[string]packedFile
}

// DefaultHome returns $AG_HOME, else ~/.actiongraph, else "" where the user has no
// home directory.
func DefaultHome() string {
	if home := os.Getenv("AG_HOME"); home != "" {
		return home
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, ".actiongraph")
}

// Open opens the journal of home, which it creates with its id and key where they
// are not there yet: any number of processes may do so at once and agree. On a
// home that exists it only reads two small files.
func Open(home string) (*Journal, error) {
	if home == "" {
		return nil, errors.New("journal: no home directory: set AG_HOME to a directory on a local disk")
	}
	j := &Journal{home: home, maxLine: MaxLine, write: writeOnce, synced: map[string]bool{}, fileSyncs: map[string]*fileSync{},
		packed: map[string]packedFile{}}
	err := j.readIdentity()
	if errors.Is(err, errNoIdentity) {
		err = j.create()
	}
	if err != nil {
		return nil, fmt.Errorf("journal: cannot use the home directory %s: %w (make it writable, or set AG_HOME to another place)", home, err)
	}
	return j, nil
}

// Home returns the home directory.
func (j *Journal) Home() string { return j.home }

// ID returns the journal's random id, 32 hexadecimal digits: what tells this
// machine's journal from every other one in a shared store.
func (j *Journal) ID() string { return j.id }

// Key returns the 32 bytes that key the hashes of inputs, so that a hash in a
// store does not give away a short or guessable input.
func (j *Journal) Key() []byte { return j.key }

// errNoIdentity says that an id or key file is absent or, after a power failure,
// empty: both are made anew.
var errNoIdentity = errors.New("no valid id")

func (j *Journal) readIdentity() error {
	id, err := readHex(filepath.Join(j.home, "id"), idBytes)
	if err != nil {
		return err
	}
	key, err := readHex(filepath.Join(j.home, "key"), keyBytes)
	if err != nil {
		return err
	}
	j.id, j.key = hex.EncodeToString(id), key
	return nil
}

func (j *Journal) create() error {
	if err := j.makeDirs(); err != nil {
		return err
	}
	if err := createHex(filepath.Join(j.home, "id"), idBytes); err != nil {
		return err
	}
	if err := createHex(filepath.Join(j.home, "key"), keyBytes); err != nil {
		return err
	}
	return j.readIdentity()
}

func (j *Journal) makeDirs() error {
	if err := os.MkdirAll(filepath.Dir(j.home), dirMode); err != nil {
		return err
	}
	if err := makeDir(j.home); err != nil {
		return err
	}
	return makeDir(j.dir())
}

// Suffix ends the name of the file of a session that writers append to.
const Suffix = ".jsonl"

// Dir returns the directory of the sessions' files below a home.
func Dir(home string) string { return filepath.Join(home, "journal") }

func (j *Journal) dir() string { return Dir(j.home) }

// path returns the file of a session. Session ids come from payloads: what is not
// an id of the protocol never becomes a path.
func (j *Journal) path(session string) (string, error) {
	if !schema.ValidID(session) {
		return "", fmt.Errorf("journal: session id %q does not match %s", session, schema.IDPattern)
	}
	return filepath.Join(j.dir(), session+Suffix), nil
}

// makeDir makes dir for its owner alone, whatever the umask. A directory that is
// there keeps the mode its owner gave it.
func makeDir(dir string) error {
	err := os.Mkdir(dir, dirMode)
	if err == nil {
		return os.Chmod(dir, dirMode)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, statErr := os.Stat(dir)
	if statErr == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file, not a directory", dir)
	}
	return statErr
}

func readHex(path string, n int) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoIdentity
	}
	if err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != n {
		return nil, fmt.Errorf("%w: %s", errNoIdentity, path)
	}
	return b, nil
}

// createHex makes sure that path holds n random bytes in hexadecimal. The file
// appears whole, by link(2), or not at all: with O_EXCL and a write a second
// process would read the empty file in between and stamp its events with nothing.
func createHex(path string, n int) error {
	_, err := readHex(path, n)
	if !errors.Is(err, errNoIdentity) {
		return err
	}
	b := make([]byte, n)
	rand.Read(b) // never fails: it ends the program instead
	text := hex.EncodeToString(b)
	tmp := path + "." + text[:16] + ".tmp"
	if err := writeFile(tmp, text+"\n"); err != nil {
		return err
	}
	defer os.Remove(tmp)
	err = os.Link(tmp, path)
	if err == nil {
		return nil
	}
	if _, err := readHex(path, n); err == nil {
		return nil // another process was first
	}
	// What is there is what a power failure left, or the file system has no hard
	// links: put ours in its place.
	return os.Rename(tmp, path)
}

func writeFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, chmod(f), f.Close())
}
