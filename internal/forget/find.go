package forget

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// Filter says which sessions are to be forgotten: those of which all holds that is set. The zero
// Filter chooses none.
type Filter struct {
	// Sessions are ids. One that the journal has no file of is chosen all the same: a store may
	// have it.
	Sessions []string
	// Project is a folder; where it leads by links is meant, too, and what is below. A session is in
	// it that ran there, with any of its events. The folder need not be there any more.
	Project string
	// Before: nothing of the session, but for tags, is as new as that.
	Before time.Time
	// Tag is one that the session has.
	Tag string
	// KeepTags are tags; a session that has one of them is not chosen.
	KeepTags []string
	// WithForks chooses the forks of what is chosen, too, and theirs. Else they keep what they share.
	WithForks bool
}

func (f Filter) zero() bool {
	return len(f.Sessions) == 0 && f.Project == "" && f.Before.IsZero() && f.Tag == ""
}

// Session is one that is to be forgotten.
type Session struct {
	SessionID string `json:"session_id"`
	// Dirs are the folders that it ran in.
	Dirs    []string  `json:"directories"`
	FirstAt time.Time `json:"first_event_at,omitzero"`
	LastAt  time.Time `json:"last_event_at,omitzero"`
	Events  int64     `json:"events"` // lines of its journal
	Bytes   int64     `json:"bytes"`
	Tags    []string  `json:"tags,omitempty"`
	// Running says that it has not ended, and that something of it was recorded just now.
	Running bool `json:"running"`
}

// Found is what a Filter chooses.
type Found struct {
	Sessions []Session `json:"sessions"` // the oldest first
	// Beside are sessions that ran elsewhere and only name something below Filter.Project: they
	// are not chosen.
	Beside []Beside `json:"beside"`
	// Forks are those of these sessions that stay. What they share with them becomes their own.
	Forks []Fork `json:"forks"`
	// Kept counts the sessions that a tag of Filter.KeepTags keeps.
	Kept int `json:"kept"`
	// Dirs are folders in which these sessions ran, and no other did: afterwards nothing in the
	// home is to name them.
	Dirs []string `json:"directories"`

	project string
	nobodys *nobodys // where nobody is one of the sessions
}

// Beside is a session that names something below a folder in which it did not run.
type Beside struct {
	SessionID string `json:"session_id"`
	Lines     int64  `json:"lines"` // of its journal that do
}

// Bytes is how much of the journal is to go.
func (f *Found) Bytes() (n int64) {
	for _, s := range f.Sessions {
		n += s.Bytes
	}
	return n
}

// Events is how many events.
func (f *Found) Events() (n int64) {
	for _, s := range f.Sessions {
		n += s.Events
	}
	return n
}

// runningFor is how long after its last event a session without an end is said to run.
const runningFor = 15 * time.Minute

// Find chooses sessions by what the journal says of them. It reads the whole journal, but what is
// newer than Filter.Before only until that is seen.
func Find(ctx context.Context, j *journal.Journal, f Filter, now time.Time) (found Found, err error) {
	found = Found{Sessions: []Session{}, Beside: []Beside{}, Forks: []Fork{}, Dirs: []string{}}
	if f.zero() {
		return found, nil
	}
	s := search{Filter: f, journal: j}
	if f.Project != "" {
		if s.project, s.needles, err = folder(f.Project); err != nil {
			return found, err
		}
		if found.project, err = filepath.Abs(f.Project); err != nil { // who resumes runs elsewhere
			return found, err
		}
	}
	s.nobodys = nobodys{Project: found.project, Before: f.Before, in: s.isIn, needles: s.needles}
	for i, id := range f.Sessions {
		if !schema.ValidID(id) || schema.NoSession(id) {
			return found, fmt.Errorf("session %q: %q is no session's id", f.Sessions[i], id)
		}
	}
	files, err := j.Files()
	if err != nil {
		return found, err
	}
	others, errs := s.choose(ctx, files, now, &found)
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	for _, id := range f.Sessions { // of a store alone
		known := slices.ContainsFunc(files, func(file journal.File) bool { return file.Session == id })
		if !known && id != nobody && s.byID() {
			found.Sessions = append(found.Sessions, Session{SessionID: id, Dirs: []string{}})
		}
	}
	if others, err = s.findForks(ctx, others, &found); err != nil {
		errs = append(errs, err)
	}
	slices.SortStableFunc(found.Sessions, func(a, b Session) int { return a.LastAt.Compare(b.LastAt) })
	if len(found.Sessions) > 0 {
		found.Dirs, err = s.dirs(ctx, found.Sessions, others)
	}
	return found, errors.Join(append(errs, err)...)
}

// ids are those of the sessions.
func (f *Found) ids() (ids []string) {
	for _, s := range f.Sessions {
		if s.SessionID != nobody {
			ids = append(ids, s.SessionID)
		}
	}
	return ids
}

// byID reports whether sessions are chosen by their ids alone, whatever is in them.
func (f Filter) byID() bool {
	return len(f.Sessions) > 0 && f.Project == "" && f.Before.IsZero() && f.Tag == ""
}

