package jsonl

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Hash returns the grain's content hash, 64 hexadecimal digits: its id. The namespace is
// part of it. See the package doc for what is hashed.
func (g *Grain) Hash() string {
	size := 256 + len(g.Content) + len(g.Input) + len(g.Error) + len(g.OutputSchema) + len(g.Extra)
	return hashOf(g.appendCanonical(make([]byte, 0, size)))
}

func hashOf(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// MarshalJSON returns the grain in the names of OMS 1.2: what is hashed.
func (g Grain) MarshalJSON() ([]byte, error) { return g.appendCanonical(nil), nil }

// UnmarshalJSON is ParseGrain.
func (g *Grain) UnmarshalJSON(raw []byte) (err error) {
	*g, err = ParseGrain(raw)
	return err
}

// appendCanonical appends what the grain says as canonical JSON.
func (g *Grain) appendCanonical(dst []byte) []byte {
	w := canonical{buf: append(dst, '{')}
	var few [16]canonicalMember
	w.extra = slices.DeleteFunc(membersOf(few[:0], g.Extra), canonicalMember.saysNothing)
	if g.action() {
		if g.Confidence != nil {
			w.key("confidence")
			w.buf = appendFloat(w.buf, *g.Confidence)
		}
		w.text("content", g.Content)
	}
	if !g.CreatedAt.IsZero() {
		w.key("created_at")
		w.buf = appendTime(w.buf, g.CreatedAt)
	}
	if !g.action() {
		w.text("grain_type", g.GrainType)
	} else {
		if g.DurationMS != nil {
			w.key("duration_ms")
			w.buf = appendFloat(w.buf, *g.DurationMS)
		}
		w.text("error", g.Error)
		w.raw("input", g.Input)
		if g.IsError {
			w.key("is_error")
			w.buf = append(w.buf, "true"...)
		}
	}
	if g.Namespace != DefaultNamespace {
		w.text("namespace", g.Namespace)
	}
	if g.action() {
		w.raw("output_schema", g.OutputSchema)
		w.text("parent_task_id", g.ParentTaskID)
		if !w.has("related_to") { // links say more than the hashes that are in them
			w.texts("related_to", g.RelatedTo)
		}
		w.texts("tags", g.Tags)
		w.text("tool_name", g.ToolName)
	}
	w.flush("")
	return append(w.buf, '}')
}

// canonical writes an object whose members come in the order of their names, and between
// them those of extra, which is sorted.
type canonical struct {
	buf   []byte
	extra []canonicalMember
}

func (w *canonical) key(name string) {
	w.flush(name)
	if w.buf[len(w.buf)-1] != '{' {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(append(append(w.buf, '"'), name...), `":`...) // a name of ours
}

// flush writes the members of extra that come before name, all where name is "".
func (w *canonical) flush(name string) {
	for len(w.extra) > 0 && (name == "" || w.extra[0].name < name) {
		w.buf = appendKey(w.buf, w.extra[0].name)
		w.buf = appendCanonical(w.buf, w.extra[0].raw, 0)
		w.extra = w.extra[1:]
	}
}

func (w *canonical) has(name string) bool {
	return slices.ContainsFunc(w.extra, func(m canonicalMember) bool { return m.name == name })
}

func (w *canonical) text(name, s string) {
	if s != "" {
		w.key(name)
		w.buf = appendText(w.buf, s)
	}
}

func (w *canonical) raw(name string, raw []byte) {
	if len(raw) > 0 {
		w.key(name)
		w.buf = appendCanonical(w.buf, raw, 0)
	}
}

func (w *canonical) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.key(name)
	w.buf = append(w.buf, '[')
	for i, s := range list {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = appendText(w.buf, s)
	}
	w.buf = append(w.buf, ']')
}

// appendTime appends milliseconds since 1970 (OMS §4.8), and what is finer than that in
// RFC 3339.
func appendTime(dst []byte, t time.Time) []byte {
	if t.Nanosecond()%int(time.Millisecond) == 0 {
		return strconv.AppendInt(dst, t.UnixMilli(), 10)
	}
	return schema.AppendString(dst, t.UTC().Format(time.RFC3339Nano))
}
