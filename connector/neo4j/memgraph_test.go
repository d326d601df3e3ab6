package neo4j

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
)

// The rows and errors here are written after Memgraph's source at v3.6.0 and v3.12.0:
// there was no server to record them from.

func memgraphError(format string, args ...any) error {
	return &driver.Neo4jError{Code: "Memgraph.ClientError.MemgraphError.MemgraphError", Msg: fmt.Sprintf(format, args...)}
}

func transient(msg string) error {
	return &driver.Neo4jError{Code: "Memgraph.TransientError.MemgraphError.MemgraphError", Msg: msg}
}

func component(name, version, edition string) map[string]any {
	return map[string]any{"name": name, "versions": []any{version}, "edition": edition}
}

// components is what servers answer to CALL dbms.components().
func TestServerIsIdentified(t *testing.T) {
	for name, c := range map[string]struct {
		rows     []map[string]any
		err      error
		memgraph bool
	}{
		"neo4j":                   {rows: []map[string]any{component("Neo4j Kernel", "5.26.10", "community")}},
		"neo4j with a second row": {rows: []map[string]any{component("Cypher", "5", ""), component("Neo4j Kernel", "2025.01.0", "enterprise")}},
		"memgraph, bare":          {err: memgraphError("There is no procedure named 'dbms.components'."), memgraph: true},
		"memgraph 3.6, mapped":    {rows: []map[string]any{component("Memgraph", "5.9.0", "community")}, memgraph: true},
		"memgraph 3.12, mapped": {
			rows:     []map[string]any{component("Memgraph", "5.9.0", "community"), component("Neo4j Kernel", "5.9.0", "community")},
			memgraph: true,
		},
		"memgraph, wrong password": {err: &driver.Neo4jError{Code: "Memgraph.ClientError.Security.Unauthenticated", Msg: "Authentication failure"}},
		"neo4j, wrong password":    {err: &driver.Neo4jError{Code: "Neo.ClientError.Security.Unauthorized"}},
		"no network":               {err: errors.New("connection refused")},
	} {
		t.Run(name, func(t *testing.T) {
			if got := isMemgraph(c.rows, c.err); got != c.memgraph {
				t.Fatalf("isMemgraph is %v", got)
			}
			if c.memgraph {
				return
			}
			info, err := parseComponents(c.rows, c.err)
			if c.err != nil {
				if !errors.Is(err, c.err) {
					t.Fatal(info, err)
				}
				return
			}
			if err != nil || info.Dialect != cypher.Neo4j || info.Product != "Neo4j" || supported(info) != nil {
				t.Fatalf("%+v, %v, %v", info, err, supported(info))
			}
		})
	}
	if _, err := parseComponents(nil, nil); err == nil {
		t.Error("no row is no error")
	}
}

// constraints, indexes and text indexes that a server has are not made again, and all
// others are.
func TestMemgraphSchemaIsRecognised(t *testing.T) {
	constraint := func(kind, label string, properties ...any) map[string]any {
		return map[string]any{"constraint type": kind, "label": label, "properties": properties, "data_type": ""}
	}
	index := func(kind string, label, property any) map[string]any {
		return map[string]any{"index type": kind, "label": label, "property": property, "count": int64(7)}
	}
	rows := []map[string]any{
		constraint("unique", "Session", "session_id"),
		index("label", "Session", nil),
		index("label+property", "Action", []any{"status"}),
		index("label+property", "Action", "tool_name"), // one name alone, as before composite indexes
		index("label_text (name: action_search)", "Action", []any{"search"}),
	}
	want := map[string]bool{
		"CREATE CONSTRAINT ON (n:Session) ASSERT n.session_id IS UNIQUE": true,
		"CREATE INDEX ON :Session":                                       true,
		"CREATE INDEX ON :Action(status)":                                true,
		"CREATE INDEX ON :Action(tool_name)":                             true,
		"CREATE TEXT INDEX action_search ON :Action(search)":             true,
	}
	others := []map[string]any{
		{"constraint type": "exists", "label": "Action", "properties": "action_id", "data_type": ""},
		constraint("unique", "Tool", "name", "host"),
		constraint("unique", "Agent", "agent_id"),
		index("label+property (DESC)", "Session", []any{"session_id"}),
		index("label+property", "Action", []any{"action_id", "status"}),
		index("label_text (name: mine)", "Action", []any{"search"}),
		index("edge-type", "HAS_ACTION", nil),
		index("edge-property", nil, "search"),
		index("point", "Session", "started_at"),
	}
	have := map[string]bool{}
	for _, r := range append(rows, others...) {
		have[schemaRowKey(r)] = true
	}
	for _, stmt := range cypher.Setup(cypher.Memgraph) {
		key := schemaKey(stmt)
		if key == "" {
			t.Errorf("%s: not known to schemaKey: it would be run at every start", stmt)
		}
		if have[key] != want[stmt] {
			t.Errorf("%s (%s): there is %v, want %v", stmt, key, have[key], want[stmt])
		}
		delete(want, stmt)
	}
	for stmt := range want {
		t.Errorf("setup.cypher has no %s any more: mend this test", stmt)
	}
	delete(have, schemaRowKey(rows[4]))
	if have[schemaKey("CREATE TEXT INDEX action_search ON :Action(search)")] {
		t.Error("a text index of another name was taken for ours: searches would fail for want of it")
	}
}

