package sqlite

import (
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// columnNames lists the columns for a SELECT, each after prefix.
func (t *table) columnNames(prefix string) string {
	names := make([]string, len(t.cols))
	for i, c := range t.cols {
		names[i] = prefix + c.name
	}
	return strings.Join(names, ", ")
}

// scan is where a row of any values goes.
type scan struct{ vals, ptrs []any }

func newScan(n int) scan {
	s := scan{make([]any, n), make([]any, n)}
	for i := range s.vals {
		s.ptrs[i] = &s.vals[i]
	}
	return s
}

// props gives the properties that a row of tab holds, in no particular order. key
// and session are what its columns of kind self mean.
func (t typeNumbers) props(tab *table, vals []any, key, session string) (out []graph.Prop) {
	for i, c := range tab.cols {
		if i == tab.more {
			out = append(out, decodeProps(vals[i])...)
			continue
		}
		if c.prop == "" || vals[i] == nil {
			continue
		}
		own := key
		if c.name == "in_sid" {
			own = session
		}
		out = append(out, graph.Prop{Name: c.prop, Value: t.decode(c, vals[i], own)})
	}
	return out
}

// encode is encode for a column, action types included.
func (t typeNumbers) encode(c *column, v any, own string) any {
	if s, ok := v.(string); ok && c.kind == typeName {
		if n, ok := t.action[graph.ActionType(s)]; ok {
			return n
		}
		return v
	}
	return encode(c.kind, v, own)
}

// decode is the reverse of encode.
func (t typeNumbers) decode(c column, v any, own string) any {
	if n, ok := v.(int64); ok && c.kind == typeName {
		return string(t.actionType(n))
	}
	return decode(c.kind, v, own)
}
