package jsonl

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

const actionType = "action"

// ParseGrain reads a bare grain of OMS 1.1, 1.2 or 1.3, or {"grain_type":…,"fields":{…}}.
// The error is a *LineError. The grain aliases nothing of raw.
func ParseGrain(raw []byte) (Grain, error) {
	v, err := lineValue(raw)
	if err != nil {
		return Grain{}, err
	}
	var g Grain
	if fault := g.read(v, &Source{}, nil); fault != nil {
		return Grain{}, fault
	}
	return g, nil
}

// named is a member of a grain.
type named struct {
	name    string // in OMS 1.2
	written string
	v       value
}

// read reads a grain where it is in its line.
func (g *Grain) read(v value, src *Source, texts *schema.Texts) *LineError {
	if v.first() != '{' {
		return v.fault("", "want a grain, an object, got %s", v.what())
	}
	*g = Grain{}
	var few [24]named // as many as most grains have
	members, fault := grainMembers(few[:0], v, g)
	if fault == nil {
		fault = repeated(members)
	}
	if fault != nil {
		return fault
	}
	if g.GrainType == actionType {
		g.GrainType = ""
	}
	if g.GrainType == "" && slices.ContainsFunc(members, isDefinition) {
		g.GrainType = definitionPhase
	}
	if !g.action() && !src.KeepUnknown {
		return v.fault("grain_type", "%.100q is no action, and is kept only where unknown types are: import --keep-unknown", g.GrainType)
	}
	r := reading{g: g, texts: texts}
	for _, m := range members {
		known, fault := r.set(m)
		if fault != nil {
			return fault
		}
		if !known {
			r.rest.raw(m.written, m.v)
		}
	}
	g.Extra = r.rest.json()
	if g.Namespace == "" {
		g.Namespace = src.Namespace
	}
	if g.action() && g.ToolName == "" {
		return v.fault("tool_name", "missing, an action has one")
	}
	return nil
}

// isActionType reports whether a grain's type is Action's: OMS 1.1 called it ToolCall.
func isActionType(typ string) bool {
	switch typ {
	case actionType, "tool_call", "toolcall", "ToolCall":
		return true
	}
	return false
}

// definitionPhase is the action_phase (since 1.2; later tool_phase) of a grain that says what
// a tool is: nothing was done.
const definitionPhase = "definition"

func isDefinition(m named) bool {
	return (m.name == "action_phase" || m.name == "tool_phase") && m.v.text() == definitionPhase
}

// grainMembers gathers what a grain states, those of its fields too, and its type, which
// may stand last.
func grainMembers(dst []named, v value, g *Grain) ([]named, *LineError) {
	var fields value
	bare := false
	for raw, m := range v.members() {
		switch name, written := fieldName(raw); {
		case m.null(): // no value: OMS §4.5
		case name == "grain_type", name == "type":
			if fault := g.setType(name, m); fault != nil {
				return dst, fault
			}
		case name == "fields":
			if fields.there() {
				return dst, m.fault("fields", "is there twice")
			}
			fields = m
		default:
			bare = bare || name == "tool_name"
			dst = append(dst, named{name, written, m})
		}
	}
	switch {
	case !fields.there():
	case bare: // one that has a field of that name
		dst = append(dst, named{"fields", "fields", fields})
	case fields.first() != '{':
		return dst, fields.fault("fields", "want an object, got %s", fields.what())
	default:
		for raw, m := range fields.members() {
			switch name, written := fieldName(raw); {
			case m.null():
			case name == "grain_type", name == "type":
				if fault := g.setType(name, m); fault != nil {
					return dst, fault
				}
			default:
				dst = append(dst, named{name, written, m})
			}
		}
	}
	return dst, nil
}

// setType takes the type: a bare grain's own field is type (OMS §6.1), a batch's
// grain_type. Both may be there where they say the same.
func (g *Grain) setType(name string, m value) *LineError {
	typ := m.text()
	if isActionType(typ) {
		typ = actionType
	}
	switch {
	case typ == "":
		return m.fault(name, "want a type of grains, got %s", m.sample())
	case g.GrainType != "" && g.GrainType != typ:
		return m.fault(name, "%.100q, and before it the type is %.100q", typ, g.GrainType)
	}
	g.GrainType = typ
	return nil
}

// repeated faults a member that is there twice, as OMS §4.1 does.
func repeated(members []named) *LineError {
	var seen map[string]bool
	if len(members) > 32 {
		seen = make(map[string]bool, len(members))
	}
	for i, m := range members {
		if seen == nil {
			for _, before := range members[:i] {
				if before.name == m.name {
					return m.twice(before)
				}
			}
			continue
		}
		if seen[m.name] {
			return m.twice(m)
		}
		seen[m.name] = true
	}
	return nil
}

func (m named) twice(before named) *LineError {
	if m.written != before.written {
		return m.v.fault(m.written, "%s is the same field, and there, too", before.written)
	}
	return m.v.fault(m.written, "is there twice")
}

// fieldName returns what OMS 1.2 calls a field, which needs no memory for those that it
// knows. structural_tags is what the specification calls what the seed's API calls tags.
func fieldName(raw []byte) (name, written string) {
	switch string(raw) {
	case "arguments":
		return "input", "arguments"
	case "result":
		return "content", "result"
	case "success":
		return "is_error", "success"
	case "structural_tags":
		return "tags", "structural_tags"
	}
	written = knownName(raw)
	return written, written
}

