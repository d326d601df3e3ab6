package neo4j

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// A property is held as people would write it: strings, numbers and truth values as
// they are, a time as text in schema.TimeLayout, whose order is that of time. What such
// text cannot say is held as text that begins with mark and a letter, so that every
// value comes back as it was; a fold never gives such values.
const (
	mark        = "\x1a" // U+001A, SUBSTITUTE
	markString  = mark + "s"
	markBytes   = mark + "b" // base64: not UTF-8, which Bolt requires
	markTime    = mark + "t" // under a name that is not one of timeNames
	markCut     = mark + "c" // hash and beginning; the whole is under name + wholeSuffix
	wholeSuffix = "_whole"
)

// timeNames are the properties whose text is a time where it looks like one.
func isTimeName(name string) bool {
	switch name {
	case "timestamp", "started_at", "ended_at", "last_event_at":
		return true
	}
	return false
}

// maxIndexed bounds the text of a property that an index holds, in bytes. Neo4j refuses
// the whole transaction when a key of a range index takes more than 8,167 bytes
// ("Property value is too large to index"): one hostile tool name would stall the
// replica for ever.
const maxIndexed = 4096

// isIndexed reports the properties that have a range index on some label.
func isIndexed(name string) bool {
	switch name {
	case "session_id", "action_id", "agent_key", "file_key", "timestamp", "started_at", "tool_name", "status", "path":
		return true
	}
	return false
}

// encodeProps adds properties to m, a map that SET n += takes: nil removes.
func encodeProps(m map[string]any, props []graph.Prop) {
	for _, p := range props {
		v := encodeValue(p.Name, p.Value)
		if p.Name == "timestamp" {
			m["timestamp_ms"] = nil
			if t, ok := p.Value.(graph.Time); ok {
				m["timestamp_ms"] = int64(t) / int64(time.Millisecond)
			}
		}
		if text, ok := v.(string); ok && len(text) > maxIndexed && isIndexed(p.Name) {
			m[p.Name+wholeSuffix] = v
			v = cutIndexed(text)
		}
		m[p.Name] = v
	}
}

// cutIndexed is what an index gets of a text that is too long for it.
func cutIndexed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return markCut + hex.EncodeToString(sum[:]) + " " + strings.ToValidUTF8(text[:maxIndexed/2], "")
}

func encodeValue(name string, v any) any {
	switch v := v.(type) {
	case graph.Time:
		if isTimeName(name) {
			return v.String()
		}
		return markTime + v.String()
	case string:
		switch {
		case !utf8.ValidString(v):
			return markBytes + base64.StdEncoding.EncodeToString([]byte(v))
		case strings.HasPrefix(v, mark), isTimeName(name) && looksLikeTime(v):
			return markString + v
		}
	}
	return v
}

// encodeKey gives a node's key as the property that holds it. One that is too long for
// an index is known by its hash.
func encodeKey(key string) string {
	text := encodeValue("", key).(string)
	if len(text) > maxIndexed {
		return cutIndexed(text)
	}
	return text
}

// decodeKey is the reverse of encodeKey.
func decodeKey(v any) string {
	s, _ := decodeValue("", v).(string)
	return s
}

// encodeTime gives a time as the text that properties hold, to compare with.
func encodeTime(t time.Time) string { return schema.FormatTime(t) }

// decodeProps gives a node's properties, sorted by name and without its key and what
// the store added for itself. The label of an edge is "".
func decodeProps(l graph.Label, m map[string]any) []graph.Prop {
	props := make([]graph.Prop, 0, len(m))
	for name, v := range m {
		if name == "timestamp_ms" || strings.HasSuffix(name, wholeSuffix) || l != "" && isOwn(l, name) {
			continue
		}
		if s, ok := v.(string); ok && strings.HasPrefix(s, markCut) {
			v = m[name+wholeSuffix]
		}
		props = append(props, graph.Prop{Name: name, Value: decodeValue(name, v)})
	}
	slices.SortFunc(props, func(a, b graph.Prop) int { return strings.Compare(a.Name, b.Name) })
	return props
}

// ours marks a Tool, Tag or File that a fold has put: Clear leaves other people's.
const ours = "actiongraph"

// isOwn reports a property of nodes of l that is none of the graph's: the key and what
// the store added.
func isOwn(l graph.Label, name string) bool {
	switch name {
	case graph.KeyProperty(l), "stub":
		return true
	case "search":
		return l == graph.LabelAction
	case "owner":
		return l == graph.LabelSession
	case ours:
		return l.Shared()
	}
	return false
}

// decodeValue is the reverse of encodeValue: a string, int64, float64, bool or
// graph.Time.
func decodeValue(name string, v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	switch {
	case isTimeName(name) && looksLikeTime(s):
		t, _ := parseTime(s)
		return t
	case !strings.HasPrefix(s, mark):
		return s
	case strings.HasPrefix(s, markString):
		return s[len(markString):]
	case strings.HasPrefix(s, markTime):
		if t, ok := parseTime(s[len(markTime):]); ok {
			return t
		}
	case strings.HasPrefix(s, markBytes):
		if b, err := base64.StdEncoding.DecodeString(s[len(markBytes):]); err == nil {
			return string(b)
		}
	}
	return s // somebody else wrote it
}

func looksLikeTime(s string) bool {
	_, ok := parseTime(s)
	return ok
}

// parseTime reads text that is exactly what graph.Time renders.
func parseTime(s string) (graph.Time, bool) {
	if len(s) != len(schema.TimeLayout) {
		return 0, false
	}
	t, err := time.Parse(schema.TimeLayout, s)
	if err != nil {
		return 0, false
	}
	v := graph.TimeOf(t)
	return v, v.String() == s // not where int64 ends
}
