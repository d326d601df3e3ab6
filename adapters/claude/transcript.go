package claude

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Source says what a transcript file is: what its path and its surroundings say.
type Source struct {
	Session string // of <session>.jsonl, or of the folder that subagents/ is in
	Agent   string // of agent-<id>.jsonl; "" is the main thread

	Host, User string
	HashKey    []byte // keys InputHash: see Env

	// Origins says where a fork's copied lines come from: see OriginScan.
	Origins []Origin
}

// Transcript turns the lines of one transcript file into facts, in their order. What
// it keeps between lines is small and can be lost: a Transcript that begins in the
// middle of a file gives the same facts, a few of them twice, and says once more what
// version, branch and mode the session is in. Two things it can only tell from the
// lines before: which summary is the session's own, and the lanes of subagents that a
// 1.x version wrote into the main file.
type Transcript struct {
	src Source
	env Env

	last   time.Time // the last timestamp seen
	named  string    // the last session that a line named
	prompt string    // the last prompt id seen
	forked bool      // the fork has been told

	about map[string]*about // by session
	said  map[string]string // by model call: the usage that was told last
	uuids map[uint64]struct{}
	side  sidechains

	// waiting are lines without a timestamp at the beginning of the file: they are
	// told with the first that has one.
	waiting []waitingLine
}

type waitingLine struct {
	raw []byte
	n   int64
}

// NewTranscript returns a Transcript of the file that src describes.
func NewTranscript(src Source) *Transcript {
	return &Transcript{
		src: src, env: Env{HashKey: src.HashKey},
		about: map[string]*about{}, said: map[string]string{}, uuids: map[uint64]struct{}{},
	}
}

// Events returns the facts in line n (counted from 1) of the file; a blank line has
// none. kind is the line's own type: "assistant", "system/turn_duration",
// "attachment/file"; unknown reports a type that this version does not know. An error
// says what is wrong with the line; what could be read of it is returned beside.
//
// Raw fields of the events alias line: the caller must leave it alone for as long as
// it uses them.
func (t *Transcript) Events(line []byte, n int64) (events []schema.Event, kind string, unknown bool, err error) {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
	if len(line) == 0 {
		return nil, "", false, nil
	}
	if kind, ok := needless(line); ok {
		return nil, kind, false, nil
	}
	p, err := parse(line)
	if err != nil {
		return nil, "", false, fmt.Errorf("%w: %s", errLine, strings.TrimPrefix(err.Error(), "json: "))
	}
	l := readLine(p.raw, n)
	kind = l.kind()
	if needed, known := l.use(); !needed {
		return nil, kind, !known, nil
	}
	if l.time.IsZero() && t.last.IsZero() {
		t.waiting = append(t.waiting, waitingLine{bytes.Clone(p.raw), n})
		return nil, kind, false, l.err()
	}
	f := &facts{Transcript: t}
	if !l.time.IsZero() {
		t.last = l.time
		for _, w := range t.waiting {
			f.line(readLine(w.raw, w.n))
		}
		t.waiting = nil
	}
	f.l = nil
	f.line(l)
	if len(p.faults) > 0 {
		f.fault(strings.Join(p.faults, "; "))
	}
	return f.events, kind, false, l.err()
}

var errLine = errors.New("not a transcript line")

// facts collects the events of one line.
type facts struct {
	*Transcript
	l      *line
	events []schema.Event
}

// line adds the facts of l.
func (f *facts) line(l *line) {
	f.l = l
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
	default:
		f.sessionLine()
	}
	if l.uuid != "" {
		f.uuids[hashOf(l.uuid)] = struct{}{}
	}
}

// place says when, in which session and in which lane the line is.
func (f *facts) place() {
	l := f.l
	if l.session == "" {
		l.session = cmp.Or(f.named, f.src.Session, unknownSession)
	}
	f.named = l.session
	session, copied := l.copiedFrom(f.src.Origins)
	if copied {
		l.session = session
	}
	if copied && l.forkedFrom == "" {
		l.promptID = "" // --fork-session writes a new one into the copies
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
	e := schema.Event{
		V:                schema.Version,
		EventID:          schema.EventID(schema.OriginTranscript, l.typ, l.key(f.src), strconv.Itoa(block)),
		EventType:        typ,
		SessionID:        schema.SafeID(l.session),
		Timestamp:        l.time,
		SourceSDK:        sdkClaude,
		Origin:           schema.OriginTranscript,
		HookEventName:    l.name(),
		AgentID:          l.agent,
		Seq:              l.n*1000 + int64(min(block, 999)),
		Actor:            schema.ActorRuntime,
		PromptID:         l.promptID,
		Host:             f.src.Host,
		UserID:           f.src.User,
		WorkingDirectory: l.cwd,
	}
	if e.SessionID != l.session {
		e.Metadata = appendMetadata(nil, schema.MetaSessionID, schema.AppendString(nil, l.session))
	}
	f.events = append(f.events, e)
	return &f.events[len(f.events)-1]
}

// fault notes on every event of the line what was wrong with its bytes.
func (f *facts) fault(fault string) {
	for i := range f.events {
		e := &f.events[i]
		e.Metadata = appendMetadata(e.Metadata, schema.MetaHookError, schema.AppendString(nil, fault))
	}
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
