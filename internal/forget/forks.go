package forget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Fork is a session that stays, and shares the history of one that goes: it gets that for its own
// before.
type Fork struct {
	SessionID  string `json:"session_id"`
	ForkedFrom string `json:"forked_from"`
}

// forksOf returns the forks of sessions, which are not among these. What a fork says of its parent
// may be anywhere in its file: hooks may have written before the transcript did that says so. No
// store is asked: the journal alone knows.
func forksOf(ctx context.Context, j *journal.Journal, gone []string) (forks []Fork, err error) {
	files, err := j.Files()
	if err != nil {
		return nil, err
	}
	goes := map[string]bool{}
	for _, id := range gone {
		goes[id] = true
	}
	for _, file := range files {
		if goes[file.Session] || file.Session == nobody || len(gone) == 0 {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		parents, err := parentsOf(j, file.Session)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("session %s: whether it is a fork of what is to be forgotten: %w", file.Session, err)
		}
		if i := slices.IndexFunc(parents, func(id string) bool { return goes[id] }); i >= 0 {
			forks = append(forks, Fork{file.Session, parents[i]})
		}
	}
	return forks, nil
}

// parentsOf returns the sessions that a session's file says it was forked from.
func parentsOf(j *journal.Journal, session string) (parents []string, err error) {
	for line, err := range j.Records(session) {
		if err != nil {
			return nil, err
		}
		if parent := parentIn(line); parent != "" {
			parents = append(parents, parent)
		}
	}
	return parents, nil
}

// parentIn returns the session that a line says its session was forked from, "" where it does not.
func parentIn(line []byte) string {
	// A line begins with its version, id and type.
	if !bytes.Contains(line[:min(len(line), 256)], []byte(`"event_type":"fork"`)) {
		return ""
	}
	if parent := schema.FieldString(line, "parent_session_id"); parent != "" {
		return schema.SafeID(parent)
	}
	return ""
}

// findForks adds the forks of what was found, as the Filter has them.
func (s *search) findForks(ctx context.Context, others []journal.File, found *Found) (_ []journal.File, err error) {
	if s.WithForks {
		if others, err = s.addForks(ctx, others, found); err != nil {
			return others, err
		}
	}
	forks, err := forksOf(ctx, s.journal, found.ids())
	found.Forks = append(found.Forks, forks...)
	return others, err
}

// addForks takes the forks of what was found along, and theirs, but for those that a tag keeps.
func (s *search) addForks(ctx context.Context, others []journal.File, found *Found) ([]journal.File, error) {
	kept := map[string]bool{}
	for {
		forks, err := forksOf(ctx, s.journal, found.ids())
		if err != nil {
			return others, err
		}
		forks = slices.DeleteFunc(forks, func(f Fork) bool { return kept[f.SessionID] })
		if len(forks) == 0 {
			return others, nil
		}
		all := search{journal: s.journal}
		for _, fork := range forks {
			i := slices.IndexFunc(others, func(file journal.File) bool { return file.Session == fork.SessionID })
			if i < 0 {
				kept[fork.SessionID] = true // it began just now
				continue
			}
			l, err := all.look(others[i])
			if err != nil {
				return others, fmt.Errorf("session %s: %w", fork.SessionID, err)
			}
			if l.keeps(s.KeepTags) {
				found.Kept++
				kept[fork.SessionID] = true
				continue
			}
			found.Sessions = append(found.Sessions, l.session())
			others = slices.Delete(others, i, i+1)
		}
	}
}

// free gives forks what they share with sessions that are to be forgotten, for their own, and takes
// out of their files that these ever were. It is done again without harm.
func (w *work) free(j *journal.Journal) error {
	for _, fork := range w.Forks {
		if j.Forgotten(fork) {
			continue
		}
		if err := w.freeOne(j, fork); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("session %s, which keeps what it shares with one to be forgotten: %w", fork, err)
		}
	}
	return nil
}

