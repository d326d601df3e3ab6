package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/redact"
)

// What a policy leaves out is counted, so that nobody wonders: a session is a file in
// <home>/left_out, by a keyed hash of its id. It holds 8 bytes that name the rule which left
// the whole session out, zeros where the session has a journal and only a part is left out,
// and 8 more for each event, of a keyed hash of its id: one that is read again is the same.

// maxLeftOut is how long such a file gets: a transcript that is read again and again must
// not fill the disk.
const maxLeftOut = 1 << 20

// noSession is where adapters file what names no session. It is nobody's: that one of its
// events is left out says nothing of the others.
const noSession = "unknown"

// Redactor returns the way into the journal: a Redactor with the capture policy of the home, as
// it is at each event. project is where the runtime says that the session's project is, "" where
// nobody does.
func (j *Journal) Redactor(project string) *redact.Redactor {
	return redact.New(redact.Options{Policy: j.policyFile().Policy, Key: j.key, Project: project})
}

// CapturePolicy returns the capture policy in force; nil is one that keeps everything.
func (j *Journal) CapturePolicy() *policy.Policy { return j.policyFile().Policy() }

// Policy says how the compiled policy of the home is.
func (j *Journal) Policy() policy.State { return j.policyFile().State() }

func (j *Journal) policyFile() *policy.File {
	j.policyOnce.Do(func() { j.policy = policy.Open(j.home) })
	return j.policy
}

// LeftOutDir is the directory of what is counted, below a home.
func LeftOutDir(home string) string { return filepath.Join(home, "left_out") }

func (j *Journal) leftOutPath(session string) string {
	return filepath.Join(LeftOutDir(j.home), hex.EncodeToString(j.hash("session", session)[:16]))
}

func (j *Journal) hash(kind, id string) []byte {
	mac := hmac.New(sha256.New, j.key)
	mac.Write([]byte("left out " + kind + ":" + id))
	return mac.Sum(nil)
}

// leave counts an event that is left out.
func (j *Journal) leave(out redact.LeftOut) error {
	path, err := j.path(out.Session)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil || out.Session == noSession || j.has(out.Session) {
		out.Rule = 0
	}
	record := j.hash("event", out.Event)[:8]
	path = j.leftOutPath(out.Session)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = j.createLeftOut(path)
		record = append(binary.BigEndian.AppendUint64(nil, out.Rule), record...)
	}
	if err != nil {
		return wrap(err)
	}
	if info, statErr := f.Stat(); statErr == nil && info.Size() < maxLeftOut {
		_, err = j.write(f, record)
	}
	return wrap(errors.Join(err, f.Close()))
}

// createLeftOut makes a session's file. Of two processes that do so at once both write a
// head: the second is read for an event, one too many.
func (j *Journal) createLeftOut(path string) (*os.File, error) {
	for range 2 {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
		if !errors.Is(err, fs.ErrNotExist) {
			if err == nil {
				err = chmod(f)
			}
			return f, err
		}
		if err := j.makeDirs(); err != nil {
			return nil, err
		}
		if err := makeDir(LeftOutDir(j.home)); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("left_out: appears and disappears")
}

// StaysOut reports whether nothing of a session is recorded, whatever is appended: it was
// forgotten, or left out whole, and has no file.
func (j *Journal) StaysOut(session string) bool {
	if j.Forgotten(session) {
		return true
	}
	if _, err := j.Stat(session); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, out := j.staysOut(session)
	return out
}

// staysOut returns the rule by which a session was left out whole, where it is still one: what
// a session says that has wandered out of an excluded folder is not kept.
func (j *Journal) staysOut(session string) (rule uint64, ok bool) {
	p := j.policyFile().Policy()
	if len(p.Rules().ExcludeProjects) == 0 {
		return 0, false
	}
	f, err := os.Open(j.leftOutPath(session))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var head [8]byte
	if _, err := f.Read(head[:]); err != nil {
		return 0, false
	}
	rule = binary.BigEndian.Uint64(head[:])
	return rule, rule != 0 && p.HasProject(rule)
}

// LeftOut counts what was left out so far.
type LeftOut struct {
	Sessions int   `json:"sessions"` // left out whole
	Parts    int   `json:"parts"`    // of which a part was left out
	Events   int64 `json:"events"`   // of both
}

// ReadLeftOut returns how much was left out of a home's journal by its policies.
func ReadLeftOut(home string) (n LeftOut, err error) {
	entries, err := readDir(LeftOutDir(home))
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(LeftOutDir(home), e.Name()))
		if err != nil || len(b) < 8 {
			continue
		}
		if binary.BigEndian.Uint64(b) == 0 {
			n.Parts++
		} else {
			n.Sessions++
		}
		seen := map[[8]byte]bool{}
		for b = b[8:]; len(b) >= 8; b = b[8:] {
			seen[[8]byte(b)] = true
		}
		n.Events += int64(len(seen))
	}
	return n, wrap(err)
}
