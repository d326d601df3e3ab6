package sqlite

import (
	_ "embed"
	"encoding/hex"
	"maps"

	"github.com/actiongraph/actiongraph/graph"
)

//go:embed schema.sql
var schemaSQL string

// Version is the layout of the file that this package reads and writes, in
// PRAGMA user_version. It changes whenever schema.sql does, and with what is written into the
// same columns; 6 was two layouts, without and with position.fold.
const Version = 8

// applicationID marks the file as ours, in PRAGMA application_id: "AGDB".
const applicationID = 0x41474442

// eventStoreID is the mark of what package eventstore/sqlite makes: "AGEV".
const eventStoreID = 0x41474556

// kind is how a column holds a property. A value of another Go type than the
// column is for is held as a JSON BLOB, so that any value comes back as it was.
type kind uint8

const (
	text     kind = iota // string
	integer              // int64
	real                 // float64
	boolean              // bool, as 0 or 1
	instant              // graph.Time
	hexID                // string: 32 hexadecimal digits as a 16-byte BLOB, others as TEXT
	self                 // string that the row says already, as 1; others as TEXT
	typeName             // string: an action type as its number, others as TEXT
	plain                // not a property: what the row itself consists of
)

// column is one column; its name is the property's but for those of kind self.
type column struct {
	name string
	kind kind
	prop string
}

// table is where the nodes of one label are, or, for actions, one of two halves.
type table struct {
	name   string
	label  graph.Label
	code   int64 // of the label, in edge.src and edge.dst
	owned  bool  // rows belong to a session: sid is part of the key
	binary bool  // keys are 16-byte BLOBs
	cols   []column
	byProp map[string]int
	more   int // the index of the column for all other properties, or -1
}

func newTable(t table, cols ...[]column) *table {
	t.byProp, t.more = map[string]int{}, -1
	for _, group := range cols {
		for _, c := range group {
			if c.prop != "" {
				t.byProp[c.prop] = len(t.cols)
			}
			if c.name == "more" {
				t.more = len(t.cols)
			}
			t.cols = append(t.cols, c)
		}
	}
	return &t
}

func props(k kind, names ...string) (cols []column) {
	for _, n := range names {
		cols = append(cols, column{n, k, n})
	}
	return cols
}

func plainly(names ...string) (cols []column) {
	for _, n := range names {
		cols = append(cols, column{name: n, kind: plain})
	}
	return cols
}

// The first columns of an action that are no properties, in this order.
const (
	colSID = iota
	colKey
	colType
	colLinks // the first of numLinks
)

// The edges that are columns, in the order of the columns.
const (
	linkSession = iota // HAS_ACTION from its own Session: 1
	linkLane           // HAS_ACTION from an Agent: its row id
	linkPrev           // FOLLOWED_BY: the row id of the action before
	linkParent         // PARENT_OF: the row id of the parent
	linkTool           // USED_TOOL: the row id of the Tool
	numLinks
)

// tables is the layout as the code needs it; a test holds it against schema.sql.
type tables struct {
	session, action, body, agent, tool, tag, file *table

	ofAction map[string]int // the column of a property: of action, then those of body
}

func newTables() tables {
	more := plainly("more")
	t := tables{
		session: newTable(table{name: "session", label: graph.LabelSession, code: 0}, plainly("key", "put"),
			[]column{{"keyed", self, "session_id"}},
			props(text, "name", "status", "end_reason", "model", "title", "first_prompt", "working_directory",
				"git_branch", "git_commit", "repo_root", "host", "user", "source_sdk", "journal", "metadata"),
			props(instant, "started_at", "ended_at", "last_event_at"),
			props(integer, "action_count", "tool_call_count", "message_count", "agent_count", "error_count",
				"total_input_tokens", "total_output_tokens", "total_cache_read_input_tokens",
				"total_cache_creation_input_tokens"),
			props(real, "total_cost_usd"), more),
		action: newTable(table{name: "action", label: graph.LabelAction, code: 1, owned: true, binary: true},
			plainly("sid", "key", "type", "in_session", "lane", "prev", "parent", "tool"),
			props(instant, "timestamp", "started_at", "ended_at"), props(real, "duration_ms"),
			props(text, "status", "agent_id", "tool_name"), props(hexID, "parent_action_id"),
			props(boolean, "parent_unknown", "is_error", "never_ran"), props(integer, "turn", "seq")),
		body: newTable(table{name: "body", label: graph.LabelAction, code: 1},
			[]column{{"keyed", self, "action_id"}, {"in_sid", self, "session_id"}, {"typed", typeName, "action_type"}},
			props(text, "name", "model", "prompt_id", "tool_use_id", "mcp_server", "role", "command",
				"error_message", "metadata", "properties", "text"), props(boolean, "is_mcp", "thinking"), more),
		agent: newTable(table{name: "agent", label: graph.LabelAgent, code: 2, owned: true, binary: true},
			plainly("sid", "key", "put"),
			[]column{{"keyed", self, "agent_key"}, {"in_sid", self, "session_id"}},
			props(text, "agent_id", "name", "agent_type", "description", "status", "prompt", "last_assistant_message"),
			props(instant, "started_at", "ended_at"), props(boolean, "parent_unknown"), more),
		tool: newTable(table{name: "tool", label: graph.LabelTool, code: 3}, plainly("key", "put"),
			[]column{{"keyed", self, "name"}}, props(boolean, "is_mcp"), props(text, "mcp_server"), more),
		tag: newTable(table{name: "tag", label: graph.LabelTag, code: 4}, plainly("key", "put"),
			[]column{{"keyed", self, "name"}}, more),
		file: newTable(table{name: "file", label: graph.LabelFile, code: 5, binary: true}, plainly("key", "put"),
			[]column{{"keyed", self, "file_key"}}, props(text, "host", "path", "repo_path", "name"), more),
	}
	t.ofAction = maps.Clone(t.action.byProp)
	for name, i := range t.body.byProp {
		t.ofAction[name] = len(t.action.cols) + i
	}
	return t
}

// of returns the table of the nodes of l, or nil.
func (t *tables) of(l graph.Label) *table {
	switch l {
	case graph.LabelSession:
		return t.session
	case graph.LabelAction:
		return t.action
	case graph.LabelAgent:
		return t.agent
	case graph.LabelTool:
		return t.tool
	case graph.LabelTag:
		return t.tag
	case graph.LabelFile:
		return t.file
	}
	return nil
}

// sqlKey is key as the table's key column holds it: half the size where it is 32
// hexadecimal digits.
func (t *table) sqlKey(key string) any {
	if t.binary {
		if b, ok := packHex(key); ok {
			return b
		}
	}
	return key
}

// goKey is the reverse of sqlKey.
func goKey(v any) string {
	switch v := v.(type) {
	case []byte:
		return hex.EncodeToString(v)
	case string:
		return v
	}
	return ""
}

// packHex returns the 16 bytes of 32 lower-case hexadecimal digits.
func packHex(s string) ([]byte, bool) {
	if len(s) != 32 {
		return nil, false
	}
	var src [32]byte
	copy(src[:], s)
	for _, c := range src {
		if c >= 'A' && c <= 'F' {
			return nil, false // would come back in lower case
		}
	}
	b := make([]byte, 16)
	if _, err := hex.Decode(b, src[:]); err != nil {
		return nil, false
	}
	return b, true
}
