package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// The names of the files that a session may have; see Packing in the package's comment. Their
// order is that of the kinds.
const (
	packedSuffix  = Suffix + ".zst"
	packingSuffix = Suffix + ".packing"
	renewedSuffix = packedSuffix + ".new"
	tmpSuffix     = packedSuffix + ".tmp" // what is in it is nobody's yet
)

const (
	plain   = iota // what writers append to
	packed         // what was packed before that
	packing        // a plain one, put aside to be packed
	renewed        // holds what packed and packing hold, and will be packed
	numKinds
)

// kindSuffixes end the names of the files that hold sessions.
func kindSuffixes() []string { return []string{Suffix, packedSuffix, packingSuffix, renewedSuffix} }

// SessionOf returns the session that a file in the journal's directory holds, or a part of
// it; ok is false of any other file.
func SessionOf(name string) (session string, ok bool) {
	session, _, ok = kindOf(name)
	return session, ok
}

func kindOf(name string) (session string, kind int, ok bool) {
	session, suffix, _ := strings.Cut(name, ".") // no id has a dot
	for kind, s := range kindSuffixes() {
		if "."+suffix == s && schema.ValidID(session) {
			return session, kind, true
		}
	}
	return "", 0, false
}

// named returns the path of another kind of file of the session whose plain one is at path.
func named(path, suffix string) string { return strings.TrimSuffix(path, Suffix) + suffix }

// layers are the files of one session, by kind; nil is one that is not there.
type layers [numKinds]fs.FileInfo

// order returns the kinds that, one behind the other, are all that the session holds.
func (l layers) order() (kinds []int) {
	all := []int{packed, packing, plain}
	if l[renewed] != nil {
		all = []int{renewed, plain}
	}
	for _, kind := range all {
		if l[kind] != nil {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// pieced reports whether there is more than the plain file.
func (l layers) pieced() bool { return l[packed] != nil || l[packing] != nil || l[renewed] != nil }

func (l layers) same(o layers) bool {
	for kind := range l {
		if (l[kind] == nil) != (o[kind] == nil) || l[kind] != nil && !os.SameFile(l[kind], o[kind]) {
			return false
		}
	}
	return true
}

// modTime is when the session was last written to. Packing keeps that time.
func (l layers) modTime() (last time.Time) {
	for _, kind := range l.order() {
		if t := l[kind].ModTime(); t.After(last) {
			last = t
		}
	}
	return last
}

// bytes are what the files take.
func (l layers) bytes() (sum int64) {
	for _, info := range l {
		if info != nil {
			sum += info.Size()
		}
	}
	return sum
}

// look describes the files of a session as they are at one moment. A link is what it points at.
func look(path string) (l layers, err error) {
	if l, err = glance(path); err != nil || l[plain] != nil && !l.pieced() {
		return l, err // the one file of most sessions was all of them
	}
	// One file may have become another between two glances at files.
	for range patience {
		before := l
		if l, err = glance(path); err != nil || l.same(before) {
			return l, err
		}
	}
	return l, errBusy(path)
}

// patience is how often somebody looks who finds that files are renamed meanwhile.
const patience = 100

func errBusy(path string) error {
	return fmt.Errorf("%s is renamed again and again: is another program at it?", path)
}

func glance(path string) (l layers, err error) {
	for kind, suffix := range kindSuffixes() {
		info, err := os.Stat(named(path, suffix))
		switch {
		case err == nil:
			l[kind] = info
		case !errors.Is(err, fs.ErrNotExist):
			return l, err
		}
	}
	return l, nil
}

// has reports whether a session has any file.
func (j *Journal) has(session string) bool {
	path, err := j.path(session)
	if err != nil {
		return false
	}
	l, err := look(path)
	return err == nil && len(l.order()) > 0
}

func notThere(path string) error { return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist} }