func (w *work) freeOne(j *journal.Journal, fork string) error {
	ctx := context.Background() // once begun it is completed
	log, err := history.Open(ctx, history.Journal(j), fork, history.Point{})
	if err != nil {
		return err
	}
	rename := w.renamed(fork)
	// The ancestors that go, up to the nearest that stays.
	own := len(log.Segments) - 1
	from := own
	for from > 0 && slices.Contains(w.Sessions, log.Segments[from-1].Session) {
		from--
	}
	k := keeper{journal: j, redactor: j.Redactor(""), have: map[string]bool{}}
	var link schema.Event // what the fork says of its parent: of several the latest stands
	err = log.Records(ctx, func(segment int, r *history.Record) error {
		if segment != own {
			return nil
		}
		k.have[r.EventID] = true
		k.ran = k.ran || seenRunning(&r.Event)
		if slices.Contains(w.Sessions, parentIn(r.Line)) && (link.EventID == "" || history.Compare(&link, &r.Event) < 0) {
			link, err = schema.Decode(bytes.Clone(r.Line))
		}
		return err
	})
	if err != nil {
		return err
	}
	err = log.Records(ctx, func(segment int, r *history.Record) error {
		if segment < from || segment == own {
			return nil
		}
		return k.add(rename(r.Line))
	})
	if err != nil {
		return err
	}
	if link.EventID != "" {
		var parent *history.Segment
		if from > 0 {
			parent = &log.Segments[from-1]
		}
		if e, ok := linkOf(link, parent); ok && !k.have[e.EventID] {
			k.lines = append(k.lines, k.redactor.Event(e))
			k.shared = k.shared || seenRunning(&e)
		}
	}
	if k.asleep() {
		k.lines = append(k.lines, k.redactor.Event(connector.Abandonment(k.last, "forked")))
	}
	if err := errors.Join(k.flush(), j.Sync(fork)); err != nil {
		return err
	}
	_, err = j.Rewrite(fork, func(line []byte) []byte {
		if slices.Contains(w.Sessions, parentIn(line)) {
			return nil
		}
		return rename(line)
	})
	return err
}

// linkOf is what a fork says of where it comes from once its parent is gone: of the nearest ancestor
// that stays, or where there is none its label alone.
func linkOf(was schema.Event, parent *history.Segment) (e schema.Event, ok bool) {
	e = was
	if parent == nil {
		e.EventType, e.ParentSessionID, e.ParentEventID = schema.SessionUpdate, "", ""
		e.EventID = schema.EventID(schema.OriginAPI, "forked", e.SessionID)
		return e, e.Title != ""
	}
	e.ParentSessionID, e.ParentEventID, e.Timestamp = parent.Session, parent.Until.Event(), parent.Until.Time()
	e.EventID = schema.EventID(schema.OriginAPI, string(schema.Fork), e.SessionID, e.ParentSessionID, e.ParentEventID)
	return e, true
}

// keeper appends to a fork what it shared.
type keeper struct {
	journal  *journal.Journal
	redactor *redact.Redactor
	have     map[string]bool // events that the fork has
	lines    []redact.Line
	ran      bool         // somebody saw the fork itself run
	shared   bool         // or what it shared; what says its label is as good as that
	last     schema.Event // of that
}

// asleep reports a fork that nobody ran: what it gets for its own would have it run from now on.
func (k *keeper) asleep() bool {
	return !k.ran && k.shared && k.last.EventID != "" && k.last.EventType != schema.SessionEnd
}

// seenRunning reports an event that says of its session that it ran, as the graph has it.
func seenRunning(e *schema.Event) bool {
	return e.EventType != schema.Fork && e.EventType != schema.Tag && (e.Origin == schema.OriginHook || e.Origin == schema.OriginAPI)
}

// add takes in a line, which names the fork as its session. What is said of the parent alone stays
// out: its tags, its forks, up to where its files were read.
func (k *keeper) add(line []byte) error {
	e, err := schema.Decode(line)
	switch {
	case err != nil:
		return err
	case k.have[e.EventID], e.EventType == schema.Fork, e.EventType == schema.Tag, e.EventType == schema.SourcePosition:
		return nil
	}
	k.have[e.EventID] = true
	k.shared = k.shared || seenRunning(&e)
	if k.last.EventID == "" || history.Compare(&k.last, &e) < 0 {
		k.last = schema.Event{EventID: e.EventID, EventType: e.EventType, SessionID: e.SessionID, Timestamp: e.Timestamp, Seq: e.Seq, SourceSDK: e.SourceSDK}
	}
	if k.lines = append(k.lines, k.redactor.Event(e)); len(k.lines) < 500 {
		return nil
	}
	return k.flush()
}

func (k *keeper) flush() error {
	err := k.journal.Append(k.lines...)
	k.lines = nil
	return err
}

// renamed returns what puts a fork's id in the place of those that are forgotten, as the
// runtime does in a fork's file. A short id may be a word of any text: of that only the field goes.
func (w *work) renamed(fork string) func(line []byte) []byte {
	return func(line []byte) []byte {
		for _, id := range w.Sessions {
			if len(id) < shortID {
				line = bytes.ReplaceAll(line, []byte(`"session_id":"`+id+`"`), []byte(`"session_id":"`+fork+`"`))
				continue
			}
			line = replaceName(line, []byte(id), []byte(fork))
		}
		return line
	}
}

// replaceName puts another text in the place of one where names finds it.
func replaceName(line, what, to []byte) []byte {
	if !bytes.Contains(line, what) {
		return line
	}
	var out []byte
	for {
		i := bytes.Index(line, what)
		if i < 0 {
			return append(out, line...)
		}
		out = append(out, line[:i]...)
		end := i + len(what)
		if names(line[max(0, i-1):min(len(line), end+1)], what) {
			out = append(out, to...)
		} else {
			out = append(out, what...)
		}
		line = line[end:]
	}
}
