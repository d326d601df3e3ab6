package transcript

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
)

// had says who had a line first.
type had struct {
	at      time.Time // when it was written
	start   time.Time // when the file of it begins: of a copy that kept its time, later
	bare    bool      // that file is of a copy's shape: a copy leaves out what is between the lines
	session string
	request string
	last    time.Time // of the lines of one answer
	event   string    // of that last line
}

func (h had) compare(o had) int {
	return cmp.Or(h.at.Compare(o.at), h.start.Compare(o.start), last(h.bare, o.bare), strings.Compare(h.session, o.session))
}

func last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// family is what the lines of a file may be copies of: who had them first, by the names
// that a copy keeps.
type family map[string]had

const (
	byUUID    = "u"
	byMessage = "m"
	byResult  = "r"
)

// add takes the lines of another file.
func (f family) add(other relative) error {
	file, _, err := openFile(other.path)
	if err != nil {
		return err
	}
	defer file.Close()
	session := named(other.path)
	return eachNamed(peek(file), func(_ int64, names claude.LineNames) bool {
		h := had{at: names.Time, start: other.start, bare: other.bare, session: cmp.Or(names.Session, session), request: names.Request, last: names.Time, event: names.Event}
		f.note(byUUID+names.UUID, h)
		if names.Message != "" {
			f.note(byMessage+names.Message, h)
		}
		for _, id := range names.Results {
			f.note(byResult+id, h)
		}
		return true
	})
}

func (f family) note(name string, h had) {
	was, ok := f[name]
	switch {
	case !ok || h.compare(was) < 0:
	case h.session == was.session && h.start.Equal(was.start) && !h.last.Before(was.last): // one answer's next line
		h.at = was.at
	default:
		return
	}
	f[name] = h
}

// eachNamed calls fn with each line of the conversation of a file until it returns false.
func eachNamed(l *lines, fn func(n int64, names claude.LineNames) bool) error {
	for {
		line, err := l.next()
		if err != nil {
			return ignoreEOF(err)
		}
		if names := claude.NamesOf(line); names.Chain && !fn(l.n, names) {
			return nil
		}
	}
}

// copies finds the lines at the beginning of a file that other files had first, and where
// the session left the one that had the last of them.
func (f family) copies(l *lines, session string, self head) ([]claude.Copies, []claude.Origin, error) {
	var found []claude.Copies
	var parent claude.Origin
	type open struct {
		n  int64
		at time.Time
	}
	var between []open          // lines whose names nobody has: those among copies are copies, too
	var before time.Time        // of the copy before, in this file
	own := !self.foreign        // a file without a line of its session only has another name
	var answer claude.LineNames // the first line of the one that the line is of
	err := eachNamed(l, func(n int64, names claude.LineNames) bool {
		own = own || names.Session == session
		if names.Message != answer.Message {
			answer = names
		}
		h, same, ok := f.first(names, had{at: answer.Time, start: self.start, bare: self.bare, session: session}, before, self.foreign && len(between) == 0)
		if !ok {
			between = append(between, open{n, names.Time})
			return len(between) < mostBetween
		}
		for _, b := range between {
			if !b.at.After(names.Time) {
				found = join(found, claude.Copies{First: b.n, Last: b.n, Session: h.session, Renamed: true})
			}
		}
		between, before = between[:0], names.Time
		found = join(found, claude.Copies{First: n, Last: n, Session: h.session, Renamed: !same})
		parent = claude.Origin{Session: h.session, Until: h.last, Event: h.event}
		return true
	})
	if err != nil || len(found) == 0 || !own {
		return nil, nil, err
	}
	return found, []claude.Origin{parent}, nil
}

// mostBetween is how many lines without a copy end the search: the rest is the session's own.
const mostBetween = 1000

// first says who had a line before the file itself, and whether under the same uuid.
// self is the file, and when the answer began that the line is of; last is when the copy
// before it was written. foreign says that what the lines say themselves is to be believed.
func (f family) first(names claude.LineNames, self had, last time.Time, foreign bool) (h had, same, ok bool) {
	if foreign && names.Session != "" && names.Session != self.session {
		return had{at: names.Time, session: names.Session, last: names.Time, event: names.Event}, true, true
	}
	before := func(name string, at time.Time) bool {
		h, ok = f[name]
		self.at = at
		return ok && h.session != self.session && h.compare(self) < 0
	}
	began := self.at
	if before(byUUID+names.UUID, names.Time) {
		return h, true, true
	}
	// Ids that somebody made up may be those of others. Who copied an answer under a new uuid
	// left the request out.
	if names.Message != "" && before(byMessage+names.Message, began) && (names.Request == "" || names.Request == h.request) {
		return h, false, true
	}
	if !names.Time.Equal(last) {
		return had{}, false, false
	}
	for _, id := range names.Results {
		if before(byResult+id, names.Time) {
			return h, false, true
		}
	}
	return had{}, false, false
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
	for _, c := range slices.Clone(all) {
		if c.First = max(c.First, p.from.Lines+1); c.Renamed && c.First <= c.Last {
			p.report.Copied += c.Last - c.First + 1
		}
	}
}
