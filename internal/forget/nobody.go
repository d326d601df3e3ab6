package forget

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// nobody is where adapters file events that name no session. They are of many, so that each goes by
// itself, by where and when it was, and no tombstone stays: others will come.
const nobody = "unknown"

// nobodys says which of them go: those for which all holds that is set.
type nobodys struct {
	Project string    `json:"project,omitempty"`
	Before  time.Time `json:"before,omitzero"`

	in      func(dir string) bool
	needles [][]byte
}

// nobodysGo reports whether a Filter chooses of what names no session. Nobody gives that tags.
func (s *search) nobodysGo() bool {
	return s.Tag == "" && (len(s.Sessions) == 0 || slices.Contains(s.Sessions, nobody))
}

// lookAtNobody adds what is chosen of nobody's events, as one session of that name.
func (s *search) lookAtNobody(file journal.File, found *Found) error {
	if !s.nobodysGo() && len(s.needles) == 0 {
		return nil
	}
	l := looked{Session: Session{SessionID: nobody}, folder: map[string]bool{}, tagged: map[string]tagged{}}
	var all search // each line counts that is chosen
	beside := int64(0)
	for line, err := range s.journal.Records(file.Session) {
		if err != nil {
			return err
		}
		switch {
		case s.nobodysGo() && s.nobodys.has(line):
			l.add(&all, line)
			l.Bytes += int64(len(line))
		case s.nobodys.names(line):
			beside++
		}
	}
	if beside > 0 {
		found.Beside = append(found.Beside, Beside{nobody, beside})
	}
	if l.Events > 0 {
		found.Sessions = append(found.Sessions, l.session())
		found.nobodys = &s.nobodys
	}
	return nil
}

// has reports whether a line goes, one that is torn too.
func (n *nobodys) has(line []byte) bool {
	if !n.Before.IsZero() {
		at, err := time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp"))
		if err != nil || !at.Before(n.Before) {
			return false
		}
	}
	return n.Project == "" || n.in(schema.FieldString(line, "working_directory")) || n.names(line)
}

func (n *nobodys) names(line []byte) bool {
	return slices.ContainsFunc(n.needles, func(needle []byte) bool { return names(line, needle) })
}

// drop takes them out of the journal, as they are told by what was written down.
func (n *nobodys) drop(j *journal.Journal) error {
	if n == nil {
		return nil
	}
	if n.Project != "" {
		project, needles, err := folder(n.Project)
		if err != nil {
			return err
		}
		n.in, n.needles = (&search{project: project}).isIn, needles
	}
	change := func(line []byte) []byte {
		if len(bytes.TrimSpace(line)) == 0 || n.has(line) {
			return nil
		}
		return line
	}
	_, err := j.Rewrite(nobody, change)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}
