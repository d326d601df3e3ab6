package policy

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"

	"github.com/actiongraph/actiongraph/schema"
)

// Keeper applies a policy to events, one after the other. It is safe for concurrent use.
type Keeper struct {
	policy  *Policy
	key     []byte
	project uint64

	mu    sync.Mutex
	calls map[callKey]bool // → left out, where tools are: a transcript's result does not name its tool
}

// callKey names a call: an id says which one only within a session, since not every agent's
// ids are random.
type callKey struct{ session, id string }

// maxCalls is how many calls a Keeper remembers. Of those it has forgotten the results are
// left out: the private side.
const maxCalls = 1 << 16

// NewKeeper returns one for events of a home, whose key keys the hashes of what is left
// out. dir is where the runtime says that the session's project is, "" where it does not.
func NewKeeper(p *Policy, key []byte, dir string) *Keeper {
	return &Keeper{policy: p, key: key, project: p.Project(dir), calls: map[callKey]bool{}}
}

// Policy returns the policy.
func (k *Keeper) Policy() *Policy { return k.policy }

// LeavesOut returns what names the rule by which an event is not recorded at all, 0 where
// it is recorded. dir is where it happened, "" where nobody knows.
func (k *Keeper) LeavesOut(dir string) uint64 {
	if k.project != 0 {
		return k.project
	}
	return k.policy.Project(dir)
}

// Withhold takes out of an event, which is redacted, what is not kept of its texts. Its ids,
// times and names stay, and so do the words from which the fold tells what happened.
func (k *Keeper) Withhold(e *schema.Event) {
	switch {
	case k.policy.rules.Content == None, k.leavesOutTool(e), k.unread(e):
		k.strip(e)
		return
	case len(k.policy.rules.ExcludeTools) > 0:
		k.untell(e)
	}
	if k.policy.rules.Content == Gist {
		shorten(e)
	}
}

// leavesOutTool reports whether the event is about a call of a tool that is left out, or of
// one that nobody knows.
func (k *Keeper) leavesOutTool(e *schema.Event) bool {
	if len(k.policy.rules.ExcludeTools) == 0 {
		return false
	}
	if k.retells(e) {
		return true
	}
	if name := toolName(e); name != "" {
		out := k.policy.Tool(name)
		if e.ToolUseID != "" {
			out = k.remember(callKey{e.SessionID, e.ToolUseID}, out)
		}
		return out
	}
	if schema.Field(e.Extra, "tool_calls") != nil {
		return true // of a batch that could not be taken apart
	}
	ids := [...]string{e.ToolUseID, schema.FieldString(e.Extra, "toolUseID"), schema.FieldString(e.Extra, "parentToolUseID"),
		schema.FieldString(e.Extra, "source_tool_use_id"), schema.FieldString(schema.Field(e.Extra, "attachment"), "toolUseID")}
	for _, id := range ids {
		if id == "" {
			continue
		}
		if out, known := k.call(e, id); out || !known {
			return true
		}
	}
	return e.EventType == schema.ToolEnd && e.ToolUseID == ""
}

// remember returns whether a call is left out: one that once was is, whatever tool another
// event says that it is of.
func (k *Keeper) remember(c callKey, out bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	out = out || k.calls[c]
	if len(k.calls) >= maxCalls {
		clear(k.calls)
	}
	k.calls[c] = out
	return out
}

// call returns what is remembered of a call in the event's session.
func (k *Keeper) call(e *schema.Event, id string) (out, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out, known = k.calls[callKey{e.SessionID, id}]
	return out, known
}

// toolName is the tool that an event is about, also of one that no adapter understood.
func toolName(e *schema.Event) string {
	return cmp.Or(e.ToolName, schema.FieldString(e.Extra, "tool_name"), schema.FieldString(e.Extra, "toolName"))
}

// unread reports whether the event is a payload that nobody could read, of which nobody
// can say where it is from or about which tool it is.
func (k *Keeper) unread(e *schema.Event) bool {
	return e.EventType == schema.Unknown && len(k.policy.projects)+len(k.policy.rules.ExcludeTools) > 0 &&
		e.WorkingDirectory == "" && schema.Field(e.Metadata, schema.MetaPayload) != nil
}

// strip leaves nothing of any text but its size.
func (k *Keeper) strip(e *schema.Event) {
	e.Content = k.content(e)
	e.ErrorMessage = k.problem(e.ErrorMessage)
	if e.EventType != schema.Decision || !isWord(e.Title) {
		e.Title = k.mark(e.Title)
	}
	reason, extra := e.Reason, extraMember
	if e.OfRecorder() {
		extra = recorderMember
	}
	for _, s := range []*string{&e.Reason, &e.Status, &e.ErrorType, &e.Role, &e.Actor} {
		if !isWord(*s) {
			*s = k.mark(*s)
		}
	}
	if e.OfRecorder() && isReason(reason) {
		e.Reason = reason
	}
	e.ToolInput = k.shell(e.ToolInput, inputMember)
	e.Result = k.shell(e.Result, resultMember)
	e.Extra = k.shell(e.Extra, extra)
	e.Metadata = k.shell(e.Metadata, metadataMember)
}

const markOpen, markClose = "[left out: ", "]"

