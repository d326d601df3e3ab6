package claude

import (
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Env is what the recorder observed beside the payload. A zero field is absent.
type Env struct {
	Now        time.Time // when the payload was received: 1970 to 2261
	Host, User string

	// Of the payload's cwd. Only session_start carries branch and commit; RepoRoot
	// also goes where a file is named, so that its path can be made relative.
	GitBranch, GitCommit, RepoRoot string

	// AgentMeta is the file that AgentMetaPath names, nil where there is none.
	AgentMeta []byte
	// HashKey keys InputHash. Without a key there is no InputHash: a plain hash of a
	// short secret can be guessed.
	HashKey []byte
}

// unknownSession is where a fact is filed whose payload names no session.
const unknownSession = "unknown"

// Events returns the facts in one hook payload: one JSON value, white space around
// it allowed. There is always at least one event, and each is valid as long as
// env.Now is; a payload that cannot be understood is one event of type unknown that
// holds it whole.
//
// Raw fields alias payload where they can (a payload reaches 2 MB): the caller must
// leave it alone for as long as it uses the events.
func Events(payload []byte, env Env) []schema.Event {
	p, err := parse(payload)
	if err != nil {
		return []schema.Event{unparsable(payload, env, err)}
	}
	e := p.start(env)
	switch {
	case p.session == "":
		// No fact can be derived of no session: kept, unknown.
	case e.HookEventName == "":
		p.note("no hook_event_name")
	case e.HookEventName == "PostToolBatch":
		return p.batch(e, env)
	default:
		// Who handles none of them leaves the event unknown.
		_ = p.sessionHook(&e) || p.toolHook(&e) || p.agentHook(&e) || p.otherHook(&e)
	}
	e.Extra = p.rest()
	p.finish(&e, env)
	if output, ok := structuredOutput(e); ok {
		return []schema.Event{e, output}
	}
	return []schema.Event{e}
}

// start returns an unknown event with what every hook has.
func (p *payload) start(env Env) schema.Event {
	e := schema.Event{
		V:         schema.Version,
		EventType: schema.Unknown,
		Timestamp: env.Now.Round(0).UTC(),
		SourceSDK: p.sourceSDK(),
		Origin:    schema.OriginHook,
		Actor:     schema.ActorRuntime,
		Host:      env.Host,
		UserID:    env.User,
	}
	if !p.text("session_id", &p.session) {
		p.session = p.foreignSession()
		p.note("no session_id")
	}
	e.SessionID = unknownSession
	if p.session != "" {
		e.SessionID = schema.SafeID(p.session)
	}
	p.text("hook_event_name", &e.HookEventName)
	p.text("cwd", &e.WorkingDirectory)
	p.text("prompt_id", &e.PromptID)
	p.text("agent_id", &e.AgentID)
	p.text("agent_type", &e.AgentType)
	return e
}

// finish sets what is computed from the rest of the event.
func (p *payload) finish(e *schema.Event, env Env) {
	if e.EventID == "" {
		e.EventID = p.keylessID(*e)
	}
	hashed := []byte(e.ToolInput)
	if hashed == nil {
		hashed = p.raw
	}
	e.InputHash = env.inputHash(hashed)
	e.Metadata = env.metadata(*e, p)
}

// keylessID names a fact that has no natural key by when and what was received;
// more tells facts of one payload apart.
func (p *payload) keylessID(e schema.Event, more ...string) string {
	key := append([]string{e.Timestamp.Format(time.RFC3339Nano), string(p.raw)}, more...)
	return schema.EventID(schema.OriginHook, e.HookEventName, key...)
}

func unparsable(raw []byte, env Env, err error) schema.Event {
	text := strings.ToValidUTF8(string(raw), "\ufffd")
	p := &payload{raw: schema.AppendString(nil, text), unread: text}
	e := p.start(env)
	p.faults = []string{err.Error()}
	p.finish(&e, env)
	return e
}

// AgentMetaPath returns where Claude Code keeps its record of the subagent that
// the payload comes from, or "" where the payload comes from none:
//
//	<directory of transcript_path>/<session_id>/subagents/agent-<agent_id>.meta.json
//
// It does not look whether the file is there. Only well-formed ids and an absolute
// transcript_path without ".." get a path: a payload must not be able to have any
// other file read.
func AgentMetaPath(payload []byte) string {
	var session, agent, transcript string
	for name, raw := range schema.Fields(payload) {
		switch name {
		case "session_id":
			session = schema.Unquote(raw)
		case "agent_id":
			agent = schema.Unquote(raw)
		case "transcript_path":
			transcript = schema.Unquote(raw)
		}
	}
	if !schema.ValidID(session) || !schema.ValidID(agent) || !absolute(transcript) {
		return ""
	}
	dir, file := splitPath(transcript)
	if file != session+".jsonl" {
		return ""
	}
	sep := transcript[len(dir) : len(dir)+1]
	return strings.Join([]string{dir, session, "subagents", "agent-" + agent + ".meta.json"}, sep)
}

// absolute reports whether path is rooted, as Unix or Windows writes it, and goes
// down only. Not filepath.IsAbs: a test must see both.
func absolute(path string) bool {
	if strings.IndexByte(path, 0) >= 0 {
		return false
	}
	rooted := strings.HasPrefix(path, "/")
	if len(path) > 3 && path[1] == ':' {
		rooted = path[2] == '\\' || path[2] == '/'
	}
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return false
		}
	}
	return rooted
}

// splitPath cuts a path before its last separator, either system's.
func splitPath(path string) (dir, file string) {
	i := strings.LastIndexAny(path, `/\`)
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// object returns raw as one line of compact JSON if it is a JSON object, else nil.
func object(raw []byte) []byte {
	p, err := parse(raw)
	if err != nil {
		return nil
	}
	return p.raw
}