// choose looks at sessions, and adds what is chosen to found. It returns those that are not, and
// why some could not be looked at.
func (s *search) choose(ctx context.Context, files []journal.File, now time.Time, found *Found) (others []journal.File, errs []error) {
	for _, file := range files {
		if ctx.Err() != nil {
			break
		}
		if file.Session == nobody {
			others = append(others, file) // what of it stays
			err := s.lookAtNobody(file, found)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("session %s: %w", nobody, err))
			}
			continue
		}
		l, err := s.look(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil && s.byID() && len(s.KeepTags) == 0 && slices.Contains(s.Sessions, file.Session) {
			l.chosen, err = true, nil // what is damaged can be forgotten, too
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("session %s: %w", file.Session, err))
		}
		switch {
		case l.chosen && l.keeps(s.KeepTags):
			found.Kept++
			others = append(others, file)
		case l.chosen:
			l.Running = !l.ended && now.Sub(l.LastAt) < runningFor
			found.Sessions = append(found.Sessions, l.session())
		default:
			if others = append(others, file); l.named > 0 && !l.in {
				found.Beside = append(found.Beside, Beside{file.Session, l.named})
			}
		}
	}
	return others, errs
}

// folder returns what tells whether a folder is dir or below it, and how the two are written in JSON.
func folder(dir string) (*policy.Policy, [][]byte, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	p, paths, err := config.Folder(whole)
	if err != nil {
		return nil, nil, err
	}
	var needles [][]byte
	for _, path := range paths {
		needles = append(needles, quoted(path))
	}
	return p, needles, nil
}

// quoted is a text as it stands within a JSON string.
func quoted(text string) []byte {
	b := schema.AppendString(nil, text)
	return b[1 : len(b)-1]
}

// search is one Find.
type search struct {
	Filter
	journal *journal.Journal
	project *policy.Policy
	needles [][]byte // how the project is written
	nobodys nobodys
}

// looked is what is known of a session.
type looked struct {
	Session
	chosen bool
	ended  bool
	endAt  time.Time
	in     bool  // it ran in the project
	named  int64 // lines that name the project
	folder map[string]bool
	tagged map[string]tagged
}

type tagged struct {
	at time.Time
	on bool
}

// look reads a session as far as it takes to know whether it is chosen.
func (s *search) look(file journal.File) (l looked, err error) {
	l = looked{Session: Session{SessionID: file.Session, Bytes: file.Size}, folder: map[string]bool{}, tagged: map[string]tagged{}}
	if len(s.Sessions) > 0 && !slices.Contains(s.Sessions, file.Session) {
		return l, nil
	}
	for line, err := range s.journal.Records(file.Session) {
		if err != nil {
			return l, err // of what is damaged nobody knows how new it is
		}
		if !l.add(s, line) {
			return l, nil
		}
	}
	if l.LastAt.IsZero() { // nothing of it is whole
		if l.FirstAt, l.LastAt = file.ModTime, file.ModTime; !s.Before.IsZero() && !l.LastAt.Before(s.Before) {
			return l, nil
		}
	}
	l.chosen = (s.Project == "" || l.in) && (s.Tag == "" || l.tagged[s.Tag].on)
	return l, nil
}

// add takes in one line; false says that the session is not chosen, whatever follows.
func (l *looked) add(s *search, line []byte) bool {
	l.Events++
	kind := schema.Type(schema.FieldString(line, "event_type"))
	at, err := time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp"))
	// The time of a position is a file's; a tag, or what went wrong in recording, is no sign of life.
	ofRecorder := kind == schema.Error && schema.FieldString(line, "source_sdk") == schema.Recorder
	if err == nil && kind != schema.SourcePosition && kind != schema.Tag && !ofRecorder {
		if !s.Before.IsZero() && !at.Before(s.Before) {
			return false
		}
		if l.FirstAt.IsZero() || at.Before(l.FirstAt) {
			l.FirstAt = at
		}
		if at.After(l.LastAt) {
			l.LastAt = at
		}
	}
	switch {
	case kind == schema.Tag:
		l.tag(line, at)
	case kind == schema.SessionEnd && !at.Before(l.endAt):
		l.ended, l.endAt = true, at
	case kind != schema.SourcePosition && at.After(l.endAt):
		l.ended, l.endAt = false, at
	}
	if dir := schema.FieldString(line, "working_directory"); dir != "" && !l.folder[dir] {
		l.folder[dir] = true
		l.in = l.in || s.isIn(dir)
	}
	if slices.ContainsFunc(s.needles, func(n []byte) bool { return names(line, n) }) {
		l.named++
	}
	return true
}

// isIn reports whether a folder that a session ran in is in the project, or leads there.
func (s *search) isIn(dir string) bool {
	if s.project == nil {
		return false
	}
	if s.project.Project(dir) != 0 {
		return true
	}
	real, err := filepath.EvalSymlinks(dir)
	return err == nil && s.project.Project(real) != 0
}

// tag notes what a tag event says: of each tag the latest stands.
func (l *looked) tag(line []byte, at time.Time) {
	e, err := schema.Decode(line)
	if err != nil {
		return
	}
	for _, name := range e.Tags {
		if now := l.tagged[name]; !at.Before(now.at) {
			l.tagged[name] = tagged{at, e.Status != "removed"}
		}
	}
}

func (l *looked) keeps(tags []string) bool {
	return slices.ContainsFunc(tags, func(tag string) bool { return l.tagged[tag].on })
}

func (l *looked) session() Session {
	s := l.Session
	s.Dirs = []string{}
	for dir := range l.folder {
		s.Dirs = append(s.Dirs, dir)
	}
	for name, t := range l.tagged {
		if t.on {
			s.Tags = append(s.Tags, name)
		}
	}
	slices.Sort(s.Dirs)
	slices.Sort(s.Tags)
	return s
}
