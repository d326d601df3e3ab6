package claude

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// Source says what a transcript file is: what its path and its surroundings say.
type Source struct {
	Session string // of <session>.jsonl, or of the folder that subagents/ is in
	Agent   string // of agent-<id>.jsonl; "" is the main thread

	Host, User string
	HashKey    []byte // keys InputHash: see Env

	// Written is when the file was last written. It is the time of the lines that a file
	// begins with, where they have none and are more than can wait for one that has; the
	// zero Time makes it 1970.
	Written time.Time

	// Origins says where a fork's copied lines come from: see OriginScan.
	Origins []Origin
	// Copies are the copied lines that do not say so themselves, in their order.
	Copies []Copies
}

// Transcript turns the lines of one transcript file into facts, in their order. What
// it keeps between lines is small and can be lost: a Transcript that begins in the
// middle of a file gives the same facts, a few of them twice, and says once more what
// version, branch and mode the session is in. Three things it can only tell from the
// lines before: which summary is the session's own, the lanes of subagents that a
// 1.x version wrote into the main file, and in which turn a prompt that was queued was
// taken up, and when, in old versions also its text.
type Transcript struct {
	src  Source
	mac  hash.Hash // keyed, nil without a key
	line line      // the last one: what it is made of is used again

	last   time.Time // the last timestamp seen
	named  string    // the last session that a line named
	prompt string    // the last prompt id seen
	forked bool      // the fork has been told
	own    bool      // a prompt or answer was seen that is no copy

	about map[string]*about // by session
	said  map[string]string // by model call: the usage that was told last
	uuids map[uint64]struct{}
	side  sidechains
	queue []string // what waits until the agent takes it up: see takesUp

	// waiting are lines without a timestamp at the beginning of the file: they are
	// told with the first that has one, or by Flush.
	waiting      []waitingLine
	waitingBytes int
}

type waitingLine struct {
	raw   []byte
	n     int64
	fault error
}

// So much waits at most for a timestamp. A file that Claude Code wrote has one in its
// first lines, or is a few summaries.
const (
	maxWaitingBytes = 1 << 20
	maxWaiting      = 1000
)

// NewTranscript returns a Transcript of the file that src describes.
func NewTranscript(src Source) *Transcript {
	t := &Transcript{
		src:   src,
		about: map[string]*about{}, said: map[string]string{}, uuids: map[uint64]struct{}{},
		line: line{texts: &schema.Texts{}},
	}
	if len(src.HashKey) > 0 {
		t.mac = hmac.New(sha256.New, src.HashKey)
	}
	return t
}

// Events returns the facts in b, line n (counted from 1) of the file; a blank line has
// none. kind is the line's own type: "assistant", "system/turn_duration",
// "attachment/file"; unknown reports a type that this version does not know. An error
// says what is wrong with a line of which nothing could be read; what is wrong with
// others is in metadata.hook_error of their facts. What a file begins with that has no
// timestamp is told with the first line that has one, or by Flush; past a bound, at once.
//
// Raw fields of the events alias the line: the caller must leave it alone for as long as
// it uses them.
func (t *Transcript) Events(b []byte, n int64) (events []schema.Event, kind string, unknown bool, err error) {
	return t.AppendEvents(nil, b, n)
}

// AppendEvents is Events; it appends the facts to those that are given.
func (t *Transcript) AppendEvents(events []schema.Event, b []byte, n int64) (_ []schema.Event, kind string, unknown bool, err error) {
	b, kind, needed := factual(b)
	if !needed {
		return events, kind, false, nil
	}
	l, fault, err := parseLine(&t.line, b, n)
	defer l.release()
	if err != nil {
		return events, "", false, err
	}
	b = l.raw
	kind = l.kind()
	if needed, known := l.use(); !needed {
		return events, kind, !known, nil
	}
	if fault != nil {
		l.faults = append(l.faults, fault)
	}
	if c := t.src.copyOf(n); c != nil && c.Renamed && l.uuid != "" {
		f := &facts{Transcript: t, l: l, events: events}
		f.fork()
		return f.events, kind, false, nil
	}
	if l.typ == "queue-operation" && !t.takesUp(l) {
		return events, kind, false, nil
	}
	switch {
	case !l.time.IsZero():
		if l.subtype == "queued_command" && l.time.Before(t.last) {
			l.time = t.last // the agent took it up here: the line says when it was typed
		}
		t.last = l.time
	case t.last.IsZero() && len(t.waiting) < maxWaiting && t.waitingBytes+len(b) <= maxWaitingBytes:
		t.waiting = append(t.waiting, waitingLine{bytes.Clone(b), n, fault})
		t.waitingBytes += len(b)
		return events, kind, false, nil
	case t.last.IsZero():
		t.last = possible(t.src.Written)
	}
	if events == nil {
		events = make([]schema.Event, 0, l.parts())
	}
	f := &facts{Transcript: t, events: events}
	err = errors.Join(f.told(), f.read(l))
	return f.events, kind, false, err
}

