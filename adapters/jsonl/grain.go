package jsonl

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// DefaultNamespace is the namespace of grains that name none.
const DefaultNamespace = "default"

// grainSDK is Event.SourceSDK of the events of grains.
const grainSDK = "oms"

// longestNamespace bounds what a namespace may be, in bytes.
const longestNamespace = 256

// CheckNamespace says why a name is no namespace. It is asked at every door: what is a
// namespace is one anywhere.
func CheckNamespace(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("it is empty: a namespace has a name")
	case len(name) > longestNamespace:
		return fmt.Errorf("it has %d bytes, at most %d: give it a shorter name", len(name), longestNamespace)
	case !utf8.ValidString(name):
		return errors.New("it is not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("it has a control character: leave that out")
	}
	return nil
}

// NamespaceSession returns the session that holds the grains of a namespace.
func NamespaceSession(namespace string) string { return schema.SafeID("ns-" + namespace) }

// Grain is an OMS Action grain, in the names of OMS 1.2 and 1.3. Only ToolName is
// required.
type Grain struct {
	// GrainType is "", "action" or what OMS 1.1 called it: tool_call, toolcall, ToolCall.
	// A grain of another type is its Namespace, its CreatedAt and its Extra; see Validate.
	GrainType    string
	ToolName     string
	Input        json.RawMessage // an object
	Content      string
	IsError      bool
	Error        string
	DurationMS   *float64
	ParentTaskID string
	OutputSchema json.RawMessage // an object
	Confidence   *float64        // 0 to 1
	Tags         []string
	Namespace    string   // "" is DefaultNamespace
	RelatedTo    []string // hashes of grains
	// CreatedAt is when it happened; zero is when it was received.
	CreatedAt time.Time
	// Extra is what else the grain has: an object.
	Extra json.RawMessage
}

// action reports whether it is an Action grain.
func (g *Grain) action() bool { return g.GrainType == "" || isActionType(g.GrainType) }

// kind is its type, under one name.
func (g *Grain) kind() string {
	if g.action() {
		return actionType
	}
	return g.GrainType
}

// AppendEvents appends the events of a valid grain: its call and its result, whose
// tool_use_id is the grain's hash, or an unknown event of a grain of another type. Of src
// it takes Origin, Host and User. at is when the grain was received. Event.Seq
// counts the events in dst, so that the grains of one batch keep their order.
func (g *Grain) AppendEvents(dst []schema.Event, src *Source, at time.Time) []schema.Event {
	return g.appendEvents(dst, g.Hash(), src, at)
}

func (g *Grain) appendEvents(dst []schema.Event, hash string, src *Source, at time.Time) []schema.Event {
	e := schema.Event{
		V: schema.Version, SessionID: NamespaceSession(cmp.Or(g.Namespace, DefaultNamespace)), Timestamp: g.time(at),
		SourceSDK: grainSDK, Origin: cmp.Or(src.Origin, schema.OriginAPI), HookEventName: g.kind(),
		Seq: int64(len(dst) + 1), Host: src.Host, UserID: src.User,
	}
	if !g.action() {
		e.EventType = schema.Unknown
		e.EventID = schema.EventID(schema.OriginAudit, "grain", hash)
		e.Actor = schema.ActorRuntime
		e.Extra = g.extra(hash)
		return append(dst, e)
	}
	e.Actor, e.ToolName, e.ToolUseID = schema.ActorAgent, g.ToolName, hash
	call, result := e, e
	call.EventType = schema.ToolStart
	call.EventID = schema.EventID(schema.OriginAudit, "grain_call", hash)
	call.ToolInput = g.Input // no InputHash: no other fact is joined by one
	call.ParentTaskID, call.Tags, call.RelatedTo = g.ParentTaskID, g.Tags, g.RelatedTo
	call.Extra = g.extra("")
	result.EventType = schema.ToolEnd
	result.EventID = schema.EventID(schema.OriginAudit, "grain_result", hash)
	result.Seq++
	result.CausedBy = call.EventID
	if g.Content != "" {
		result.Result = schema.AppendString(make([]byte, 0, len(g.Content)+16), g.Content)
	}
	result.IsError, result.ErrorMessage, result.DurationMS = g.IsError, g.Error, g.DurationMS
	if len(g.Extra) == 0 {
		return append(dst, call, result)
	}
	result.ErrorType = schema.FieldString(g.Extra, "error_type")
	switch cmp.Or(schema.FieldString(g.Extra, "action_phase"), schema.FieldString(g.Extra, "tool_phase")) {
	case "call": // nothing has come back yet
		return append(dst, call)
	case "result": // of a call in another grain
		result.Seq, result.CausedBy = call.Seq, ""
		result.ParentTaskID, result.Tags, result.RelatedTo, result.Extra = call.ParentTaskID, call.Tags, call.RelatedTo, call.Extra
		return append(dst, result)
	}
	return append(dst, call, result)
}

// time is when it happened: created_at, else timestamp_ms, a common field of OMS, else at.
func (g *Grain) time(at time.Time) time.Time {
	if !g.CreatedAt.IsZero() {
		return g.CreatedAt.UTC()
	}
	if len(g.Extra) > 0 {
		ms, err := strconv.ParseInt(string(schema.Field(g.Extra, "timestamp_ms")), 10, 64)
		if t := time.UnixMilli(ms).UTC(); err == nil && inYears(t) {
			return t
		}
	}
	return at.Round(0).UTC()
}

// inYears reports whether an event can have the time, which is in UTC.
func inYears(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 2261 }

// extra returns Event.Extra: what no field of an event takes. hash is "" where the event
// has it elsewhere.
func (g *Grain) extra(hash string) json.RawMessage {
	o := object{buf: make([]byte, 0, 64+len(g.Extra)+len(g.OutputSchema))}
	o.text("grain_type", g.kind())
	o.text("namespace", cmp.Or(g.Namespace, DefaultNamespace))
	if hash != "" && schema.Field(g.Extra, "hash") == nil {
		o.text("hash", hash)
	}
	if g.Confidence != nil {
		o.key("confidence")
		o.buf = appendFloat(o.buf, *g.Confidence)
	}
	if len(g.OutputSchema) > 0 {
		o.key("output_schema")
		o.buf = append(o.buf, g.OutputSchema...)
	}
	for name, raw := range schema.Fields(g.Extra) {
		if raw[0] == 'n' { // null, no value: OMS §4.5
			continue
		}
		o.key(name)
		o.buf = append(o.buf, raw...)
	}
	return o.json()
}

// maxScratch is as much memory as a Decoder keeps from one line to the next.
const maxScratch = 64 << 10

// grains reads a line of grains.
func (d *Decoder) grains(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	was, seq := len(dst), n*1000
	l := Line{Kind: "batch"}
	alone, err := eachGrain(line, &d.src, &d.texts, func(g *Grain) {
		d.scratch = g.appendCanonical(d.scratch[:0])
		hash := hashOf(d.scratch)
		if d.spill == nil {
			l.Hashes = append(l.Hashes, hash)
		}
		begin := len(dst)
		dst = g.appendEvents(dst, hash, &d.src, at)
		for i := range dst[begin:] {
			seq++
			dst[begin+i].Seq = seq
		}
		dst = d.spilled(dst)
	})
	if err != nil {
		return dst[:was], Line{}, err
	}
	if cap(d.scratch) > maxScratch {
		d.scratch = nil
	}
	if alone && len(dst) > was {
		e := &dst[was]
		l.Kind, l.Unknown = shortName(e.HookEventName), e.EventType == schema.Unknown
	}
	return dst, l, nil
}