// What is made once is taken back once, and nothing else is.
func TestMemgraphDropMatchesSetup(t *testing.T) {
	want := map[string]bool{}
	for _, stmt := range cypher.Setup(cypher.Memgraph) {
		stmt = strings.Replace(stmt, "CREATE ", "DROP ", 1)
		if strings.HasPrefix(stmt, "DROP TEXT INDEX ") {
			stmt, _, _ = strings.Cut(stmt, " ON :")
		}
		want[stmt] = true
	}
	for _, stmt := range cypher.Drop(cypher.Memgraph) {
		if !want[stmt] {
			t.Errorf("%s drops what setup.cypher does not make", stmt)
		}
		delete(want, stmt)
	}
	for stmt := range want {
		t.Errorf("drop.cypher lacks %s", stmt)
	}
}

func TestMemgraphErrorsAreUnderstood(t *testing.T) {
	unauthenticated := &driver.Neo4jError{Code: "Memgraph.ClientError.Security.Unauthenticated", Msg: "Authentication failure"}
	for _, c := range []struct {
		err                     error
		conflict, access, there bool
	}{
		{err: memgraphError("Unable to commit due to unique constraint violation on :Tool(name)"), conflict: true},
		{err: transient("Cannot resolve conflicting transactions. You can retry this transaction when the conflicting transaction is finished"), conflict: true},
		{err: transient("Cannot get shared access storage. Try stopping other queries that are running in parallel."), access: true},
		{err: transient("Cannot get unique access to the storage. Try stopping other queries that are running in parallel."), access: true},
		{err: transient("Cannot get read-only access to the storage. Try stopping other parallel queries."), access: true},
		{err: memgraphError("Text index action_search already exists at path: /var/lib/memgraph/text_indices/action_search."), there: true},
		{err: memgraphError("Text index action_search doesn't exist."), there: true},
		{err: unauthenticated},
		{err: memgraphError("Unbound variable: x.")},
		{err: errors.New("unique constraint violation: says somebody else")},
		{err: &driver.Neo4jError{Code: "Neo.ClientError.Schema.ConstraintValidationFailed", Msg: "Node(7) already exists with label `Tool` and property `name`"}},
	} {
		if isMemgraphConflict(c.err) != c.conflict || wantsAccess(c.err) != c.access || isThere(c.err) != c.there {
			t.Errorf("%v: conflict %v, access %v, there %v; want %v, %v, %v", c.err,
				isMemgraphConflict(c.err), wantsAccess(c.err), isThere(c.err), c.conflict, c.access, c.there)
		}
	}
	if reason, got := diagnose(unauthenticated, Options{}); !strings.Contains(got, "password") || reason != reasonLogin {
		t.Errorf("a wrong password: %q", got)
	}
	for _, err := range []error{
		memgraphError("You cannot fetch routing table from an instance which is not part of a cluster."),
		memgraphError("Cannot fetch routing table from a data instance!"),
		&driver.Neo4jError{Code: "66", Msg: "Route message is not supported in Memgraph!"},
	} {
		if _, got := diagnose(err, Options{}); !strings.Contains(got, "bolt://") {
			t.Errorf("%v: %q does not say what to use", err, got)
		}
	}
	noIndex := memgraphError("Text index action_search doesn't exist.")
	if reason, got := diagnose(noIndex, Options{}); !isNoIndex(noIndex) || reason != reasonNoIndex || !strings.Contains(got, "graph-schema setup") {
		t.Errorf("a search without its index: %s, %q", reason, got)
	}
	if err := queryError(memgraphError("Accessor type READ and query type W are misaligned!")); !errors.Is(err, ErrWrites) {
		t.Error(err)
	}
	if err := queryError(memgraphError("Unbound variable: x.")); !errors.Is(err, ErrStatement) || !strings.Contains(err.Error(), "Unbound variable") {
		t.Error(err)
	}
}

func TestMemgraphWithoutTransactionsIsRefused(t *testing.T) {
	for mode, analytical := range map[string]bool{"IN_MEMORY_TRANSACTIONAL": false, "ON_DISK_TRANSACTIONAL": false, "IN_MEMORY_ANALYTICAL": true} {
		if got := isAnalytical(map[string]any{"storage info": "storage_mode", "value": mode}); got != analytical {
			t.Errorf("%s: %v", mode, got)
		}
	}
	if isAnalytical(map[string]any{"storage info": "name", "value": "IN_MEMORY_ANALYTICAL"}) {
		t.Error("a database of that name was taken for one in that mode")
	}
}

func TestVersionsThatAreSupported(t *testing.T) {
	for _, c := range []struct {
		product, version string
		ok               bool
	}{
		{"Neo4j", "4.4.30", false}, {"Neo4j", "5.0.0", true}, {"Neo4j", "5.26.10", true}, {"Neo4j", "5.27-aura", true},
		{"Neo4j", "2025.01.0", true}, {"Memgraph", "2.18.1", false}, {"Memgraph", "3.5.2", false}, {"Memgraph", "3.6.0", true},
		{"Memgraph", "3.10.0+5~abc", true}, {"Memgraph", "4.0.0", true}, {"Memgraph", "", false}, {"FalkorDB", "9.9.9", false},
	} {
		if err := supported(&Info{Product: c.product, Version: c.version}); (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.product, c.version, err)
		}
	}
}