// knownName is string(raw), which of most names needs no memory.
func knownName(raw []byte) string {
	switch string(raw) {
	case "tool_name":
		return "tool_name"
	case "input":
		return "input"
	case "content":
		return "content"
	case "is_error":
		return "is_error"
	case "error":
		return "error"
	case "duration_ms":
		return "duration_ms"
	case "parent_task_id":
		return "parent_task_id"
	case "output_schema":
		return "output_schema"
	case "confidence":
		return "confidence"
	case "tags":
		return "tags"
	case "namespace":
		return "namespace"
	case "related_to":
		return "related_to"
	case "created_at":
		return "created_at"
	case "grain_type":
		return "grain_type"
	case "fields":
		return "fields"
	case "type":
		return "type"
	}
	return string(raw)
}

// reading is a grain that is being read.
type reading struct {
	g     *Grain
	texts *schema.Texts // what grains repeat of each other
	rest  object
}

// set takes a member that Grain has a field for.
func (r *reading) set(m named) (known bool, fault *LineError) {
	g := r.g
	switch m.name {
	case "namespace":
		if g.Namespace, fault = r.text(m); fault == nil && g.Namespace != "" {
			if err := CheckNamespace(g.Namespace); err != nil {
				fault = m.v.fault(m.written, "%w", err)
			}
		}
		return true, fault
	case "created_at":
		g.CreatedAt, fault = m.aTime()
		return true, fault
	}
	if !g.action() {
		return false, nil
	}
	switch m.name {
	case "tool_name":
		g.ToolName, fault = r.text(m)
	case "input":
		g.Input, fault = m.anObject()
	case "content":
		g.Content = contentText(m.v)
	case "is_error":
		if g.IsError, fault = m.aBool(); m.written == "success" {
			g.IsError = !g.IsError
		}
	case "error":
		g.Error, fault = r.text(m)
	case "duration_ms":
		g.DurationMS, fault = m.aNumber(math.MaxFloat64, "of milliseconds, not negative")
	case "parent_task_id":
		g.ParentTaskID, fault = r.text(m)
	case "output_schema":
		g.OutputSchema, fault = m.anObject()
	case "confidence":
		g.Confidence, fault = m.aNumber(1, "from 0 to 1")
	case "tags":
		g.Tags, fault = r.list(m, "a list of names")
	case "related_to":
		g.RelatedTo, fault = r.related(m)
	default:
		return false, nil
	}
	return true, fault
}

// contentText is the text of a content. The specification lets it be any value (§6.5), the
// seed only a string: any other is its canonical JSON, the same however it was written.
func contentText(v value) string {
	if v.first() == '"' {
		return v.text()
	}
	return string(appendCanonical(nil, v.copied(), 0))
}

func (r *reading) text(m named) (string, *LineError) {
	if m.v.first() != '"' {
		return "", m.v.fault(m.written, "want a string, got %s", m.v.what())
	}
	return r.texts.Unquote(m.v.raw()), nil
}

func (m named) aBool() (bool, *LineError) {
	if c := m.v.first(); c != 't' && c != 'f' {
		return false, m.v.fault(m.written, "want true or false, got %s", m.v.what())
	}
	return m.v.first() == 't', nil
}

func (m named) anObject() (json.RawMessage, *LineError) {
	if m.v.first() != '{' {
		return nil, m.v.fault(m.written, "want an object, got %s", m.v.what())
	}
	return m.v.cloned(), nil
}

func (m named) aNumber(most float64, which string) (*float64, *LineError) {
	f, err := strconv.ParseFloat(string(m.v.raw()), 64)
	if err != nil || f < 0 || f > most {
		return nil, m.v.fault(m.written, "want a number %s, got %s", which, m.v.sample())
	}
	f += 0 // -0 is 0
	return &f, nil
}

func (r *reading) list(m named, want string) (list []string, _ *LineError) {
	if m.v.first() != '[' {
		return nil, m.v.fault(m.written, "want %s, got %s", want, m.v.what())
	}
	for i, e := range m.v.elements() {
		if e.first() != '"' || e.empty() {
			return nil, e.fault(item(m.written, i), "want a string that is not empty, got %s", e.sample())
		}
		list = append(list, r.texts.Unquote(e.raw()))
	}
	return list, nil
}

// related reads related_to: hashes, or the specification's links (§14.2), objects with a
// hash, which Extra keeps.
func (r *reading) related(m named) (list []string, _ *LineError) {
	if m.v.first() != '[' {
		return nil, m.v.fault(m.written, "want a list of hashes, got %s", m.v.what())
	}
	links := false
	for i, e := range m.v.elements() {
		hash := e
		if e.first() == '{' {
			links, hash = true, e.member("hash")
		}
		if hash.text() == "" {
			return nil, e.fault(item(m.written, i), "want a grain's hash, got %s", e.sample())
		}
		list = append(list, hash.text())
	}
	if links {
		r.rest.raw(m.written, m.v)
	}
	return list, nil
}

// aTime reads milliseconds since 1970 (OMS §4.8), or RFC 3339.
func (m named) aTime() (t time.Time, _ *LineError) {
	ms, err := strconv.ParseInt(string(m.v.raw()), 10, 64)
	ok := err == nil
	if ok {
		t = time.UnixMilli(ms).UTC()
	} else if m.v.first() == '"' {
		t, ok = parseTime(m.v.text())
	}
	if !ok || !inYears(t) {
		return t, m.v.fault(m.written, "want milliseconds since 1970, or an RFC 3339 time, until 2261, got %s", m.v.sample())
	}
	return t, nil
}