// Before shows a line that is before those that this Transcript begins with. Of it later
// ones need the time, and in which turn a prompt that was queued is taken up: a daemon that
// was restarted in between would tell of that otherwise than one that was not.
func (t *Transcript) Before(b []byte, n int64) {
	b, _, needed := factual(b)
	if !needed {
		return
	}
	l, _, err := parseLine(&t.line, b, n)
	defer l.release()
	if err != nil {
		return
	}
	if needed, _ := l.use(); !needed {
		return
	}
	switch {
	case l.typ == "queue-operation":
		t.takesUp(l)
		return // it may be of a time that waited
	case l.typ == "user" && l.promptID != "":
		t.prompt = l.promptID
	}
	if l.time.After(t.last) {
		t.last = l.time
	}
}

// Own reports whether the file went beyond what it copied. Until then Origins and Copies
// may not be all: they are still being written.
func (t *Transcript) Own() bool { return t.own }

// Flush returns the facts that wait for a line with a timestamp, with the time at: that
// of the file's last change, where it ended without such a line. Lines that follow and
// have no timestamp either have the same time. Nil where nothing waits. The error names
// the lines of which nothing could be read.
//
// A time before 1970 or after 2261, the zero Time too, is taken as 1970: such a session
// sorts before all others, and nobody takes it for one of today.
func (t *Transcript) Flush(at time.Time) ([]schema.Event, error) {
	if len(t.waiting) == 0 {
		return nil, nil
	}
	t.last = possible(at)
	f := &facts{Transcript: t}
	err := f.told()
	return f.events, err
}

// possible returns a time that a line can have.
func possible(at time.Time) time.Time {
	if at = at.Round(0).UTC(); !inRange(at) {
		return time.Unix(0, 0).UTC()
	}
	return at
}

// told adds the facts of the lines that waited.
func (f *facts) told() (err error) {
	waiting := f.waiting
	f.waiting, f.waitingBytes = nil, 0
	for _, w := range waiting {
		l, _ := readLine(&line{}, w.raw, w.n)
		if w.fault != nil {
			l.faults = append(l.faults, w.fault)
		}
		if fault := f.read(l); fault != nil {
			err = errors.Join(err, fmt.Errorf("line %d: %w", w.n, fault))
		}
	}
	return err
}

// parseLine takes a line apart into l: the line itself, which is what Claude Code writes,
// or a copy of it that is UTF-8 without newlines. The error is that it is not one JSON
// object.
func parseLine(l *line, b []byte, n int64) (_ *line, fault, err error) {
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\ufffd"))
		fault = errors.New("not UTF-8: invalid bytes replaced")
	}
	if (bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, '\r') >= 0) && schema.Valid(b) {
		b = compact(b)
	}
	if l, whole := readLine(l, b, n); whole {
		return l, fault, nil
	}
	var value json.RawMessage
	if err := json.Unmarshal(b, &value); err != nil {
		return l, nil, fmt.Errorf("not valid JSON: %w", err)
	}
	return l, nil, errors.New("not a JSON object")
}

// facts collects the events of one line.
type facts struct {
	*Transcript
	l      *line
	events []schema.Event
}

// read adds the facts of l. What is wrong with the line is noted on them, or is the
// error of a line that has none.
func (f *facts) read(l *line) error {
	f.l = l
	before := len(f.events)
	f.place()
	f.fork()
	f.surroundings()
	switch l.typ {
	case "user":
		f.user()
	case "assistant":
		f.assistant()
	case "system":
		f.system()
	case "attachment":
		f.attachment()
	case "queue-operation":
		f.message(1, l.taken, false, l.extra(member{key: "queued", raw: []byte("true")}))
	default:
		f.sessionLine()
	}
	if l.uuid != "" {
		f.uuids[hashOf(l.uuid)] = struct{}{}
	}
	err := errors.Join(l.faults...)
	if err == nil || len(f.events) == before {
		return err
	}
	for i := before; i < len(f.events); i++ {
		e := &f.events[i]
		if e.EventType == schema.Unknown || schema.Field(e.Metadata, schema.MetaHookError) != nil {
			continue // it says what is wrong with it
		}
		e.Metadata = appendMetadata(e.Metadata, schema.MetaHookError, schema.AppendString(nil, err.Error()))
	}
	return nil
}

