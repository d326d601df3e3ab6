package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// table is the rows of a Cypher statement. Values are those of neo4j.Store.Query.
type table struct {
	columns []string
	rows    [][]any
}

// MarshalJSON renders a list of objects whose members are in the order of the columns.
func (t table) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for n, row := range t.rows {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for i, v := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			name, err := json.Marshal(t.columns[i])
			if err != nil {
				return nil, err
			}
			value, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			b.Write(append(append(name, ':'), value...))
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// millis is how the columns of durations end.
const millis = "_ms"

// rowTable prints rows for people: durations and local times as other verbs show them.
func (a *app) rowTable(t table) error {
	cols := make([]render.Column, len(t.columns))
	for i, name := range t.columns {
		cols[i] = column(name, t.rows, i)
	}
	cells := make([][]string, len(t.rows))
	for n, row := range t.rows {
		cells[n] = make([]string, len(row))
		for i, v := range row {
			cells[n][i] = cell(v, strings.HasSuffix(t.columns[i], millis))
		}
	}
	return a.style.Table(a.out, cols, cells)
}

func column(name string, rows [][]any, i int) render.Column {
	c := render.Column{Title: strings.ToUpper(strings.ReplaceAll(name, "_", " "))}
	numbers, times, some := true, true, false
	for _, row := range rows {
		switch v := row[i].(type) {
		case nil:
		case int64, float64:
			some, times = true, false
		case string:
			_, isTime := parseTime(v)
			some, numbers, times = true, false, times && isTime
		default:
			some, numbers, times = true, false, false
		}
	}
	switch {
	case some && numbers:
		c.Right = true
		c.Title = strings.TrimSuffix(c.Title, " MS")
	case some && !times:
		c.Give = 12
	}
	switch name {
	case "status", "outcome":
		c.Paint = render.PaintStatus
	case "failed", "errors":
		if c.Right {
			c.Paint = render.PaintNumber
		}
	case "action_id": // for copying: the first to go where the terminal is narrow
		c.Give, c.Drop, c.Paint = 0, 1, render.PaintDim
	}
	return c
}

// cell is a value as one line of text.
func cell(v any, duration bool) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		if duration {
			f := float64(v)
			return render.Millis(&f)
		}
	case float64:
		if duration {
			return render.Millis(&v)
		}
	case string:
		if t, ok := parseTime(v); ok {
			return render.Time(t)
		}
		return v
	}
	return literal(v)
}

// parseTime reads a time as the graph holds it.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(schema.TimeLayout) {
		return time.Time{}, false
	}
	t, err := time.Parse(schema.TimeLayout, s)
	return t, err == nil
}

// literal writes a value nearly as Cypher does.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []byte:
		return fmt.Sprintf("0x%x", v)
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = literal(v[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		return "{" + members(v) + "}"
	case neo4j.Node:
		return nodeText(v)
	case neo4j.Relationship:
		return relationshipText(v)
	case neo4j.Path:
		return pathText(v)
	}
	return fmt.Sprint(v)
}

func members(m map[string]any) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+": "+literal(m[k]))
	}
	return strings.Join(out, ", ")
}

// nodeText names a node by its labels and its caption, as Lab and Browser do.
func nodeText(n neo4j.Node) string {
	for _, key := range []string{"name", "session_id", "action_id", "agent_key", "file_key"} {
		if v, ok := n.Properties[key].(string); ok && v != "" {
			return "(:" + strings.Join(n.Labels, ":") + " " + v + ")"
		}
	}
	return "(:" + strings.Join(n.Labels, ":") + " {" + members(n.Properties) + "})"
}

func relationshipText(r neo4j.Relationship) string {
	if len(r.Properties) == 0 {
		return "[:" + r.Type + "]"
	}
	return "[:" + r.Type + " {" + members(r.Properties) + "}]"
}

func pathText(p neo4j.Path) string {
	var b strings.Builder
	for i, n := range p.Nodes {
		b.WriteString(nodeText(n))
		if i >= len(p.Relationships) {
			continue
		}
		if r := p.Relationships[i]; r.From == n.ID {
			b.WriteString("-" + relationshipText(r) + "->")
		} else {
			b.WriteString("<-" + relationshipText(r) + "-")
		}
	}
	return b.String()
}
