package claude

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Origin is a session that a fork's file holds copied lines of.
type Origin struct {
	Session string
	Until   time.Time // the latest time of them
	Line    int64     // of the last of them, counted from 1: what follows is no copy
	Event   string    // the event id of what the last line that names the session says
}

// OriginScan finds where the lines come from that a fork's file begins with. Every
// line of the file up to the first that is not copied must be seen, blank and broken ones
// too, since they are counted; more do no harm.
//
// A copy says its session where it is an answer (requestSessionId differs from
// sessionId) or where /branch made it (forkedFrom). The others are told by
// place and time: the copies are what the file begins with, so that what stands behind the
// last line that says so is the file's own, even where the clock was set back between the
// two. What ends the parent's last turn (results, its interruption, the ends of turns)
// follows without a mark, and belongs to it.
//
// A branch of a branch says of all copies that they are forkedFrom the later of the two,
// which its forks then keep: the requests among them say what is older.
type OriginScan struct {
	origins []Origin
	line    line
	n       int64 // lines seen
	open    int   // of the origin, from 1, whose lines the file is at; 0: none
	older   [][2]string
}

// Line adds a line of the file.
func (o *OriginScan) Line(b []byte) {
	o.n++
	if len(o.origins) == 0 && !bytes.Contains(b, []byte(`"requestSessionId"`)) && !bytes.Contains(b, []byte(`"forkedFrom"`)) {
		return
	}
	b, _, needed := factual(b)
	if !needed {
		return
	}
	l, _, err := parseLine(&o.line, b, o.n)
	if err != nil {
		return
	}
	if l.uuid == "" || l.time.IsZero() {
		return
	}
	session, marked := l.copiedFrom(nil)
	if pair := [2]string{session, l.forkedFrom}; marked && l.forkedFrom != "" && l.forkedFrom != session && !slices.Contains(o.older, pair) {
		o.older = append(o.older, pair)
	}
	switch {
	case o.open > 0 && l.requestSession == "" && l.endsTurn() && slices.Contains(o.older, [2]string{o.origins[o.open-1].Session, l.forkedFrom}):
		o.follows(l)
	case marked && session != "":
		o.open = o.origin(session) + 1
		at := &o.origins[o.open-1]
		at.Line = l.n
		if !l.time.Before(at.Until) {
			at.Until = l.time
			at.Event = schema.EventID(schema.OriginTranscript, l.typ, l.uuid, "1")
		}
	case o.open > 0:
		o.follows(l)
	}
}

// follows takes a line without a mark that stands behind a copy.
func (o *OriginScan) follows(l *line) {
	at := &o.origins[o.open-1]
	said := l.typ == "user" || l.typ == "assistant"
	switch {
	case l.endsTurn():
		at.Line = l.n
		if l.time.After(at.Until) {
			at.Until = l.time
		}
	case l.time.Equal(at.Until), !said && l.time.Before(at.Until):
		at.Line = l.n // what the runtime wrote with the copy before it
	case said:
		o.open = 0
	}
}

func (o *OriginScan) origin(session string) int {
	k := slices.IndexFunc(o.origins, func(a Origin) bool { return a.Session == session })
	if k < 0 {
		k = len(o.origins)
		o.origins = append(o.origins, Origin{Session: session})
	}
	return k
}

// endsTurn reports whether a line can only belong to the turn that the lines before
// it are of.
func (l *line) endsTurn() bool {
	switch {
	case l.typ == "system":
		return l.subtype == "stop_hook_summary" || l.subtype == "turn_duration"
	case l.typ != "user":
		return false
	}
	for _, b := range l.message.blocks {
		return b.typ == "tool_result" || interruption(schema.Unquote(b.text))
	}
	return false
}

// Origins returns the sessions whose lines the file holds copies of, in the order of
// Line, so that the last is the one it was forked from; nil where it is no fork. In a file
// that ends among the copies, of which the branch's own come last, it comes last as well.
func (o *OriginScan) Origins() []Origin {
	out := slices.Clone(o.origins)
	slices.SortStableFunc(out, func(a, b Origin) int { return cmp.Compare(a.Line, b.Line) })
	for _, p := range o.older {
		at := func(session string) int {
			return slices.IndexFunc(out, func(a Origin) bool { return a.Session == session })
		}
		if older, branch := at(p[0]), at(p[1]); branch >= 0 && branch < older {
			b := out[branch]
			out = slices.Insert(slices.Delete(out, branch, branch+1), older, b)
		}
	}
	return out
}

// fork tells once, on the fork's own session, where it left its parent.
func (f *facts) fork() {
	k := len(f.src.Origins)
	if k == 0 || f.forked || f.src.Agent != "" {
		return
	}
	f.forked = true
	parent := f.src.Origins[k-1]
	if parent.Session == f.src.Session || parent.Session == "" {
		return
	}
	own := f.l
	f.l = &line{typ: "fork", n: own.n, session: f.src.Session, time: parent.Until}
	e := f.add(schema.Fork, 0)
	e.EventID = schema.EventID(schema.OriginTranscript, "fork", f.src.Session, parent.Session)
	e.Seq = 0 // the same whichever line tells it
	e.ParentSessionID, e.ParentEventID = schema.SafeID(parent.Session), parent.Event
	f.l = own
}
