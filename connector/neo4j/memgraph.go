package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
)

// What Memgraph does otherwise than Neo4j, as its source has it at 3.6 and 3.12
// (src/query/interpreter.cpp, src/storage/v2).

// memgraphAttempts bounds our own retries: the driver retries what Memgraph reports as
// a TransientError, but some conflicts of two writers come as a ClientError.
const memgraphAttempts = 5

// isMemgraphConflict reports that another transaction was in the way: two that create
// the same Tool at once (the unique constraint fails one of them), or two that write to
// the same node (memgraph/memgraph#1304).
func isMemgraphConflict(err error) bool {
	return saysMemgraph(err, "conflicting transactions", "unique constraint violation")
}

// wantsAccess reports that a statement did not get the database for itself in time,
// which Memgraph wants for a change of the schema and waits a second for
// (--storage-access-timeout-sec).
func wantsAccess(err error) bool {
	return saysMemgraph(err, "access to the storage", "access storage")
}

// saysMemgraph looks for texts in an error of Memgraph, whose code is nearly always
// Memgraph.ClientError.MemgraphError.MemgraphError.
func saysMemgraph(err error, texts ...string) bool {
	var refused *driver.Neo4jError
	if !errors.As(err, &refused) || !strings.HasPrefix(refused.Code, "Memgraph.") {
		return false
	}
	for _, text := range texts {
		if strings.Contains(strings.ToLower(refused.Msg), text) {
			return true
		}
	}
	return false
}

// memgraphTransactions refuses a Memgraph whose storage mode has none: a batch that fails
// half-way would stay half-way, without its position.
func (s *Store) memgraphTransactions(ctx context.Context) error {
	session := s.session(ctx, driver.AccessModeRead)
	defer session.Close(ctx)
	records, err := ask(ctx, session, cypher.Read(cypher.Memgraph, "show_storage"))
	if err != nil {
		return err
	}
	for _, r := range records {
		if row := r.AsMap(); isAnalytical(row) {
			return fmt.Errorf("the server is in storage mode %s, which has no transactions: run STORAGE MODE IN_MEMORY_TRANSACTIONAL", row["value"])
		}
	}
	return nil
}

// isAnalytical reads a row of SHOW STORAGE INFO.
func isAnalytical(r map[string]any) bool {
	return r["storage info"] == "storage_mode" && r["value"] == "IN_MEMORY_ANALYTICAL"
}

// schemaRowKey names what a row of SHOW CONSTRAINT INFO or SHOW INDEX INFO is about.
func schemaRowKey(r map[string]any) string {
	if kind, ok := r["constraint type"].(string); ok {
		return fmt.Sprintf("%s %v(%s)", kind, r["label"], names(r["properties"]))
	}
	kind, _ := r["index type"].(string)
	if kind == "label" { // of all nodes of a label: there is no property
		return fmt.Sprintf("%s %v", kind, r["label"])
	}
	if _, name, ok := strings.Cut(kind, "label_text (name: "); ok { // label_text (name: action_search)
		kind = "text " + strings.TrimSuffix(name, ")")
	}
	return fmt.Sprintf("%s %v(%s)", kind, r["label"], names(r["property"]))
}

// names joins what is a name or a list of names, depending on the version.
func names(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	out := make([]string, len(list))
	for i, name := range list {
		out[i] = fmt.Sprint(name)
	}
	return strings.Join(out, ",")
}

// schemaKey names what a statement of schema/*/setup.cypher makes, as schemaRowKey and
// neo4jRowKey do; "" is any other statement.
func schemaKey(stmt string) string {
	if key := neo4jKey(stmt); key != "" {
		return key
	}
	if rest, ok := strings.CutPrefix(stmt, "CREATE CONSTRAINT ON (n:"); ok {
		label, rest, _ := strings.Cut(rest, ") ASSERT n.")
		return "unique " + label + "(" + strings.TrimSuffix(rest, " IS UNIQUE") + ")"
	}
	if rest, ok := strings.CutPrefix(stmt, "CREATE INDEX ON :"); ok {
		if strings.HasSuffix(rest, ")") {
			return "label+property " + rest
		}
		return "label " + rest
	}
	if rest, ok := strings.CutPrefix(stmt, "CREATE TEXT INDEX "); ok {
		return "text " + strings.Replace(rest, "ON :", "", 1)
	}
	return ""
}
