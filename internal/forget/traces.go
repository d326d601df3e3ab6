package forget

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// logs are the files that hooks and daemons write into, line by line, in a home.
func logs() *regexp.Regexp {
	return regexp.MustCompile(`^(hook\.log(\.1)?|ag-sessiond[^/]*\.log(\.[0-9]+)?)$`)
}

// clean blanks the lines of logs, and of what is recorded of no one session, that name a session or a folder: each byte becomes a space, in its
// place. So whoever writes to the log meanwhile is not disturbed, nothing of other lines can
// be lost, and a kill leaves a line half blank, which the next run sees and completes.
func (w *work) clean(home string) error {
	entries, err := os.ReadDir(home)
	if err != nil {
		return err
	}
	patterns := w.patterns()
	var errs []error
	for _, e := range entries {
		if e.Type().IsRegular() && logs().MatchString(e.Name()) {
			errs = append(errs, blank(filepath.Join(home, e.Name()), patterns))
		}
	}
	// What went wrong with files of no one session names their paths; a line of spaces is none.
	errs = append(errs, blank(filepath.Join(journal.Dir(home), schema.Recorder+journal.Suffix), patterns))
	return errors.Join(errs...)
}

// shortID is the length of an id below which it may be a word of any line: it counts only where
// an id or a file's name stands.
const shortID = 8

// patterns are what a line has that names what was forgotten.
func (w *work) patterns() (all [][]byte) {
	for _, id := range w.Sessions {
		if len(id) >= shortID {
			all = append(all, []byte(id))
			continue
		}
		for _, key := range []string{"session_id", "run_id", "session"} { // run_id: of logs before version 1
			all = append(all, []byte(`"`+key+`":"`+id+`"`))
		}
		all = append(all, []byte("session "+id), []byte(id+journal.Suffix))
	}
	for _, dir := range w.Dirs {
		all = append(all, quoted(dir))
		if name := claudeName(dir); len(name) > 4 {
			all = append(all, []byte(name)) // of the folder of its transcripts
		}
	}
	return all
}

// claudeName is what Claude Code calls the folder of a project's transcripts.
func claudeName(dir string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return '-'
	}, dir)
}

// names reports whether a line has what is looked for, not as a part of a longer name.
func names(line, what []byte) bool {
	inName := func(i int) bool {
		if i < 0 || i >= len(line) {
			return false
		}
		c := line[i]
		return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-' || c >= 0x80
	}
	for from := 0; len(what) > 0; {
		i := bytes.Index(line[from:], what)
		if i < 0 {
			return false
		}
		i += from
		if !(inName(i-1) && inName(i)) && !inName(i+len(what)) {
			return true
		}
		from = i + 1
	}
	return false
}

// blank overwrites lines of a file with spaces.
func blank(path string, patterns [][]byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was rotated away meanwhile, under a name that is looked at, too
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(f) // logs are bounded
	if err != nil {
		return err
	}
	changed := false
	var at int64
	for line := range bytes.Lines(text) {
		body := bytes.TrimRight(line, "\r\n")
		for _, p := range patterns {
			if !names(body, p) {
				continue
			}
			if _, err := f.WriteAt(bytes.Repeat([]byte{' '}, len(body)), at); err != nil {
				return err
			}
			changed = true
			break
		}
		at += int64(len(line))
	}
	if !changed {
		return nil
	}
	return f.Sync()
}

// dropPositions removes what the journal knows of files of other programs (package source) that
// are in the project, or that are a session which was forgotten: their paths, and up to where they
// were read. They may be read again by that, of which nothing is recorded, but what
// belongs to sessions that stay: of that each fact is the one that is there already.
func (w *work) dropPositions(j *journal.Journal) error {
	ids, err := j.Positions()
	if err != nil || len(ids) == 0 {
		return err
	}
	var in *policy.Policy
	if w.Project != "" {
		if in, _, err = folder(w.Project); err != nil {
			return err
		}
	}
	forgotten, err := j.AllForgotten()
	if err != nil {
		return err
	}
	for _, id := range ids {
		gone, err := w.tells(j, id, in, forgotten)
		if err == nil && gone {
			err = j.DiscardPositions(id)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// tells reports whether a file of positions has one that is to go.
func (w *work) tells(j *journal.Journal, id string, in *policy.Policy, forgotten func(string) bool) (bool, error) {
	for line, err := range j.Records(id) {
		if err != nil {
			return false, err
		}
		about := schema.Field(line, "metadata")
		if session := schema.FieldString(about, "session"); session != "" && forgotten(session) {
			return true, nil
		}
		path := schema.FieldString(about, schema.MetaSource)
		if in != nil && path != "" && in.Project(path) != 0 {
			return true, nil
		}
		for _, dir := range w.Dirs {
			if path != "" && holds(dir, path) {
				return true, nil
			}
		}
	}
	return false, nil
}