// mark says how long a text is that is left out, and a keyed hash of it: equal texts have
// equal marks, by which a hook's prompt and its line in the transcript are known for one.
// A text that is a mark stays: what is imported from another home was left out there.
func (k *Keeper) mark(text string) string {
	if text == "" || isMark(text) {
		return text
	}
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte("left out:"))
	mac.Write([]byte(text))
	return fmt.Sprintf("%s%d bytes, %x%s", markOpen, len(text), mac.Sum(nil)[:8], markClose)
}

func isMark(text string) bool {
	rest, ok := strings.CutPrefix(text, markOpen)
	if !ok || len(text) > 64 {
		return false
	}
	var n int64
	var sum []byte
	_, err := fmt.Sscanf(rest, "%d bytes, %16x", &n, &sum)
	return err == nil && len(sum) == 8 && text == fmt.Sprintf("%s%d bytes, %x%s", markOpen, n, sum, markClose)
}

// content is the mark of an event's text, in the form from which the fold tells what it is.
func (k *Keeper) content(e *schema.Event) string {
	return formed(e, func(text string) string {
		if strings.HasPrefix(text, "/") && !isMark(text[1:]) {
			return "/" + k.mark(text[1:])
		}
		if strings.HasPrefix(text, "/") {
			return text
		}
		return k.mark(text)
	})
}

// notice begins what a runtime tells the model of a task that ended.
const notice = "<task-notification>"

// formed applies short to an event's text, and keeps the tags by which a slash command and
// the end of a task are known. short("/name args") begins with a slash.
func formed(e *schema.Event, short func(string) string) string {
	text := e.Content
	if e.EventType != schema.Message && e.EventType != schema.Skill || e.Role == schema.RoleAssistant {
		return short(text)
	}
	text = strings.TrimSpace(text) // a hook's prompt and its line differ there
	switch {
	case strings.HasPrefix(text, "<command-"):
		name := tagged(text, "command-name")
		if name == "" {
			break
		}
		said := strings.TrimSpace("/" + strings.TrimPrefix(name, "/") + " " + tagged(text, "command-args"))
		was := short(said)
		if was == said {
			return e.Content
		}
		out := "<command-name>" + was + "</command-name>"
		if strings.HasPrefix(text, "<command-message>") {
			out = "<command-message></command-message>" + out
		}
		return out
	case strings.HasPrefix(text, notice):
		const begin, end = notice, "</task-notification>"
		told := ""
		if id := tagged(text, "task-id"); schema.ValidID(id) {
			told += "<task-id>" + id + "</task-id>"
		}
		if status := tagged(text, "status"); status != "" && isWord(status) {
			told += "<status>" + status + "</status>"
		}
		body := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(text, begin), end), told)
		was := short(body)
		if was == body {
			return e.Content
		}
		return begin + told + was + end
	}
	if was := short(text); was != text {
		return was
	}
	return e.Content
}

func tagged(text, name string) string {
	_, rest, _ := strings.Cut(text, "<"+name+">")
	body, _, _ := strings.Cut(rest, "</"+name+">")
	return strings.TrimSpace(body)
}

// problem is the mark of an error's text, behind what says how a call ended.
func (k *Keeper) problem(text string) string {
	const refused = "<tool_use_error>"
	if rest, ok := strings.CutPrefix(text, refused); ok {
		return refused + k.mark(rest)
	}
	if rest, ok := strings.CutPrefix(text, "Exit code "); ok {
		code, more, _ := strings.Cut(rest, "\n")
		if len(code) <= 10 && strings.Trim(code, "0123456789-") == "" {
			if more != "" {
				code += "\n"
			}
			return "Exit code " + code + k.mark(more)
		}
	}
	return k.mark(text)
}

// leftOut is the member of an object that marks what is missing there.
const leftOut = "left_out"

// shell returns a JSON value of which only those members are left that member gives a kind.
func (k *Keeper) shell(raw []byte, member func(name string) kind) []byte {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0, string(raw) == "null":
		return raw
	case raw[0] == '"':
		text := schema.Unquote(raw)
		return schema.AppendString(nil, k.mark(text))
	case raw[0] != '{':
		return schema.AppendString(nil, k.mark(string(raw)))
	}
	out, whole := []byte{'{'}, true
	for name, v := range schema.Fields(raw) {
		kept := k.value(v, member(name))
		if name == leftOut && v[0] == '"' && isMark(schema.Unquote(v)) {
			kept = v
		}
		if kept == nil {
			whole = false
			continue
		}
		out = appendMember(out, name, kept)
	}
	if !whole {
		out = appendMember(out, leftOut, schema.AppendString(nil, k.mark(string(raw))))
	}
	return append(out, '}')
}

func appendMember(obj []byte, name string, value []byte) []byte {
	if len(obj) > 1 {
		obj = append(obj, ',')
	}
	return append(append(schema.AppendString(obj, name), ':'), value...)
}

// value returns what is kept of a member, nil where it is left out.
func (k *Keeper) value(v []byte, as kind) []byte {
	if as == nothing {
		return nil
	}
	switch c := v[0]; {
	case c == '{' && as == usage:
		return k.shell(v, func(string) kind { return usage })
	case c == '{' && as == agent:
		return k.shell(v, agentMember)
	case c == '{', c == '[':
		return nil
	case c != '"':
		return v // a number, true, false, null
	}
	text := schema.Unquote(v)
	switch {
	case text == "" || as == place:
	case as == word && isWord(text), as == id && isID(text), as == usage && isWord(text):
	default:
		return schema.AppendString(nil, k.mark(text))
	}
	return v
}
