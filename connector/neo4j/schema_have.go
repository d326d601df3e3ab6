package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
)

// have asks which constraints and indexes are there. The keys are schemaKey's.
func (s *Store) have(ctx context.Context, d cypher.Dialect) (map[string]bool, error) {
	session := s.session(ctx, driver.AccessModeRead)
	defer session.Close(ctx)
	key := neo4jRowKey
	if d == cypher.Memgraph {
		key = schemaRowKey
	}
	have := map[string]bool{}
	for _, name := range []string{"show_constraints", "show_indexes"} {
		records, err := ask(ctx, session, cypher.Read(d, name))
		if err != nil {
			s.lost(err)
			return nil, ended(ctx, err)
		}
		for _, r := range records {
			have[key(r.AsMap())] = true
		}
	}
	return have, nil
}

// missing reports whether something that Setup makes is not there. Who may not look
// (Neo4j Enterprise has a privilege for that) is told that nothing is missing.
func (s *Store) missing(ctx context.Context, d cypher.Dialect) (bool, error) {
	have, err := s.have(ctx, d)
	if isForbidden(err) {
		return false, nil
	}
	return !hasAll(have, cypher.Setup(d)), err
}

func hasAll(have map[string]bool, stmts []string) bool {
	for _, stmt := range stmts {
		if !have[schemaKey(stmt)] {
			return false
		}
	}
	return true
}

func isForbidden(err error) bool {
	var refused *driver.Neo4jError
	return errors.As(err, &refused) && strings.HasSuffix(refused.Code, ".Forbidden")
}

// neo4jRowKey names what a row of SHOW CONSTRAINTS or SHOW INDEXES is about. It goes by
// label and property: IF NOT EXISTS takes one of another name, too.
func neo4jRowKey(r map[string]any) string {
	kind, _ := r["type"].(string)
	switch {
	case kind == "UNIQUENESS", kind == "NODE_PROPERTY_UNIQUENESS", kind == "NODE_KEY":
		kind = "unique"
	case kind == "RANGE":
		kind = "index"
	case kind == "FULLTEXT": // a search asks for it by its name
		kind = fmt.Sprint("text ", r["name"])
	}
	return fmt.Sprintf("%s %s(%s)", kind, names(r["labelsOrTypes"]), names(r["properties"]))
}

// neo4jKey names what a statement of schema/neo4j/setup.cypher makes, as neo4jRowKey
// does; "" is any other statement.
func neo4jKey(stmt string) string {
	words := strings.Fields(stmt)
	head, rest, ok := strings.Cut(stmt, " IF NOT EXISTS FOR (n:")
	if !ok || words[0] != "CREATE" {
		return ""
	}
	kind := map[string]string{"CONSTRAINT": "unique", "INDEX": "index", "FULLTEXT": "text " + head[strings.LastIndexByte(head, ' ')+1:]}[words[1]]
	label, rest, _ := strings.Cut(rest, ")")
	_, rest, _ = strings.Cut(rest, "n.")
	property := rest
	if end := strings.IndexAny(rest, " )]"); end >= 0 {
		property = rest[:end]
	}
	return fmt.Sprintf("%s %s(%s)", kind, label, property)
}

// duplicateError is a unique constraint that cannot be made.
type duplicateError struct {
	key string // schemaKey's
	err error
}

func (e *duplicateError) Error() string {
	label, property, _ := strings.Cut(strings.TrimPrefix(e.key, "unique "), "(")
	return fmt.Sprintf("nodes of the label %s share their %s, which has to be unique", label, strings.TrimSuffix(property, ")"))
}

func (e *duplicateError) Unwrap() error { return e.err }

// cure says how to find the nodes: it may be other people's database.
func (e *duplicateError) cure() string {
	label, property, _ := strings.Cut(strings.TrimPrefix(e.key, "unique "), "(")
	return fmt.Sprintf("give actiongraph a database of its own, or merge the nodes that MATCH (n:%s) WITH n.%s AS key, count(*) AS nodes WHERE nodes > 1 RETURN key finds, or, where all of them are actiongraph's, run ag-sessiond graph-schema clear",
		label, strings.TrimSuffix(property, ")"))
}

// duplicated tells an error of making a unique constraint that nodes break.
func duplicated(stmt string, err error) error {
	var refused *driver.Neo4jError
	if key := schemaKey(stmt); strings.HasPrefix(key, "unique ") && errors.As(err, &refused) &&
		(strings.HasSuffix(refused.Code, ".ConstraintCreationFailed") || saysMemgraph(err, "existing node violates")) {
		return &duplicateError{key, err}
	}
	return fmt.Errorf("%s: %w", stmt, err)
}
