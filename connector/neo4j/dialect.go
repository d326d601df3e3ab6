package neo4j

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
)

// What the statements need.
const (
	minNeo4j = "5.0" // CREATE CONSTRAINT … FOR … REQUIRE
	// Memgraph 3.6 is the first whose text index is not experimental and names the
	// properties that it holds (CREATE TEXT INDEX n ON :Label(property)). Every statement
	// was parsed with the grammars of 3.6, 3.8, 3.10 and 3.12.
	minMemgraph = "3.6"
)

// detect asks the server what it is.
func (s *Store) detect(ctx context.Context) (*Info, error) {
	session := s.session(ctx, driver.AccessModeRead)
	defer session.Close(ctx)
	info, err := components(ctx, session)
	if err != nil {
		return nil, err
	}
	return info, supported(info)
}

// components asks for name and version. Neo4j does not know SHOW VERSION; Memgraph may
// or may not know dbms.components(), so an answer to that one is not enough.
func components(ctx context.Context, session driver.SessionWithContext) (*Info, error) {
	records, err := ask(ctx, session, cypher.Read(cypher.Neo4j, "server"))
	rows := make([]map[string]any, len(records))
	for i, r := range records {
		rows[i] = r.AsMap()
	}
	if !isMemgraph(rows, err) {
		return parseComponents(rows, err)
	}
	if records, err = ask(ctx, session, cypher.Read(cypher.Memgraph, "server")); err != nil {
		return nil, fmt.Errorf("the server says neither that it is Neo4j (CALL dbms.components()) nor that it is Memgraph (SHOW VERSION): %w", err)
	}
	if len(records) == 0 {
		return nil, errors.New("the server does not say its version (SHOW VERSION is empty)")
	}
	version, _ := records[0].Values[0].(string)
	return &Info{Dialect: cypher.Memgraph, Product: "Memgraph", Version: version}, nil
}

// isMemgraph reads the answer to dbms.components(). A bare Memgraph has no such
// procedure; its packages and images map it (--query-callable-mappings-path) to one that
// says that Memgraph is version 5.9.0 and, since 3.10, in a second row that it is a Neo4j
// Kernel too (query_modules/mgps.py).
func isMemgraph(rows []map[string]any, err error) bool {
	var refused *driver.Neo4jError
	if errors.As(err, &refused) {
		return saysMemgraph(err, "no procedure named") || strings.HasSuffix(refused.Code, "ProcedureNotFound")
	}
	return slices.ContainsFunc(rows, func(row map[string]any) bool {
		name, _ := row["name"].(string)
		return strings.Contains(strings.ToLower(name), "memgraph")
	})
}

// ask runs a statement on its own, as some are refused inside a transaction.
func ask(ctx context.Context, session driver.SessionWithContext, stmt string) ([]*driver.Record, error) {
	result, err := session.Run(ctx, stmt, nil)
	if err != nil {
		return nil, err
	}
	return result.Collect(ctx)
}

// parseComponents reads the answer to dbms.components() of what is no Memgraph.
func parseComponents(rows []map[string]any, err error) (*Info, error) {
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the server does not say what it is (CALL dbms.components() is empty)")
	}
	row := rows[0]
	if i := slices.IndexFunc(rows, func(row map[string]any) bool { return row["name"] == "Neo4j Kernel" }); i >= 0 {
		row = rows[i]
	}
	info := &Info{Dialect: cypher.Neo4j}
	info.Product, _ = row["name"].(string)
	if info.Product == "Neo4j Kernel" {
		info.Product = "Neo4j"
	}
	if versions, _ := row["versions"].([]any); len(versions) > 0 {
		info.Version, _ = versions[0].(string)
	}
	info.Edition, _ = row["edition"].(string)
	return info, nil
}

// supported refuses a server that the statements were not written for.
func supported(info *Info) error {
	least := minNeo4j
	switch info.Product {
	case "Neo4j":
	case "Memgraph":
		least = minMemgraph
	default:
		return unsupportedError(fmt.Sprintf("the server is %q %s: only Neo4j and Memgraph are supported", info.Product, info.Version))
	}
	is, ok := parseVersion(info.Version)
	if want, _ := parseVersion(least); !ok || is[0] < want[0] || is[0] == want[0] && is[1] < want[1] {
		return unsupportedError(fmt.Sprintf("%s %s is not supported: it takes %s %s or later", info.Product, info.Version, info.Product, least))
	}
	return nil
}

// parseVersion reads "5.26.10", "2025.01.0", "5.27-aura" and "3.10.0+5~abc".
func parseVersion(v string) (out [2]int, ok bool) {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return out, false
	}
	for i := range out {
		digits := parts[i]
		if n := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); n >= 0 {
			digits = digits[:n]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return out, false
		}
		out[i] = n
	}
	return out, true
}
