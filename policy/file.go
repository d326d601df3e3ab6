package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/internal/replace"
)

const (
	// FileName is the compiled policy, below a home: a line that says what it is, its
	// version and the SHA-256 of the rest, and a line of JSON.
	FileName = "policy"
	// Version is of that format. A newer one is not guessed at.
	Version = 1

	configName = "config.toml" // what it is compiled from: package config reads it
	magic      = "actiongraph policy"
)

// Stamp tells one state of config.toml from another.
type Stamp struct {
	ModTime int64  `json:"mtime_ns"`
	Size    int64  `json:"size"`
	Sum     string `json:"sha256"`
}

type compiled struct {
	From  Stamp `json:"from"`
	Rules Rules `json:"rules"`
}

// State is how the compiled policy of a home is.
type State struct {
	// Compiled says that there is one.
	Compiled bool
	// Stale says that config.toml is not what it was compiled from.
	Stale bool
	// Gone says that config.toml cannot be found, and that what is in force was compiled
	// from it when it could: that nobody can read what to leave out is no word for keeping it.
	Gone bool
	// Err is why it cannot be used: then Private is in force.
	Err error
	// From is what it was compiled from.
	From Stamp
}

// Problem says what is wrong, "" where nothing is, and what a person does about it.
func (s State) Problem() (problem, cure string) {
	const run = "run `ag-sessiond status`, which takes the file over and says what is wrong with it"
	if s.Gone {
		cure = "put " + configName + " back, or set anew what is kept: `ag-sessiond config set capture.content full` keeps everything again"
		if s.Err == nil {
			return configName + " is gone: recorded by the policy that was compiled from it", cure
		}
	} else {
		cure = run
	}
	switch {
	case s.Err != nil:
		return "the capture policy cannot be read, so nothing of any text is recorded (content = none): " + s.Err.Error(), cure
	case s.Stale:
		return configName + " has changed and is not in force yet: recorded by the policy before", cure
	}
	return "", ""
}

// Load reads the compiled policy of a home; nil is one that keeps everything. It reads
// config.toml only where none was ever compiled: one that says something of capture must
// not be taken for one that says nothing.
func Load(home string) (*Policy, State) {
	var s State
	text, err := os.ReadFile(filepath.Join(home, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		text, err := os.ReadFile(filepath.Join(home, configName))
		if errors.Is(err, fs.ErrNotExist) && !isLink(filepath.Join(home, configName)) {
			return nil, s
		}
		s.Stale = true
		if err != nil || bytes.Contains(text, []byte("capture")) || bytes.Contains(text, []byte("redact")) {
			s.Err = errors.New("it was never compiled from " + configName)
			return Private(), s
		}
		return nil, s
	}
	info, statErr := os.Stat(filepath.Join(home, configName))
	s.Gone = errors.Is(statErr, fs.ErrNotExist)
	var c compiled
	var p *Policy
	if err == nil {
		err = c.parse(text)
	}
	if err == nil {
		p, err = New(c.Rules)
	}
	if err != nil {
		s.Err = err
		return Private(), s
	}
	s.Compiled, s.From = true, c.From
	s.Stale = statErr != nil || info.Size() != c.From.Size || info.ModTime().UnixNano() != c.From.ModTime
	if p.rules.Zero() {
		p = nil
	}
	return p, s
}

// isLink tells a link that leads nowhere, such as one to dotfiles on a disk that is away,
// from a file that is not there.
func isLink(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (c *compiled) parse(text []byte) error {
	head, body, _ := bytes.Cut(text, []byte("\n"))
	var version int
	var sum string
	if n, _ := fmt.Sscanf(string(head), magic+" %d %64s", &version, &sum); n < 1 {
		return errors.New(FileName + " is no compiled policy")
	}
	if version > Version {
		return fmt.Errorf("%s is of version %d, this program knows %d: use the newer one", FileName, version, Version)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(body)); version != Version || sum != want {
		return errors.New(FileName + " is damaged")
	}
	if err := json.Unmarshal(body, c); err != nil {
		return fmt.Errorf("%s: %w", FileName, err)
	}
	return nil
}

// Write makes rules the compiled policy of a home, whole or not at all.
func Write(home string, r Rules, from Stamp) error {
	if _, err := New(r); err != nil {
		return err
	}
	body, err := json.Marshal(compiled{from, r})
	if err != nil {
		return err
	}
	body = append(body, '\n')
	text := fmt.Appendf(nil, "%s %d %x\n%s", magic, Version, sha256.Sum256(body), body)
	if err := replace.File(filepath.Join(home, FileName), FileName+".*.tmp", replace.Text(text), nil); err != nil {
		return fmt.Errorf("write the policy: %w", err)
	}
	return nil
}

// Remove takes the compiled policy away: it keeps everything, and there is no config.toml.
func Remove(home string) error {
	if err := os.Remove(filepath.Join(home, FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the policy: %w", err)
	}
	return nil
}

// File is the compiled policy of a home for who lives long: it is read again when it
// changes. It is safe for concurrent use.
type File struct {
	home string

	mu     sync.Mutex
	looked time.Time
	was    os.FileInfo // nil: no file
	policy *Policy
	state  State
}

// lookEvery is how often the file is looked at: a change is in force that long after.
const lookEvery = 500 * time.Millisecond

// Open reads the compiled policy of a home.
func Open(home string) *File {
	f := &File{home: home}
	f.look()
	return f
}

// Policy returns the policy in force; nil is one that keeps everything.
func (f *File) Policy() *Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) > lookEvery {
		f.again()
	}
	return f.policy
}

// State says how the file was when it was read last.
func (f *File) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// again reads the file where it is another one than before. Without one config.toml
// decides, which may appear.
func (f *File) again() {
	info, err := os.Stat(filepath.Join(f.home, FileName))
	if err == nil && f.was != nil && os.SameFile(info, f.was) && info.Size() == f.was.Size() && info.ModTime().Equal(f.was.ModTime()) {
		f.looked = time.Now()
		return
	}
	f.look()
}

func (f *File) look() {
	f.was, _ = os.Stat(filepath.Join(f.home, FileName))
	f.policy, f.state = Load(f.home)
	f.looked = time.Now()
}
