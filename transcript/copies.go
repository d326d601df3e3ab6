package transcript

import (
	"cmp"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// family is what the lines of a file may be copies of: who had them first, by the names
// that a copy keeps. It has an entry of 32 bytes a name, as a file may have a million lines.
type family struct {
	files    []relative
	sessions []string
	had      map[uint64]had    // by the hash of a name
	events   map[uint64]string // of answers and results: the event id of the last line
	tellers  []string          // the files that had lines first which are here under other uuids or times
}

// had says who had a line first.
type had struct {
	at, last      int64 // when it was written, ns; of an answer its first and its last line
	file, session int32 // indexes of family's
}

// The names of a line, before their kinds.
const (
	byUUID    = 'u'
	byMessage = 'm'
	byResult  = 'r'
	byPrompt  = 'p' // its text, of a copy that is not all there
)

func nameHash(kind byte, name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte{kind})
	io.WriteString(h, name)
	return h.Sum64()
}

// newFamily returns the family of a file without relatives.
func newFamily(path, session string, h head) *family {
	return &family{files: []relative{{path, h}}, sessions: []string{session}, had: map[uint64]had{}, events: map[uint64]string{}}
}

func (f *family) sessionOf(name string) int32 {
	k := slices.Index(f.sessions, name)
	if k < 0 {
		k = len(f.sessions)
		f.sessions = append(f.sessions, name)
	}
	return int32(k)
}

// before reports whether a had a line before b. A copy that kept its time is in a file that
// begins later, or that has the shape of a copy: it leaves out what is between the lines.
func (f *family) before(a, b had) bool {
	x, y := f.files[a.file], f.files[b.file]
	shape := func(bare bool) int {
		if bare {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.at, b.at), x.start.Compare(y.start), shape(x.bare)-shape(y.bare),
		strings.Compare(f.sessions[a.session], f.sessions[b.session])) < 0
}

// add takes the lines of another file.
func (f *family) add(other relative) error {
	file, _, err := lines.Open(other.path)
	if err != nil {
		return err
	}
	defer file.Close()
	f.files = append(f.files, other)
	return f.lines(lines.Peek(file), int32(len(f.files)-1))
}

// lines takes lines of one of its files.
func (f *family) lines(l *lines.Reader, file int32) error {
	session, said, self := int32(-1), "", named(f.files[file].path)
	return eachNamed(l, func(_ int64, names claude.LineNames) bool {
		if of := cmp.Or(names.Session, self); session < 0 || of != said {
			session, said = f.sessionOf(of), of
		}
		at := names.Time.UnixNano()
		h := had{at, at, file, session}
		f.note(nameHash(byUUID, names.UUID), h)
		if names.Message != "" {
			if name := nameHash(byMessage, names.Message); f.note(name, h) {
				f.events[name] = names.Event
			}
		}
		for _, id := range names.Results {
			if name := nameHash(byResult, id); f.note(name, h) {
				f.events[name] = names.Event
			}
		}
		if names.Prompt != "" {
			f.note(nameHash(byPrompt, names.Prompt), h)
		}
		return true
	})
}

// recorded takes the lines of a session whose file is gone, as they are in the journal. Those
// were there first.
func (f *family) recorded(j *journal.Journal, other relative) error {
	if j == nil {
		return nil
	}
	cursor, err := j.Read(other.gone, journal.Position{})
	if err != nil {
		return err
	}
	defer cursor.Close()
	f.files = append(f.files, other)
	for {
		line, err := cursor.Next()
		if err != nil {
			return lines.IgnoreEOF(err)
		}
		if e, err := schema.Decode(line); err == nil && e.Origin == schema.OriginTranscript {
			f.event(&e)
		}
	}
}

func (f *family) event(e *schema.Event) {
	at := e.Timestamp.UnixNano()
	h := had{at: at, last: at, file: int32(len(f.files) - 1), session: f.sessionOf(e.SessionID)}
	if uuid := schema.FieldString(e.Extra, "uuid"); uuid != "" {
		f.note(nameHash(byUUID, uuid), h)
	}
	var name uint64
	switch {
	case e.MessageID != "":
		name = nameHash(byMessage, e.MessageID)
	case e.EventType == schema.ToolEnd:
		name = nameHash(byResult, e.ToolUseID)
	case e.EventType == schema.Message && e.Role != schema.RoleAssistant:
		f.note(nameHash(byPrompt, e.Content), h)
		return
	default:
		return
	}
	if f.note(name, h) && e.EventType != schema.LLMEnd {
		f.events[name] = e.EventID
	}
}

// note reports whether the line is of who had it first.
func (f *family) note(name uint64, h had) bool {
	was, ok := f.had[name]
	switch {
	case !ok || f.before(h, was):
	case h.session == was.session && h.file == was.file && h.last >= was.last: // one answer's next line
		h.at = was.at
	default:
		return false
	}
	f.had[name] = h
	return true
}

// eachNamed calls fn with each line of the conversation until it returns false.
func eachNamed(l *lines.Reader, fn func(n int64, names claude.LineNames) bool) error {
	for {
		line, err := l.Next()
		if err != nil {
			return lines.IgnoreEOF(err)
		}
		if names := claude.NamesOf(line); names.UUID != "" && !fn(l.Count(), names) {
			return nil
		}
	}
}

