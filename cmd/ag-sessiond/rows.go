package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// errEnough ends a query whose limit of rows is reached.
var errEnough = errors.New("enough rows")

// ask is a Cypher statement and how its rows are shown.
type ask struct {
	statement string
	params    map[string]any
	limit     int  // of rows; 0 is all
	saved     bool // it is a saved query: its columns are ours, and shown as other verbs show theirs
}

// printRows runs a statement, prints its rows and returns how many there were. As JSON
// they are printed as they come, however many there are; a table has to see all of them.
func (a *app) printRows(ctx context.Context, store *neo4j.Store, q ask) (n int, err error) {
	rows := table{}
	err = store.Query(ctx, q.statement, q.params, func(columns []string, row []any) error {
		if q.limit > 0 && n == q.limit {
			return errEnough
		}
		n++
		if a.json {
			return a.jsonRow(n, columns, row)
		}
		rows.columns, rows.rows = columns, append(rows.rows, row)
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		a.note("showing the first %d; --limit 0 shows all", q.limit)
	case errors.Is(err, neo4j.ErrWrites), errors.Is(err, neo4j.ErrStatement):
		return n, usagef("%w", err)
	case err != nil:
		return n, interruptedOr(ctx, unavailable(err))
	}
	switch {
	case a.json && n == 0:
		a.printf("[]\n")
	case a.json:
		a.printf("\n]\n")
	case n > 0:
		return n, a.rowTable(rows, q.saved)
	}
	return n, nil
}

// jsonRow prints the nth row of a list as an object whose members are in the order of the
// columns. The list has no end yet: one that broke off must not read as a whole one.
func (a *app) jsonRow(n int, columns []string, row []any) error {
	var b, indented bytes.Buffer
	b.WriteByte('{')
	for i, v := range row {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, part := range []any{columns[i], v} {
			text, err := encodeJSON(part, "")
			if err != nil {
				return err
			}
			b.Write(bytes.TrimSpace(text))
			b.WriteByte(':')
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	start := ",\n  "
	if n == 1 {
		start = "[\n  "
	}
	indented.WriteString(start)
	if err := json.Indent(&indented, b.Bytes(), "  ", "  "); err != nil {
		return err
	}
	_, err := a.out.Write(indented.Bytes())
	return err
}

// table is the rows of a Cypher statement. Values are those of neo4j.Store.Query.
type table struct {
	columns []string
	rows    [][]any
}

// millis is how the columns of durations end.
const millis = "_ms"

// rowTable prints rows for people. Those of somebody's own statement have the names and
// numbers that it gave them; those of a saved query look as other verbs' do.
func (a *app) rowTable(t table, saved bool) error {
	cols := make([]render.Column, len(t.columns))
	for i, name := range t.columns {
		cols[i] = column(name, t.rows, i)
		if saved {
			cols[i] = savedColumn(cols[i], name, t.rows, i)
		}
	}
	shorter := func(s string) string { return s }
	if saved {
		shorter = t.shorter()
	}
	cells := make([][]string, len(t.rows))
	for n, row := range t.rows {
		cells[n] = make([]string, len(row))
		for i, v := range row {
			if !cols[i].Spare { // which is there to be copied whole
				v = mapStrings(v, shorter)
			}
			cells[n][i] = cell(v, saved && strings.HasSuffix(t.columns[i], millis))
		}
	}
	return a.style.TableOrRecords(a.out, cols, cells)
}

// textRoom is what a text is cut to before columns go.
const textRoom = 16

// column is one that is shown as it is: numbers to the right, and texts that may be cut.
func column(name string, rows [][]any, i int) render.Column {
	c := render.Column{Title: name}
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
	case some && !times:
		c.Give = textRoom
	}
	return c
}

// savedColumn is a column of a saved query. On a narrow terminal ids that are there for
// copying go first, then lists, then what is on the right; the session, which leads on to
// other verbs, is the last of them, and the first three columns stay.
func savedColumn(c render.Column, name string, rows [][]any, i int) render.Column {
	c.Title = strings.ToUpper(strings.ReplaceAll(strings.TrimSuffix(name, millis), "_", " "))
	lists := slices.ContainsFunc(rows, func(row []any) bool { _, is := row[i].([]any); return is })
	const lastOf = 1000 // more columns than there are
	switch {
	case i < 3:
	case lists:
		c.Drop = 1
	case name == "session":
		c.Drop = 2 * lastOf
	default:
		c.Drop = lastOf - i
	}
	switch name {
	case "status", "outcome":
		c.Paint = render.PaintStatus
	case "failed", "errors":
		if c.Right {
			c.Paint = render.PaintNumber
		}
	case "action_id", "agent_id", "at_event":
		c.Give, c.Spare, c.Paint = 0, true, render.PaintDim
	}
	return c
}

// shorter returns what writes ids as the table of sessions shows them, and times within
// lists as all others.
func (t table) shorter() func(string) string {
	short := map[string]string{}
	var ids []string
	for _, row := range t.rows {
		for _, v := range row {
			mapStrings(v, func(s string) string {
				if short[s] == "" && isUUID(base(s)) {
					ids, short[s] = append(ids, s), s
				}
				return s
			})
		}
	}
	for i, s := range shortIDs(ids) {
		short[ids[i]] = s
	}
	return func(s string) string {
		if id, ok := short[s]; ok {
			return id
		}
		if at, ok := parseTime(s); ok {
			return render.Time(at)
		}
		return s
	}
}

// isUUID reports whether an id is one that nobody reads whole.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if s[i] != '-' {
				return false
			}
		case !strings.ContainsRune("0123456789abcdef", rune(s[i])):
			return false
		}
	}
	return true
}

// mapStrings is a value with what f makes of the strings in it.
func mapStrings(v any, f func(string) string) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = mapStrings(v[i], f)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = mapStrings(v[k], f)
		}
		return out
	}
	return v
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
		if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) { // as JSON has it
			return strconv.FormatFloat(v, 'e', -1, 64)
		}
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