// place says when, in which session and in which lane the line is.
func (f *facts) place() {
	l := f.l
	if l.session == "" {
		l.session = cmp.Or(f.named, f.src.Session, unknownSession)
	}
	f.named = l.session
	session, copied := l.copiedFrom(f.src.Origins)
	if c := f.src.copyOf(l.n); c != nil && l.uuid != "" {
		session, copied = c.Session, true
	}
	if copied {
		l.session = session
	} else if l.uuid != "" && (l.typ == "user" || l.typ == "assistant") {
		f.own = true
	}
	if k := len(f.src.Origins); copied && (l.forkedFrom == "" || k > 0 && l.forkedFrom != f.src.Origins[k-1].Session) {
		l.promptID = "" // --fork-session writes a new one into the copies, those of a branch too
	}
	if l.promptID != "" {
		f.prompt = l.promptID
	}
	if l.time.IsZero() {
		l.time = f.last
		if k := len(f.src.Origins); k > 0 && l.time.Before(f.src.Origins[k-1].Until) {
			l.time = f.src.Origins[k-1].Until // what copies nothing came after the copies
		}
	}
	if l.agent == "" {
		l.agent = f.src.Agent
	}
	if l.agent == "" && l.sidechain {
		l.agent = f.side.lane(l)
	}
}

// add adds an event of the given type with what every fact of a line has. block
// counts the parts of the line from 1; 0 is the line itself.
func (f *facts) add(typ schema.Type, block int) *schema.Event {
	l := f.l
	f.events = append(f.events, schema.Event{}) // filled in its place: an Event is large
	e := &f.events[len(f.events)-1]
	e.V = schema.Version
	e.EventID = schema.EventID(schema.OriginTranscript, l.typ, l.key(f.src), strconv.Itoa(block))
	e.EventType = typ
	e.SessionID = schema.SafeID(l.session)
	e.Timestamp = l.time
	e.SourceSDK = sdkClaude
	e.Origin = schema.OriginTranscript
	e.HookEventName = l.name()
	e.AgentID = l.agent
	e.Seq = l.n*1000 + int64(min(block, 999))
	e.Actor = schema.ActorRuntime
	e.PromptID = l.promptID
	e.Host, e.UserID = f.src.Host, f.src.User
	e.WorkingDirectory = l.cwd
	if e.SessionID != l.session {
		e.Metadata = appendMetadata(nil, schema.MetaSessionID, schema.AppendString(nil, l.session))
	}
	return e
}

// unread adds an event that holds whole what this version cannot read.
func (f *facts) unread(block int, raw []byte, fault string) {
	e := f.add(schema.Unknown, block)
	e.Metadata = appendMetadata(e.Metadata, schema.MetaHookError, schema.AppendString(nil, fault))
	e.Extra = append(appendMember([]byte{'{'}, "block", raw), '}')
}

// appendMetadata adds a member to an object, which may be nil.
func appendMetadata(obj json.RawMessage, key string, raw []byte) json.RawMessage {
	if obj == nil {
		return append(appendMember([]byte{'{'}, key, raw), '}')
	}
	return append(appendMember(obj[:len(obj)-1:len(obj)-1], key, raw), '}')
}

// AgentFact returns what agent-<id>.meta.json says, at the time of the agent's first
// line: a session_update of the agent's lane with metadata.agent. False where meta is
// no JSON object, or src no agent's.
func AgentFact(src Source, meta []byte, at time.Time) (schema.Event, bool) {
	agent := object(meta)
	if agent == nil || src.Agent == "" {
		return schema.Event{}, false
	}
	f := &facts{Transcript: NewTranscript(src)}
	f.l = &line{typ: "agent_meta", raw: agent, time: at.Round(0).UTC()}
	f.place()
	e := f.add(schema.SessionUpdate, 0)
	e.Seq = 0
	e.EventID = schema.EventID(schema.OriginTranscript, "agent_meta", src.Session, src.Agent, string(agent))
	e.AgentType = schema.FieldString(agent, "agentType")
	e.Metadata = appendMetadata(e.Metadata, schema.MetaAgent, agent)
	return *e, true
}