// mostBetween is how many lines without a copy end the search: the rest is the session's own.
const mostBetween = 1000

// copies finds the lines at the beginning of the file that other files had first, and where
// the session left the one that had the last of them.
func (f *family) copies(l *lines.Reader) (found []claude.Copies, parent []claude.Origin, err error) {
	self := f.files[0]
	var between []claude.LineNames // lines whose names nobody has: those among copies are copies, too
	var numbers []int64            // of those lines
	var began int64                // when the first line was written, in this file
	var answer claude.LineNames    // the first line of the one that the line is of
	own := !self.foreign           // a file without a line of its session only has another name
	err = eachNamed(l, func(n int64, names claude.LineNames) bool {
		own = own || names.Session == f.sessions[0]
		if began == 0 {
			began = names.Time.UnixNano()
		}
		if names.Message != answer.Message {
			answer = names
		}
		from, same := f.first(names, answer.Time.UnixNano(), began)
		if self.foreign && len(between) == 0 && names.Session != "" && names.Session != f.sessions[0] {
			from, same = &claude.Origin{Session: names.Session, Until: names.Time, Event: names.Event}, true // it says so
		}
		if from == nil {
			between, numbers = append(between, names), append(numbers, n)
			return len(between) < mostBetween
		}
		for k, b := range between {
			if b.Time.Equal(names.Time) {
				found = join(found, claude.Copies{First: numbers[k], Last: numbers[k], Session: from.Session, Renamed: true})
			}
		}
		found = join(found, claude.Copies{First: n, Last: n, Session: from.Session, Renamed: !same})
		between, numbers = between[:0], numbers[:0]
		parent = []claude.Origin{*from}
		return true
	})
	if k := len(found) - 1; k >= 0 && found[k].Renamed && f.asked(between, began) {
		for _, n := range numbers {
			found = join(found, claude.Copies{First: n, Last: n, Session: found[k].Session, Renamed: true})
		}
	}
	if err != nil || !own {
		return nil, nil, err
	}
	return found, parent, nil
}

// own reports whether a line is one of the session's whose file it is.
func (f *family) own(h had) bool { return f.sessions[h.session] == f.sessions[0] }

// first says who had a line before the file itself, and whether as the same fact; nil where
// nobody had. answer is when the answer began that it is of, began when the file's first line
// was written.
func (f *family) first(names claude.LineNames, answer, began int64) (from *claude.Origin, same bool) {
	has := func(kind byte, name string, at int64) (had, bool) {
		h, ok := f.had[nameHash(kind, name)]
		return h, ok && !f.own(h) && f.before(h, had{at: at})
	}
	at := names.Time.UnixNano()
	origin := func(h had, event string) *claude.Origin {
		return &claude.Origin{Session: f.sessions[h.session], Until: time.Unix(0, h.last).UTC(), Event: event}
	}
	renamed := func(h had, event string) (*claude.Origin, bool) {
		if teller := f.files[h.file]; teller.gone == "" && !slices.Contains(f.tellers, teller.path) {
			f.tellers = append(f.tellers, teller.path)
		}
		return origin(h, event), false
	}
	if h, ok := has(byUUID, names.UUID, at); ok {
		if at == began && at != h.at { // there it may be a copy under a new uuid itself
			return renamed(h, names.Event)
		}
		return origin(h, names.Event), true
	}
	// Gateways and local models count their answers, so that two sessions may have the same
	// ids. Who copied lines under new uuids gave all of them one time, and left the requests out.
	if at != began || names.Request != "" {
		return nil, false
	}
	if names.Message != "" {
		if h, ok := has(byMessage, names.Message, answer); ok {
			return renamed(h, f.events[nameHash(byMessage, names.Message)])
		}
	}
	for _, id := range names.Results {
		if h, ok := has(byResult, id, at); ok {
			return renamed(h, f.events[nameHash(byResult, id)])
		}
	}
	return nil, false
}

// asked reports whether the lines that a file ends with, behind a copy, are copies of prompts
// whose answers are not written yet.
func (f *family) asked(end []claude.LineNames, began int64) bool {
	for _, names := range end {
		h, ok := f.had[nameHash(byPrompt, names.Prompt)]
		if !ok || f.own(h) || names.Prompt == "" || names.Time.UnixNano() != began {
			return false
		}
	}
	return true
}

// join adds a line to those that are of one kind with the one before it.
func join(all []claude.Copies, c claude.Copies) []claude.Copies {
	if k := len(all) - 1; k >= 0 && all[k].Last+1 == c.First && all[k].Session == c.Session && all[k].Renamed == c.Renamed {
		all[k].Last = c.Last
		return all
	}
	return append(all, c)
}

// copied notes how many lines are told by another session's file alone.
func (p *reading) copied(all []claude.Copies) {
	for _, c := range all {
		if first := max(c.First, p.from.Lines+1); c.Renamed && first <= c.Last {
			p.report.Copied += c.Last - first + 1
		}
	}
}
